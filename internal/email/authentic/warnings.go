package authentic

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Warnings names what may deceive a reader of the From field, each as "code" or "code: detail":
//
//	from-count         not exactly one From field with one address
//	group              group syntax
//	name-address       the display name holds another address than the real one
//	name-brand         the display name holds a brand's name, the domain is not the brand's
//	name-invisible     the display name holds bidi controls or characters without width
//	address-invisible  the same of the address
//	domain-idn         the domain is not ASCII; its A-label follows
//	domain-mixed       a label mixes scripts
//	domain-confusable  a label reads as Latin letters but is not
//	domain-lookalike   the domain looks like a brand's; the brand's follows
func Warnings(f From, brands []Brand) []string {
	var w []string
	warn := func(code, detail string) {
		if detail != "" {
			code += ": " + detail
		}
		w = append(w, code)
	}
	if f.Fields != 1 || f.Addresses != 1 {
		warn("from-count", "")
	}
	if f.Group {
		warn("group", "")
	}
	domain := strings.ToLower(f.Address[strings.LastIndexByte(f.Address, '@')+1:])
	nameWarnings(f, domain, brands, warn)
	if deceptive(f.Address) {
		warn("address-invisible", "")
	}
	domainWarnings(domain, brands, warn)
	return w
}

func nameWarnings(f From, domain string, brands []Brand, warn func(code, detail string)) {
	if deceptive(f.Name) {
		warn("name-invisible", "")
	}
	name := visible(f.Name)
	if other, ok := addressIn(name); ok && !strings.EqualFold(other, f.Address) {
		warn("name-address", other)
	}
	folded := letterSkeleton(name)
	for _, b := range brands {
		brand := letterSkeleton(b.Name)
		if len([]rune(brand)) >= 2 && strings.Contains(folded, brand) && !ownDomain(domain, b) {
			warn("name-brand", b.Name)
		}
	}
}

// addressIn finds something like an address in a display name.
func addressIn(name string) (string, bool) {
	name = strings.ReplaceAll(name, "＠", "@")
	at := strings.IndexByte(name, '@')
	if at < 0 {
		return "", false
	}
	from := strings.LastIndexAny(name[:at], " \t<\"'(,;:") + 1
	to := len(name)
	if end := strings.IndexAny(name[at:], " \t>\"'),;"); end >= 0 {
		to = at + end
	}
	return name[from:to], at > from && to > at+1
}

func ownDomain(domain string, b Brand) bool {
	for _, d := range b.Domains {
		d = strings.ToLower(d)
		if domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}

func domainWarnings(domain string, brands []Brand, warn func(code, detail string)) {
	shown, err := idna.ToUnicode(domain)
	if err != nil {
		shown = domain
	}
	shown = strings.ToLower(shown)
	if a, err := asciiDomain(shown); err == nil && a != shown {
		warn("domain-idn", a)
	}
	for label := range strings.SplitSeq(shown, ".") {
		switch {
		case mixesScripts(label):
			warn("domain-mixed", label)
		case posesAsLatin(label):
			warn("domain-confusable", label)
		}
	}
	for _, b := range brands {
		if d, ok := looksLike(shown, b); ok && !ownDomain(domain, b) && !ownDomain(shown, b) {
			warn("domain-lookalike", d)
		}
	}
}

// looksLike compares a domain with each of a brand's: the same to the eye, a letter or two off, or the brand's name
// with something put before or after it.
func looksLike(domain string, b Brand) (string, bool) {
	for _, d := range b.Domains {
		d = strings.ToLower(d)
		if resembles(organisation(domain), organisation(d)) {
			return d, true
		}
	}
	return "", false
}

func resembles(domain, brand string) bool {
	if domain == brand || domain == "" {
		return false
	}
	if skeleton(domain) == skeleton(brand) {
		return true
	}
	label, _, _ := strings.Cut(domain, ".")
	name, _, _ := strings.Cut(brand, ".")
	label, name = skeleton(label), skeleton(name)
	if len(name) < 4 {
		return false
	}
	if label == name { // the brand's name under another ending
		return true
	}
	for part := range strings.SplitSeq(label, "-") {
		if part == name {
			return true
		}
	}
	if len(name) >= 5 && (strings.HasPrefix(label, name) || strings.HasSuffix(label, name)) {
		return true
	}
	return distance(label, name) <= allowedDistance(len(name))
}

func allowedDistance(n int) int {
	switch {
	case n >= 9:
		return 2
	case n >= 5:
		return 1
	}
	return 0
}

// distance is the number of letters to put in, take out, change or swap with the next (optimal string alignment).
// Labels longer than DNS allows are told apart by length.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 63 || len(t) > 63 {
		return max(len(s), len(t))
	}
	var before, prev []int
	cur := make([]int, len(t)+1)
	for j := range cur {
		cur[j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, prev, cur = prev, cur, make([]int, len(t)+1)
		cur[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return cur[len(t)]
}

// deceptive reports bidi controls, characters without width and control characters.
func deceptive(s string) bool {
	for _, r := range s {
		if invisible(r) {
			return true
		}
	}
	return false
}

func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0
}

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
}
