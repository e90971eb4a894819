package rules

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"postdesk/internal/ticket"
)

// Explain writes a decision for a person: the verdict, the mail with the words that spoke for it marked, what each rule
// added, what was extracted, and what follows. With color, ANSI escape sequences mark the words; without, brackets.
func Explain(w io.Writer, d Decision, f Facts, color bool) error {
	e := explainer{Writer: bufio.NewWriter(w), color: color}
	e.verdict(d)
	e.mail(d, f)
	e.rules(d)
	e.findings(d)
	e.actions(d)
	return e.Flush()
}

type explainer struct {
	*bufio.Writer
	color bool
}

func (e *explainer) paint(code, text string) string {
	if !e.color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (e *explainer) verdict(d Decision) {
	fmt.Fprintf(e, "%s  confidence %.2f  language %s  rules %s\n", e.paint("1", string(d.Category)), d.Confidence, d.Language, d.Version)
	if d.Hold() {
		fmt.Fprintf(e, "a person decides: below %.2f no answer of the category is sent\n", Threshold)
	}
	if len(d.Secondary) > 0 {
		fmt.Fprintf(e, "also about: %s\n", joinCategories(d.Secondary))
	}
	for _, flag := range d.Flags {
		fmt.Fprintf(e, "%s %s: %s\n", e.paint("31;1", "flag"), flag.Name, quoteSpans(flag.Spans))
	}
}

func joinCategories(list []ticket.Category) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

func quoteSpans(spans []Span) string {
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = "“" + strings.Join(strings.Fields(s.Text), " ") + "”"
	}
	return strings.Join(texts, " … ")
}

// mail prints subject and body with the matched words marked.
func (e *explainer) mail(d Decision, f Facts) {
	fmt.Fprintln(e)
	fmt.Fprintf(e, "  %s %s\n", e.paint("2", "Subject:"), e.marked(d, FieldSubject, f.Subject))
	for line := range strings.Lines(e.marked(d, FieldBody, f.Body)) {
		fmt.Fprintf(e, "  %s\n", strings.TrimRight(line, "\r\n"))
	}
	for i, a := range f.Attachments {
		fmt.Fprintf(e, "  %s %s\n", e.paint("2", "Attachment:"), e.marked(d, fmt.Sprint(fieldAttachment, i), a.Filename))
	}
	fmt.Fprintln(e)
}

func (e *explainer) marked(d Decision, field, text string) string {
	runes := []rune(text)
	mark := make([]bool, len(runes))
	for _, m := range d.Matched {
		for _, s := range m.Spans {
			if s.Field == field && s.End <= len(runes) {
				for i := s.Start; i < s.End; i++ {
					mark[i] = true
				}
			}
		}
	}
	var out strings.Builder
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && mark[j] == mark[i] {
			j++
		}
		piece := string(runes[i:j])
		switch {
		case mark[i] && e.color:
			piece = e.paint("1;33", piece)
		case mark[i]:
			piece = "[" + piece + "]"
		}
		out.WriteString(piece)
		i = j
	}
	return out.String()
}

// rules prints what each rule added, the strongest first.
func (e *explainer) rules(d Decision) {
	matched := slices.Clone(d.Matched)
	slices.SortStableFunc(matched, func(a, b Match) int { return cmp.Compare(strongest(b), strongest(a)) })
	width := 0
	for _, m := range matched {
		width = max(width, len(m.Rule))
	}
	for _, m := range matched {
		fmt.Fprintf(e, "  %-*s  %-34s %s\n", width, m.Rule, scoreText(m.Score), quoteSpans(m.Spans))
	}
	if len(matched) == 0 {
		fmt.Fprintln(e, "  no rule held")
	}
	fmt.Fprintf(e, "  %-*s  %s\n", width, "together", scoreText(d.Scores))
}

func strongest(m Match) float64 {
	top := 0.0
	for _, v := range m.Score {
		top = max(top, v, -v)
	}
	return top
}

func scoreText(score map[ticket.Category]float64) string {
	keys := slices.SortedFunc(maps.Keys(score), func(a, b ticket.Category) int {
		return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(keys))
	for i, c := range keys {
		parts[i] = fmt.Sprintf("%s %+.1f", c, score[c])
	}
	return strings.Join(parts, ", ")
}

func (e *explainer) findings(d Decision) {
	for _, f := range []struct {
		name string
		span Span
	}{{"account", d.Facts.AccountID}, {"amount", d.Facts.Amount}, {"transaction", d.Facts.TxID}} {
		if f.span.Text != "" {
			fmt.Fprintf(e, "  %-11s  %s (%s %d–%d)\n", f.name, f.span.Text, f.span.Field, f.span.Start, f.span.End)
		}
	}
	for _, p := range d.Provided {
		fmt.Fprintf(e, "  given: %s %s\n", p.Name, quoteSpans(p.Spans))
	}
}

func (e *explainer) actions(d Decision) {
	a := d.Actions
	for _, line := range []struct{ name, text string }{
		{"priority", a.Priority}, {"queue", a.Queue}, {"tags", strings.Join(a.Tags, ", ")}, {"ask for", strings.Join(a.Request, ", ")}, {"template", a.Template},
	} {
		if line.text != "" {
			fmt.Fprintf(e, "  %-11s  %s\n", line.name, line.text)
		}
	}
}
