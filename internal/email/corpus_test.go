package email

import (
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"
	"unicode/utf8"
)

// TestCorpusIsReadWithoutRefusal parses every file of a folder of foreign mails, if POSTDESK_CORPUS names one. With POSTDESK_CORPUS_OUT
// the results are written there, one JSON file a mail, to be read by a person.
func TestCorpusIsReadWithoutRefusal(t *testing.T) {
	root := os.Getenv("POSTDESK_CORPUS")
	if root == "" {
		t.Skip("POSTDESK_CORPUS is not set")
	}
	type timing struct {
		path string
		took time.Duration
	}
	var times []timing
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".jsonl" || filepath.Ext(path) == ".md" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		start := time.Now()
		in := Inspect(raw)
		times = append(times, timing{path, time.Since(start)})
		out, err := in.JSON()
		if err != nil || !utf8.Valid(out) {
			t.Errorf("%s: %v", path, err)
		}
		if dir := os.Getenv("POSTDESK_CORPUS_OUT"); dir != "" {
			return os.WriteFile(filepath.Join(dir, filepath.Base(filepath.Dir(path))+"_"+filepath.Base(path)+".json"), out, 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Slice(times, func(i, j int) bool { return times[i].took > times[j].took })
	for _, slow := range times[:min(5, len(times))] {
		t.Logf("%v %s", slow.took, slow.path)
	}
	t.Logf("%d mails", len(times))
}
