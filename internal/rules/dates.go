package rules

import "strings"

// dates notes the dates written in figures: 2024-12-01, 12/11/2024, 01.12.2024, 2024年12月1日, 12月4日.
func (s *scratch) dates(d *Decision) {
	for i := range s.fields {
		f := &s.fields[i]
		if f.name != FieldSubject && f.name != FieldBody {
			continue
		}
		for at := 0; at < len(f.source); {
			if !digit(rune(f.source[at])) || at > 0 && tokenByte(f.source[at-1]) {
				at++
				continue
			}
			if end := dateEnd(f.source, at); end > at {
				d.Facts.Dates = append(d.Facts.Dates, sourceSpan(f, at, end))
				at = end
				continue
			}
			for at < len(f.source) && tokenByte(f.source[at]) {
				at++
			}
		}
	}
}

// dateEnd returns the end of the date that begins at i, or i.
func dateEnd(s string, i int) int {
	a, p := digits(s, i)
	for _, mark := range []string{"年", "月"} {
		if strings.HasPrefix(s[p:], mark) && a <= 4 {
			return ideographicEnd(s, i)
		}
	}
	if a > 4 || p >= len(s) || !strings.ContainsRune("-/.", rune(s[p])) {
		return i
	}
	sep := s[p]
	b, q := digits(s, p+1)
	if b < 1 || b > 2 || q >= len(s) || s[q] != sep {
		return i
	}
	c, r := digits(s, q+1)
	if c < 1 || c > 4 || a < 4 && c < 2 || r < len(s) && (tokenByte(s[r]) || s[r] == sep) {
		return i
	}
	return r
}

func ideographicEnd(s string, i int) int {
	end := i
	for p := i; p < len(s); {
		n, q := digits(s, p)
		if n == 0 {
			break
		}
		p = q
		found := false
		for _, mark := range []string{"年", "月", "日", "号"} {
			if strings.HasPrefix(s[p:], mark) {
				p, found = p+len(mark), true
				break
			}
		}
		if !found {
			break
		}
		end = p
	}
	return end
}

// digits counts the digits from i on and returns where they end.
func digits(s string, i int) (n, end int) {
	for i < len(s) && digit(rune(s[i])) {
		i++
		n++
	}
	return n, i
}
