package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestAutomatonFindsWhatSearchingFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab\xe6"[random.IntN(3)]
		}
		return string(b)
	}
	for range 200 {
		var patterns []string
		for range 1 + random.IntN(12) {
			patterns = append(patterns, word(1+random.IntN(5)))
		}
		text := word(60)
		var want, got [][3]int32
		for i, p := range patterns {
			for at := range len(text) {
				if strings.HasPrefix(text[at:], p) {
					want = append(want, [3]int32{int32(i), int32(at), int32(at + len(p))})
				}
			}
		}
		newAutomaton(patterns).scan([]byte(text), func(p, start, end int32) { got = append(got, [3]int32{p, start, end}) })
		order := func(a, b [3]int32) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(got, order)
		slices.SortFunc(want, order)
		if !slices.Equal(got, want) {
			t.Fatalf("patterns %q in %q: found %v, want %v", patterns, text, got, want)
		}
	}
}
