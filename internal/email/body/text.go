package body

import (
	"net/url"
	"strconv"
	"strings"
)

const (
	maxQuote   = 40  // depth of "> " shown
	maxHidden  = 200 // pieces of hidden text reported
	maxLinkURL = 500 // bytes of a link's address shown
	ruler      = "________________________________"
)

// TextFromHTML returns the text of an HTML body as a reader sees it: paragraphs, list items and table rows as lines,
// cells apart by tabs, a link's real address after its text where the two differ, the alternative text of images in
// brackets. Text that cannot be seen (display:none, no size, no contrast, off the screen, preheaders, invisible
// characters, …) is not in text; its pieces are returned as hidden, in order. Quoted mails keep a form that Split
// finds: "> " before the lines of blockquotes and of the quoting containers of known mail programs, the header lines
// or separator of the others; signatures marked as such follow "-- ". At most 4 MiB of html are read.
func TextFromHTML(html string) (text string, hidden []string) {
	w := textWriter{}
	read(html, &w)
	w.breakLine()
	w.markRegions()
	return w.join(), w.hiddenPieces()
}

type textLine struct {
	text  string
	quote int
}

// textWriter collects lines. A line begins lazily, with the first text after a break.
type textWriter struct {
	lines   []textLine
	cur     strings.Builder
	space   bool // a blank is due before the next word
	gap     bool // an empty line is due before the next line
	quote   int
	pre     int
	lists   []int // next number of each open list, 0 for bullets
	bullet  string
	tab     bool // the next text begins a further cell of the row
	cell    *cellState
	links   []*linkState
	regions []region
	hidden  []string
	dark    strings.Builder // hidden text being collected
}

type cellState struct {
	outer *cellState
	used  bool // the cell has shown text
	row   bool // text of an earlier cell stands on the line
}

type linkState struct {
	href  string
	shown strings.Builder
}

// region is a run of lines that came from an element with a known meaning.
type region struct {
	signature  bool
	start, end int
}

type textElement struct {
	quote, list, pre, link, block, gap bool
	cell                               *cellState
	region                             *region
}

func (w *textWriter) start(e *element) {
	if e.look.gone {
		if e.tag == "br" || isBlock(e.tag) {
			w.dark.WriteByte(' ')
		}
		return
	}
	t := &textElement{block: isBlock(e.tag) && e.tag != "body" || e.tag == "tr" || e.tag == "li" || e.tag == "dt" || e.tag == "dd" || e.tag == "caption" || e.tag == "legend"}
	e.data = t
	if t.block {
		w.cutDark()
		t.gap = wantsGap(e.tag) && (len(w.lists) == 0 || e.tag == "p")
		w.blockBreak(t.gap)
	}
	w.startKind(e, t)
	w.startContainer(e, t)
}

func wantsGap(tag string) bool {
	switch tag {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "ul", "ol", "dl":
		return true
	}
	return false
}

func (w *textWriter) startKind(e *element, t *textElement) {
	switch e.tag {
	case "br":
		w.breakLine()
		if w.cell != nil {
			w.cell.row = false
		}
	case "hr":
		w.cutLine()
		w.addLine(ruler)
	case "img", "image":
		w.image(e)
	case "pre", "listing", "xmp", "plaintext", "textarea":
		t.pre = true
		w.pre++
	case "ul", "ol", "menu", "dir":
		t.list = true
		w.lists = append(w.lists, firstNumber(e))
	case "li":
		w.bullet = w.nextBullet()
	case "td", "th":
		w.startCell(t)
	case "a":
		t.link = true
		w.links = append(w.links, &linkState{href: e.attr["href"]})
	case "blockquote":
		t.quote = !isIndent(e)
	}
}

// isIndent reports blockquotes that mail programs write for indented text of the writer's own.
func isIndent(e *element) bool {
	if e.attr["type"] == "cite" || e.attr["cite"] != "" || e.attr["class"] != "" || e.attr["id"] != "" {
		return false
	}
	d := declarations(e.attr["style"])
	return strings.HasPrefix(d["border"], "none") || strings.HasPrefix(d["border"], "0")
}

