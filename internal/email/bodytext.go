package email

import (
	"bytes"
	"strings"
	"unicode"

	"postdesk/internal/email/body"
	"postdesk/internal/email/charset"
)

// text decodes a charset and cleans the result.
func (r *reading) text(data []byte, label string) string {
	text, sure := charset.Decode(data, label)
	switch sure {
	case charset.Guessed:
		r.problems.note("charset_guessed")
	case charset.Damaged:
		r.problems.note("charset_damaged")
	}
	return validText(text)
}

// htmlText decodes HTML. The MIME charset counts; a missing one is taken from the document's meta element.
func (r *reading) htmlText(data []byte, label string) string {
	if charset.Name(label) == "" {
		if meta := metaCharset(data); meta != "" {
			label = meta
		}
	}
	return r.text(data, label)
}

// metaCharset finds `charset=` in the first kilobytes of an HTML document.
func metaCharset(data []byte) string {
	head := bytes.ToLower(data[:min(len(data), 4096)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(head[i+8:], " \"'")
	end := bytes.IndexAny(rest, " \"'>;/")
	if end <= 0 || end > 40 {
		return ""
	}
	return string(rest[:end])
}

// visible chooses the form of a block that people read: the plain one, unless it says nothing compared with the HTML.
func (r *reading) visible(c content) string {
	if c.html == "" {
		return c.plain
	}
	plain := strings.TrimSpace(c.plain)
	if plain != "" && len(plain)*20 > len(c.html) && echoes(plain, c.html) {
		return c.plain
	}
	text, hidden := body.TextFromHTML(c.html)
	if len(hidden) > 0 {
		r.mail.Hidden = true
		r.problems.note("hidden_text")
	}
	if plain != "" && len(plain)*10 > len(text) || strings.TrimSpace(text) == "" {
		if len(plain) > 40 && strings.TrimSpace(text) != "" && !echoes(plain, text) {
			r.problems.note("alternative_differs")
		}
		return c.plain
	}
	if plain != "" {
		r.problems.note("plain_text_trivial")
	}
	return text
}

// echoes takes ten samples of the plain text and looks for them in the HTML as it stands: enough to see that the two forms say the
// same without reading the HTML.
func echoes(plain, html string) bool {
	runes := []rune(plain)
	found, tried := 0, 0
	for i := range 10 {
		word := sampleAt(runes, len(runes)*i/10)
		if word == "" {
			continue
		}
		tried++
		if strings.Contains(html, word) {
			found++
		}
	}
	return found*2 >= tried
}

// sampleAt returns the first run of letters from position at on: at most eight of a Latin word, three of other scripts.
func sampleAt(runes []rune, at int) string {
	for at < len(runes) && (!unicode.IsLetter(runes[at]) || at > 0 && runes[at] < 0x2e80 && unicode.IsLetter(runes[at-1])) {
		at++
	}
	end := at
	for end < len(runes) && unicode.IsLetter(runes[end]) && end-at < 8 && (runes[at] < 0x2e80 || end-at < 3) {
		end++
	}
	return string(runes[at:end])
}
