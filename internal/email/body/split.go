package body

import "strings"

// Parts is a mail's text taken apart. Every line of the text is in exactly one part, as it stands and in order; lines
// of a part that stood apart in the text are apart by one empty line. Empty lines at the ends of a part are dropped.
type Parts struct {
	New           string // what the writer says in this mail, answers between quoted lines included
	Quoted        string // earlier mails, with their attribution and header lines
	Signature     string // signature blocks, lines of mobile mail programs, legal disclaimers
	Forwarded     string // the text of a mail that the writer hands on, without its header lines
	ForwardCounts bool   // the cover note hands the mail on ("see below", or nothing at all): Forwarded is part of the request
}

// Counted returns the text that says what the writer wants: New, and Forwarded where it counts, there without the '>'
// that some programs put before every line of it.
func (p Parts) Counted() string {
	if !p.ForwardCounts || p.Forwarded == "" {
		return p.New
	}
	return trimEmpty(p.New + "\n\n" + unquoteAll(p.Forwarded))
}

func unquoteAll(text string) string {
	lines := splitLines(text)
	for i, l := range lines {
		if !blank(l) && !isQuotedLine(l) {
			return text
		}
		lines[i] = unquote(l)
	}
	return trimEmpty(strings.Join(lines, "\n"))
}

// Split takes the text of a mail apart without knowing its subject; see SplitMail, which decides better what is a
// forwarded mail and what is history below an answer.
func Split(text string) Parts { return SplitMail("", text) }

// SplitMail takes the text of a mail apart. Quoted history is found by '>' lines and the attribution before them, by
// the header blocks and separators of the usual mail programs, in the languages of Europe and most of Asia. A header
// block that may start a forwarded mail as well as history is read by the subject's prefix (Re:, Fwd:, 转发: …) and
// the cover note. Where a cover note makes its request by itself, ForwardCounts is false.
func SplitMail(subject, text string) Parts {
	s := splitter{lines: splitLines(text), prefix: subjectPrefix(subject)}
	s.kinds = make([]kind, len(s.lines))
	s.classify(0, 0)
	return s.parts()
}

type kind byte

const (
	isNew kind = iota
	isQuoted
	isSignature
	isForwarded
)

const maxForwards = 5 // forwards within forwards that are taken apart

type splitter struct {
	lines   []string
	kinds   []kind
	prefix  prefix
	forward bool // the text holds a forwarded mail
	counts  bool
}

// classify reads lines from `from` on; nested counts the forwards around them. What it finds to be the writer's own
// text is marked isNew, or isForwarded within a forward.
func (s *splitter) classify(from, nested int) {
	own := isNew
	if nested > 0 {
		own = isForwarded
	}
	tried := false // only the first mark can have the cover note above it
	for i := from; i < len(s.lines); {
		if s.quotedAt(i) {
			if !tried && s.quotedForward(i, from, own, nested) {
				return
			}
			tried = true
			s.kinds[i] = isQuoted
			i++
			continue
		}
		m, ok := markAt(s.lines, i)
		if !ok {
			s.kinds[i] = own
			i++
			continue
		}
		s.fill(m.start, m.body, isQuoted)
		if !tried && s.forwards(m, from, own, nested) {
			return
		}
		tried = true
		if next := nextText(s.lines, m.body); next < len(s.lines) && !isQuotedLine(s.lines[next]) && !s.marksAgain(next) {
			s.fill(m.body, len(s.lines), isQuoted)
			s.signatures(from, m.start, own)
			return
		}
		i = m.body
	}
	s.signatures(from, len(s.lines), own)
}

// marksAgain reports a second mark directly below a first one, such as an attribution below a separator line.
func (s *splitter) marksAgain(i int) bool {
	_, ok := markAt(s.lines, i)
	return ok
}

// quotedAt reports a line of quoted history. It also takes the short rest of a quoted line that a mail program broke
// without a new '>'.
func (s *splitter) quotedAt(i int) bool {
	if isQuotedLine(s.lines[i]) {
		return true
	}
	return i > 0 && i+1 < len(s.lines) && isBrokenRest(s.lines[i-1], s.lines[i], s.lines[i+1])
}

// forwards handles a mark that starts a forwarded mail: all that follows is taken apart as a mail of its own.
func (s *splitter) forwards(m mark, from int, own kind, nested int) bool {
	if nested >= maxForwards || m.attribution && s.prefix != prefixForward {
		return false
	}
	s.signatures(from, m.start, own)
	cover := s.join(from, m.start, own)
	hands := handsOn(cover)
	switch {
	case m.forward == yes:
	case s.prefix == prefixForward:
	case m.forward == unsure && s.prefix == prefixNone && hands && !blank(cover):
	default:
		return false
	}
	if nested == 0 {
		s.forward, s.counts = true, hands
	}
	body := m.body
	if nested > 0 && !hands {
		s.fill(body, len(s.lines), isQuoted)
		return true
	}
	if next := nextText(s.lines, body); next < len(s.lines) && isQuotedLine(s.lines[next]) {
		s.unquoted(body, nested)
		return true
	}
	s.classify(body, nested+1)
	return true
}

