package body

import (
	"strings"

	"golang.org/x/net/html"
)

const (
	maxHTML  = 4 << 20 // bytes of HTML that are read; the stored mail keeps the rest
	maxOpen  = 10_000  // elements open at one time
	maxAttrs = 64      // attributes read of one tag
	maxScan  = 128     // how far up an end tag or an implied end looks for its element
)

// element is one open element of the document being read.
type element struct {
	tag    string
	attr   map[string]string
	look   look
	parent *element
	data   any // what the visitor wants back at the end of the element
}

// visitor is told of the document in reading order. Text is outside of script, style and other raw elements.
type visitor interface {
	start(*element)
	end(*element)
	text(parent *element, s string)
}

// read walks through src as a tree and tells v of every element and text. It keeps a stack of open elements instead
// of building nodes, so that neither depth nor the re-opening of formatting elements can multiply the work; ends that
// HTML leaves out (p, li, td, …) are put in. Elements that never show their content are skipped: their text is
// reported with a parent that is not visible.
func read(src string, v visitor) {
	if len(src) > maxHTML {
		src = strings.ToValidUTF8(src[:maxHTML], "")
	}
	r := reader{v: v, root: &element{look: startLook()}, open: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		switch z.Next() {
		case html.ErrorToken:
			r.pop(0)
			return
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name))
		}
	}
}

type reader struct {
	v     visitor
	root  *element
	stack []*element
	open  map[string]int
	over  map[string]int // start tags ignored because too many elements were open
	sheet sheet
}

func (r *reader) top() *element {
	if len(r.stack) == 0 {
		return r.root
	}
	return r.stack[len(r.stack)-1]
}

func (r *reader) text(s string) {
	top := r.top()
	switch top.tag {
	case "style":
		r.sheet.add(s)
	case "script", "title":
	default:
		r.v.text(top, s)
	}
}

func (r *reader) start(z *html.Tokenizer) {
	name, more := z.TagName()
	tag := string(name)
	attr := attributes(z, more)
	if isForeignEscape(tag) && r.open["svg"]+r.open["math"] > 0 {
		r.leaveForeign()
	}
	r.pop(impliedEnd(r.stack, r.open, tag, func(e *element) string { return e.tag }))
	e := &element{tag: tag, attr: attr, parent: r.top()}
	e.look = r.top().look.inside(tag, attr, r.sheet.lookup(tag, attr))
	if isVoid(tag) {
		r.v.start(e)
		r.v.end(e)
		return
	}
	if len(r.stack) >= maxOpen {
		if r.over == nil {
			r.over = map[string]int{}
		}
		r.over[tag]++
		return
	}
	r.stack = append(r.stack, e)
	r.open[tag]++
	r.v.start(e)
}

func (r *reader) end(tag string) {
	if r.over[tag] > 0 {
		r.over[tag]--
		return
	}
	if tag == "br" { // HTML reads </br> as <br>
		e := &element{tag: "br", parent: r.top(), look: r.top().look}
		r.v.start(e)
		r.v.end(e)
		return
	}
	if r.open[tag] == 0 {
		return
	}
	for i, seen := len(r.stack)-1, 0; i >= 0 && seen < maxScan; i, seen = i-1, seen+1 {
		if r.stack[i].tag == tag {
			r.pop(i)
			return
		}
		if isScope(r.stack[i].tag) && !isTablePart(tag) {
			return // an end tag inside a cell cannot close what is open outside of the table
		}
	}
}

// leaveForeign closes an unclosed svg or math element before an HTML element, as HTML parsers do.
func (r *reader) leaveForeign() {
	for i, seen := len(r.stack)-1, 0; i >= 0 && seen < maxScan; i, seen = i-1, seen+1 {
		if t := r.stack[i].tag; t == "svg" || t == "math" {
			r.pop(i)
			return
		}
	}
}

// pop closes elements until n are open. A negative n means that nothing is to be closed.
func (r *reader) pop(n int) {
	for n >= 0 && len(r.stack) > n {
		e := r.top()
		r.stack = r.stack[:len(r.stack)-1]
		r.open[e.tag]--
		r.v.end(e)
	}
}

func attributes(z *html.Tokenizer, more bool) map[string]string {
	if !more {
		return nil
	}
	attr := map[string]string{}
	for n := 0; more && n < maxAttrs; n++ {
		var k, v []byte
		k, v, more = z.TagAttr()
		if _, twice := attr[string(k)]; !twice { // HTML: the first of two wins
			attr[string(k)] = string(v)
		}
	}
	return attr
}

// impliedEnd returns the number of elements that stay open when tag starts, or -1 when all do. It works on any stack
// whose entries can be named, because what is written out is nested by the same rules as what was read.
func impliedEnd[T any](stack []T, open map[string]int, tag string, name func(T) string) int {
	if isBlock(tag) && open["p"] == 0 || tag == "a" && open["a"] == 0 {
		return -1
	}
	closes, until := impliedBy(tag)
	keep := -1
	for i, seen := len(stack)-1, 0; i >= 0 && seen < maxScan; i, seen = i-1, seen+1 {
		t := name(stack[i])
		if closes(t) {
			keep = i
		}
		if until(t) {
			break
		}
	}
	return keep
}

// impliedBy tells which open elements the start of tag ends, and where to stop looking for them.
func impliedBy(tag string) (closes, until func(string) bool) {
	switch tag {
	case "li":
		return oneOf("li", "p"), oneOf("ul", "ol", "table", "td", "th", "blockquote", "div")
	case "dt", "dd":
		return oneOf("dt", "dd", "p"), oneOf("dl", "table", "td", "th", "blockquote", "div")
	case "td", "th":
		return oneOf("td", "th", "caption"), oneOf("tr", "table")
	case "tr":
		return oneOf("tr", "td", "th", "caption"), oneOf("table")
	case "thead", "tbody", "tfoot", "caption":
		return oneOf("tr", "td", "th", "thead", "tbody", "tfoot", "caption"), oneOf("table")
	case "option":
		return oneOf("option"), oneOf("select")
	case "a":
		return oneOf("a"), isScope
	}
	if isBlock(tag) {
		return oneOf("p"), isScope
	}
	return never, always
}

func oneOf(names ...string) func(string) bool {
	return func(s string) bool {
		for _, n := range names {
			if n == s {
				return true
			}
		}
		return false
	}
}

func never(string) bool  { return false }
func always(string) bool { return true }

func isVoid(tag string) bool {
	switch tag {
	case "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "image", "input", "keygen",
		"link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}

func isBlock(tag string) bool {
	switch tag {
	case "address", "article", "aside", "blockquote", "body", "center", "details", "dialog", "dir", "div", "dl",
		"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup",
		"hr", "listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section", "summary",
		"table", "ul", "xmp":
		return true
	}
	return false
}

func isScope(tag string) bool {
	switch tag {
	case "table", "td", "th", "caption", "template", "object", "applet", "marquee", "html":
		return true
	}
	return false
}

func isTablePart(tag string) bool {
	switch tag {
	case "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "template", "html", "body":
		return true
	}
	return false
}

// isForeignEscape reports the HTML elements that end an open svg or math element (HTML, "the rules for parsing tokens
// in foreign content").
func isForeignEscape(tag string) bool {
	if isBlock(tag) {
		return true
	}
	switch tag {
	case "b", "big", "br", "code", "dd", "dt", "em", "embed", "i", "img", "li", "meta", "nobr", "ruby", "s", "small",
		"span", "strong", "strike", "sub", "sup", "tt", "u", "var":
		return true
	}
	return false
}
