package rules

import (
	"fmt"
	"strconv"
	"strings"
)

// kind of a node in a match expression.
type nodeKind uint8

const (
	nodeConcept nodeKind = iota
	nodeRule
	nodeOr
	nodeAnd
	nodeNear
	nodeThen
	nodeNot
)

// node is a match expression:
//
//	CLOSE           the concept, not ruled out by a negation
//	NOT:CLOSE       the concept, ruled out by a negation
//	ANY:CLOSE       either
//	subject:CLOSE   in the subject; body:CLOSE in the body; file:CLOSE in the name of an attachment
//	CLOSE*2         at least two different words for it (two to nine)
//	'wind up; wrap*' terms written in place
//	@rule.id        an earlier rule that held (rules over the whole mail)
//	A ~ B  A ~3 B   both, at most 6 (3) words apart, in any order
//	A > B  A >3 B   A, then B, at most 6 (3) words later
//	A & B           both in the sentence (or in the mail, for rules over the whole mail)
//	A & !B          A without B
//	A | B           either
//
// They bind in this order: ! , ~ and > , & , |. Parentheses group.
type node struct {
	kind    nodeKind
	concept conceptID
	rule    int
	polar   polarity
	field   fieldMask
	gap     int32 // near, then: units
	count   int   // concept: how many different words at least
	kids    []*node
}

type polarity uint8

const (
	affirmed polarity = iota
	negated
	either
)

type fieldMask uint8

const (
	inSubject fieldMask = 1 << iota
	inBody
	inFile
	anywhere = inSubject | inBody | inFile
)

const defaultGap = 6

// parser reads match expressions.
type parser struct {
	src   string
	pos   int
	lex   *lexicon
	rules map[string]int
	where place
}

func (p *parser) parse() (*node, error) {
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.src) {
		return nil, p.errorf("expected &, |, ~, > or the end")
	}
	return n, nil
}

func (p *parser) errorf(format string, args ...any) error {
	rest := p.src[min(p.pos, len(p.src)):]
	if rest == "" {
		return fmt.Errorf("match: %s, found the end of %q", fmt.Sprintf(format, args...), p.src)
	}
	return fmt.Errorf("match: %s, found %q", fmt.Sprintf(format, args...), rest)
}