func (w *textWriter) startContainer(e *element, t *textElement) {
	switch kind := containerKind(e); kind {
	case containerRuled:
		w.blockBreak(true)
		if !w.lastIs(ruler) {
			w.addLine(ruler)
		}
	case containerQuote, containerSignature:
		w.blockBreak(false)
		w.cutLine()
		t.block = true
		t.region = &region{signature: kind == containerSignature, start: len(w.lines)}
	}
	if t.quote {
		w.quote++
	}
}

func (w *textWriter) end(e *element) {
	t, ok := e.data.(*textElement)
	if !ok {
		if !e.parent.look.gone {
			w.keepDark()
		}
		return
	}
	if t.link {
		w.endLink()
	}
	if t.block {
		w.cutDark()
		w.blockBreak(t.gap)
	}
	if t.quote || t.region != nil {
		w.cutLine()
	}
	switch {
	case t.quote:
		w.quote--
	case t.list:
		w.lists = w.lists[:len(w.lists)-1]
		w.bullet = ""
	case t.pre:
		w.pre--
	case t.cell != nil:
		w.endCell(t.cell)
	}
	if t.region != nil {
		t.region.end = len(w.lines)
		w.regions = append(w.regions, *t.region)
	}
}

func (w *textWriter) text(parent *element, s string) {
	if parent.look.hidden() {
		w.dark.WriteString(s)
		return
	}
	w.keepDark()
	s, smuggled := clean(s)
	if smuggled != "" {
		w.dark.WriteString(smuggled)
		w.keepDark()
	}
	if w.pre > 0 {
		w.preformatted(s)
		return
	}
	w.words(s)
}

// words adds text with its white space folded to single blanks.
func (w *textWriter) words(s string) {
	for s != "" {
		n := strings.IndexFunc(s, isFolded)
		if n == 0 {
			w.space = true
			_, s = cutSpace(s)
			continue
		}
		if n < 0 {
			n = len(s)
		}
		w.word(s[:n])
		s = s[n:]
	}
}

func isFolded(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' || r == '\u00A0'
}

func cutSpace(s string) (string, string) {
	rest := strings.TrimLeftFunc(s, isFolded)
	return s[:len(s)-len(rest)], rest
}

func (w *textWriter) word(s string) {
	switch {
	case w.cur.Len() == 0:
		w.beginLine()
	case w.tab:
		w.cur.WriteByte('\t')
	case w.space:
		w.cur.WriteByte(' ')
	}
	if n := len(w.links); n > 0 {
		shown := &w.links[n-1].shown
		if w.space && shown.Len() > 0 {
			shown.WriteByte(' ')
		}
		if shown.Len() < 4096 {
			shown.WriteString(s)
		}
	}
	w.space, w.tab = false, false
	if w.cell != nil {
		w.cell.used = true
	}
	w.cur.WriteString(s)
}

func (w *textWriter) preformatted(s string) {
	for i, line := range strings.Split(strings.ReplaceAll(s, "\r", ""), "\n") {
		if i > 0 {
			w.breakLine()
		}
		if line = strings.ReplaceAll(line, "\u00A0", " "); line != "" {
			w.word(line)
		}
	}
}

func (w *textWriter) beginLine() {
	if w.gap && len(w.lines) > 0 {
		w.lines = append(w.lines, textLine{quote: min(w.quote, w.lines[len(w.lines)-1].quote)})
	}
	w.gap, w.space, w.tab = false, false, false
	w.cur.WriteString(w.bullet)
	w.bullet = ""
}

// breakLine ends the line, and adds an empty one where there is nothing to end.
func (w *textWriter) breakLine() {
	if w.cur.Len() == 0 {
		w.gap = true
		return
	}
	w.cutLine()
}

func (w *textWriter) cutLine() {
	if w.cur.Len() > 0 {
		w.addLine(w.cur.String())
		w.cur.Reset()
	}
	w.space, w.tab = false, false
}

func (w *textWriter) addLine(s string) {
	if w.gap && len(w.lines) > 0 && w.cur.Len() == 0 {
		w.lines = append(w.lines, textLine{quote: min(w.quote, w.lines[len(w.lines)-1].quote)})
		w.gap = false
	}
	w.lines = append(w.lines, textLine{strings.TrimRight(s, " \t"), min(w.quote, maxQuote)})
}

func (w *textWriter) lastIs(s string) bool {
	return len(w.lines) > 0 && w.lines[len(w.lines)-1].text == s
}

