package rules

import (
	"slices"
	"unicode/utf8"
)

// scratch is the working memory of one classification; a Set keeps a pool of them.
type scratch struct {
	set *Set
	reading
	occ       []occurrence
	head      []int32 // by concept: first occurrence; valid where stamp is current
	tail      []int32
	stamp     []uint32
	turn      uint32
	pending   []pendingPiece // by gapped term
	parts     []mood         // by sentence part
	partStart []int32

	fired     []bool
	firedHit  []hit
	firedRank []float64 // place weight of the best hit
	firedList []int32

	hinted   [categories]float64
	hintTurn []uint32 // by concept: the turn in which hintBits holds
	hintBits []uint8
}

// pendingPiece is how far a term with gaps has been found.
type pendingPiece struct {
	turn       uint32
	piece      int32
	start, end int32
}

// mood is what the words of a sentence part do to its topics.
type mood uint8

const (
	moodCondition mood = 1 << iota
	moodSolved
	moodQuestion
	moodReported
	moodNegated // set on a match, not on a part: one of its words is ruled out
)

// gapUnits is how far the pieces of one term may be apart: four words.
const gapUnits = 10

func (s *scratch) first(c conceptID) int32 {
	if s.stamp[c] != s.turn {
		return -1
	}
	return s.head[c]
}

// scan finds all terms, hides what lies inside a longer term, and works out moods and negations.
func (s *scratch) scan(allowed tongueMask) {
	s.occ = s.occ[:0]
	lex := s.set.lex
	lex.auto.scan(s.buf, func(pattern, start, end int32) {
		for _, u := range lex.uses[pattern] {
			if u.tongue&allowed == 0 && !s.inFileName(start) {
				continue
			}
			if (u.openBefore || s.atWordStart(start)) && (u.openAfter || s.atWordEnd(end)) {
				s.found(u, start, end)
			}
		}
	})
	s.hide()
	s.findParts()
	s.negate()
	s.link()
}

// inFileName reports whether the byte at belongs to the name of an attachment, which may be in any language.
func (s *scratch) inFileName(at int32) bool {
	return len(s.fields) > 2 && at >= s.fields[2].start
}

func (s *scratch) atWordStart(at int32) bool {
	if at == 0 {
		return true
	}
	c, _ := utf8.DecodeRune(s.buf[at:])
	return !letter(c) || !letter(lastRune(s.buf[:at]))
}

func (s *scratch) atWordEnd(at int32) bool {
	if int(at) == len(s.buf) {
		return true
	}
	c, _ := utf8.DecodeRune(s.buf[at:])
	return !letter(c) || !letter(lastRune(s.buf[:at]))
}

func (s *scratch) found(u use, start, end int32) {
	if u.gapped < 0 {
		s.push(u.concept, start, end, false)
		return
	}
	g, p := s.set.lex.gapped[u.gapped], &s.pending[u.gapped]
	if u.piece > 0 {
		if p.turn != s.turn || p.piece != u.piece-1 || start < p.end || s.unitAt(start)-s.unit[p.end-1] > gapUnits || s.sentenceAt(start) != s.sentenceAt(p.start) {
			return
		}
		start = p.start
	}
	if u.piece == g.pieces-1 {
		s.push(g.concept, start, end, true)
		p.turn = 0
		return
	}
	*p = pendingPiece{s.turn, u.piece, start, end}
}

// unitAt is the running length before the byte at.
func (s *scratch) unitAt(at int32) int32 {
	if at == 0 {
		return 0
	}
	return s.unit[at-1]
}

func (s *scratch) push(c conceptID, start, end int32, gapped bool) {
	s.occ = append(s.occ, occurrence{concept: c, start: start, end: end, gapped: gapped, next: -1})
}

