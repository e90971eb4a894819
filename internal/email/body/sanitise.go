package body

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

const (
	maxShownDepth = 100     // elements within elements in the result
	maxShown      = 3 << 20 // bytes of the result, save for the tags still to be closed; less than is read
	cutNote       = "[…]"
)

// Sanitise returns HTML that is safe to put into a page: only elements and attributes of a short list, written anew
// from the parsed document, never copied. Nothing in it can run, load, style, name or submit anything; scripts,
// style, forms, frames, vector and formula markup are gone, and so is text that the reader of the mail could not see
// (see TextFromHTML, which reports it). Images are shown only where cid knows the Content-ID and gives the page's own
// URL for it; every other image becomes its alternative text in brackets. Links go to http, https and mailto
// only, open apart from the page, and show the host they lead to after their text unless the text says it. Control,
// bidi and zero-width characters are removed. Sanitise of its own result changes nothing, as long as cid answers the
// same. A nil cid knows no images. At most 4 MiB are read.
func Sanitise(src string, cid func(id string) (url string, ok bool)) string {
	if cid == nil {
		cid = func(string) (string, bool) { return "", false }
	}
	w := sanitiser{cid: cid, open: map[string]int{}}
	read(src, &w)
	w.close(0)
	return w.out.String()
}

// sanitiser writes the allowed part of what it is told. It nests what it writes by the rules of the reader, so that
// reading the result meets the same nesting again.
type sanitiser struct {
	cid   func(string) (string, bool)
	out   strings.Builder
	stack []*shownElement
	open  map[string]int
	full  bool
}

type shownElement struct {
	tag  string
	link *shownLink
	gone bool // closed before its own end
}

func (w *sanitiser) start(e *element) {
	if e.look.gone || w.isFull() {
		return
	}
	switch e.tag {
	case "img", "image":
		w.image(e)
		return
	case "td", "th":
		w.push(e, spans(e))
		return
	case "a":
		w.startLink(e)
		return
	}
	if isShown(e.tag) {
		w.push(e, direction(e))
	}
}

// isShown reports the elements that are kept, without those that have a case of their own.
func isShown(tag string) bool {
	switch tag {
	case "p", "div", "span", "br", "hr", "wbr", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small",
		"big", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "code", "tt",
		"kbd", "samp", "var", "q", "cite", "abbr", "address", "center", "table", "caption", "thead", "tbody", "tfoot", "tr":
		return true
	}
	return false
}

func spans(e *element) string {
	var b strings.Builder
	for _, k := range []string{"colspan", "rowspan"} {
		if n, err := strconv.Atoi(e.attr[k]); err == nil && n > 1 && n <= 100 {
			b.WriteString(" " + k + `="` + strconv.Itoa(n) + `"`)
		}
	}
	return b.String() + direction(e)
}

func direction(e *element) string {
	switch d := strings.ToLower(e.attr["dir"]); d {
	case "ltr", "rtl", "auto":
		return ` dir="` + d + `"`
	}
	return ""
}

// push opens an element, after the ends that its start implies.
func (w *sanitiser) push(e *element, attrs string) *shownElement {
	if isVoid(e.tag) {
		w.close(impliedEnd(w.stack, w.open, e.tag, shownTag))
		w.out.WriteString("<" + e.tag + ">")
		return nil
	}
	w.close(impliedEnd(w.stack, w.open, e.tag, shownTag))
	if len(w.stack) >= maxShownDepth {
		return nil
	}
	s := &shownElement{tag: e.tag}
	w.stack = append(w.stack, s)
	w.open[e.tag]++
	e.data = s
	w.out.WriteString("<" + e.tag + attrs + ">")
	return s
}

func shownTag(s *shownElement) string { return s.tag }

