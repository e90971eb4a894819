package reply

import (
	"regexp"
	"strings"
)

// cardLike is 13 to 19 digits in a row or in groups, as payment card numbers are written (ISO/IEC 7812).
var cardLike = regexp.MustCompile(`\d(?:[ -]?\d){12,18}`)

// cardNumbers finds numbers with the first digits of a card scheme and a right check digit.
func (l *linter) cardNumbers() {
	rule := lintRule{name: "card-number", zh: "邮件中不得出现完整卡号，只写最后 4 位。", en: "Never write a full card number; the last 4 digits are enough."}
	v := l.views[words]
	for _, m := range cardLike.FindAllStringIndex(v.text, -1) {
		digits := strings.NewReplacer(" ", "", "-", "").Replace(v.text[m[0]:m[1]])
		if !digitAround(v.text, m) && cardScheme.MatchString(digits) && luhn(digits) {
			l.add(rule, v.source(span{m[0], m[1]}))
		}
	}
}

// cardScheme: Visa, Mastercard, American Express, UnionPay, Discover, JCB.
var cardScheme = regexp.MustCompile(`^(?:4|5[1-5]|2[2-7]|3[47]|62|6011|65|35)`)

func digitAround(text string, m []int) bool {
	return inWord(text, m[0]) || inWord(text, m[1])
}

// luhn checks the last digit (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
