package email

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldenMails reads every mail of testdata/mail and compares what is told of it with the .golden file beside it. HTML and the
// split of quoted text have golden files of their own in package body.
func TestGoldenMails(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "mail")
	found := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".eml" {
			return err
		}
		found++
		name := strings.TrimSuffix(path, ".eml")
		t.Run(filepath.ToSlash(strings.TrimPrefix(name, root)), func(t *testing.T) { compareGolden(t, path, name+".golden") })
		return nil
	})
	if err != nil || found < 20 {
		t.Fatal(found, err)
	}
}

func compareGolden(t *testing.T, path, golden string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := Inspect(raw)
	in.HTML, in.NewText, in.Language = "", "", ""
	got, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\n got %s\nwant %s", path, got, want)
	}
}
