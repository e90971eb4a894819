package desk

import (
	"strings"

	"postdesk/internal/lang"
	"postdesk/internal/rules"
	"postdesk/internal/ticket"
)

// unusedTerms are the words of a mail that no rule looked at: candidates for the lexicon, in the order of the mail.
func unusedTerms(said rules.Decision, m ticket.Message) []string {
	used := map[string]bool{}
	for _, w := range wordsOf(said) {
		for _, t := range lang.Terms(w) {
			used[t] = true
		}
	}
	var terms []string
	for _, t := range lang.Terms(m.Subject + "\n" + m.NewText) {
		long := len([]rune(t)) >= 4 || len(t) > len([]rune(t)) && len([]rune(t)) >= 2 // four letters, or two ideographs
		if !used[t] && long && !strings.ContainsAny(t, "0123456789") {
			used[t] = true
			terms = append(terms, t)
		}
		if len(terms) == 12 {
			break
		}
	}
	return terms
}
