package reply

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/template"

	"go.yaml.in/yaml/v3"

	"postdesk/internal/ticket"
)

// source is one template file in one language: what it declares and its two compiled templates.
type source struct {
	Template
	file    string
	lang    string
	all     []Variable            // those of Common and its own
	lines   func() map[string]int // of the subject and of each variable; wanted in errors only
	subject *template.Template
	body    *template.Template
}

type frontMatter struct {
	Subject   string                 `yaml:"subject"`
	To        Recipient              `yaml:"to"`
	Class     ticket.Class           `yaml:"class"`
	Purpose   string                 `yaml:"purpose"`
	Variables map[string]declaration `yaml:"variables"`
}

type declaration struct {
	Type     Type     `yaml:"type"`
	Optional bool     `yaml:"optional"`
	Values   []string `yaml:"values"`
	Fields   []string `yaml:"fields"`
	Sample   any      `yaml:"sample"`
}

// readSource reads and compiles one file; its errors name file and line.
func readSource(fsys fs.FS, file string) (*source, error) {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	head, body, line, err := splitFrontMatter(file, raw)
	if err != nil {
		return nil, err
	}
	s := &source{file: file, lines: sync.OnceValue(func() map[string]int { return linesOf(head) })}
	s.Key, s.lang = keyAndLanguage(file)
	front, err := s.readFront(head)
	if err != nil {
		return nil, err
	}
	if s.subject, err = compile(file, 1, front.Subject, false); err != nil {
		_, err = compile(file, s.lines()["subject"], front.Subject, false)
		return nil, err
	}
	if s.body, err = compile(file, line, body, true); err != nil {
		return nil, err
	}
	return s, s.checkFront(front)
}

// splitFrontMatter returns the YAML head, the body and the line the body starts on.
func splitFrontMatter(file string, raw []byte) (head []byte, body string, line int, err error) {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	if i := strings.IndexFunc(string(raw), reserved); i >= 0 {
		return nil, "", 0, fmt.Errorf("%s:%d: a character that is reserved or no UTF-8", file, 1+bytes.Count(raw[:i], []byte("\n")))
	}
	rest, ok := bytes.CutPrefix(raw, []byte("---\n"))
	head, tail, found := bytes.Cut(rest, []byte("\n---\n"))
	if !ok || !found {
		return nil, "", 0, fmt.Errorf("%s:1: the file must begin with front matter between two lines of ---", file)
	}
	return append([]byte("---\n"), head...), string(tail), bytes.Count(head, []byte("\n")) + 4, nil
}

func reserved(r rune) bool { return r >= tokenOpen && r <= lineClose || r == '\uFFFD' }

// keyAndLanguage of mail/ack.received.zh-CN.md are ack.received and zh-CN.
func keyAndLanguage(file string) (key, lang string) {
	name := strings.TrimSuffix(path.Base(file), ".md")
	i := strings.LastIndex(name, ".")
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}

func (s *source) readFront(head []byte) (frontMatter, error) {
	var front frontMatter
	dec := yaml.NewDecoder(bytes.NewReader(head))
	dec.KnownFields(true)
	if err := dec.Decode(&front); err != nil {
		return front, yamlError(s.file, err)
	}
	return front, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlError puts the line a YAML error names behind the file.
func yamlError(file string, err error) error {
	line := "1"
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line = m[1]
	}
	return fmt.Errorf("%s:%s: %w", file, line, err)
}

// linesOf returns where the names of a front matter and of its variables stand.
func linesOf(head []byte) map[string]int {
	lines := map[string]int{}
	var doc yaml.Node
	if err := yaml.Unmarshal(head, &doc); err == nil && len(doc.Content) > 0 {
		noteLines(lines, doc.Content[0])
	}
	return lines
}

func noteLines(lines map[string]int, mapping *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, val := mapping.Content[i], mapping.Content[i+1]
		lines[name.Value] = name.Line
		if name.Value == "variables" && val.Kind == yaml.MappingNode {
			noteLines(lines, val)
		}
	}
}

func (s *source) at(name string) string { return fmt.Sprintf("%s:%d", s.file, max(1, s.lines()[name])) }

func (s *source) checkFront(front frontMatter) error {
	s.To, s.Class, s.Purpose = front.To, front.Class, front.Purpose
	classes := []ticket.Class{ticket.ClassAck, ticket.ClassProcedure, ticket.ClassFinal, ticket.ClassChallenge, ticket.ClassAgent}
	switch {
	case !slices.Contains(Languages(), s.lang):
		return fmt.Errorf("%s:1: the file name must end in .zh-CN.md or .en.md", s.file)
	case !slices.Contains([]Recipient{ToCustomer, ToRegistered, ToInternal}, s.To):
		return fmt.Errorf("%s: to must be customer, registered or internal, not %q", s.at("to"), s.To)
	case !slices.Contains(classes, s.Class):
		return fmt.Errorf("%s: unknown class %q", s.at("class"), s.Class)
	case s.Purpose == "":
		return fmt.Errorf("%s: purpose is missing", s.at("purpose"))
	case !strings.HasSuffix(front.Subject, subjectEnd) || strings.TrimSpace(strings.TrimSuffix(front.Subject, subjectEnd)) == "":
		return fmt.Errorf("%s: the subject must be words that end in %q", s.at("subject"), subjectEnd)
	}
	for _, name := range slices.Sorted(maps.Keys(front.Variables)) {
		v, err := s.variable(name, front.Variables[name])
		if err != nil {
			return fmt.Errorf("%s: variable %s: %w", s.at(name), name, err)
		}
		s.Variables = append(s.Variables, v)
	}
	s.all = append(Common(), s.Variables...)
	return nil
}

const subjectEnd = " [#{{.ticket_no}}]"

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (s *source) variable(name string, d declaration) (Variable, error) {
	v := Variable{Name: name, Type: d.Type, Optional: d.Optional, Values: d.Values, sample: map[string]any{s.lang: plainSample(d.Sample)}}
	common := slices.ContainsFunc(Common(), func(c Variable) bool { return c.Name == name })
	for _, field := range d.Fields {
		field, optional := strings.CutSuffix(field, "?")
		v.Fields = append(v.Fields, field)
		if optional {
			v.optional = append(v.optional, field)
		}
	}
	switch {
	case !namePattern.MatchString(name) || common || name == "lang":
		return v, fmt.Errorf("the name is reserved or not of a-z, 0-9 and _")
	case !slices.Contains(types(), v.Type):
		return v, fmt.Errorf("unknown type %q", v.Type)
	case (v.Type == typeChoice) != (len(v.Values) > 0):
		return v, fmt.Errorf("values belong to a choice, and a choice needs them")
	case (v.Type == typeRecords) != (len(v.Fields) > 0):
		return v, fmt.Errorf("fields belong to records, and records need them")
	case v.Type == typeFlag && !v.Optional:
		return v, fmt.Errorf("a flag is always optional")
	case d.Sample == nil:
		return v, fmt.Errorf("sample is missing")
	}
	return v, nil
}

// plainSample turns what YAML gives into what a caller would pass.
func plainSample(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	var texts []string
	var records []map[string]string
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			record := map[string]string{}
			for k, field := range m {
				record[k] = fmt.Sprint(field)
			}
			records = append(records, record)
			continue
		}
		texts = append(texts, fmt.Sprint(item))
	}
	if records != nil {
		return records
	}
	return texts
}
