package reply

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	"text/template"
)

// layout is what stands above and below the words of every mail of one kind in one language.
type layout struct {
	above, below *source
}

// bodyMark is the line of a layout file that stands for the mail.
const bodyMark = "@body"

func readLayout(fsys fs.FS, kind Recipient, lang string) (*layout, error) {
	file := fmt.Sprintf("layout/%s.%s.md", kind, lang)
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	above, below, ok := strings.Cut(string(raw), "\n"+bodyMark+"\n")
	if !ok || strings.ContainsFunc(string(raw), reserved) {
		return nil, fmt.Errorf("%s:1: a layout needs one line %s and no reserved character", file, bodyMark)
	}
	start := strings.Count(above, "\n") + 3
	a, err := layoutPart(file, lang, 1, above)
	if err != nil {
		return nil, err
	}
	b, err := layoutPart(file, lang, start, below)
	return &layout{a, b}, err
}

func layoutPart(file, lang string, line int, text string) (*source, error) {
	body, err := compile(file, line, text, true)
	if err != nil {
		return nil, err
	}
	return &source{file: file, lang: lang, all: Common(), subject: template.New(file), body: body}, nil
}

// frame is the text and the HTML around a mail.
type frame struct {
	text *template.Template
	html *htmltemplate.Template
}

func readFrame(fsys fs.FS) (frame, error) {
	var f frame
	text, err := fs.ReadFile(fsys, "layout/page.txt")
	if err != nil {
		return f, err
	}
	html, err := fs.ReadFile(fsys, "layout/page.html")
	if err != nil {
		return f, err
	}
	if strings.ContainsFunc(string(text)+string(html), reserved) {
		return f, errors.New("layout/page.txt or page.html: a reserved character")
	}
	if f.text, err = parseText("layout/page.txt", string(text)); err != nil {
		return f, err
	}
	f.html, err = htmltemplate.New("layout/page.html").Option("missingkey=error").Parse(string(html))
	return f, err
}

// framed is what page.txt and page.html are filled with.
type framed struct{ Lang, Title, Above, Body, Below string }

func (f frame) writeText(lang, title string, above, body, below page) (string, error) {
	var b bytes.Buffer
	if err := f.text.Execute(&b, framed{lang, title, above.text(), body.text(), below.text()}); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (f frame) writeHTML(lang, title string, above, body, below page) (string, error) {
	var b bytes.Buffer
	err := f.html.Execute(&b, struct {
		Lang, Title        string
		Above, Body, Below htmltemplate.HTML
	}{lang, title, htmltemplate.HTML(above.html()), htmltemplate.HTML(body.html()), htmltemplate.HTML(below.html())})
	return b.String(), err
}
