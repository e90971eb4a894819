package reply

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"text/template"
)

// Rendered is a mail in words. Subject has no line break or control character.
type Rendered struct {
	Subject string
	Text    string // ends with one line feed; lines end with "\n" and are not wrapped
	HTML    string
}

// Render writes the mail in the language for a BCP 47 tag (see Language). Data holds the template's variables and those of
// Common; facts of the brand come from WithBrand unless data overrides them, and names the template does not know are ignored.
//
// It fails with ErrUnknown, with ErrMissing when a variable that is not optional is absent or empty, and with ErrValue when one
// has the wrong type or cannot be shown. Then there is no mail: a hole is never sent.
func (s *Set) Render(key, lang string, data map[string]any) (Rendered, error) {
	src, err := s.source(key, lang)
	if err != nil {
		return Rendered{}, err
	}
	r, err := s.render(src, data)
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s in %s: %w", key, src.lang, err)
	}
	return r, nil
}

func (s *Set) render(src *source, data map[string]any) (Rendered, error) {
	bound, values, err := s.bind(src, data)
	if err != nil {
		return Rendered{}, err
	}
	f, err := s.form(src, bound, values)
	if err != nil {
		return Rendered{}, err
	}
	return f.fill(values), nil
}

func (s *Set) source(key, lang string) (*source, error) {
	src, ok := s.sources[key][Language(lang)]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, key)
	}
	return src, nil
}

// bind returns what the template is expanded with and the values that its tokens stand for.
func (s *Set) bind(src *source, data map[string]any) (bound map[string]any, values []value, err error) {
	facts := s.brand.data(src.lang)
	maps.Copy(facts, data)
	b := binder{lang: src.lang}
	bound, err = b.bind(src.all, facts)
	return bound, b.values, err
}

// draft is a mail in pieces: the subject, with tokens, and the parsed words above, in and below it.
type draft struct {
	subject            string
	above, body, below page
}

func draftOf(src *source, l *layout, bound map[string]any, values []value) (d draft, err error) {
	if d.subject, err = expand(src.subject, bound); err != nil {
		return d, err
	}
	for _, part := range []struct {
		src *source
		out *page
	}{{l.above, &d.above}, {src, &d.body}, {l.below, &d.below}} {
		if *part.out, err = pageOf(part.src, bound, values); err != nil {
			return d, err
		}
	}
	return d, nil
}

func pageOf(src *source, bound map[string]any, values []value) (page, error) {
	words, err := expand(src.body, bound)
	if err != nil {
		return page{}, err
	}
	blocks, err := parseMarkup(words, len(values))
	if err != nil {
		var fault *markupError
		if errors.As(err, &fault) {
			return page{}, fmt.Errorf("%s:%d: %s", src.file, fault.line, fault.what)
		}
		return page{}, err
	}
	return page{blocks, values}, nil
}

func expand(t *template.Template, bound map[string]any) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, bound); err != nil {
		return "", err
	}
	return b.String(), nil
}

// headerText is one line without controls: nothing in it can begin another header field (RFC 5322, section 2.2).
func headerText(s string) string {
	return strings.Join(strings.Fields(strings.Map(visible(' '), s)), " ")
}

func (b Brand) data(lang string) map[string]any {
	return map[string]any{
		"brand": b.Name, "official_domain": b.OfficialDomain, "support_phone": b.SupportPhone, "sla_text": b.SLAText[lang],
	}
}