func (p *parser) space() {
	for p.pos < len(p.src) && strings.IndexByte(" \t\n", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) eat(c byte) bool {
	if p.space(); p.pos < len(p.src) && p.src[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *parser) or() (*node, error)  { return p.list('|', nodeOr, p.and) }
func (p *parser) and() (*node, error) { return p.list('&', nodeAnd, p.near) }

func (p *parser) list(op byte, kind nodeKind, operand func() (*node, error)) (*node, error) {
	n, err := operand()
	if err != nil {
		return nil, err
	}
	kids := []*node{n}
	for p.eat(op) {
		if n, err = operand(); err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	if len(kids) == 1 {
		return kids[0], nil
	}
	return &node{kind: kind, kids: kids}, nil
}

func (p *parser) near() (*node, error) {
	n, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		kind := nodeNear
		if !p.eat('~') {
			if !p.eat('>') {
				return n, nil
			}
			kind = nodeThen
		}
		gap := p.number(defaultGap)
		right, err := p.unary()
		if err != nil {
			return nil, err
		}
		n = &node{kind: kind, gap: int32(gap * 2), kids: []*node{n, right}}
	}
}

func (p *parser) number(otherwise int) int {
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	if n, err := strconv.Atoi(p.src[start:p.pos]); err == nil && n < 1000 {
		return n
	}
	return otherwise
}

func (p *parser) unary() (*node, error) {
	switch {
	case p.eat('!'):
		kid, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &node{kind: nodeNot, kids: []*node{kid}}, nil
	case p.eat('('):
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.eat(')') {
			return nil, p.errorf("expected )")
		}
		return n, nil
	case p.eat('\''):
		return p.literal(anywhere)
	case p.eat('@'):
		return p.reference()
	}
	return p.atom()
}

func (p *parser) literal(field fieldMask) (*node, error) {
	end := strings.IndexByte(p.src[p.pos:], '\'')
	// An apostrophe inside a word belongs to the term.
	for end >= 0 && p.pos+end+1 < len(p.src) && isAlpha(rune(p.src[p.pos+end+1]|0x20)) {
		more := strings.IndexByte(p.src[p.pos+end+1:], '\'')
		if more < 0 {
			end = -1
			break
		}
		end += more + 1
	}
	if end < 0 {
		return nil, p.errorf("expected ' after the terms")
	}
	terms := p.src[p.pos : p.pos+end]
	p.pos += end + 1
	name := "'" + terms + "'"
	id, ok := p.lex.byName[name]
	if !ok {
		id, _ = p.lex.add(concept{name: name, where: p.where})
		if err := p.lex.addTerms(id, terms, everyTongue); err != nil {
			return nil, fmt.Errorf("match: %w", err)
		}
	}
	return &node{kind: nodeConcept, concept: id, field: field, polar: either}, nil
}

func (p *parser) word() string {
	p.space()
	start := p.pos
	for p.pos < len(p.src) && strings.IndexByte(" \t\n()&|~>!'@:*", p.src[p.pos]) < 0 {
		p.pos++
	}
	return p.src[start:p.pos]
}

func (p *parser) reference() (*node, error) {
	id := p.word()
	rule, ok := p.rules[id]
	if !ok {
		return nil, fmt.Errorf("match: expected the id of an earlier rule after @, found %q", id)
	}
	return &node{kind: nodeRule, rule: rule}, nil
}

var atomPrefixes = map[string]struct {
	field fieldMask
	polar polarity
}{
	"subject": {inSubject, affirmed}, "body": {inBody, affirmed}, "file": {inFile, affirmed},
	"NOT": {anywhere, negated}, "ANY": {anywhere, either},
}

func (p *parser) atom() (*node, error) {
	n := &node{kind: nodeConcept, field: anywhere}
	for {
		name := p.word()
		if name == "" {
			return nil, p.errorf("expected a concept, 'terms', @rule, ! or (")
		}
		if p.pos < len(p.src) && p.src[p.pos] == ':' {
			prefix, ok := atomPrefixes[name]
			if !ok {
				return nil, fmt.Errorf("match: expected subject:, body:, file:, NOT: or ANY:, found %q", name+":")
			}
			p.pos++
			n.field &= prefix.field
			if prefix.polar != affirmed {
				n.polar = prefix.polar
			}
			if p.pos < len(p.src) && p.src[p.pos] == '\'' {
				p.pos++
				return p.literal(n.field)
			}
			continue
		}
		id, ok := p.lex.byName[name]
		if !ok {
			return nil, fmt.Errorf("match: no concept %q%s", name, p.suggest(name))
		}
		n.concept = id
		return p.counted(n)
	}
}

func (p *parser) counted(n *node) (*node, error) {
	if p.pos >= len(p.src) || p.src[p.pos] != '*' {
		return n, nil
	}
	p.pos++
	if n.count = p.number(0); n.count < 2 || n.count > maxCount {
		return nil, p.errorf("expected a number from 2 to %d after *", maxCount)
	}
	return n, nil
}

// maxCount bounds how many different words a count may ask for.
const maxCount = 9

// suggest names the declared concept that a misspelt one is nearest to.
func (p *parser) suggest(name string) string {
	best, least := "", 4
	for known := range p.lex.byName {
		if d := distance(name, known); d < least || d == least && known < best {
			best, least = known, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance is the number of letters to change, add or drop between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// triggers returns concepts of which at least one must be present for n to hold; ok is false where none is needed.
func (n *node) triggers(lex *lexicon) (set []conceptID, ok bool) {
	switch n.kind {
	case nodeConcept:
		return []conceptID{n.concept}, true
	case nodeOr:
		for _, kid := range n.kids {
			t, ok := kid.triggers(lex)
			if !ok {
				return nil, false
			}
			set = append(set, t...)
		}
		return set, true
	case nodeAnd, nodeNear, nodeThen:
		least := 0
		for _, kid := range n.kids {
			if t, has := kid.triggers(lex); has && (!ok || weight(t, lex) < least) {
				set, ok, least = t, true, weight(t, lex)
			}
		}
		return set, ok
	}
	return nil, false
}

// weight guesses how often one of the concepts turns up: by the number of their terms, and modifiers turn up everywhere.
func weight(set []conceptID, lex *lexicon) int {
	sum := 0
	for _, id := range set {
		sum += 1 + lex.concepts[id].terms
		if lex.concepts[id].role != rolePlain {
			sum += 1000
		}
	}
	return sum
}
