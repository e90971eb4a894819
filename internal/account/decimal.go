package account

import (
	"math/big"
	"strings"
)

// decimal reads plain decimal notation; nil when it is anything else, a fraction or an exponent included.
func decimal(s string) *big.Rat {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 60 || strings.Trim(digits, "0123456789.") != "" || strings.Count(digits, ".") > 1 || digits[0] == '.' || digits[len(digits)-1] == '.' {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

// places counts the digits after the point, so that a result is written like its operands.
func places(s string) int {
	_, frac, _ := strings.Cut(s, ".")
	return len(frac)
}
