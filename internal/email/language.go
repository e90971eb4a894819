package email

import "postdesk/internal/lang"

// language tells the language of the new text, or of the subject if the text says too little. No guess is worth a mail: whatever
// happens while guessing, the answer is then "und".
func language(text, subject string) (code string) {
	defer func() {
		if recover() != nil {
			code = "und"
		}
	}()
	if code = lang.Detect(text); code != "und" {
		return code
	}
	return lang.Detect(subject)
}
