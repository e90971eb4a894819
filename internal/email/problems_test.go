package email

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryProblemIsExplained finds the codes in the source.
func TestEveryProblemIsExplained(t *testing.T) {
	noted := regexp.MustCompile(`note\("([a-z0-9_]+)"`)
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range noted.FindAllStringSubmatch(string(src), -1) {
			used[m[1]] = true
		}
	}
	for code := range used {
		if Explain(code) == "" {
			t.Errorf("%s is not explained", code)
		}
	}
	for code := range meanings {
		if !used[code] {
			t.Errorf("%s is explained and never noted", code)
		}
	}
}
