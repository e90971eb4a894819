package rules

// automaton finds all patterns of a set in one pass over a text (Aho and Corasick 1975). The trie is packed into a
// double array, so a step costs two loads whatever the number of patterns.
type automaton struct {
	cells  []cell
	length []int32 // by pattern: bytes
	next   []int32 // by pattern: another pattern with the same text, -1 none
}

// cell is one state; what a step reads stands together, for the sake of the cache.
type cell struct {
	base   int32 // child for byte c is at base+c …
	check  int32 // … if check there is this state
	fail   int32 // longest proper suffix that is a state
	out    int32 // first pattern that ends here, -1 none
	suffix int32 // nearest state on the failure path that has a pattern, 0 none
}

type trieNode struct {
	keys []byte
	kids []int32
	out  int32
	at   int32 // position in the double array
}

// newAutomaton builds the automaton. Empty patterns never match.
func newAutomaton(patterns []string) *automaton {
	a := &automaton{length: make([]int32, len(patterns)), next: make([]int32, len(patterns))}
	trie := []trieNode{{out: -1}}
	for i, p := range patterns {
		a.length[i], a.next[i] = int32(len(p)), -1
		if p == "" {
			continue
		}
		s := int32(0)
		for j := 0; j < len(p); j++ {
			s = descend(&trie, s, p[j])
		}
		a.next[i] = trie[s].out
		trie[s].out = int32(i)
	}
	a.pack(trie)
	return a
}

func descend(trie *[]trieNode, s int32, c byte) int32 {
	n := &(*trie)[s]
	for i, k := range n.keys {
		if k == c {
			return n.kids[i]
		}
	}
	child := int32(len(*trie))
	n.keys, n.kids = append(n.keys, c), append(n.kids, child)
	*trie = append(*trie, trieNode{out: -1})
	return child
}

// pack lays the trie out breadth first, so failure links lead to states that are already placed.
func (a *automaton) pack(trie []trieNode) {
	a.grow(512)
	a.cells[0].check = 0
	free, wide := int32(256), int32(256)
	queue := []int32{0}
	for len(queue) > 0 {
		s := &trie[queue[0]]
		queue = queue[1:]
		if len(s.keys) == 0 {
			continue
		}
		for int(free) < len(a.cells) && a.cells[free].check >= 0 {
			free++
		}
		// Cells passed over by a state with several children are left to the many with one.
		from := &free
		if len(s.keys) > 1 {
			from = &wide
		}
		base := a.room(s.keys, *from)
		if len(s.keys) > 1 {
			wide = max(wide, base)
		}
		a.cells[s.at].base = base
		for i, c := range s.keys {
			kid := &trie[s.kids[i]]
			kid.at = base + int32(c)
			a.cells[kid.at].check, a.cells[kid.at].out = s.at, kid.out
			queue = append(queue, s.kids[i])
		}
		for i, c := range s.keys {
			at := trie[s.kids[i]].at
			if s.at != 0 {
				a.cells[at].fail = a.step(a.cells[s.at].fail, c)
			}
			fail := a.cells[at].fail
			a.cells[at].suffix = a.cells[fail].suffix
			if a.cells[fail].out >= 0 {
				a.cells[at].suffix = fail
			}
		}
	}
	a.grow(len(a.cells) + 256)
}

// room finds a base at which all keys fall on free cells.
func (a *automaton) room(keys []byte, free int32) int32 {
	low := keys[0]
	for _, c := range keys {
		low = min(low, c)
	}
	for base := max(free-int32(low), 1); ; base++ {
		a.grow(int(base) + 257)
		fits := true
		for _, c := range keys {
			if a.cells[base+int32(c)].check >= 0 {
				fits = false
				break
			}
		}
		if fits {
			return base
		}
	}
}

func (a *automaton) grow(n int) {
	if n <= len(a.cells) {
		return
	}
	for range max(n-len(a.cells), len(a.cells)/2) {
		a.cells = append(a.cells, cell{check: -1, out: -1})
	}
}

func (a *automaton) step(s int32, c byte) int32 {
	for {
		from := &a.cells[s]
		if t := from.base + int32(c); from.base > 0 && a.cells[t].check == s {
			return t
		}
		if s == 0 {
			return 0
		}
		s = from.fail
	}
}

// scan calls hit for every occurrence of every pattern, by ascending end.
func (a *automaton) scan(text []byte, hit func(pattern, start, end int32)) {
	s := int32(0)
	for i, c := range text {
		s = a.step(s, c)
		for t := s; t != 0; t = a.cells[t].suffix {
			for p := a.cells[t].out; p >= 0; p = a.next[p] {
				hit(p, int32(i+1)-a.length[p], int32(i+1))
			}
		}
	}
}
