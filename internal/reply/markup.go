package reply

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Runes of the private use area that carry structure through the expansion of a template. Neither a template nor a value may
// contain them.
const (
	tokenOpen  = '\uE000' // token of a value: tokenOpen, index in decimal, tokenClose
	tokenClose = '\uE001'
	lineOpen   = '\uE002' // line mark: lineOpen, line of the source in decimal, lineClose
	lineClose  = '\uE003'
)

type blockKind int

const (
	paragraph blockKind = iota
	heading
	bullets
	numbers
)

// block is one paragraph, heading or list; items has one entry except for lists.
type block struct {
	kind  blockKind
	line  int // in the source
	items [][]inline
}

type inlineKind int

const (
	plain  inlineKind = iota
	datum             // a value
	strong            // kids
	link              // kids are the label, target the address
)

type inline struct {
	kind   inlineKind
	text   string
	value  int // index of the value
	kids   []inline
	target *inline // plain or datum
}

// markupError is a fault in the markup with the line of the source it stands on.
type markupError struct {
	line int
	what string
}

func (e *markupError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.what) }

// parseMarkup reads expanded markup of values numbered below count. Every error is a *markupError.
func parseMarkup(src string, count int) ([]block, error) {
	p := markupParser{values: count}
	for raw := range strings.SplitSeq(src, "\n") {
		if err := p.feed(raw); err != nil {
			return nil, err
		}
	}
	if err := p.flush(); err != nil {
		return nil, err
	}
	return p.blocks, nil
}

type markupParser struct {
	values int
	line   int
	blocks []block
	open   *openBlock
}

// openBlock collects the raw words of the block being read.
type openBlock struct {
	kind  blockKind
	line  int
	items []string
}

func (p *markupParser) feed(raw string) error {
	line, err := p.takeMark(raw)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(line)
	if text == "" {
		return p.flush()
	}
	kind, words := lineKind(line)
	switch {
	case kind == heading:
		return p.heading(words)
	case kind == paragraph && indented(line) && p.inList():
		return p.extend(text)
	case kind == paragraph && indented(line):
		return p.fault("indented text outside a list")
	case kind == paragraph && p.inList():
		return p.fault("a paragraph after a list needs a blank line before it")
	case kind == paragraph && p.open != nil:
		return p.extend(text)
	}
	return p.item(kind, words)
}

// takeMark strips the line mark and remembers the line of the source.
func (p *markupParser) takeMark(raw string) (string, error) {
	rest, marked := strings.CutPrefix(raw, string(lineOpen))
	if !marked {
		p.line++
		return raw, nil
	}
	digits, text, ok := strings.Cut(rest, string(lineClose))
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return "", p.fault("broken line mark")
	}
	p.line = n
	return text, nil
}

func (p *markupParser) inList() bool {
	return p.open != nil && (p.open.kind == bullets || p.open.kind == numbers)
}

func (p *markupParser) heading(words string) error {
	if p.open != nil {
		return p.fault("a heading needs a blank line before it")
	}
	p.open = &openBlock{kind: heading, line: p.line, items: []string{words}}
	return p.flush()
}

func (p *markupParser) item(kind blockKind, words string) error {
	if p.open == nil {
		p.open = &openBlock{kind: kind, line: p.line, items: []string{words}}
		return nil
	}
	if p.open.kind != kind {
		return p.fault("a list needs a blank line before it")
	}
	p.open.items = append(p.open.items, words)
	return nil
}

// extend joins a continuation line: with a space between words, with none where Chinese runs on.
func (p *markupParser) extend(text string) error {
	last := &p.open.items[len(p.open.items)-1]
	*last = joinLines(*last, text)
	return nil
}

func joinLines(a, b string) string {
	left, _ := utf8.DecodeLastRuneInString(a)
	right, _ := utf8.DecodeRuneInString(b)
	if wide(left) || wide(right) {
		return a + b
	}
	return a + " " + b
}

func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || (r >= 0x3000 && r <= 0x303F) || (r >= 0xFF00 && r <= 0xFFEF)
}

func (p *markupParser) flush() error {
	if p.open == nil {
		return nil
	}
	b := block{kind: p.open.kind, line: p.open.line}
	for _, words := range p.open.items {
		in, err := parseInline(words, p.values)
		if err != nil {
			return &markupError{p.open.line, err.Error()}
		}
		b.items = append(b.items, in)
	}
	p.blocks = append(p.blocks, b)
	p.open = nil
	return nil
}

func (p *markupParser) fault(what string) error { return &markupError{p.line, what} }

func indented(line string) bool { return strings.HasPrefix(line, "  ") }

// lineKind tells what a line opens, and its words without the mark.
func lineKind(line string) (blockKind, string) {
	if words, ok := strings.CutPrefix(line, "## "); ok {
		return heading, strings.TrimSpace(words)
	}
	if words, ok := strings.CutPrefix(line, "- "); ok {
		return bullets, strings.TrimSpace(words)
	}
	digits, words, ok := strings.Cut(line, ". ")
	if ok && isDigits(digits) {
		return numbers, strings.TrimSpace(words)
	}
	return paragraph, strings.TrimSpace(line)
}

func isDigits(s string) bool {
	if s == "" || len(s) > 3 {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}
