package charset

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sample bounds how much text is looked at: a few thousand bytes decide as well as all of them.
const sample = 4096

// candidates are tried in this order; an equal score keeps the earlier.
var candidates = []struct {
	name  string
	score func(text string) float64
}{
	{"gb18030", scoreHans}, {"big5", scoreHant}, {"shift_jis", scoreKana}, {"euc-jp", scoreKana}, {"euc-kr", scoreHangul},
	{"windows-1251", scoreCyrillic}, {"koi8-r", scoreCyrillic}, {"windows-1252", scoreLatin},
}

// look names the character set that 8-bit bytes most likely are in. sure is false when nothing fits well and the answer is
// only the least harmful one, windows-1252, in which every byte has some meaning.
func look(b []byte) (name string, sure bool) {
	name, score := best(b)
	return name, score >= 0.35
}

// contradicts names the set that 8-bit bytes under a Western label really are in. Mailers put these labels on everything, but a
// text that may well be Western is left alone.
func contradicts(b []byte) (name string, sure bool) {
	name, score := best(b)
	return name, name != "windows-1252" && score >= 0.6
}

func best(b []byte) (name string, score float64) {
	b = excerpt(b)
	name = "windows-1252"
	for _, c := range candidates {
		text, ok := strict(b, c.name)
		if !ok && broken(text) {
			continue
		}
		if s := c.score(text); s > score {
			name, score = c.name, s
		}
	}
	return name, score
}

// excerpt cuts b to the part around its 8-bit bytes, at a line end if there is one.
func excerpt(b []byte) []byte {
	for i, c := range b {
		if c >= 0x80 {
			b = b[max(0, i-64):]
			break
		}
	}
	if len(b) <= sample {
		return b
	}
	b = b[:sample]
	for i := len(b) - 1; i > sample/2; i-- {
		if b[i] == '\n' || b[i] == ' ' {
			return b[:i]
		}
	}
	return b
}

// broken allows one damaged character in fifty: cut text is still text.
func broken(text string) bool {
	bad, all := 0, 0
	for _, r := range text {
		if r == utf8.RuneError {
			bad++
		}
		if r >= 0x80 {
			all++
		}
	}
	return bad*50 > all
}

// average is the mean weight of the characters beyond ASCII.
func average(text string, weight func(prev, r rune) float64) float64 {
	sum, n, prev := 0.0, 0, ' '
	for _, r := range text {
		if r >= 0x80 {
			sum += weight(prev, r)
			n++
		}
		prev = r
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func scoreHans(text string) float64 {
	return average(text, func(_, r rune) float64 {
		switch {
		case sets().hans.has(r):
			return 1
		case cjkMark(r):
			return 0.6
		case r >= 0x4e00 && r <= 0x9fff && sets().gbCommon.has(r):
			return 0.5
		case r >= 0x4e00 && r <= 0x9fff:
			return 0
		}
		return -0.5
	})
}

func scoreHant(text string) float64 {
	return average(text, func(_, r rune) float64 {
		switch {
		case sets().hant.has(r):
			return 1
		case cjkMark(r):
			return 0.6
		case r >= 0x4e00 && r <= 0x9fff && sets().big5Common.has(r):
			return 0.45
		case r >= 0x4e00 && r <= 0x9fff:
			return 0
		}
		return -0.5
	})
}

func scoreKana(text string) float64 {
	return average(text, func(prev, r rune) float64 {
		switch {
		case r >= 0x3041 && r <= 0x30fe:
			return 1
		case cjkMark(r):
			return 0.6
		case sets().hans.has(r), sets().hant.has(r):
			return 0.7
		case r >= 0x4e00 && r <= 0x9fff:
			return 0.3
		case r >= 0xff61 && r <= 0xff9f && prev >= 0xff61 && prev <= 0xff9f:
			return 0.2
		}
		return -0.5
	})
}

func scoreHangul(text string) float64 {
	return average(text, func(_, r rune) float64 {
		switch {
		case sets().hangul.has(r):
			return 1
		case r >= 0xac00 && r <= 0xd7a3:
			return 0.5
		case cjkMark(r):
			return 0.5
		case r >= 0x4e00 && r <= 0x9fff:
			return -0.3
		}
		return -0.5
	})
}

func scoreCyrillic(text string) float64 {
	return average(text, func(prev, r rune) float64 {
		switch {
		case prev < 0x80 && unicode.IsLetter(prev):
			return -0.5 // Latin and Cyrillic letters in one word
		case sets().cyrillic.has(r):
			return 0.95
		case unicode.Is(unicode.Cyrillic, r) && unicode.IsUpper(r) && unicode.IsLower(prev):
			return -0.5
		case unicode.Is(unicode.Cyrillic, r) && unicode.IsUpper(r):
			return 0.3
		case unicode.Is(unicode.Cyrillic, r):
			return 0.5
		case strings.ContainsRune("«»—–…“”„№", r):
			return 0.4
		}
		return -0.5
	})
}

// scoreLatin likes single accented letters among ASCII ones, and the typographic marks of windows-1252.
func scoreLatin(text string) float64 {
	return average(text, func(prev, r rune) float64 {
		switch {
		case prev >= 0x80 && unicode.IsLetter(prev) && strings.ContainsRune("äöüßÄÖÜéèêàâçñíóúáãõøåæ", r):
			return 0.2
		case prev >= 0x80 && unicode.IsLetter(prev):
			return -0.2
		case unicode.IsLower(r) && prev < 0x80 && unicode.IsLetter(prev):
			return 0.9
		case strings.ContainsRune("‘’“”–—…€£§°®©™·•«»¡¿ ´", r):
			return 0.6
		case unicode.IsLetter(r):
			return 0.55
		}
		return 0
	})
}

func cjkMark(r rune) bool {
	return r >= 0x3000 && r <= 0x3017 || r >= 0xff01 && r <= 0xff5e || strings.ContainsRune("“”‘’…—·", r)
}
