package reply_test

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"postdesk/internal/reply"
	"postdesk/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var builtin = sync.OnceValues(func() (*reply.Set, error) { return check(templates.FS()) })

// load returns the built-in templates.
func load(t testing.TB) *reply.Set {
	t.Helper()
	s, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryTemplateLooksAsItDid(t *testing.T) {
	s := load(t)
	for _, key := range s.Keys() {
		for _, lang := range reply.Languages() {
			t.Run(key+"."+lang, func(t *testing.T) {
				r, err := s.Preview(key, lang)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, key+"."+lang+".golden", "Subject: "+r.Subject+"\n\n-- text --\n"+r.Text+"-- html --\n"+r.HTML)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (rewrite with -update and read the diff):\n%s", file, diff)
	}
}
