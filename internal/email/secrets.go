package email

import (
	_ "embed"
	"regexp"
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
	spans := append(append(cardSpans(text), seedSpans(text)...), append(codeSpans(text), passwordSpans(text)...)...)
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

// digitGroups is a run of digits with single blanks or hyphens between them.
var digitGroups = regexp.MustCompile(`\d+(?:[ -]\d+)*`)

// cardSpans finds numbers that a card network issues and whose check digit is right (ISO/IEC 7812-1), also beside other numbers.
func cardSpans(text string) []secretSpan {
	var spans []secretSpan
	for _, run := range digitGroups.FindAllStringIndex(text, -1) {
		if run[1]-run[0] < 13 {
			continue
		}
		spans = append(spans, cardsIn(text, run[0], run[1])...)
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

var letters = regexp.MustCompile(`[A-Za-z]+`)

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
	for _, at := range letters.FindAllStringIndex(text, -1) {
		if !known[strings.ToLower(text[at[0]:at[1]])] {
			flush()
			continue
		}
		if n > 0 && !seedGap(text[end:at[0]]) {
			flush()
		}
		if n == 0 {
			start = at[0]
		}
		end = at[1]
		n++
	}
	flush()
	return spans
}

func seedGap(s string) bool {
	return len(s) <= 12 && strings.Trim(s, " \t\n,;.:)(#-0123456789、，") == ""
}

var codeAfter = regexp.MustCompile(`(?i)(?:验证码|驗證碼|校验码|校驗碼|动态码|動態碼|动态密码|確認コード|認証コード|인증번호|인증 ?코드|verification code|security code|one[- ]time (?:code|password|pin)|\botp\b|passcode|auth(?:entication)? code|confirmation code|login code|bestätigungscode|code de (?:vérification|sécurité)|código de (?:verificación|verificação|seguridad)|код (?:подтверждения|из смс)|mã xác (?:nhận|minh)|kode verifikasi|doğrulama kodu|\bpin\b)[^0-9\n]{0,16}((?:[A-Z]-)?\d{3,4}[ -]?\d{1,4})`)

// codeSpans finds 4 to 8 digits right after a word for one-time code.
func codeSpans(text string) []secretSpan {
	var spans []secretSpan
	for _, at := range codeAfter.FindAllStringSubmatchIndex(text, -1) {
		if at[3] < len(text) && text[at[3]] >= '0' && text[at[3]] <= '9' {
			continue
		}
		spans = append(spans, secretSpan{at[2], at[3], SecretCode, ""})
	}
	return spans
}

var passwordAfter = regexp.MustCompile(`(?i)(?:密码|密碼|口令|パスワード|비밀번호|password|passwd|\bpwd|passphrase|passwort|kennwort|mot de passe|contraseña|\bsenha|parola|пароль|mật khẩu|kata sandi|şifre)[^\S\n]*(?:(?:of|for|for the|de|to)[^\S\n]+[\p{L} ]{1,24}?)?([:：=]|是|为|為|は|은|는|\bis\b|\best\b|\bes\b|\bist\b|\bé\b)[^\S\n]*["'“「]?([!-~]{4,64})`)

// passwordSpans finds what follows a word for password and a sign or verb that introduces it. After a mere verb it must look like one,
// with a digit or a sign: "the password is wrong" holds no secret.
func passwordSpans(text string) []secretSpan {
	var spans []secretSpan
	for _, at := range passwordAfter.FindAllStringSubmatchIndex(text, -1) {
		value := strings.TrimRight(text[at[4]:at[5]], `.,;"')`)
		sign := strings.ContainsAny(text[at[2]:at[3]], ":=：") || utf8.RuneLen([]rune(text[at[2]:at[3]])[0]) > 2
		if len(value) < 4 || strings.HasPrefix(value, "http") || !sign && !strings.ContainsAny(value, "0123456789!@#$%^&*_+~") {
			continue
		}
		spans = append(spans, secretSpan{at[4], at[4] + len(value), SecretPassword, ""})
	}
	return spans
}
