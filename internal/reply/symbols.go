package reply

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// symbols finds emoji, emoticons and exclamation marks in the text as it was written.
func (l *linter) symbols() {
	emoji := lintRule{name: "emoji", zh: "不要使用表情符号。", en: "No emoji."}
	for i, r := range l.text {
		if isEmoji(r) {
			l.add(emoji, span{i, i + utf8.RuneLen(r)})
		}
	}
	for _, m := range emoticon.FindAllStringSubmatchIndex(l.text, -1) {
		sign := m[2:4]
		if sign[0] < 0 {
			sign = m[4:6]
		}
		l.add(emoji, span{sign[0], sign[1]})
	}
	l.exclamations()
}

// emoticon: one of its two groups is the sign itself.
var emoticon = regexp.MustCompile(`(?:^|[\s\p{Han}，。])([:;]-?[)(DP]|\^_?\^|T_T|orz|XD)(?:$|[\s\p{Han}，。])|\p{Han}([~～]+)`)

func isEmoji(r rune) bool {
	switch {
	case r >= 0x1F000 && r <= 0x1FAFF, r >= 0x2600 && r <= 0x27BF, r == 0x2B50, r == 0x2B55, r == 0x2B1B, r == 0x2B1C, r == 0xFE0F, r == 0x20E3:
		return true
	}
	return false
}

// exclamations: one in a template, or two in a person's text, make the mail loud.
func (l *linter) exclamations() {
	rule := lintRule{name: "exclamation", zh: "请用句号。", en: "Use a full stop."}
	var marks []span
	for i, r := range l.text {
		if strings.ContainsRune("!！‼⁉﹗", r) {
			marks = append(marks, span{i, i + utf8.RuneLen(r)})
		}
	}
	if len(marks) < 2 && !l.opts.Template {
		return
	}
	for _, m := range marks {
		l.add(rule, m)
	}
}
