package reply

import (
	"html"
	"strconv"
	"strings"
)

// page is a parsed mail body together with the values its tokens stand for. Where a form is made, the values are the tokens again.
type page struct {
	blocks []block
	values []value
}

// text writes the plain form: blocks divided by a blank line, no marks for strong words.
func (p page) text() string {
	parts := make([]string, 0, len(p.blocks))
	for _, b := range p.blocks {
		parts = append(parts, p.blockText(b))
	}
	return strings.Join(parts, "\n\n")
}

func (p page) blockText(b block) string {
	lines := make([]string, 0, len(b.items))
	for i, item := range b.items {
		mark := ""
		switch b.kind {
		case bullets:
			mark = "- "
		case numbers:
			mark = strconv.Itoa(i+1) + ". "
		}
		lines = append(lines, mark+p.inlineText(item))
	}
	return strings.Join(lines, "\n")
}

func (p page) inlineText(items []inline) string {
	var b strings.Builder
	for i, in := range items {
		switch in.kind {
		case plain:
			b.WriteString(in.text)
		case datum:
			b.WriteString(p.values[in.value].text)
		case strong:
			b.WriteString(p.inlineText(in.kids))
		case link:
			b.WriteString(p.inlineText(in.kids) + ": " + p.address(in))
		}
		b.WriteString(p.gap(in, items[i+1:]))
	}
	return b.String()
}

// gap is the blank between an address and what follows it, which a mail program would otherwise take for a part of the address.
func (p page) gap(in inline, next []inline) string {
	isAddress := in.kind == link || in.kind == datum && p.values[in.value].typ == typeURL
	if !isAddress || len(next) == 0 || next[0].kind == plain && strings.HasPrefix(next[0].text, " ") {
		return ""
	}
	return " "
}

func (p page) address(in inline) string {
	if in.target.kind == datum {
		return p.values[in.target.value].text
	}
	return in.target.text
}

// html writes the same blocks as semantic HTML. Every text and every value passes through html.EscapeString, and the only
// attribute that ever holds a value is the href of an address that cleanURL accepted.
func (p page) html() string {
	var b strings.Builder
	for _, bl := range p.blocks {
		p.blockHTML(&b, bl)
	}
	return b.String()
}

func (p page) blockHTML(b *strings.Builder, bl block) {
	switch bl.kind {
	case heading:
		b.WriteString("<h2>" + p.inlineHTML(bl.items[0]) + "</h2>\n")
	case bullets:
		p.listHTML(b, "ul", bl)
	case numbers:
		p.listHTML(b, "ol", bl)
	default:
		b.WriteString("<p>" + p.inlineHTML(bl.items[0]) + "</p>\n")
	}
}

func (p page) listHTML(b *strings.Builder, tag string, bl block) {
	b.WriteString("<" + tag + ">\n")
	for _, item := range bl.items {
		b.WriteString("<li>" + p.inlineHTML(item) + "</li>\n")
	}
	b.WriteString("</" + tag + ">\n")
}

// prose returns the words of a paragraph that consists of one prose value.
func (p page) prose(bl block) (string, bool) {
	if len(bl.items[0]) != 1 || bl.items[0][0].kind != datum {
		return "", false
	}
	v := p.values[bl.items[0][0].value]
	return v.text, v.typ == typeProse
}

func (p page) inlineHTML(items []inline) string {
	var b strings.Builder
	for i, in := range items {
		switch in.kind {
		case plain:
			b.WriteString(html.EscapeString(in.text))
		case datum:
			b.WriteString(p.valueHTML(in.value))
		case strong:
			b.WriteString("<strong>" + p.inlineHTML(in.kids) + "</strong>")
		case link:
			b.WriteString(anchor(p.address(in), p.inlineText(in.kids)+": "+p.address(in)))
		}
		b.WriteString(p.gap(in, items[i+1:]))
	}
	return b.String()
}

func (p page) valueHTML(i int) string {
	v := p.values[i]
	if v.typ == typeURL {
		return anchor(v.text, v.text)
	}
	return v.html()
}

// anchor shows the address as well as the label: a reader can compare it with the official one, and the plain part says the same.
func anchor(address, label string) string {
	return `<a href="` + html.EscapeString(address) + `">` + html.EscapeString(label) + `</a>`
}
