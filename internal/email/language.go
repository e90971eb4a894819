package email

import "postdesk/internal/lang"

// language tells the language of the new text, or of the subject if the text says too little.
func language(text, subject string) string {
	if code := lang.Detect(text); code != "und" {
		return code
	}
	return lang.Detect(subject)
}
