package body

import (
	"maps"
	"strings"
)

const (
	maxRules  = 2000   // selectors kept of all style sheets of one mail
	maxStyled = 50_000 // elements for which the style sheets are looked up
)

// style holds the declarations that decide whether text can be seen, by property.
type style map[string]string

// sheet holds the declarations of simple selectors (tag, .class, #id, tag.class) of the mail's style elements. Rules
// inside @media and the like are left out, because they hold for some readers only.
type sheet struct {
	rules  map[string]style
	styled int
}

func (s *sheet) add(css string) {
	css = strings.ReplaceAll(strings.ReplaceAll(stripComments(css), "<!--", ""), "-->", "")
	for len(css) > 0 && len(s.rules) < maxRules {
		head, rest, ok := strings.Cut(css, "{")
		if !ok {
			return
		}
		head = strings.TrimSpace(head)
		if at := strings.LastIndexByte(head, ';'); at >= 0 { // @import …; and @charset …; before a rule
			head = strings.TrimSpace(head[at+1:])
		}
		if strings.HasPrefix(head, "@") {
			css = afterBlock(rest)
			continue
		}
		block, after, _ := strings.Cut(rest, "}")
		s.put(head, block)
		css = after
	}
}

func (s *sheet) put(selectors, block string) {
	d := declarations(block)
	if len(d) == 0 {
		return
	}
	if s.rules == nil {
		s.rules = map[string]style{}
	}
	for sel := range strings.SplitSeq(selectors, ",") {
		sel = strings.TrimSpace(sel)
		if sel == "" || strings.ContainsAny(sel, " >+~:[*") || len(s.rules) >= maxRules {
			continue
		}
		merged := style{}
		maps.Copy(merged, s.rules[sel])
		maps.Copy(merged, d)
		s.rules[sel] = merged
	}
}

// lookup returns the declarations that hold for an element, the weakest first.
func (s *sheet) lookup(tag string, attr map[string]string) []style {
	if len(s.rules) == 0 || s.styled > maxStyled {
		return nil
	}
	s.styled++
	var found []style
	find := func(sel string) {
		if d := s.rules[sel]; d != nil {
			found = append(found, d)
		}
	}
	find(tag)
	n := 0
	for class := range strings.FieldsSeq(attr["class"]) {
		if n++; n > 16 {
			break
		}
		find("." + class)
		find(tag + "." + class)
	}
	if id := attr["id"]; id != "" {
		find("#" + id)
		find(tag + "#" + id)
	}
	return found
}

// afterBlock returns what follows the block whose opening brace has been read.
func afterBlock(css string) string {
	depth := 1
	for i := range len(css) {
		switch css[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return css[i+1:]
			}
		}
	}
	return ""
}

func stripComments(css string) string {
	if !strings.Contains(css, "/*") {
		return css
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(css, "/*")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, css, _ = strings.Cut(rest, "*/")
	}
}

// declarations reads a style attribute or rule: the properties that decide on visibility, in lower case, without
// "!important".
func declarations(css string) style {
	if css == "" {
		return nil
	}
	var d style
	for decl := range strings.SplitSeq(unescapeCSS(stripComments(css)), ";") {
		k, v, ok := strings.Cut(decl, ":")
		k = strings.ToLower(strings.TrimSpace(k))
		if !ok || !decidesVisibility(k) {
			continue
		}
		v, _, _ = strings.Cut(strings.ToLower(v), "!")
		if d == nil {
			d = style{}
		}
		d[k] = strings.TrimSpace(v)
	}
	return d
}

func decidesVisibility(property string) bool {
	switch property {
	case "display", "visibility", "opacity", "mso-hide", "content-visibility", "overflow", "overflow-y", "height",
		"max-height", "width", "max-width", "position", "left", "right", "top", "bottom", "text-indent", "margin-left",
		"margin-top", "clip", "clip-path", "transform", "font", "font-size", "color", "background",
		"background-color", "background-image", "border", "border-style", "border-left":
		return true
	}
	return false
}

// unescapeCSS resolves \64 and \l, with which a property's name can be veiled.
func unescapeCSS(s string) string {
	if !strings.ContainsRune(s, '\\') {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		n, code := 0, rune(0)
		for n < 6 && i+1+n < len(s) && hexValue(s[i+1+n]) >= 0 {
			code = code<<4 | rune(hexValue(s[i+1+n]))
			n++
		}
		if n == 0 {
			continue
		}
		b.WriteRune(code)
		i += n
		if i+1 < len(s) && s[i+1] == ' ' {
			i++
		}
	}
	return b.String()
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
