package reply

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Phrase is a sentence chosen by a code, and what the customer can do about it.
type Phrase struct {
	Text string // what the matter is
	How  string // what to do; empty where nothing can be done
}

type phrase struct {
	Chinese spoken `yaml:"zh-CN"`
	English spoken `yaml:"en"`
	file    string
	line    int
}

type spoken struct {
	Text string `yaml:"text"`
	How  string `yaml:"how"`
}

func (s *Set) loadPhrases(fsys fs.FS) []error {
	s.phrases = map[string]map[string]phrase{}
	files, err := fs.Glob(fsys, "phrases/*.yaml")
	if err != nil || len(files) == 0 {
		return []error{fmt.Errorf("phrases: no files: %w", errors.Join(err, fs.ErrNotExist))}
	}
	var problems []error
	for _, file := range files {
		group, err := readPhrases(fsys, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.phrases[strings.TrimSuffix(path.Base(file), ".yaml")] = group
	}
	return problems
}

func readPhrases(fsys fs.FS, file string) (map[string]phrase, error) {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	group := map[string]phrase{}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&group); err != nil {
		return nil, yamlError(file, err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, yamlError(file, err)
	}
	for _, node := range doc.Content[0].Content {
		p, ok := group[node.Value]
		if !ok {
			continue
		}
		p.file, p.line = file, node.Line
		group[node.Value] = p
		if p.Chinese.Text == "" || p.English.Text == "" || (p.Chinese.How == "") != (p.English.How == "") {
			return nil, fmt.Errorf("%s:%d: %s needs text in both languages, and how in both or none", file, p.line, node.Value)
		}
		if !ends(p.Chinese.How, "。”") || !ends(p.English.How, `."`) {
			return nil, fmt.Errorf("%s:%d: how of %s is a sentence and ends like one", file, p.line, node.Value)
		}
	}
	return group, nil
}

// ends reports whether s is empty or ends in one of the marks.
func ends(s, marks string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	return s == "" || strings.ContainsRune(marks, last)
}

// Phrase returns the words for a code of a group: reject (why a document was not accepted), refusal (why a request was refused),
// blocker (what stands before a closure), document (what is asked for) and cause (why a payment or withdrawal did not go
// through). It fails with ErrUnknown.
func (s *Set) Phrase(group, code, lang string) (Phrase, error) {
	p, ok := s.phrases[group][code]
	if !ok {
		return Phrase{}, fmt.Errorf("%w: phrase %s/%s", ErrUnknown, group, code)
	}
	return Phrase(p.in(Language(lang))), nil
}

func (p phrase) in(lang string) spoken {
	if lang == Chinese {
		return p.Chinese
	}
	return p.English
}

// Codes lists the codes of a group of phrases in order.
func (s *Set) Codes(group string) []string { return slices.Sorted(maps.Keys(s.phrases[group])) }
