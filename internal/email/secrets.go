package email

import (
	_ "embed"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// Kinds of secrets that customers should not send by mail.
const (
	SecretCard     = "card_number"
	SecretSeed     = "seed_phrase"
	SecretCode     = "one_time_code"
	SecretPassword = "password"
)

const masked = "••••"

// Mask replaces the secrets in a text for views, search and logs: card numbers (all but the last four digits), seed phrases, one-time
// codes and passwords. kinds lists what was found, each once. The stored mail keeps the whole text.
func Mask(text string) (out string, kinds []string) {
	lower := strings.ToLower(text)
	spans := append(cardSpans(text), seedSpans(text)...)
	if mentions(lower, codeWords) {
		spans = append(spans, codeSpans(text)...)
	}
	if mentions(lower, passwordWords) {
		spans = append(spans, passwordSpans(text)...)
	}
	if len(spans) == 0 {
		return text, nil
	}
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].start < spans[j].start })
	var b strings.Builder
	at := 0
	for _, s := range spans {
		if s.start < at {
			continue
		}
		b.WriteString(text[at:s.start] + masked + s.keep)
		at = s.end
		kinds = appendOnce(kinds, s.kind)
	}
	b.WriteString(text[at:])
	return b.String(), kinds
}

type secretSpan struct {
	start, end int
	kind       string
	keep       string // shown after the mask
}

