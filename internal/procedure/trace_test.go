package procedure

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of requirements names items, mails, states and procedures. All of them have to exist.
func TestRequirementsAreTraced(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	s := load(t)
	known := map[string]bool{}
	for _, k := range Templates() {
		known[k] = true
	}
	states := map[string]bool{}
	for _, p := range s.Profiles() {
		for _, name := range s.Procedures() {
			m := s.Machine(p, name)
			for k := range m.Items {
				known[k] = true
			}
			for k := range m.States {
				states[k] = true
			}
		}
	}
	rows := regexp.MustCompile(`(?m)^//\tR(\d+)\s+(.*)$`).FindAllStringSubmatch(string(b), -1)
	for i, row := range rows {
		if row[1] != fmt.Sprint(i+1) {
			t.Fatalf("row %d is R%s", i+1, row[1])
		}
		if len(row[2]) < 50 {
			t.Errorf("R%s says where nothing: %q", row[1], row[2])
			continue
		}
		for _, word := range regexp.MustCompile(`[a-z]+\.[a-z0-9_]+`).FindAllString(row[2], -1) {
			if !known[word] {
				t.Errorf("R%s names %s, which does not exist", row[1], word)
			}
		}
		for _, list := range regexp.MustCompile(`\bstates? ([a-z_]+(?:, [a-z_]+)*)`).FindAllStringSubmatch(row[2], -1) {
			for _, name := range strings.Split(list[1], ", ") {
				if !states[name] {
					t.Errorf("R%s names the state %s, which does not exist", row[1], name)
				}
			}
		}
		for _, name := range regexp.MustCompile(`\bprocedure ([a-z_]+)`).FindAllStringSubmatch(row[2], -1) {
			if !slices.Contains(s.Procedures(), name[1]) {
				t.Errorf("R%s names the procedure %s, which does not exist", row[1], name[1])
			}
		}
	}
	if len(rows) != 76 {
		t.Errorf("%d rows", len(rows))
	}
}

// Who edits the files reads config/procedures/README.md. It has to name every event, condition and action there is.
func TestTheGuideForEditorsIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../config/procedures/README.md")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z_0-9.]+`).FindAllString(string(b), -1)
	need := slices.Concat(events(), checkNames(), sortedKeys(actionNames()))
	for _, g := range guards() {
		need = append(need, g.name)
	}
	for _, name := range need {
		if !slices.Contains(words, name) && !slices.Contains(words, name+".") {
			t.Errorf("%s is not explained", name)
		}
	}
}
