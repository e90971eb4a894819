package body

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpus reads labelled mails where a directory of them is named: whatever the labels find in a mail must be in
// the text that counts, and no mail may lose a line.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("POSTDESK_CORPUS")
	if dir == "" {
		t.Skip("POSTDESK_CORPUS names no directory of labelled mails")
	}
	f, err := os.Open(filepath.Join(dir, "dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var mail struct {
			ID, Subject, Body string
			Facts             map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &mail); err != nil {
			t.Fatal(err)
		}
		p := SplitMail(mail.Subject, mail.Body)
		covered(t, mail.Body, p)
		for name, value := range mail.Facts {
			if !strings.Contains(p.Counted(), value) && !strings.Contains(mail.Subject, value) {
				t.Errorf("%s: %s is not in the text that counts", mail.ID, name)
			}
		}
		if blank(p.Counted()) && !blank(mail.Body) {
			t.Errorf("%s: nothing counts", mail.ID)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat("A line of an ordinary mail of a customer: it has some words.\n", 60) + "\nOn Tue, Dec 3, 2024 at 11:08 AM X <x@example.com> wrote:\n" + strings.Repeat("> an older line with some words\n", 60)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Split(text)
	}
}

func BenchmarkTextFromHTML(b *testing.B) {
	src := strings.Repeat(`<div class="a" style="font-size:14px;color:#333">A line <b>of</b> an <a href="https://a.example/">ordinary</a> mail</div>`, 60)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		TextFromHTML(src)
	}
}

func BenchmarkSanitise(b *testing.B) {
	src := strings.Repeat(`<div class="a" style="font-size:14px;color:#333">A line <b>of</b> an <a href="https://a.example/">ordinary</a> mail</div>`, 60)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Sanitise(src, nil)
	}
}