// close ends elements until n are open; a negative n closes nothing.
func (w *sanitiser) close(n int) {
	for n >= 0 && len(w.stack) > n {
		s := w.stack[len(w.stack)-1]
		if s.link != nil {
			w.text1(s.link.suffix())
		}
		w.stack = w.stack[:len(w.stack)-1]
		w.open[s.tag]--
		s.gone = true
		w.out.WriteString("</" + s.tag + ">")
	}
}

func (w *sanitiser) end(e *element) {
	s, ok := e.data.(*shownElement)
	if !ok || s.gone {
		return
	}
	for i := len(w.stack) - 1; i >= 0; i-- {
		if w.stack[i] == s {
			w.close(i)
			return
		}
	}
}

func (w *sanitiser) text(parent *element, s string) {
	if parent.look.hidden() || w.isFull() {
		return
	}
	s, _ = clean(s)
	w.write(s)
}

// fit returns as much of s as the result has room for.
func (w *sanitiser) fit(s string) string {
	room := maxShown - w.out.Len()
	if len(s) <= room/5 { // an escape takes at most five bytes
		return s
	}
	for i, r := range s {
		if room -= len(html.EscapeString(string(r))); room < 0 {
			return strings.TrimRight(s[:i], cutNote) // so that a second pass cuts at the same place
		}
	}
	return s
}

// write puts text into the element that is open, and remembers it for the link it is in.
func (w *sanitiser) write(s string) {
	whole := len(s)
	if s = w.fit(s); s == "" && whole == 0 {
		return
	}
	for i := len(w.stack) - 1; i >= 0 && w.open["a"] > 0; i-- {
		if l := w.stack[i].link; l != nil {
			l.shown.WriteString(s)
			break
		}
	}
	w.text1(s)
	if len(s) < whole {
		w.fill()
	}
}

func (w *sanitiser) text1(s string) { w.out.WriteString(html.EscapeString(s)) }

// isFull stops the output at its limit.
func (w *sanitiser) isFull() bool {
	if !w.full && w.out.Len() >= maxShown {
		w.fill()
	}
	return w.full
}

// fill says once that something is left out.
func (w *sanitiser) fill() {
	w.full = true
	w.text1(cutNote)
}

// image writes an image of this mail, or what stands for one that is not shown. The Content-ID is kept in data-cid,
// from which a second pass finds the same image again; the address itself always comes from cid.
func (w *sanitiser) image(e *element) {
	if e.look.hidden() {
		return
	}
	alt, _ := clean(e.attr["alt"])
	alt = strings.Join(strings.Fields(strings.Map(noAddress, alt)), " ")
	if id, ok := contentID(e); ok {
		if url, known := w.cid(id); known {
			w.out.WriteString(`<img src="` + html.EscapeString(url) + `" data-cid="` + html.EscapeString(id) + `" alt="` + html.EscapeString(alt) + `">`)
			return
		}
	}
	if tiny(e.attr["width"]) || tiny(e.attr["height"]) {
		return // a counting pixel has nothing to say
	}
	if alt == "" {
		w.write("[image]")
		return
	}
	w.write("[image: " + alt + "]")
}

// noAddress makes a URL in an alternative text a text that nothing reads as a URL.
func noAddress(r rune) rune {
	switch r {
	case ':', '/', '\\':
		return ' '
	}
	return r
}

func contentID(e *element) (string, bool) {
	if id := e.attr["data-cid"]; id != "" {
		return id, true
	}
	src := strings.TrimSpace(e.attr["src"])
	if len(src) < 5 || !strings.EqualFold(src[:4], "cid:") {
		return "", false
	}
	id, _ := clean(src[4:])
	return unescapePercent(id), true
}

// unescapePercent undoes the escapes of a cid URL (RFC 2392); what is no escape stays.
func unescapePercent(s string) string {
	if !strings.ContainsRune(s, '%') {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexValue(s[i+1]) >= 0 && hexValue(s[i+2]) >= 0 {
			b.WriteByte(byte(hexValue(s[i+1])<<4 | hexValue(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "")
}
