package procedure

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Graph draws the states of a procedure and what leads from one to the next, as "mermaid" (a state diagram) or "dot" (Graphviz).
// Moves that stay where they are are left out. The same machine gives the same bytes.
func (m *Machine) Graph(w io.Writer, format string) error {
	var b strings.Builder
	switch format {
	case "mermaid":
		m.mermaid(&b)
	case "dot":
		m.dot(&b)
	default:
		return invalid("graph format %q is none of mermaid, dot", format)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// arrow is one line of the picture: everything that leads from one state to another.
type arrow struct {
	from, to string
	labels   []string
}

// arrows collects the moves between each pair of states, in the order of the files.
func (m *Machine) arrows() []arrow {
	var out []arrow
	add := func(from, to, label string) {
		i := slices.IndexFunc(out, func(a arrow) bool { return a.from == from && a.to == to })
		if i < 0 {
			out = append(out, arrow{from: from, to: to})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].labels, label) {
			out[i].labels = append(out[i].labels, label)
		}
	}
	for _, mv := range m.Moves {
		for _, from := range mv.From {
			switch {
			case mv.Into != "":
				add(from, mv.Into+"/"+mv.To, mv.On)
			case mv.To != "" && mv.To != from:
				add(from, mv.To, mv.On)
			}
		}
	}
	for _, name := range sortedKeys(m.States) {
		if v := m.States[name].Void; v != "" {
			add(name, v, "voided")
		}
	}
	return out
}

// everywhere are the ends that nearly every state leads to; drawn from one note instead of forty arrows.
func everywhere() []string { return []string{"merged", "spam", "withdrawn", "suspended_activity"} }

func (m *Machine) mermaid(b *strings.Builder) {
	fmt.Fprintf(b, "stateDiagram-v2\n  %%%% %s: %s\n  [*] --> %s\n", m.Name, m.Title.En, m.Initial)
	skipped := map[string]int{}
	for _, a := range m.arrows() {
		if slices.Contains(everywhere(), a.to) {
			skipped[a.to]++
			continue
		}
		fmt.Fprintf(b, "  %s --> %s: %s\n", id(a.from), id(a.to), strings.Join(a.labels, ", "))
	}
	for _, name := range sortedKeys(m.States) {
		if m.States[name].Final {
			fmt.Fprintf(b, "  %s --> [*]\n", name)
		}
	}
	for _, name := range everywhere() {
		if skipped[name] > 0 {
			fmt.Fprintf(b, "  note right of %s: from %d states\n", name, skipped[name])
		}
	}
}

// id makes a state of another procedure a name both languages accept.
func id(s string) string { return strings.ReplaceAll(s, "/", "__") }

func (m *Machine) dot(b *strings.Builder) {
	fmt.Fprintf(b, "digraph %q {\n  label=%q; rankdir=LR; node [shape=box, style=rounded];\n", m.Name, m.Title.En)
	for _, name := range sortedKeys(m.States) {
		s := m.States[name]
		switch {
		case s.Acts:
			fmt.Fprintf(b, "  %q [style=\"rounded,bold\", color=red];\n", name)
		case s.Final:
			fmt.Fprintf(b, "  %q [peripheries=2];\n", name)
		case s.Status == "waiting":
			fmt.Fprintf(b, "  %q [style=\"rounded,dashed\"];\n", name)
		}
	}
	for _, a := range m.arrows() {
		if slices.Contains(everywhere(), a.to) {
			continue
		}
		fmt.Fprintf(b, "  %q -> %q [label=%q];\n", a.from, a.to, strings.Join(a.labels, "\n"))
	}
	b.WriteString("}\n")
}

// Graph draws a procedure as a brand profile runs it.
func (s *Set) Graph(w io.Writer, profile, procedure, format string) error {
	m := s.Machine(profile, procedure)
	if m == nil {
		return invalid("profile %q has no procedure %q", profile, procedure)
	}
	return m.Graph(w, format)
}
