package rules

// occurrence is one term found in the mail.
type occurrence struct {
	concept    conceptID
	start, end int32 // in buf
	from, to   int32 // in units
	sentence   int32
	part       int32 // sentence part: cut at "but"
	clause     int32
	field      fieldMask
	negated    bool
	gapped     bool
	next       int32 // next occurrence of the same concept, -1 none
}

// maxEvidence is how many occurrences are kept as evidence of one match.
const maxEvidence = 6

// hit is one way in which an expression holds.
type hit struct {
	from, to int32 // units covered
	ev       [maxEvidence]int32
	n        int
}

func (h hit) with(o hit) hit {
	h.from, h.to = min(h.from, o.from), max(h.to, o.to)
	for _, e := range o.ev[:o.n] {
		if h.n < maxEvidence {
			h.ev[h.n] = e
			h.n++
		}
	}
	return h
}

// maxHits bounds the ways that are followed for one expression in one sentence.
const maxHits = 12

// eval appends to out the ways in which n holds in the sentence (-1: in the whole mail).
func (s *scratch) eval(n *node, sentence int32, out []hit) []hit {
	switch n.kind {
	case nodeConcept:
		return s.evalConcept(n, sentence, out)
	case nodeRule:
		if s.fired[n.rule] {
			h := s.firedHit[n.rule]
			return append(out, h)
		}
	case nodeOr:
		for _, kid := range n.kids {
			out = s.eval(kid, sentence, out)
		}
	case nodeAnd:
		return s.evalAnd(n, sentence, out)
	case nodeNear, nodeThen:
		return s.evalNear(n, sentence, out)
	case nodeNot:
		var room [maxHits]hit
		if len(s.eval(n.kids[0], sentence, room[:0])) == 0 {
			return append(out, hit{from: 1 << 30, to: -1})
		}
	}
	return out
}

func (s *scratch) evalConcept(n *node, sentence int32, out []hit) []hit {
	if n.count > 1 {
		return s.evalCount(n, sentence, out)
	}
	found := 0
	for i := s.first(n.concept); i >= 0 && found < maxHits; i = s.occ[i].next {
		o := &s.occ[i]
		if !n.admits(o, sentence) {
			continue
		}
		out = append(out, hit{from: o.from, to: o.to, ev: [maxEvidence]int32{i}, n: 1})
		found++
	}
	return out
}

func (n *node) admits(o *occurrence, sentence int32) bool {
	if sentence >= 0 && o.sentence != sentence || o.field&n.field == 0 {
		return false
	}
	return n.polar == either || o.negated == (n.polar == negated)
}

// evalCount holds where enough different words for the concept are found.
func (s *scratch) evalCount(n *node, sentence int32, out []hit) []hit {
	whole := hit{from: 1 << 30, to: -1}
	for i := s.first(n.concept); i >= 0 && whole.n < min(n.count, maxEvidence); i = s.occ[i].next {
		if o := &s.occ[i]; n.admits(o, sentence) && !s.sameWord(whole, o) {
			whole = whole.with(hit{from: o.from, to: o.to, ev: [maxEvidence]int32{i}, n: 1})
		}
	}
	if whole.n < min(n.count, maxEvidence) {
		return out
	}
	return append(out, whole)
}

func (s *scratch) sameWord(h hit, o *occurrence) bool {
	for _, e := range h.ev[:h.n] {
		if p := &s.occ[e]; string(s.buf[p.start:p.end]) == string(s.buf[o.start:o.end]) {
			return true
		}
	}
	return false
}

// evalAnd joins the first way of each operand; the operands need not be near.
func (s *scratch) evalAnd(n *node, sentence int32, out []hit) []hit {
	whole := hit{from: 1 << 30, to: -1}
	for _, kid := range n.kids {
		var room [maxHits]hit
		ways := s.eval(kid, sentence, room[:0])
		if len(ways) == 0 {
			return out
		}
		whole = whole.with(ways[0])
	}
	return append(out, whole)
}

func (s *scratch) evalNear(n *node, sentence int32, out []hit) []hit {
	var leftRoom, rightRoom [maxHits]hit
	left := s.eval(n.kids[0], sentence, leftRoom[:0])
	if len(left) == 0 {
		return out
	}
	right := s.eval(n.kids[1], sentence, rightRoom[:0])
	found := 0
	for _, a := range left {
		for _, b := range right {
			if found < maxHits && s.near(a, b, n) {
				out = append(out, a.with(b))
				found++
			}
		}
	}
	return out
}

func (s *scratch) near(a, b hit, n *node) bool {
	if a.n > 0 && b.n > 0 {
		x, y := &s.occ[a.ev[0]], &s.occ[b.ev[0]]
		if x.sentence != y.sentence {
			return false
		}
		// One and the same word is not near itself.
		if x.start == y.start && x.end == y.end {
			return false
		}
	}
	gap := b.from - a.to
	if n.kind == nodeThen && b.from < a.from {
		return false
	}
	if b.to <= a.from {
		gap = a.from - b.to
	}
	return gap <= n.gap
}
