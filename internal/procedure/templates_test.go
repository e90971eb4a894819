package procedure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

type front struct {
	To        string
	Variables map[string]struct {
		Type     string
		Optional bool
		Values   []string
		Fields   []string
	}
}

func frontMatter(key, lang string) (front, error) {
	b, err := os.ReadFile(filepath.Join("../../templates/mail", key+"."+lang+".md"))
	if err != nil {
		return front{}, err
	}
	_, rest, _ := strings.Cut(string(b), "---\n")
	head, _, _ := strings.Cut(rest, "\n---\n")
	var f front
	return f, yaml.Unmarshal([]byte(head), &f)
}

// The mails are written elsewhere. Each must exist in both languages, go to whom the procedure sends it, and need nothing that
// the procedure does not give it.
func TestEveryMailExistsAndIsGivenWhatItNeeds(t *testing.T) {
	for _, key := range Templates() {
		def, _ := templateNamed(key)
		for _, lang := range []string{"zh-CN", "en"} {
			front, err := frontMatter(key, lang)
			if err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			to := map[string]Recipient{"customer": ToCustomer, "registered": ToRegistered, "internal": ToStaff}[front.To]
			if to != def.To {
				t.Errorf("%s.%s goes to %s, the procedure sends it to %s", key, lang, front.To, def.To)
			}
			for name, v := range front.Variables {
				if !isLink(name, def) && !v.Optional && !slices.Contains(def.Vars, name) {
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

func isLink(name string, def templateDef) bool {
	return slices.Contains([]string{"link", "undo_link", "secure_link"}, name) && def.Page != ""
}

var fronts = sync.OnceValues(func() (map[string]front, error) {
	out := map[string]front{}
	for _, key := range Templates() {
		f, err := frontMatter(key, "en")
		if err != nil {
			return nil, err
		}
		out[key] = f
	}
	return out, nil
})

// wrongVar says which value of a mail is missing or is not of the form its template declares.
func wrongVar(e Effect) string {
	all, err := fronts()
	if err != nil {
		return err.Error()
	}
	def, _ := templateNamed(e.Template)
	for name, v := range all[e.Template].Variables {
		got, ok := e.Vars[name]
		if !ok && !v.Optional && !isLink(name, def) {
			return fmt.Sprintf("%s has no %s", e.Template, name)
		}
		if ok && !suits(v.Type, v.Values, v.Fields, got) {
			return fmt.Sprintf("%s: %s is %T %v, a %s is needed", e.Template, name, got, got, v.Type)
		}
	}
	return ""
}

func suits(kind string, values, fields []string, got any) bool {
	switch v := got.(type) {
	case time.Time:
		return (kind == "time" || kind == "day") && !v.IsZero()
	case []string:
		return kind == "list" && len(v) > 0 && !slices.Contains(v, "")
	case []map[string]string:
		for _, r := range v {
			for _, f := range fields {
				name, optional := strings.CutSuffix(f, "?")
				if r[name] == "" && !optional {
					return false
				}
			}
		}
		return kind == "records" && len(v) > 0
	case bool:
		return kind == "flag"
	case int, int64:
		return kind == "number"
	case string:
		if kind == "choice" {
			return slices.Contains(values, v)
		}
		return v != "" && slices.Contains([]string{"text", "setting", "name", "code", "prose", "url"}, kind)
	}
	return false
}

func TestAWrongValueIsNoticed(t *testing.T) {
	for name, e := range map[string]Effect{
		"missing": {Template: "docs.rejected", Vars: map[string]any{"attempts_left": 1}},
		"form":    {Template: "docs.accepted_partial", Vars: map[string]any{"ok": "Passport", "missing": []string{"x"}}},
		"field":   {Template: "docs.rejected", Vars: map[string]any{"attempts_left": 1, "items": []map[string]string{{"name": "x"}}}},
		"choice":  {Template: "closure.withdrawn", Vars: map[string]any{"reason": "mood"}},
		"time":    {Template: "closure.cooling_off", Vars: map[string]any{"until": "tomorrow"}},
	} {
		if wrongVar(e) == "" {
			t.Errorf("%s: nothing was noticed", name)
		}
	}
}
