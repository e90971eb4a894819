package reply

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// A line of the body that holds only control actions.
var controlLine = regexp.MustCompile(`^\s*(\{\{\s*(if|else|end|range)\b[^{}]*\}\}\s*)+$`)

// compile parses one template text that starts on the given line of the file, so that errors name the right line. In a body,
// every line with words is marked with its number, and a line of control actions leaves nothing behind.
func compile(file string, line int, text string, body bool) (*template.Template, error) {
	var b strings.Builder
	b.WriteString(strings.Repeat("\n", max(0, line-1)))
	if !body {
		b.WriteString(text)
		return parseText(file, b.String())
	}
	for i, s := range strings.Split(text, "\n") {
		if strings.Count(s, "{{") != strings.Count(s, "}}") {
			return nil, fmt.Errorf("%s:%d: an action must end on the line it starts on", file, line+i)
		}
		b.WriteString(prepared(s, line+i))
	}
	return parseText(file, b.String())
}

// prepared keeps one line break per line, for the counting of lines: behind the words, or inside the last control action.
func prepared(s string, line int) string {
	if strings.TrimSpace(s) == "" {
		return "\n"
	}
	if strings.Contains(s, "{{") && controlLine.MatchString(s) {
		s = strings.TrimSpace(s)
		return strings.TrimSuffix(s, "}}") + "\n}}"
	}
	return string(lineOpen) + strconv.Itoa(line) + string(lineClose) + s + "\n"
}

func parseText(file, text string) (*template.Template, error) {
	t, err := template.New(file).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return t, nil
}
