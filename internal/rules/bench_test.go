package rules_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"postdesk/internal/rules"
)

func BenchmarkClassify(b *testing.B) {
	benchmark(b, load(b))
}

// BenchmarkClassifyTenfold runs the same mails against ten times the terms and ten times the rules.
func BenchmarkClassifyTenfold(b *testing.B) {
	_, terms, count := load(b).Size()
	more := fstest.MapFS{}
	dir := os.DirFS("../../config/rules")
	fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, _ := fs.ReadFile(dir, name)
			more[name] = &fstest.MapFile{Data: data}
		}
		return err
	})
	var words, extra strings.Builder
	words.WriteString("language: en\nterms:\n  ACCOUNT:\n")
	extra.WriteString("rules:\n")
	for i := range 9 * terms {
		fmt.Fprintf(&words, "    - word%dly thing%d\n", i*7919%1000003, i)
	}
	for i := range 9 * count {
		fmt.Fprintf(&extra, "  - {id: more.%d, match: \"ACCOUNT ~%d 'filler%d'\", score: {other: 1}}\n", i, i%9+1, i)
	}
	more["zz-words.yaml"] = &fstest.MapFile{Data: []byte(words.String())}
	more["zz-rules.yaml"] = &fstest.MapFile{Data: []byte(extra.String())}
	set, err := rules.Load(more)
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, set)
}

func benchmark(b *testing.B, set *rules.Set) {
	mails := ownMails(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := mails[i%len(mails)]
		set.Classify(rules.Facts{Subject: m.Subject, Body: m.Body})
	}
}
