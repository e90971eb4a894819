package reply

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// form is a finished mail with tokens in the place of its values. Which words a mail has depends on which values are there and
// on its choices, not on what the values say: the few forms of a template are made once and then only filled in.
type form struct{ subject, text, html string }

// fill puts the values in the place of their tokens.
func (f *form) fill(values []value) Rendered {
	title := strings.TrimSpace(headerText(resolve(f.subject, values, value.plain)))
	values = append(slices.Clip(values), value{typeTitle, title})
	text := resolve(f.text, values, value.plain)
	return Rendered{Subject: title, Text: strings.TrimSpace(collapseBlank(text)) + "\n", HTML: resolve(f.html, values, value.html)}
}

// typeTitle is the subject as it stands in the frame of the mail; no variable is of this type.
const typeTitle Type = "title"

func token(i int) string { return string(tokenOpen) + strconv.Itoa(i) + string(tokenClose) }

func (v value) plain() string { return v.text }

// html is the value between tags or in an attribute; prose is the inside of a paragraph. A token stays as it is.
func (v value) html() string {
	s := html.EscapeString(v.text)
	switch v.typ {
	case typeProse:
		return strings.NewReplacer("\n\n", "</p>\n<p>", "\n", "<br>\n").Replace(s)
	case typeTitle:
		return strings.ReplaceAll(s, "+", "&#43;") // as html/template writes it
	}
	return s
}

// resolve puts the values in the place of their tokens.
func resolve(s string, values []value, write func(value) string) string {
	var out strings.Builder
	out.Grow(len(s) + len(s)/8)
	for {
		before, rest, found := strings.Cut(s, string(tokenOpen))
		out.WriteString(before)
		if !found {
			return out.String()
		}
		digits, after, _ := strings.Cut(rest, string(tokenClose))
		if n, err := strconv.Atoi(digits); err == nil && n < len(values) {
			out.WriteString(write(values[n]))
		}
		s = after
	}
}

// form returns the form of a mail whose values are bound.
func (s *Set) form(src *source, bound map[string]any, values []value) (*form, error) {
	key := formKey{src, shape(src.all, bound)}
	if f := s.forms.get(key); f != nil {
		return f, nil
	}
	f, err := s.newForm(src, bound, values)
	if err == nil {
		s.forms.put(key, f)
	}
	return f, err
}

func (s *Set) newForm(src *source, bound map[string]any, values []value) (*form, error) {
	blanks := make([]value, len(values))
	for i, v := range values {
		blanks[i] = value{v.typ, token(i)}
	}
	d, err := draftOf(src, s.layouts[src.To][src.lang], bound, blanks)
	if err != nil {
		return nil, err
	}
	f, title := &form{subject: d.subject}, token(len(values)) // the subject is the value after the last
	if f.text, err = s.frame.writeText(src.lang, title, d.above, d.body, d.below); err != nil {
		return nil, err
	}
	f.html, err = s.frame.writeHTML(src.lang, title, d.above, d.body, d.below)
	return f, err
}

// shape tells bound values of different forms apart: it holds all that the expansion of a template can see.
func shape(vars []Variable, bound map[string]any) string {
	var b []byte
	for _, v := range vars {
		switch x := bound[v.Name].(type) {
		case string:
			b = append(b, x...)
		case bool:
			b = strconv.AppendBool(b, x)
		case []string:
			for _, item := range x {
				b = append(append(b, item...), 1)
			}
		case []map[string]string:
			for _, item := range x {
				b = append(fmt.Append(b, item), 1)
			}
		}
		b = append(b, 0)
	}
	return string(b)
}

type formKey struct {
	src   *source
	shape string
}

// forms keeps the forms in use. Long lists could make ever more of them, so there is an end.
type forms struct {
	mu   sync.RWMutex
	made map[formKey]*form
}

const maxForms = 2_000

func (f *forms) get(key formKey) *form {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.made[key]
}

func (f *forms) put(key formKey, made *form) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.made) >= maxForms {
		clear(f.made)
	}
	f.made[key] = made
}
