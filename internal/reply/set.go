package reply

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Set holds every template. It never changes for those who use it and is safe for concurrent use.
type Set struct {
	sources map[string]map[string]*source // key, language
	layouts map[Recipient]map[string]*layout
	frame   frame
	phrases map[string]map[string]phrase // group, code
	brand   Brand
	forms   *forms
}

// Brand is what the mails of one brand say about it. What is empty is not mentioned: no telephone number, no time of an answer
// and no address is ever promised that the configuration does not give.
type Brand struct {
	Name           string
	OfficialDomain string // such as okpay.example
	SupportPhone   string

	// SLAText completes "you will get an answer …" and "您会在…收到回复", by language: "within 1 business day", "1 个工作日内".
	SLAText map[string]string
}

// Load reads mail/, layout/ and phrases/ of fsys. The error names file and line of everything that is wrong with them by itself: a
// key that is missing in one language, a variable that is declared and not used or used and not declared, an optional one printed
// without asking for it, a subject without the ticket number. What can only be seen in finished mails is left to Verify.
func Load(fsys fs.FS) (*Set, error) {
	s := &Set{sources: map[string]map[string]*source{}, layouts: map[Recipient]map[string]*layout{}, forms: &forms{made: map[formKey]*form{}}}
	var err error
	if s.frame, err = readFrame(fsys); err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	problems := s.loadLayouts(fsys)
	problems = append(problems, s.loadMails(fsys)...)
	problems = append(problems, s.loadPhrases(fsys)...)
	if len(problems) > 0 {
		return nil, fmt.Errorf("load templates: %w", errors.Join(problems...))
	}
	return s, nil
}

func (s *Set) loadLayouts(fsys fs.FS) []error {
	var problems []error
	for _, kind := range []Recipient{ToCustomer, ToRegistered, ToInternal} {
		s.layouts[kind] = map[string]*layout{}
		for _, lang := range Languages() {
			l, err := readLayout(fsys, kind, lang)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			s.layouts[kind][lang] = l
			problems = append(problems, l.above.check()...)
			problems = append(problems, l.below.check()...)
		}
	}
	return problems
}

func (s *Set) loadMails(fsys fs.FS) []error {
	files, err := fs.Glob(fsys, "mail/*.md")
	if err != nil || len(files) == 0 {
		return []error{fmt.Errorf("mail: no templates: %w", errors.Join(err, fs.ErrNotExist))}
	}
	var problems []error
	for _, file := range files {
		src, err := readSource(fsys, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, src.check()...)
		if s.sources[src.Key] == nil {
			s.sources[src.Key] = map[string]*source{}
		}
		s.sources[src.Key][src.lang] = src
	}
	if len(problems) > 0 {
		return problems
	}
	return s.checkPairs()
}

func (s *Set) checkPairs() []error {
	var problems []error
	for _, key := range s.Keys() {
		zh, en := s.sources[key][Chinese], s.sources[key][English]
		switch {
		case zh == nil:
			problems = append(problems, fmt.Errorf("%s:1: there is no %s", en.file, strings.Replace(en.file, ".en.md", ".zh-CN.md", 1)))
		case en == nil:
			problems = append(problems, fmt.Errorf("%s:1: there is no %s", zh.file, strings.Replace(zh.file, ".zh-CN.md", ".en.md", 1)))
		default:
			if err := sameDeclarations(zh, en); err != nil {
				problems = append(problems, err)
				continue
			}
			s.shareSamples(zh, en)
		}
	}
	return problems
}

// shareSamples gives both languages one description of each variable with the samples of both.
func (s *Set) shareSamples(a, b *source) {
	for i := range a.Variables {
		maps.Copy(a.Variables[i].sample, b.Variables[i].sample)
		b.Variables[i].sample = a.Variables[i].sample
	}
}

// WithBrand returns a set that writes in the name of b.
func (s *Set) WithBrand(b Brand) *Set {
	branded := *s
	branded.brand = b
	return &branded
}

// Keys lists every template key in order.
func (s *Set) Keys() []string { return slices.Sorted(maps.Keys(s.sources)) }

// Template describes the template with that key.
func (s *Set) Template(key string) (Template, bool) {
	src, ok := s.sources[key][English]
	if !ok {
		return Template{}, false
	}
	t := src.Template
	t.Variables = slices.Clone(t.Variables)
	return t, true
}
