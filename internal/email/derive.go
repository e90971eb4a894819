package email

import (
	"strings"

	"golang.org/x/net/html"

	"postdesk/internal/lang"
)

func htmlText(s string) (text string, hidden bool) {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	skip := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(out.String()), false
		case html.TextToken:
			if skip == 0 {
				out.WriteString(strings.Join(strings.Fields(string(z.Text())), " "))
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "title":
				skip++
			case "p", "br", "div", "tr", "li":
				out.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "title":
				skip--
			}
		}
	}
}

func sanitise(s string, cids map[string]string) string { return "" }

func newText(text string) string { return text }

func flowed(text string, delsp bool) string { return text }

// language tells the language of the new text, or of the subject if the text says too little.
func language(text, subject string) string {
	if code := lang.Detect(text); code != "und" {
		return code
	}
	return lang.Detect(subject)
}
