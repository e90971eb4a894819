package authentic

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// lookalikes maps letters of other scripts and signs to the Latin letter they are read as. It holds what can stand in
// a domain name or a display name next to Latin text; case is folded before.
var lookalikes = map[rune]string{
	// Cyrillic
	'а': "a", 'в': "b", 'с': "c", 'ԁ': "d", 'е': "e", 'ё': "e", 'ѐ': "e", 'є': "e", 'ԍ': "g", 'һ': "h", 'н': "h", 'і': "i",
	'ї': "i", 'ј': "j", 'к': "k", 'ӏ': "l", 'м': "m", 'п': "n", 'о': "o", 'р': "p", 'ԛ': "q", 'г': "r", 'ѕ': "s", 'т': "t",
	'ц': "u", 'ѵ': "v", 'ѡ': "w", 'ԝ': "w", 'х': "x", 'у': "y", 'ү': "y", 'ӡ': "3", 'з': "3", 'ь': "b", 'ш': "w", 'щ': "w",
	// Greek
	'α': "a", 'β': "b", 'ϲ': "c", 'ε': "e", 'γ': "y", 'η': "n", 'ι': "i", 'κ': "k", 'μ': "u", 'ν': "v", 'ο': "o", 'ρ': "p",
	'σ': "o", 'τ': "t", 'υ': "u", 'χ': "x", 'ω': "w", 'ζ': "z", 'δ': "d", 'ϳ': "j",
	// Armenian, Hebrew, Georgian, Cherokee
	'օ': "o", 'ո': "n", 'ս': "u", 'ց': "g", 'հ': "h", 'զ': "q", 'յ': "j", 'ք': "p", 'ղ': "n", 'ס': "o", 'ו': "l",
	'ი': "o", 'ꭺ': "a", 'ꭰ': "d", 'ꭱ': "r", 'ꮃ': "w", 'ꮐ': "g", 'ꮋ': "h", 'ꮪ': "s", 'ꮩ': "v", 'ꮯ': "c", 'ꮲ': "p",
	// Latin with a shape of its own, and phonetic letters
	'ı': "i", 'ɩ': "i", 'ɪ': "i", 'ȷ': "j", 'ɑ': "a", 'ɡ': "g", 'ʟ': "l", 'ɴ': "n", 'ʀ': "r", 'ʏ': "y", 'ᴀ': "a", 'ʙ': "b", 'ᴄ': "c",
	'ᴅ': "d", 'ᴇ': "e", 'ɢ': "g", 'ʜ': "h", 'ᴊ': "j", 'ᴋ': "k", 'ᴍ': "m", 'ᴏ': "o", 'ᴘ': "p", 'ꜱ': "s", 'ᴛ': "t", 'ᴜ': "u", 'ᴠ': "v",
	'ᴡ': "w", 'ᴢ': "z", 'ø': "o", 'đ': "d", 'ħ': "h", 'ł': "l", 'ŧ': "t", 'ƅ': "b", 'ƙ': "k", 'ƿ': "p", 'ɓ': "b", 'ɗ': "d", 'ɠ': "g",
	'ɦ': "h", 'ß': "b", 'þ': "p", 'ſ': "s", 'ǀ': "l", 'ʋ': "u", 'ɯ': "w", 'ŋ': "n", 'ƨ': "s",
	// digits and signs
	'0': "o", '1': "l", '|': "l", '!': "l", '$': "s", '5': "s", '€': "e", '@': "a", '8': "b",
}

// skeleton folds a name to what the eye reads: two names with the same skeleton look alike.
func skeleton(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if unicode.Is(unicode.Mn, r) || invisible(r) {
			continue
		}
		if to, ok := lookalikes[r]; ok {
			b.WriteString(to)
			continue
		}
		b.WriteRune(r)
	}
	return strings.NewReplacer("rn", "m", "vv", "w", "cl", "d").Replace(b.String())
}

// letterSkeleton is the skeleton of a display name without blanks and punctuation: "O K-Pay" holds "okpay".
func letterSkeleton(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, skeleton(s))
}

// mixesScripts reports a label with letters of scripts that are not written together (the "highly restrictive" level
// of UTS #39: Latin with Chinese, Japanese or Korean is usual).
func mixesScripts(label string) bool {
	var latin, han, kana, bopomofo, hangul, other bool
	script := ""
	for _, r := range label {
		if !unicode.IsLetter(r) || r == 'ー' {
			continue
		}
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.Is(unicode.Han, r):
			han = true
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana = true
		case unicode.Is(unicode.Bopomofo, r):
			bopomofo = true
		case unicode.Is(unicode.Hangul, r):
			hangul = true
		default:
			name := scriptOf(r)
			if other && name != script {
				return true
			}
			other, script = true, name
		}
	}
	if other {
		return latin || han || kana || bopomofo || hangul
	}
	east := 0
	for _, b := range []bool{kana, bopomofo, hangul} {
		if b {
			east++
		}
	}
	return east > 1
}

func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}

// posesAsLatin reports a label without Latin letters every letter of which is read as one.
func posesAsLatin(label string) bool {
	letters := 0
	for _, r := range label {
		if !unicode.IsLetter(r) {
			continue
		}
		if _, ok := lookalikes[r]; !ok || unicode.Is(unicode.Latin, r) {
			return false
		}
		letters++
	}
	return letters >= 2
}
