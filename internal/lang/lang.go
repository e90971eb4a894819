// Package lang reads natural text as far as a support desk needs it: which
// language a text is in, one spelling for comparison, and the terms it is
// searched by. It knows nothing of mails and tickets.
package lang

import (
	"sync"
	"unicode"
)

// readLimit is how many bytes of a text Detect looks at.
const readLimit = 8 << 10

// Detect returns the BCP 47 tag of the language that most of text is written
// in, "und" if it cannot tell. It goes by script, letters that only one
// language uses, and frequent small words; addresses, numbers and words with
// digits do not count. Chinese comes as "zh-Hans" or "zh-Hant". Known are
// zh-Hans, zh-Hant, en, es, fr, de, it, pt, ru, uk, ja, ko, vi, id, ms, tr,
// ar, th, nl, pl, ro, cs, sv, fa, he, el, hi.
func Detect(text string) string {
	if len(text) > readLimit {
		text = text[:readLimit]
	}
	s := survey{words: smallWords(), han: han()}
	s.read(text)
	return s.verdict()
}

// survey counts what points to a language.
type survey struct {
	words *wordTable
	han   *hanTables

	latinWords, latin, cyrillic, arabic, hangul, kana, ideographs, thai, hebrew, greek, devanagari int
	traditional, mainland, ukrainian, russian, persian                                             int

	score [languages]int
}

func (s *survey) read(text string) {
	var word [maxWord]byte
	n, skip := 0, false
	for _, r := range text {
		if joinsWord(r) {
			skip = skip || !unicode.IsLetter(r) && r != '\''
			if r < 0x80 && n < maxWord && unicode.IsLetter(r) {
				word[n] = lower(byte(r))
				n++
				continue
			}
			if r >= 0x80 && r < 0x250 || r >= 0x1e00 && r < 0x1f00 {
				n += s.accent(r, word[n:])
				continue
			}
			if r < 0x250 {
				continue
			}
		}
		s.word(word[:n], skip)
		n, skip = 0, false
		s.letter(r)
	}
	s.word(word[:n], skip)
}

// joinsWord reports whether r is part of a Latin word, an address or a number.
func joinsWord(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '@', r == '_', r == '/':
		return true
	case r >= 0xc0 && r < 0x250, r >= 0x1e00 && r < 0x1f00:
		return true
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// accent counts a letter with an accent for the languages that use it and
// writes its plain letter; it returns how many bytes that took.
func (s *survey) accent(r rune, word []byte) int {
	s.latin++
	if lower := unicode.ToLower(r); int(lower) < len(letters().fold) { // a few capitals have their small letter far away
		r = lower
	}
	for _, l := range s.words.letters[r] {
		s.score[l.lang] += l.weight
	}
	plain := letters().fold[r]
	return copy(word, plain)
}

// word counts a finished Latin word; words with digits or signs are not words
// of a language.
func (s *survey) word(word []byte, skip bool) {
	if len(word) == 0 || skip {
		return
	}
	s.latin += len(word)
	s.latinWords++
	for _, l := range s.words.small[string(word)] {
		s.score[l.lang] += l.weight
	}
}

func (s *survey) letter(r rune) {
	switch {
	case r < 0x250:
	case r < 0x400:
		s.greek += oneIf(r >= 0x370)
	case r < 0x530:
		s.cyrillicLetter(unicode.ToLower(r))
	case r >= 0x5d0 && r <= 0x5ea:
		s.hebrew++
	case r >= 0x600 && r < 0x700:
		s.arabic++
		s.persian += oneIf(r == 'پ' || r == 'چ' || r == 'ژ' || r == 'گ' || r == 'ی' || r == 'ک')
	case r >= 0x900 && r < 0x980:
		s.devanagari++
	case r >= 0xe00 && r < 0xe80:
		s.thai++
	case r >= 0x3041 && r <= 0x30ff && r != '・', r >= 0xff66 && r <= 0xff9d:
		s.kana++
	case inHan(r):
		s.ideographs++
		s.traditional += oneIf(s.han.traditional[r-hanFirst])
		s.mainland += oneIf(s.han.mainland[r-hanFirst])
	case r >= 0xac00 && r <= 0xd7a3, r >= 0x1100 && r < 0x1200, r >= 0x3130 && r < 0x3190:
		s.hangul++
	}
}

func (s *survey) cyrillicLetter(r rune) {
	s.cyrillic++
	switch r {
	case 'і', 'ї', 'є', 'ґ':
		s.ukrainian++
	case 'ы', 'э', 'ё', 'ъ':
		s.russian++
	}
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// verdict weighs the scripts by what a character of each is worth in letters.
func (s *survey) verdict() string {
	best, most := "und", 0
	take := func(tag string, weight int) {
		if weight > most {
			best, most = tag, weight
		}
	}
	// A text with kana is Japanese even when most of it is ideographs; a
	// single の is fashion in Chinese.
	if s.kana > 2 && s.kana*8 >= s.ideographs {
		take("ja", (s.kana+s.ideographs)*3)
	} else {
		take(s.chinese(), s.ideographs*3)
	}
	take("ko", s.hangul*3)
	take("th", s.thai)
	take("he", s.hebrew)
	take("el", s.greek)
	take("hi", s.devanagari)
	take(either("uk", "ru", s.ukrainian > s.russian), s.cyrillic)
	take(either("fa", "ar", s.persian*12 > s.arabic), s.arabic)
	take(s.latinLanguage(), s.latin)
	return best
}

func either(yes, no string, cond bool) string {
	if cond {
		return yes
	}
	return no
}

func (s *survey) chinese() string {
	return either("zh-Hant", "zh-Hans", s.traditional > s.mainland)
}

func (s *survey) latinLanguage() string {
	best, most := "und", 0
	for l, score := range s.score {
		if score > most {
			best, most = tags[l], score
		}
	}
	return best
}

var smallWords = sync.OnceValue(readSmallWords)
