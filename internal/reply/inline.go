package reply

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseInline reads the words of one paragraph or list item: text, value tokens, **strong** and [label](address).
func parseInline(src string, count int) ([]inline, error) {
	out, rest, err := inlineUntil(src, "", count)
	if err != nil {
		return nil, err
	}
	if rest != "" {
		return nil, fmt.Errorf("unexpected %q", rest)
	}
	return out, nil
}

// inlineUntil reads up to stop ("" reads everything) and returns what follows it.
func inlineUntil(src, stop string, count int) ([]inline, string, error) {
	var out []inline
	text := func(s string) { out = appendText(out, s) }
	for src != "" {
		if stop != "" && strings.HasPrefix(src, stop) {
			return out, src[len(stop):], nil
		}
		var in inline
		var err error
		switch {
		case strings.HasPrefix(src, string(tokenOpen)):
			in, src, err = takeToken(src, count)
		case strings.HasPrefix(src, "**"):
			in, src, err = takeStrong(src, stop, count)
		case src[0] == '[' && stop == "":
			in, src, err = takeLink(src, count)
		default:
			n := plainLength(src, stop)
			text(src[:n])
			src = src[n:]
			continue
		}
		if err != nil {
			return nil, "", err
		}
		if in.kind == plain {
			text(in.text)
			continue
		}
		out = append(out, in)
	}
	if stop != "" {
		return nil, "", fmt.Errorf("%s is opened and not closed", stop)
	}
	return out, "", nil
}

func appendText(out []inline, s string) []inline {
	if n := len(out); n > 0 && out[n-1].kind == plain {
		out[n-1].text += s
		return out
	}
	return append(out, inline{kind: plain, text: s})
}

// plainLength is the number of bytes before the next mark; at least one rune is always taken.
func plainLength(src, stop string) int {
	for i := range src {
		if i == 0 {
			continue
		}
		rest := src[i:]
		if strings.HasPrefix(rest, string(tokenOpen)) || strings.HasPrefix(rest, "**") || rest[0] == '[' {
			return i
		}
		if stop != "" && strings.HasPrefix(rest, stop) {
			return i
		}
	}
	return len(src)
}

func takeToken(src string, count int) (inline, string, error) {
	digits, rest, ok := strings.Cut(src[len(string(tokenOpen)):], string(tokenClose))
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n >= count {
		return inline{}, "", errors.New("broken value token")
	}
	return inline{kind: datum, value: n}, rest, nil
}

func takeStrong(src, stop string, count int) (inline, string, error) {
	if stop == "**" {
		return inline{}, "", errors.New("** inside **")
	}
	kids, rest, err := inlineUntil(src[2:], "**", count)
	if err != nil {
		return inline{}, "", err
	}
	if len(kids) == 0 {
		return inline{}, "", errors.New("nothing between ** and **")
	}
	return inline{kind: strong, kids: kids}, rest, nil
}

// takeLink reads [label](address). A bracket that is not followed by "(" is text, as in a ticket number.
func takeLink(src string, count int) (inline, string, error) {
	label, rest, ok := strings.Cut(src[1:], "](")
	if !ok || strings.ContainsAny(label, "[]") {
		return inline{kind: plain, text: "["}, src[1:], nil
	}
	address, rest, ok := strings.Cut(rest, ")")
	if !ok {
		return inline{}, "", errors.New("[label]( is opened and not closed")
	}
	kids, _, err := inlineUntil(label, "", count)
	if err != nil {
		return inline{}, "", err
	}
	target, err := linkTarget(address, count)
	if err != nil {
		return inline{}, "", err
	}
	return inline{kind: link, kids: kids, target: &target}, rest, nil
}

// linkTarget accepts a literal https address or a single value.
func linkTarget(address string, count int) (inline, error) {
	if strings.HasPrefix(address, string(tokenOpen)) {
		in, rest, err := takeToken(address, count)
		if err == nil && rest != "" {
			err = errors.New("the address of a link is one value or one literal")
		}
		return in, err
	}
	clean, err := cleanURL(address)
	return inline{kind: plain, text: clean}, err
}
