package rules

import (
	"fmt"
	"strings"

	"postdesk/internal/lang"
)

// conceptID numbers the concepts of a lexicon.
type conceptID int32

// role is what a concept does to the words around it besides being found by rules.
type role uint8

const (
	rolePlain         role = iota
	roleNegation           // rules out a negatable concept after it in the clause
	roleNegationAfter      // rules out a negatable concept before it in the clause
	roleCondition          // the sentence part says what would happen, not what is
	roleSolved             // the sentence part tells of something that is over or ruled out
	roleContrast           // begins a new part of the sentence, with its own mood
	roleAsking             // makes a question of a sentence without a question mark
	roleReported           // the sentence part repeats what somebody else said
)

// label marks a hint for extraction: it is found inside longer terms too.
const roleLabel role = 100

var roleNames = map[string]role{
	"label": roleLabel,
	"":      rolePlain, "negation": roleNegation, "negation_after": roleNegationAfter, "condition": roleCondition, "solved": roleSolved,
	"contrast": roleContrast, "asking": roleAsking, "reported": roleReported,
}

// concept is one meaning that terms of any language stand for.
type concept struct {
	name      string
	about     string
	role      role
	negatable bool
	terms     int
	where     place
}

// place is where something stands in the rule files.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// use is what a pattern stands for: a whole term, or one piece of a term with a gap.
type use struct {
	concept    conceptID
	gapped     int32 // index into lexicon.gapped, -1 for a whole term
	piece      int32
	openBefore bool // may begin inside a word
	openAfter  bool // may end inside a word
	tongue     tongueMask
}

// gappedTerm is a term of several pieces with a few words between them.
type gappedTerm struct {
	concept conceptID
	pieces  int32
}

// lexicon is all concepts with all their terms, ready to be found in one pass.
type lexicon struct {
	concepts []concept
	byName   map[string]conceptID
	labels   []label // the concepts that name a number, as far as the files have them
	gapped   []gappedTerm
	patterns []string
	uses     [][]use // by pattern
	index    map[string]int32
	auto     *automaton
	terms    int
}

func newLexicon() *lexicon {
	return &lexicon{byName: make(map[string]conceptID), index: make(map[string]int32)}
}

func (l *lexicon) add(c concept) (conceptID, error) {
	if old, ok := l.byName[c.name]; ok {
		return old, fmt.Errorf("concept %s is already declared at %s", c.name, l.concepts[old].where)
	}
	id := conceptID(len(l.concepts))
	l.concepts = append(l.concepts, c)
	l.byName[c.name] = id
	return id, nil
}

// addTerms adds the terms of one list item. Terms are separated by ";". In a term {a|b|} stands for alternatives, a star
// at the beginning or end lets it begin or end inside a word, and ".." stands for up to four words, or eight characters
// of a script without blanks.
func (l *lexicon) addTerms(id conceptID, item string, t tongueMask) error {
	for term := range strings.SplitSeq(item, ";") {
		term = strings.TrimSpace(term)
		if term == "" {
			continue
		}
		forms, err := expand(term)
		if err != nil {
			return fmt.Errorf("term %q: %w", term, err)
		}
		for _, form := range forms {
			if err := l.addTerm(id, form, t); err != nil {
				return fmt.Errorf("term %q: %w", term, err)
			}
		}
	}
	return nil
}

// maxForms bounds what the braces of one term may stand for.
const maxForms = 10000

// expand writes out the alternatives in braces.
func expand(term string) ([]string, error) {
	open := strings.IndexByte(term, '{')
	if open < 0 {
		if strings.IndexByte(term, '}') >= 0 {
			return nil, fmt.Errorf("} without {")
		}
		return []string{term}, nil
	}
	length := strings.IndexByte(term[open:], '}')
	if length < 0 {
		return nil, fmt.Errorf("{ without }")
	}
	tails, err := expand(term[open+length+1:])
	if err != nil {
		return nil, err
	}
	var forms []string
	for alt := range strings.SplitSeq(term[open+1:open+length], "|") {
		for _, tail := range tails {
			forms = append(forms, term[:open]+alt+tail)
		}
	}
	if len(forms) > maxForms {
		return nil, fmt.Errorf("stands for more than %d forms", maxForms)
	}
	return forms, nil
}

func (l *lexicon) addTerm(id conceptID, term string, t tongueMask) error {
	l.concepts[id].terms++
	l.terms++
	pieces := strings.Split(term, "..")
	if len(pieces) == 1 {
		return l.addPiece(use{concept: id, gapped: -1, tongue: t.of(term)}, term)
	}
	g := int32(len(l.gapped))
	l.gapped = append(l.gapped, gappedTerm{id, int32(len(pieces))})
	for i, piece := range pieces {
		if err := l.addPiece(use{concept: id, gapped: g, piece: int32(i), tongue: t.of(term)}, piece); err != nil {
			return err
		}
	}
	return nil
}

func (l *lexicon) addPiece(u use, term string) error {
	term = strings.TrimSpace(term)
	u.openBefore, u.openAfter = strings.HasPrefix(term, "*"), strings.HasSuffix(term, "*")
	text := laidOut(strings.Trim(term, "*"))
	if text == "" {
		return fmt.Errorf("expected letters, found nothing")
	}
	l.addPattern(u, text)
	if short := withoutApostrophe(text); short != text {
		l.addPattern(u, short)
	}
	return nil
}

func (l *lexicon) addPattern(u use, text string) {
	p, ok := l.index[text]
	if !ok {
		p = int32(len(l.patterns))
		l.index[text] = p
		l.patterns = append(l.patterns, text)
		l.uses = append(l.uses, nil)
	}
	for _, old := range l.uses[p] {
		if old == u {
			return
		}
	}
	l.uses[p] = append(l.uses[p], u)
}

// laidOut spells a term the way texts are laid out for matching.
func laidOut(term string) string {
	var r reading
	r.layOut(lang.FoldString(term), 0)
	return strings.TrimSpace(string(r.buf))
}

// withoutApostrophe is how English contractions are typed in a hurry.
func withoutApostrophe(text string) string {
	for _, end := range []string{"n't", "'m", "'ve", "'s", "'ll", "'re", "'d"} {
		if strings.Contains(text, end) {
			return strings.ReplaceAll(text, "'", "")
		}
	}
	return text
}

func (l *lexicon) compile() {
	l.auto = newAutomaton(l.patterns)
	for _, name := range nameLabels {
		if id, ok := l.byName[name]; ok {
			l.labels = append(l.labels, label{name, id})
		}
	}
}

// label is a concept whose words stand before a number and say what it is.
type label struct {
	name string
	id   conceptID
}
