package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// currenciesBefore and currenciesAfter are what stands at a number without or with one blank between, longest first; the
// comparison ignores case.
var currenciesBefore = []string{
	"us$", "hk$", "nt$", "au$", "ca$", "nz$", "s$", "a$", "r$", "c$", "mx$", "$", "€", "£", "¥", "￥", "₽", "₩", "₫", "₺", "₹", "฿", "₱", "rp.", "rp", "rm", "idr", "usdt", "usdc",
	"usd", "eur", "gbp", "cad", "aud", "sgd", "hkd", "twd", "cny", "rmb", "jpy", "krw", "vnd", "thb", "myr", "php", "inr", "brl", "mxn", "chf", "sek", "nok",
	"dkk", "pln", "try", "tl", "rub", "uah", "aed", "sar", "egp", "zar", "nzd", "btc", "eth", "人民币", "港币", "港幣", "新台币", "新台幣", "台币", "台幣",
}

var currenciesAfter = []string{
	"万元", "萬元", "万人民币", "元人民币", "港元", "港币", "港幣", "美元", "美金", "欧元", "歐元", "英镑", "日元", "日圓", "台币", "台幣", "新台币", "人民币", "元", "块钱", "塊錢", "块", "塊", "蚊", "円", "万円", "만원", "만 원", "원", "萬", "万", "個usdt", "个usdt", "个u", "個u",
	"usdt", "usdc", "usd", "eur", "gbp", "cad", "aud", "sgd", "hkd", "twd", "ntd", "cny", "rmb", "jpy", "krw", "vnđ", "vnd", "thb", "myr", "php", "inr", "brl",
	"mxn", "chf", "sek", "nok", "dkk", "pln", "try", "tl", "rub", "uah", "aed", "sar", "egp", "zar", "nzd", "busd", "btc", "eth", "bnb", "sol", "trx", "xrp", "ltc", "doge", "ada", "matic", "ton", "dai",
	"€", "$", "£", "₽", "₩", "₫", "đ", "₺", "¥", "₹", "฿", "euros", "euro", "dollars", "dollar", "dólares", "dolares", "dólar", "pounds", "quid", "bucks", "reais", "real", "pesos", "liras", "lira", "lirası",
	"yen", "won", "đồng", "dong", "ribu", "juta", "jt", "triệu", "тыс. руб", "тысяч рублей", "рублей", "рубля", "руб.", "руб", "р.", "долларов", "доллара", "евро", "гривен", "грн",
	"ريال", "درهم", "دولار", "جنيه", "دينار", "يورو", "ليرة", "ドル", "ユーロ", "ウォン", "달러", "유로", "rupiah", "u",
}

// amountToken is a number with what belongs to it.
type amountToken struct {
	field      int
	start, end int // bytes of source, currency included
	currency   bool
	value      float64
	digits     int
	score      float64
}

// amounts lists the sums of money in a field: numbers, with the currency that stands at them.
func (s *scratch) amounts(field int, out []amountToken) []amountToken {
	src := s.fields[field].source
	for i := 0; i < len(src); {
		if src[i] < '0' || src[i] > '9' {
			i++
			continue
		}
		end := numberEnd(src, i)
		a := amountToken{field: field, start: i, end: end, value: numberValue(src[i:end])}
		a.digits = countDigits(src[i:end])
		if insideWord(src, i, end) {
			i = max(end, i+1)
			for i < len(src) && (tokenByte(src[i]) || tokenJoint(src, i)) {
				i++
			}
			continue
		}
		a.takeCurrency(src)
		out = append(out, a)
		i = max(a.end, end)
	}
	return out
}

