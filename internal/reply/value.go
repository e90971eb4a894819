package reply

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of one value, in Unicode code points.
const (
	maxText  = 2_000
	maxProse = 100_000
	maxName  = 80
)

// value is one piece of data as it will stand in the mail.
type value struct {
	typ  Type
	text string
}

// formatValue turns a Go value into the words that will stand in the mail, or says why it is not of the type.
func formatValue(typ Type, lang string, v any) (string, error) {
	switch typ {
	case typeTime, typeDay:
		return formatTime(typ, lang, v)
	case typeNumber:
		return formatNumber(v)
	}
	s, err := textOf(v)
	if err != nil {
		return "", err
	}
	switch typ {
	case typeURL:
		return cleanURL(s)
	case typeCode:
		return cleanCode(s)
	case typeProse:
		return cleanProse(s)
	case typeName:
		return cleanName(s), nil
	}
	return cleanText(s)
}

func textOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int, int32, int64, uint32, uint64:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("%w: %T is not text", ErrValue, v)
}

func formatNumber(v any) (string, error) {
	switch v.(type) {
	case int, int32, int64, uint32, uint64:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("%w: %T is not a whole number", ErrValue, v)
}

// formatTime writes an absolute time with its offset from UTC, in the zone the caller chose.
func formatTime(typ Type, lang string, v any) (string, error) {
	t, ok := v.(time.Time)
	if !ok {
		return "", fmt.Errorf("%w: %T is not a time.Time", ErrValue, v)
	}
	layout := map[Type]string{typeTime: "2 January 2006, 15:04", typeDay: "2 January 2006"}[typ]
	if lang == Chinese {
		layout = map[Type]string{typeTime: "2006年1月2日 15:04", typeDay: "2006年1月2日"}[typ]
		return t.Format(layout) + "（" + zone(t) + "）", nil
	}
	return t.Format(layout) + " (" + zone(t) + ")", nil
}

func zone(t time.Time) string {
	_, offset := t.Zone()
	if offset == 0 {
		return "UTC"
	}
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	if minutes := offset / 60 % 60; minutes != 0 {
		return fmt.Sprintf("UTC%c%d:%02d", sign, offset/3600, minutes)
	}
	return fmt.Sprintf("UTC%c%d", sign, offset/3600)
}

// cleanText makes a value one line without control, bidirectional-override and invisible characters.
func cleanText(s string) (string, error) {
	if utf8.RuneCountInString(s) > maxText {
		return "", fmt.Errorf("%w: more than %d characters", ErrValue, maxText)
	}
	return strings.Join(strings.Fields(strings.Map(visible(' '), s)), " "), nil
}

// cleanProse keeps the lines and paragraphs a person wrote, and nothing invisible.
func cleanProse(s string) (string, error) {
	if utf8.RuneCountInString(s) > maxProse {
		return "", fmt.Errorf("%w: more than %d characters", ErrValue, maxProse)
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(s)
	keep := visible(' ')
	s = strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return keep(r)
	}, s)
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.TrimRightFunc(line, unicode.IsSpace))
	}
	return collapseBlank(strings.Join(lines, "\n")), nil
}

func collapseBlank(s string) string {
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.Trim(s, "\n")
}

// visible maps controls and line separators to blank and drops what a reader cannot see.
func visible(blank rune) func(rune) rune {
	return func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Co, r), unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return blank
		}
		return r
	}
}

// cleanName returns the name when it could be one, and "" when it looks like anything else (an address, a sentence, a link), so
// that the greeting falls back to one without a name.
func cleanName(s string) string {
	s, err := cleanText(s)
	if err != nil || utf8.RuneCountInString(s) > maxName {
		return ""
	}
	for i, r := range s {
		if unicode.IsLetter(r) || unicode.IsMark(r) || r == ' ' || (i > 0 && strings.ContainsRune("'’-·.", r)) {
			continue
		}
		return ""
	}
	if strings.Count(s, " ") > 5 || dotInside.MatchString(s) {
		return ""
	}
	return s
}

var codePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,31}$`)

// dotInside finds what a mail program would turn into a link.
var dotInside = regexp.MustCompile(`\.\S`)

var errNotSecure = errors.New("not an https address")

// cleanURL accepts an absolute https address without user information; plain http only towards this machine, for a trial run.
func cleanURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxText || strings.ContainsFunc(s, badInURL) {
		return "", fmt.Errorf("%w: not an address", ErrValue)
	}
	secure := u.Scheme == "https" || (u.Scheme == "http" && loopback(u.Hostname()))
	if !secure || u.Hostname() == "" || u.User != nil {
		return "", fmt.Errorf("%w: %w", ErrValue, errNotSecure)
	}
	return s, nil
}

func badInURL(r rune) bool {
	return r <= ' ' || r >= 0x7F || strings.ContainsRune("<>\"'`()\\", r)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

func cleanCode(s string) (string, error) {
	if !codePattern.MatchString(s) {
		return "", fmt.Errorf("%w: not a code of letters, digits and hyphens", ErrValue)
	}
	return s, nil
}
