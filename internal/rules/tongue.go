package rules

import "strings"

// tongueMask is a set of lexicon languages. Words that look alike mean different things in different languages (French
// "car", English "car"), so a mail is read with the words of its own language and of those it cannot be confused with.
type tongueMask uint32

const everyTongue tongueMask = 1<<32 - 1

// tongues are the languages a lexicon file may be in. The last one stands for English terms of several words, which are
// read in mails of any language.
var tongues = []string{"en", "es", "fr", "de", "it", "pt", "id", "vi", "tr", "nl", "pl", "zh", "ja", "ko", "ru", "uk", "ar", "th"}

const (
	latinTongues  = 11 // the first ones share a script
	englishPhrase = 31
	shortBody     = 80 // bytes below which a language is easily mistaken for its neighbour
)

func tongueOf(language string) tongueMask {
	for i, t := range tongues {
		if t == language {
			return 1 << i
		}
	}
	return 0
}

// of is the tongue of one term: English phrases are marked as such.
func (t tongueMask) of(term string) tongueMask {
	if t == 1 && strings.IndexByte(strings.TrimSpace(term), ' ') > 0 {
		return t | 1<<englishPhrase
	}
	return t
}

var neighbours = map[string][]string{"es": {"pt", "it"}, "pt": {"es", "it"}, "it": {"es", "pt"}, "ms": {"id"}, "nl": {"de"}}

// tonguesFor says which terms count in a mail of that language.
func tonguesFor(language string, size int) tongueMask {
	base, _, _ := strings.Cut(language, "-")
	mask := everyTongue &^ (1<<latinTongues - 1)
	switch base {
	case "ja":
		mask &^= tongueOf("zh")
	case "zh":
		mask &^= tongueOf("ja")
	}
	own := tongueOf(base)
	switch {
	case base == "und":
		return everyTongue
	case own == 0 || own >= 1<<latinTongues:
		mask |= tongueOf("en")
	}
	mask |= own
	for _, n := range neighbours[base] {
		if size < shortBody || own == 0 {
			mask |= tongueOf(n)
		}
	}
	return mask
}
