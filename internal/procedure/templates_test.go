package procedure

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The mails are written elsewhere. Each must exist in both languages, go to whom the procedure sends it, and need nothing that
// the procedure does not give it.
func TestEveryMailExistsAndIsGivenWhatItNeeds(t *testing.T) {
	for _, key := range Templates() {
		def, _ := templateNamed(key)
		for _, lang := range []string{"zh-CN", "en"} {
			front := frontMatter(t, key, lang)
			to := map[string]Recipient{"customer": ToCustomer, "registered": ToRegistered, "internal": ToStaff}[front.To]
			if to != def.To {
				t.Errorf("%s.%s goes to %s, the procedure sends it to %s", key, lang, front.To, def.To)
			}
			for name, v := range front.Variables {
				link := slices.Contains([]string{"link", "undo_link", "secure_link"}, name) && def.Page != ""
				if !link && !v.Optional && !slices.Contains(def.Vars, name) {
					t.Errorf("%s.%s needs %s, which the procedure does not promise", key, lang, name)
				}
			}
			for _, name := range def.Vars {
				if _, ok := front.Variables[strings.TrimSuffix(name, "?")]; !ok {
					t.Errorf("%s.%s does not know %s", key, lang, name)
				}
			}
		}
	}
}

type front struct {
	To        string
	Variables map[string]struct{ Optional bool }
}

func frontMatter(t *testing.T, key, lang string) front {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../templates/mail", key+"."+lang+".md"))
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return front{}
	}
	_, rest, _ := strings.Cut(string(b), "---\n")
	head, _, _ := strings.Cut(rest, "\n---\n")
	var f front
	if err := yaml.Unmarshal([]byte(head), &f); err != nil {
		t.Errorf("%s.%s: %v", key, lang, err)
	}
	return f
}
