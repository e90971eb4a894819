package email

import "strings"

// cleanSpec makes an addr-spec of what was found in angle brackets: without comments, blanks, a source route (RFC 5322, section 4.4)
// or mailto:, and with needless quotes removed.
func cleanSpec(s string) string {
	s, _ = cutComments(s)
	s = strings.Trim(s, " \t<>,;'")
	if strings.HasPrefix(s, "@") {
		if i := strings.IndexByte(s, ':'); i > 0 {
			s = s[i+1:]
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	local, domain := cutLast(s, '@')
	if strings.HasSuffix(local, ":") {
		return "" // `Undisclosed-Recipient:@host`
	}
	if strings.HasPrefix(local, `"`) && strings.HasSuffix(local, `"`) && len(local) > 2 {
		if inner := unquote(local[1 : len(local)-1]); dotAtom(inner) {
			local = inner
		}
	} else if strings.HasPrefix(s, `"`) && strings.HasSuffix(s, `"`) && len(s) > 2 {
		return cleanSpec(s[1 : len(s)-1])
	} else {
		return plainSpec(s)
	}
	if domain == "" {
		return cleanLine(local)
	}
	return cleanLine(local + "@" + strings.TrimRight(withoutBlanks(domain), "."))
}

// plainSpec joins what obsolete syntax tears apart at dots and the @. Of several words it takes the first with an @: joining words
// would make up an address that nobody wrote.
func plainSpec(s string) string {
	words := addressWords(s)
	for _, w := range words {
		if strings.Contains(w, "@") {
			return cleanLine(strings.TrimRight(w, "."))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return cleanLine(strings.TrimRight(words[len(words)-1], "."))
}

func withoutBlanks(s string) string {
	if !strings.ContainsAny(s, " \t") {
		return s
	}
	return strings.NewReplacer(" ", "", "\t", "").Replace(s)
}

func dotAtom(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`()<>[]:;@\,"`, c) >= 0 {
			return false
		}
	}
	return s != "" && s[0] != '.' && s[len(s)-1] != '.'
}
