package procedure

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader turns YAML nodes into values and collects every mistake with its file and line.
type reader struct {
	file string
	errs []error
}

func (r *reader) fail(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

func (r *reader) err() error { return errors.Join(r.errs...) }

// parse returns the top mapping of a file.
func (r *reader) parse(b []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", r.file, err))
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.fail(1, "the file is not a mapping")
		return nil
	}
	return doc.Content[0]
}

// fields returns the values of a mapping by key and refuses unknown and repeated keys.
func (r *reader) fields(n *yaml.Node, known ...string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	r.each(n, func(key string, k, v *yaml.Node) {
		if !slices.Contains(known, key) {
			r.fail(k.Line, "unknown key %q (known: %s)", key, strings.Join(known, ", "))
			return
		}
		out[key] = v
	})
	return out
}

// each calls f for every entry of a mapping, in the order of the file.
func (r *reader) each(n *yaml.Node, f func(key string, k, v *yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "expected a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if seen[k.Value] {
			r.fail(k.Line, "key %q is repeated", k.Value)
			continue
		}
		seen[k.Value] = true
		f(k.Value, k, v)
	}
}

func (r *reader) str(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n.Line, "expected a word or a sentence")
		return ""
	}
	return n.Value
}

// oneOf reads a word that must be one of the allowed ones; a missing one is the first.
func (r *reader) oneOf(n *yaml.Node, allowed ...string) string {
	s := r.str(n)
	if n == nil {
		return allowed[0]
	}
	if !slices.Contains(allowed, s) {
		r.fail(n.Line, "%q is none of %s", s, strings.Join(allowed, ", "))
	}
	return s
}

func (r *reader) flag(n *yaml.Node) bool {
	if n == nil {
		return false
	}
	var b bool
	if err := n.Decode(&b); err != nil {
		r.fail(n.Line, "expected true or false")
	}
	return b
}

// list reads a sequence of words, or a single word as a list of one.
func (r *reader) list(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n.Line, "expected a list")
		return nil
	}
	var out []string
	for _, c := range n.Content {
		out = append(out, r.str(c))
	}
	return out
}

func (r *reader) span(n *yaml.Node) Span {
	if n == nil {
		return Span{}
	}
	s, err := ParseSpan(r.str(n))
	if err != nil {
		r.fail(n.Line, "%v", err)
	}
	return s
}

// text reads {zh: …, en: …}; both languages are needed.
func (r *reader) text(n *yaml.Node) Text {
	if n == nil {
		return Text{}
	}
	f := r.fields(n, "zh", "en")
	t := Text{Zh: strings.TrimSpace(r.str(f["zh"])), En: strings.TrimSpace(r.str(f["en"]))}
	if t.Zh == "" || t.En == "" {
		r.fail(n.Line, "a text needs zh and en")
	}
	return t
}

func (r *reader) texts(n *yaml.Node) []Text {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n.Line, "expected a list of texts")
		return nil
	}
	var out []Text
	for _, c := range n.Content {
		out = append(out, r.text(c))
	}
	return out
}

func (r *reader) level(n *yaml.Node) Level {
	var l Level
	if n == nil {
		return l
	}
	if err := l.UnmarshalText([]byte(r.str(n))); err != nil {
		r.fail(n.Line, "%v", err)
	}
	return l
}

// words reads a mapping of words to words.
func (r *reader) words(n *yaml.Node) map[string]string {
	out := map[string]string{}
	r.each(n, func(key string, _, v *yaml.Node) { out[key] = r.str(v) })
	return out
}

// spans reads a mapping of words to periods.
func (r *reader) spans(n *yaml.Node) map[string]Span {
	out := map[string]Span{}
	r.each(n, func(key string, _, v *yaml.Node) { out[key] = r.span(v) })
	return out
}
