package email

import "strings"

// parseIDs reads the message ids of a Message-ID, In-Reply-To or References field, without angle brackets and without duplicates.
// It accepts what real mailers write: folded ids, blanks inside, commas between, missing brackets, several @, comments, and the
// phrases of old In-Reply-To fields. At most maxIDs are kept: the first and the last ones.
func parseIDs(value string) []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		id = strings.Trim(withoutBlanks(id), "<>,;\"'")
		if id = cleanLine(id); id == "" || len(id) > 998 || seen[id] {
			return
		}
		seen[id] = true
		ids = append(ids, id)
	}
	value = tail(value)
	if !strings.Contains(value, "<") {
		words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == ';' || r == '>' })
		for _, w := range words {
			if strings.Contains(w, "@") || len(words) == 1 {
				add(w)
			}
		}
		return capIDs(ids)
	}
	for rest := value; ; {
		before, after, found := strings.Cut(rest, "<")
		for _, w := range strings.Fields(before) {
			if bareID(w) {
				add(w)
			}
		}
		if !found {
			return capIDs(ids)
		}
		end := strings.IndexAny(after, "<>")
		if end < 0 {
			end = len(after)
		}
		add(after[:end])
		rest = strings.TrimPrefix(after[end:], ">")
	}
}

// bareID tells an id that lost its brackets from a word or an address in a phrase.
func bareID(w string) bool {
	w = strings.Trim(w, ",;>")
	at := strings.IndexByte(w, '@')
	return at > 8 && !strings.ContainsAny(w, `"()`) && strings.ContainsAny(w[:at], "0123456789")
}

// tail keeps the head and the end of an overlong field: the first id and the latest ones matter.
func tail(value string) string {
	const room = 64 << 10
	if len(value) <= room {
		return value
	}
	return value[:2048] + " " + value[len(value)-room+2048:]
}

func capIDs(ids []string) []string {
	if len(ids) <= maxIDs {
		return ids
	}
	return append(ids[:1:1], ids[len(ids)-maxIDs+1:]...)
}