// insideWord reports whether the number is a piece of a name, a date or a time: WD-2024-77, 12/11, 10:30, #55.
func insideWord(src string, start, end int) bool {
	if start > 0 {
		before := src[start-1]
		if before == '-' || before == '/' || before == '_' || before == '#' || before == ':' && start > 1 && digit(rune(src[start-2])) || before == '@' || before == '*' {
			return true
		}
		if before|0x20 >= 'a' && before|0x20 <= 'z' && !strings.HasPrefix(src[start:], "0x") {
			return matchBefore(src, start) == 0
		}
	}
	rest := src[end:]
	if rest == "" {
		return false
	}
	switch c := rest[0]; {
	case c == '_', c == '%', c == '/', c == '-' && len(rest) > 1 && tokenByte(rest[1]), c == ':' && len(rest) > 1 && digit(rune(rest[1])), c == '@':
		return true
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return matchAfter(src, end) == 0 && !strings.HasPrefix(strings.ToLower(rest), "k ")
	}
	return false
}

// numberEnd is the end of the number that begins at i: digits in groups of three set off by , . ' or a blank, and a
// decimal part.
func numberEnd(src string, i int) int {
	for i < len(src) && digit(rune(src[i])) {
		i++
	}
	for i < len(src) {
		_, size := utf8.DecodeRuneInString(src[i:])
		c, _ := utf8.DecodeRuneInString(src[i:])
		n := 0
		for i+size+n < len(src) && digit(rune(src[i+size+n])) {
			n++
		}
		switch {
		case n == 0:
			return i
		case c == ',' || c == '.' || c == '，':
			i += size + n
		case (c == ' ' || c == '\u00a0' || c == '\u202f' || c == '\'' || c == '’') && n == 3 && !digitBehind(src, i+size+n):
			i += size + n
		default:
			return i
		}
	}
	return i
}

func digitBehind(src string, i int) bool { return i < len(src) && digit(rune(src[i])) }

func countDigits(s string) int {
	n := 0
	for i := range len(s) {
		if digit(rune(s[i])) {
			n++
		}
	}
	return n
}

// numberValue reads a number in whatever grouping; it need only tell zero from more and large from small.
func numberValue(s string) float64 {
	last := strings.LastIndexAny(s, ".,")
	value, scale := 0.0, 0.0
	for i := range len(s) {
		if digit(rune(s[i])) {
			value = value*10 + float64(s[i]-'0')
			if scale > 0 {
				scale *= 10
			}
		} else if i == last && len(s)-i-1 != 3 {
			scale = 1
		}
	}
	if scale > 0 {
		value /= scale
	}
	return value
}

// takeCurrency widens the amount by the currency that stands at it.
func (a *amountToken) takeCurrency(src string) {
	if n := matchAfter(src, a.end); n > 0 {
		a.end, a.currency = a.end+n, true
	}
	if n := matchBefore(src, a.start); n > 0 {
		a.start, a.currency = a.start-n, true
	}
}

// matchBefore is the length of the currency that ends at i, the blank included.
func matchBefore(src string, i int) int {
	head := src[:i]
	blank := len(head) - len(strings.TrimRight(head, " \u00a0"))
	if blank > 2 {
		return 0
	}
	head = head[:len(head)-blank]
	for _, c := range currenciesBefore {
		if len(head) < len(c) || !strings.EqualFold(head[len(head)-len(c):], c) {
			continue
		}
		if before := runeBefore(head, len(head)-len(c)); isAlpha(rune(c[0])) && before < utf8.RuneSelf && unicode.IsLetter(before) {
			continue
		}
		return len(c) + blank
	}
	return 0
}

// matchAfter is the length of the currency that begins at i, the blank included.
func matchAfter(src string, i int) int {
	rest := src[i:]
	blank := len(rest) - len(strings.TrimLeft(rest, " \u00a0\u202f"))
	if blank > 3 {
		return 0
	}
	rest = rest[blank:]
	for _, c := range currenciesAfter {
		if len(rest) < len(c) || !strings.EqualFold(rest[:len(c)], c) {
			continue
		}
		next := firstRune(rest[len(c):])
		if last, _ := utf8.DecodeLastRuneInString(c); len(rest) > len(c) && letter(unicode.ToLower(last)) && letter(unicode.ToLower(next)) {
			continue
		}
		return blank + len(c)
	}
	return 0
}
