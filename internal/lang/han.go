package lang

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

// The character tables of Open Chinese Convert (Apache-2.0, see data/LICENSE):
// a line is a character, a tab and the possible counterparts.
var (
	//go:embed data/TSCharacters.txt
	traditionalTable string
	//go:embed data/STCharacters.txt
	simplifiedTable string
)

const (
	hanFirst = 0x3400
	hanLast  = 0x9fff
)

// hanTables answers two questions about a Han character in constant time: its
// simplified form, and which of the two scripts it gives away.
type hanTables struct {
	simplified  [hanLast - hanFirst + 1]uint16 // 0: the character stands for itself
	traditional [hanLast - hanFirst + 1]bool   // written in traditional text only
	mainland    [hanLast - hanFirst + 1]bool   // written in simplified text only
}

var han = sync.OnceValue(func() *hanTables {
	t := new(hanTables)
	eachPair(traditionalTable, func(from rune, to []rune) {
		if from != to[0] && inHan(to[0]) {
			t.simplified[from-hanFirst] = uint16(to[0])
			t.traditional[from-hanFirst] = true
		}
	})
	eachPair(simplifiedTable, func(from rune, to []rune) {
		for _, r := range to {
			if r == from {
				return
			}
		}
		t.mainland[from-hanFirst] = true
	})
	// These are everyday characters of simplified text although a table lists
	// them as variants of another form.
	for _, r := range "着乾於" {
		t.traditional[r-hanFirst] = false
	}
	return t
})

func eachPair(table string, visit func(from rune, to []rune)) {
	for line := range strings.Lines(table) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok || strings.HasPrefix(left, "#") {
			continue
		}
		from, size := utf8.DecodeRuneInString(left)
		if size != len(left) || !inHan(from) {
			continue
		}
		var to []rune
		for _, field := range strings.Fields(right) {
			if r, n := utf8.DecodeRuneInString(field); n == len(field) {
				to = append(to, r)
			}
		}
		if len(to) > 0 {
			visit(from, to)
		}
	}
}

func inHan(r rune) bool { return r >= hanFirst && r <= hanLast }