// hide drops every occurrence that lies inside a longer one: "log in" inside "can't log in". Terms with gaps neither hide
// nor are hidden, and what only sets the mood hides nothing.
func (s *scratch) hide() {
	slices.SortFunc(s.occ, func(a, b occurrence) int {
		if a.start != b.start {
			return int(a.start - b.start)
		}
		if a.end != b.end {
			return int(b.end - a.end)
		}
		return int(a.concept - b.concept)
	})
	kept := s.occ[:0]
	var longStart, longEnd int32 = -1, -1
	for i, o := range s.occ {
		if i > 0 && len(kept) > 0 {
			if k := kept[len(kept)-1]; k.concept == o.concept && k.start == o.start && k.end == o.end {
				continue
			}
		}
		role := s.set.lex.concepts[o.concept].role
		if role != roleLabel && !o.gapped && o.end <= longEnd && (o.start != longStart || o.end != longEnd) {
			continue
		}
		if !o.gapped && o.end > longEnd && role == rolePlain {
			longStart, longEnd = o.start, o.end
		}
		kept = append(kept, o)
	}
	s.occ = kept
}

// findParts places every occurrence: sentence, part, clause, field; and works out each part's mood.
func (s *scratch) findParts() {
	s.parts, s.partStart = s.parts[:0], s.partStart[:0]
	last := int32(-1)
	for i := range s.occ {
		o := &s.occ[i]
		o.sentence, o.clause = s.sentenceAt(o.start), s.clauseAt(o.start)
		o.from, o.to = s.unitAt(o.start), s.unit[o.end-1]
		o.field = s.fieldMask(o.sentence)
		role := s.set.lex.concepts[o.concept].role
		if o.sentence != last || role == roleContrast {
			s.parts = append(s.parts, 0)
			s.partStart = append(s.partStart, o.start)
			last = o.sentence
			if s.sents[o.sentence].question {
				s.parts[len(s.parts)-1] |= moodQuestion
			}
		}
		o.part = int32(len(s.parts) - 1)
		s.parts[o.part] |= moodOf(role)
	}
}

func moodOf(r role) mood {
	switch r {
	case roleCondition:
		return moodCondition
	case roleSolved:
		return moodSolved
	case roleAsking:
		return moodQuestion
	case roleReported:
		return moodReported
	}
	return 0
}

func (s *scratch) fieldMask(sentence int32) fieldMask {
	switch s.fields[s.sents[sentence].field].name {
	case FieldSubject:
		return inSubject
	case FieldBody:
		return inBody
	}
	return inFile
}

// negationReach is how far before a word a negation rules it out, in units; after a word in languages that negate there.
const negationReach, negationReachAfter = 10, 6

func (s *scratch) negate() {
	for i := range s.occ {
		r := s.set.lex.concepts[s.occ[i].concept].role
		if r == roleNegation {
			s.negateAfter(i)
		} else if r == roleNegationAfter {
			s.negateBefore(i)
		}
	}
}

func (s *scratch) negateAfter(i int) {
	n := &s.occ[i]
	for j := i + 1; j < len(s.occ); j++ {
		o := &s.occ[j]
		if o.sentence != n.sentence || o.part != n.part || o.from-n.to > negationReach {
			return
		}
		if o.start >= n.end && o.clause == n.clause && s.set.lex.concepts[o.concept].negatable {
			o.negated = true
		}
	}
}

func (s *scratch) negateBefore(i int) {
	n := &s.occ[i]
	for j := i - 1; j >= 0; j-- {
		o := &s.occ[j]
		if o.sentence != n.sentence || o.part != n.part {
			return
		}
		if o.end <= n.start && n.from-o.to <= negationReachAfter && o.clause == n.clause && s.set.lex.concepts[o.concept].negatable {
			o.negated = true
		}
	}
}

// link chains the occurrences of each concept in the order of the text.
func (s *scratch) link() {
	for i := range s.occ {
		c := s.occ[i].concept
		if s.stamp[c] != s.turn {
			s.stamp[c], s.head[c] = s.turn, int32(i)
		} else {
			s.occ[s.tail[c]].next = int32(i)
		}
		s.tail[c] = int32(i)
	}
}
