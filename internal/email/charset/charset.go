// Package charset turns the bytes of mail into text whatever their label says: right, wrong, missing or unknown.
// It never fails and its result is always valid UTF-8; how sure it is comes back as a Confidence.
package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Confidence tells how the text of a Decode came about.
type Confidence int

const (
	// Declared means the bytes are what their label says, or plain ASCII.
	Declared Confidence = iota
	// Guessed means the label was missing, unknown or contradicted by the bytes, and another character set fits them.
	Guessed
	// Damaged means some bytes fit nothing and were replaced by U+FFFD.
	Damaged
)

// Decode returns b as valid UTF-8. label is a MIME charset name as found in the mail; it may be empty, quoted, misspelt or wrong.
//
// The order of trust is: a byte order mark; ISO-2022 escape sequences; valid UTF-8; the label, if the bytes are valid under it
// and it is not one of the labels that broken mailers put on everything (us-ascii, iso-8859-1); and then what the bytes look like
// (GB18030, Big5, Shift_JIS, EUC-JP, EUC-KR, windows-1251, KOI8-R, windows-1252). GB2312 and GBK are read as GB18030, which
// contains both, and ISO-8859-1 as windows-1252.
func Decode(b []byte, label string) (string, Confidence) {
	name := Name(label)
	if plain(b) && !stateful(name) {
		return string(b), Declared
	}
	if text, ok := marked(b); ok {
		return text, Declared
	}
	if text, c, ok := escaped(b, name); ok {
		return text, c
	}
	if stateful(name) && !oneByte(b, name) {
		if text, ok := strict(b, name); ok {
			return text, Declared
		}
	}
	if utf8.Valid(b) && !prefersLabel(b, name) {
		return string(b), trust(name == "utf-8")
	}
	if name == "windows-1252" || name == "iso-8859-15" {
		if other, sure := contradicts(b); sure {
			text, ok := strict(b, other)
			if ok {
				return text, Guessed
			}
		}
	}
	if text, ok := declared(b, name); ok {
		return text, Declared
	}
	return guess(b, name)
}

func trust(declared bool) Confidence {
	if declared {
		return Declared
	}
	return Guessed
}

// plain reports whether b is ASCII without escape sequences.
func plain(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 || c == 0x1b || c == 0x0e {
			return false
		}
	}
	return true
}

// stateful names encodings whose ASCII bytes do not stand for themselves.
func stateful(name string) bool {
	switch name {
	case "utf-7", "hz-gb-2312", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be", "ibm037":
		return true
	}
	return false
}

// oneByte recognises text labelled UTF-16 or UTF-32 that is neither: it has no zero byte and is valid UTF-8.
func oneByte(b []byte, name string) bool {
	return strings.HasPrefix(name, "utf-") && name != "utf-7" && bytes.IndexByte(b, 0) < 0 && utf8.Valid(b)
}

// marked decodes text that starts with a byte order mark.
func marked(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) && utf8.Valid(b):
		return string(b[3:]), true
	case bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")):
		return strict(b, "utf-32")
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return strict(b, "utf-16")
	}
	return "", false
}

// escaped decodes the 7-bit encodings that switch sets with ESC or SO, labelled or not (RFC 1468, RFC 1557, RFC 1922).
func escaped(b []byte, name string) (string, Confidence, bool) {
	if bytes.IndexByte(b, 0x1b) < 0 && bytes.IndexByte(b, 0x0e) < 0 {
		return "", 0, false
	}
	switch {
	case bytes.Contains(b, []byte("\x1b$)C")) || name == "iso-2022-kr":
		return shifted(b, "euc-kr"), trust(name == "iso-2022-kr"), true
	case bytes.Contains(b, []byte("\x1b$)A")) || name == "iso-2022-cn":
		return shifted(b, "gb18030"), trust(name == "iso-2022-cn"), true
	case name == "iso-2022-jp" || japaneseEscape(b):
		text, ok := strict(b, "iso-2022-jp")
		if !ok {
			return text, Damaged, name == "iso-2022-jp"
		}
		return text, trust(name == "iso-2022-jp"), true
	}
	return "", 0, false
}

func japaneseEscape(b []byte) bool {
	for _, seq := range []string{"\x1b$B", "\x1b$@", "\x1b(I", "\x1b(J", "\x1b$(D"} {
		if bytes.Contains(b, []byte(seq)) {
			return true
		}
	}
	return false
}

// shifted decodes text whose double-byte characters stand, with the high bit removed, between SO and SI.
func shifted(b []byte, set string) string {
	var out []byte
	for i, high := 0, false; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x0e:
			high = true
		case c == 0x0f:
			high = false
		case c == 0x1b && i+3 < len(b) && b[i+1] == '$':
			i += 3
		case c == '\n':
			high = false
			out = append(out, c)
		case high && c > 0x20:
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	text, _ := strict(out, set)
	return text
}

// prefersLabel keeps a double-byte label for bytes that are valid UTF-8 by accident: short GBK text often is, but then it has no
// three-byte sequences, which all Chinese, Japanese and Korean text in UTF-8 consists of.
func prefersLabel(b []byte, name string) bool {
	if !wide(name) {
		return false
	}
	for i := 0; i < len(b); {
		_, n := utf8.DecodeRune(b[i:])
		if n >= 3 {
			return false
		}
		i += n
	}
	_, ok := strict(b, name)
	return ok
}

// wide names the multi-byte sets in which a wrong reading shows as invalid bytes.
func wide(name string) bool {
	switch name {
	case "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "hz-gb-2312":
		return true
	}
	return false
}

// declared decodes by the label when bytes and label agree.
func declared(b []byte, name string) (string, bool) {
	switch name {
	case "", "utf-8", "us-ascii":
		return "", false
	}
	return strict(b, name)
}

// guess decodes by the look of the bytes and, if nothing fits, by the label or windows-1252 with replacements.
func guess(b []byte, name string) (string, Confidence) {
	if name == "utf-8" && mostlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD"), Damaged
	}
	best, sure := look(b)
	if !sure && wide(name) {
		best = name
	}
	text, ok := strict(b, best)
	if !ok {
		return text, Damaged
	}
	return text, Guessed
}

// mostlyUTF8 recognises UTF-8 with a few broken sequences, such as text cut in the middle of a character.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			bad++
		case n > 1:
			good += n
		}
		i += n
	}
	return good > 4*bad
}

// strict decodes b as name and reports whether every byte fitted; what did not is U+FFFD.
func strict(b []byte, name string) (string, bool) {
	if name == "utf-7" {
		return utf7(b)
	}
	enc := lookup(name)
	if enc == nil {
		return "", false
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), false
	}
	text := string(out)
	if !utf8.ValidString(text) {
		return strings.ToValidUTF8(text, "\uFFFD"), false
	}
	return text, strings.Count(text, "\uFFFD") <= kept(b, name)
}

// kept counts the U+FFFD that were in the text already.
func kept(b []byte, name string) int {
	switch name {
	case "utf-8":
		return bytes.Count(b, []byte("\uFFFD"))
	case "gb18030":
		return bytes.Count(b, []byte("\x84\x31\xa4\x37"))
	}
	return 0
}

// C1 returns what the author of a C1 control character (U+0080 to U+009F) meant: windows-1252 bytes end up there when they are
// taken for ISO-8859-1. It is -1 for the five that mean nothing.
func C1(r rune) rune {
	if r < 0x80 || r > 0x9f {
		return r
	}
	out := charmap.Windows1252.DecodeByte(byte(r))
	if out == utf8.RuneError || out < 0xa0 {
		return -1
	}
	return out
}