// blockBreak starts a new line, except at the edge of a table cell: the cells of a row share a line.
func (w *textWriter) blockBreak(gap bool) {
	if w.cell != nil && !w.cell.used {
		return
	}
	w.cutLine()
	if gap {
		w.gap = true
	}
}

func (w *textWriter) startCell(t *textElement) {
	t.cell = &cellState{outer: w.cell, row: w.cur.Len() > 0}
	w.tab = w.cur.Len() > 0
	w.cell = t.cell
}

func (w *textWriter) endCell(c *cellState) {
	w.cell = c.outer
	if !c.used {
		return
	}
	if w.cell != nil {
		w.cell.used = true
	}
	if last := len(w.lines) - 1; w.cur.Len() == 0 && last >= 0 && w.lines[last].text != ruler && len(w.lines[last].text) < 4096 && !c.broken(w) {
		w.cur.WriteString(w.lines[last].text) // the paragraph ended, but the row goes on
		w.lines = w.lines[:last]
		w.gap = false
	}
}

// broken reports that the line before the cell's end is of another quoting depth.
func (c *cellState) broken(w *textWriter) bool {
	return w.lines[len(w.lines)-1].quote != min(w.quote, maxQuote)
}

func firstNumber(e *element) int {
	if e.tag != "ol" {
		return 0
	}
	n, err := strconv.Atoi(e.attr["start"])
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

func (w *textWriter) nextBullet() string {
	n := len(w.lists)
	if n == 0 || w.lists[n-1] == 0 {
		return "- "
	}
	w.lists[n-1]++
	return strconv.Itoa(w.lists[n-1]-1) + ". "
}

func (w *textWriter) image(e *element) {
	alt, _ := clean(e.attr["alt"])
	if alt = strings.Join(strings.Fields(alt), " "); alt != "" && !e.look.hidden() {
		w.word("[" + alt + "]")
	}
}

func (w *textWriter) endLink() {
	l := w.links[len(w.links)-1]
	w.links = w.links[:len(w.links)-1]
	href := strings.TrimSpace(l.href)
	if len(href) > maxLinkURL {
		href = strings.ToValidUTF8(href[:maxLinkURL], "") + "…"
	}
	href, _ = clean(href)
	if l.shown.Len() == 0 || !isShownURL(href) || sameTarget(l.shown.String(), href) {
		return
	}
	w.space = true
	w.word("<" + href + ">")
}

func isShownURL(href string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(href), ":")
	return ok && (scheme == "http" || scheme == "https" || scheme == "mailto") && !strings.ContainsAny(href, " \t\r\n<>")
}

// sameTarget reports a link's text that names the link's target itself.
func sameTarget(shown, href string) bool {
	plain := func(s string) string {
		s = strings.ToLower(strings.TrimSpace(s))
		for _, p := range []string{"mailto:", "http://", "https://", "www."} {
			s = strings.TrimPrefix(s, p)
		}
		return strings.TrimRight(s, "/")
	}
	if plain(shown) == plain(href) {
		return true
	}
	u, err := url.Parse(href)
	return err == nil && u.Scheme == "mailto" && strings.EqualFold(strings.TrimSpace(shown), u.Opaque)
}

// cutDark keeps the hidden words of two blocks apart.
func (w *textWriter) cutDark() {
	if w.dark.Len() > 0 {
		w.dark.WriteByte(' ')
	}
}

func (w *textWriter) keepDark() {
	if w.dark.Len() == 0 {
		return
	}
	s, smuggled := clean(w.dark.String())
	w.dark.Reset()
	for _, piece := range []string{s, smuggled} {
		if piece = strings.Join(strings.Fields(piece), " "); piece != "" && len(w.hidden) < maxHidden {
			w.hidden = append(w.hidden, piece)
		}
	}
}

func (w *textWriter) hiddenPieces() []string {
	w.keepDark()
	return w.hidden
}

func (w *textWriter) join() string {
	var b strings.Builder
	empty := true
	for _, l := range w.lines {
		if l.text == "" && empty {
			continue // never two empty lines, none at the top
		}
		empty = l.text == ""
		prefix := strings.Repeat("> ", l.quote)
		b.WriteString(strings.TrimRight(prefix+l.text, " "))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}