func appendOnce(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// digitGroup finds the next run of digits with single blanks or hyphens between them, at or after from; end is 0 if there is
// none.
func digitGroup(text string, from int) (start, end int) {
	for start = from; start < len(text) && !isDigit(text, start); start++ {
	}
	if start == len(text) {
		return 0, 0
	}
	end = start + 1
	for end < len(text) {
		switch {
		case isDigit(text, end):
			end++
		case (text[end] == ' ' || text[end] == '-') && isDigit(text, end+1):
			end += 2
		default:
			return start, end
		}
	}
	return start, end
}

func isDigit(text string, i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }

// cardSpans finds numbers that a card network issues and whose check digit is right (ISO/IEC 7812-1), also beside other numbers.
func cardSpans(text string) []secretSpan {
	var spans []secretSpan
	for start, end := digitGroup(text, 0); end > 0; start, end = digitGroup(text, end) {
		if end-start >= 13 {
			spans = append(spans, cardsIn(text, start, end)...)
		}
	}
	return spans
}

// cardsIn tries the groups of a run, from each one on as many as make up a card number, the longest first.
func cardsIn(text string, start, end int) []secretSpan {
	var spans []secretSpan
	for from := start; from < end; {
		to, digits := cardAt(text[from:end])
		if to == 0 || digitBeside(text, from, from+to) {
			next := strings.IndexAny(text[from:end], " -")
			if next < 0 {
				break
			}
			from += next + 1
			continue
		}
		spans = append(spans, secretSpan{from, from + to, SecretCard, digits[len(digits)-4:]})
		from += to + 1
	}
	return spans
}

// cardAt returns the length of the card number at the start of s, 0 if there is none, and its digits.
func cardAt(s string) (length int, digits string) {
	var d []byte
	for i := 0; i <= len(s) && len(d) <= 19; i++ {
		if i < len(s) && s[i] != ' ' && s[i] != '-' {
			d = append(d, s[i])
			continue
		}
		if len(d) >= 13 && issued(string(d)) && luhn(string(d)) {
			length, digits = i, string(d)
		}
	}
	return length, digits
}

// digitBeside keeps hashes and longer numbers from being cut into cards.
func digitBeside(text string, start, end int) bool {
	beside := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	return start > 0 && beside(text[start-1]) || end < len(text) && beside(text[end])
}

// issued checks length and prefix against the networks' ranges.
func issued(d string) bool {
	n := len(d)
	switch {
	case d[0] == '4':
		return n == 13 || n == 16 || n == 19
	case d[:2] >= "51" && d[:2] <= "55", d[:4] >= "2221" && d[:4] <= "2720":
		return n == 16
	case d[:2] == "34" || d[:2] == "37":
		return n == 15
	case d[:2] == "62", d[:2] == "35", d[:4] == "6011", d[:2] == "65", d[:3] >= "644" && d[:3] <= "649":
		return n >= 16
	case d[:2] == "36", d[:2] == "38", d[:3] >= "300" && d[:3] <= "305":
		return n == 14
	}
	return false
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// seedwords.txt is the English word list of BIP-39, by whose words wallets write down their keys.
//
//go:embed seedwords.txt
var seedList string

var seedWords = sync.OnceValue(func() map[string]bool {
	words := make(map[string]bool, 2048)
	for _, w := range strings.Fields(seedList) {
		words[w] = true
	}
	return words
})

// asciiWord finds the next run of ASCII letters at or after from and writes it in small letters to buf, as far as it fits: words of
// the list have at most eight letters. end is 0 if there is none.
func asciiWord(text string, from int, buf *[9]byte) (start, end, n int) {
	for start = from; start < len(text) && !letter(text[start]); start++ {
	}
	for end = start; end < len(text) && letter(text[end]); end++ {
		if n < len(buf) {
			buf[n] = text[end] | 0x20
			n++
		}
	}
	if start == end {
		return 0, 0, 0
	}
	return start, end, n
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// seedSpans finds 12 or more words of the list in a row with nothing but blanks, commas and numbering between them.
func seedSpans(text string) []secretSpan {
	if len(text) < 12*4 {
		return nil
	}
	known := seedWords()
	var spans []secretSpan
	start, end, n := 0, 0, 0
	flush := func() {
		if n >= 12 {
			spans = append(spans, secretSpan{start, end, SecretSeed, ""})
		}
		n = 0
	}
	var word [9]byte
	for from, to, size := asciiWord(text, 0, &word); to > 0; from, to, size = asciiWord(text, to, &word) {
		if !known[string(word[:size])] {
			flush()
			continue
		}
		if n > 0 && !seedGap(text[end:from]) {
			flush()
		}
		if n == 0 {
			start = from
		}
		end = to
		n++
	}
	flush()
	return spans
}

func seedGap(s string) bool {
	return len(s) <= 12 && strings.Trim(s, " \t\n,;.:)(#-0123456789、，") == ""
}

var codeAfter = regexp.MustCompile(`(?i)(?:验证码|驗證碼|校验码|校驗碼|动态码|動態碼|动态密码|確認コード|認証コード|인증번호|인증 ?코드|verification code|security code|one[- ]time (?:code|password|pin)|\botp\b|passcode|auth(?:entication)? code|confirmation code|login code|bestätigungscode|code de (?:vérification|sécurité)|código de (?:verificación|verificação|seguridad)|код (?:подтверждения|из смс)|mã xác (?:nhận|minh)|kode verifikasi|doğrulama kodu|\bpin\b)[^0-9\n]{0,16}((?:[A-Z]-)?\d{3,4}[ -]?\d{1,4})`)

// codeWords begin every match of codeAfter: a text without any of them needs no slow look.
var codeWords = strings.Fields("验证码 驗證碼 校验码 校驗碼 动态码 動態碼 动态密码 コード 인증 code otp pin time código код mã kodu kode")

// mentions reports whether a text in small letters holds one of the words.
func mentions(lower string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(lower, w) })
}

// codeSpans finds 4 to 8 digits right after a word for one-time code.
func codeSpans(text string) []secretSpan {
	var spans []secretSpan
	for start, end := 0, 0; start < len(text); start = end {
		end = start + lineLength(text[start:])
		if line := text[start:end]; strings.ContainsAny(line, "0123456789") && mentions(strings.ToLower(line), codeWords) {
			spans = append(spans, codesIn(text, start, end)...)
		}
	}
	return spans
}

// lineLength is the length of the first line with its end.
func lineLength(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}

func codesIn(text string, start, end int) []secretSpan {
	var spans []secretSpan
	for _, at := range codeAfter.FindAllStringSubmatchIndex(text[start:end], -1) {
		from, to := start+at[2], start+at[3]
		if isDigit(text, to) {
			continue
		}
		spans = append(spans, secretSpan{from, to, SecretCode, ""})
	}
	return spans
}

var passwordAfter = regexp.MustCompile(`(?i)(?:密码|密碼|口令|パスワード|비밀번호|password|passwd|\bpwd|passphrase|passwort|kennwort|mot de passe|contraseña|\bsenha|parola|пароль|mật khẩu|kata sandi|şifre)[^\S\n]*(?:(?:of|for|for the|de|to)[^\S\n]+[\p{L} ]{1,24}?)?([:：=]|是|为|為|は|은|는|\bis\b|\best\b|\bes\b|\bist\b|\bé\b)[^\S\n]*["'“「]?([!-~]{4,64})`)

// passwordSpans finds what follows a word for password and a sign or verb that introduces it. After a mere verb it must look like one,
// with a digit or a sign: "the password is wrong" holds no secret.
func passwordSpans(text string) []secretSpan {
	var spans []secretSpan
	for start, end := 0, 0; start < len(text); start = end {
		end = start + lineLength(text[start:])
		if mentions(strings.ToLower(text[start:end]), passwordWords) {
			spans = append(spans, passwordsIn(text[start:end], start)...)
		}
	}
	return spans
}

// passwordWords begin every match of passwordAfter.
var passwordWords = strings.Fields("密码 密碼 口令 パスワード 비밀번호 passw pwd passphrase kennwort passe contraseña senha parola пароль mật kata şifre")

func passwordsIn(text string, offset int) []secretSpan {
	var spans []secretSpan
	for _, at := range passwordAfter.FindAllStringSubmatchIndex(text, -1) {
		value := strings.TrimRight(text[at[4]:at[5]], `.,;"')`)
		sign := strings.ContainsAny(text[at[2]:at[3]], ":=：") || utf8.RuneLen([]rune(text[at[2]:at[3]])[0]) > 2
		if len(value) < 4 || strings.HasPrefix(value, "http") || !sign && !strings.ContainsAny(value, "0123456789!@#$%^&*_+~") {
			continue
		}
		spans = append(spans, secretSpan{offset + at[4], offset + at[4] + len(value), SecretPassword, ""})
	}
	return spans
}
