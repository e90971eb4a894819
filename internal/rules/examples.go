package rules

import (
	"fmt"
	"strings"
)

// Failure is an example that a rule did not treat as its file says.
type Failure struct {
	Rule    string
	Where   string // file:line of the example
	Example string
	Want    bool // whether the rule should have held
	Decided string
}

func (f Failure) Error() string {
	verb := "should hold for"
	if !f.Want {
		verb = "should not hold for"
	}
	return fmt.Sprintf("%s: rule %s %s %q (filed as %s)", f.Where, f.Rule, verb, f.Example, f.Decided)
}

// Test runs every rule's examples and counter-examples and returns those that fail. An example is a body; a first line
// "Subject: …" gives a subject.
func (s *Set) Test() []Failure {
	var failures []Failure
	for i := range s.rules {
		r := &s.rules[i]
		for _, e := range r.examples {
			failures = s.check(failures, r, e, true)
		}
		for _, e := range r.counter {
			failures = s.check(failures, r, e, false)
		}
	}
	return failures
}

func (s *Set) check(failures []Failure, r *rule, e example, want bool) []Failure {
	f := Facts{Body: e.text}
	if rest, ok := strings.CutPrefix(e.text, "Subject: "); ok {
		f.Subject, f.Body, _ = strings.Cut(rest, "\n")
	}
	held, d := s.holds(r.id, f)
	if held == want {
		return failures
	}
	return append(failures, Failure{r.id, e.where.String(), e.text, want, string(d.Category)})
}

// holds classifies f and reports whether the rule held in it.
func (s *Set) holds(id string, f Facts) (bool, Decision) {
	d := s.Classify(f)
	for _, fired := range d.fired {
		if fired == id {
			return true, d
		}
	}
	return false, d
}