// quotedForward handles a forwarded mail that carries '>' from its separator or header block on.
func (s *splitter) quotedForward(i, from int, own kind, nested int) bool {
	if nested > 0 || i > 0 && isQuotedLine(s.lines[i-1]) {
		return false
	}
	var inner []string
	for _, l := range s.lines[i:min(i+maxHeaderSpan, len(s.lines))] {
		inner = append(inner, unquote(l))
	}
	m, ok := markAt(inner, 0)
	if !ok || m.forward == no || m.forward == unsure && s.prefix != prefixForward {
		return false
	}
	s.fill(i, i+m.body, isQuoted)
	return s.forwards(mark{start: i, body: i + m.body, forward: m.forward}, from, own, nested)
}

// unquoted reads a forwarded mail whose lines carry one '>' each: they are looked at without it.
func (s *splitter) unquoted(body, nested int) {
	inner := splitter{prefix: s.prefix}
	for _, l := range s.lines[body:] {
		inner.lines = append(inner.lines, unquote(l))
	}
	inner.kinds = make([]kind, len(inner.lines))
	start := 0
	if next := nextText(inner.lines, 0); next < len(inner.lines) {
		if m, ok := markAt(inner.lines, next); ok && !m.attribution {
			inner.fill(0, m.body, isQuoted)
			start = m.body
		}
	}
	inner.classify(start, nested+1)
	copy(s.kinds[body:], inner.kinds)
}

func unquote(line string) string {
	t := strings.TrimLeft(line, " \t")
	return strings.TrimPrefix(strings.TrimPrefix(t, ">"), " ")
}

func (s *splitter) fill(from, to int, k kind) {
	for i := from; i < to; i++ {
		s.kinds[i] = k
	}
}

// join returns the lines of kind k in [from, to). Runs that stood apart are joined by one empty line.
func (s *splitter) join(from, to int, k kind) string {
	var runs []string
	for i := from; i < to; {
		if s.kinds[i] != k {
			i++
			continue
		}
		end := i
		for end < to && s.kinds[end] == k {
			end++
		}
		if run := trimEmpty(strings.Join(s.lines[i:end], "\n")); run != "" {
			runs = append(runs, run)
		}
		i = end
	}
	return strings.Join(runs, "\n\n")
}

// trimEmpty drops empty lines at both ends, and no other white space.
func trimEmpty(s string) string {
	for {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || !blank(line) {
			break
		}
		s = rest
	}
	for {
		at := strings.LastIndexByte(s, '\n')
		if at < 0 || !blank(s[at+1:]) {
			break
		}
		s = s[:at]
	}
	if blank(s) {
		return ""
	}
	return s
}

func (s *splitter) parts() Parts {
	n := len(s.lines)
	return Parts{
		New:           s.join(0, n, isNew),
		Quoted:        s.join(0, n, isQuoted),
		Signature:     s.join(0, n, isSignature),
		Forwarded:     s.join(0, n, isForwarded),
		ForwardCounts: s.forward && s.counts,
	}
}

// nextText returns the first line at or after i that is not empty.
func nextText(lines []string, i int) int {
	for i < len(lines) && blank(lines[i]) {
		i++
	}
	return i
}

// isQuotedLine reports a line that begins with '>'. ">From" without a blank is how mbox files guard a line of text.
func isQuotedLine(line string) bool {
	if line == "" || isLetter(line[0]) {
		return false
	}
	t := strings.TrimLeft(line, " \t\u00A0")
	if len(line)-len(t) > 8 || !strings.HasPrefix(t, ">") {
		return false
	}
	return !strings.HasPrefix(t, ">From ")
}

// isBrokenRest reports a line that a mail program broke off the quoted line before it: the line before is about as
// long as a line gets and does not end a sentence, the rest is short, in small letters, and quoting goes on below.
func isBrokenRest(before, line, after string) bool {
	const full, short = 66, 24
	t := strings.TrimSpace(line)
	if !isQuotedLine(before) || !isQuotedLine(after) || t == "" || len(t) > short || len(before) < full {
		return false
	}
	if strings.ContainsRune(".?!:;", rune(before[len(strings.TrimRight(before, " "))-1])) {
		return false
	}
	return t[0] >= 'a' && t[0] <= 'z'
}
