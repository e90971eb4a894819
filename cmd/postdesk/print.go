package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// printJSON writes one value for machines.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows for people, in columns. East Asian characters take two places on a terminal, which text/tabwriter does
// not know; so the columns are padded here.
func table(w io.Writer, head []string, rows [][]string) error {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for _, row := range append([][]string{head}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-columns(cell)+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	return nil
}

// columns is how many places a text takes on a terminal.
func columns(s string) (n int) {
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// harmless replaces what could steer a terminal: control characters, line ends among them, and marks that turn the direction
// of writing.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// short is a text made harmless and cut to what fits a column.
func short(s string, places int) string {
	cut, used := -1, 0 // where a cut leaves room for its mark
	for i, r := range s {
		used += columnsOf(r)
		if used >= places && cut < 0 {
			cut = i
		}
		if used > places {
			return harmless(s[:cut]) + "…"
		}
	}
	return harmless(s)
}

// printText writes a text of several lines for people.
func printText(w io.Writer, text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if _, err := fmt.Fprintln(w, harmless(line)); err != nil {
			return err
		}
	}
	return nil
}

// ago shows how long something is past.
func ago(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	d := time.Since(*t).Round(time.Second)
	if d < time.Second {
		return "now"
	}
	return d.String() + " ago"
}
