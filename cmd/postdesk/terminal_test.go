package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"postdesk/internal/email"
)

func TestShort_LongTextIsCutAtOnce(t *testing.T) {
	done := make(chan string, 1)
	go func() { done <- short(strings.Repeat("长", 3_000_000), 400) }()
	select {
	case s := <-done:
		if columns(s) > 400 || !strings.HasSuffix(s, "…") {
			t.Errorf("%d places", columns(s))
		}
	case <-time.After(20 * time.Second):
		t.Fatal("cutting nine megabytes does not end")
	}
	for in, want := range map[string]string{"abc": "abc", "abcdef": "abcd…", "abcde": "abcde", "长长长": "长长…", "a长长b": "a长…"} {
		if got := short(in, 5); got != want {
			t.Errorf("short(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPrintInspection_KeepsControlCharactersFromTheTerminal(t *testing.T) {
	raw := "From: a@example.org\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nline one\r\n\x1b]0;owned\x07\x1b[2Jline \u009b2J \u202etwo\r\n"
	var out bytes.Buffer
	if err := printInspection(&out, email.Inspect([]byte(raw))); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\x07\u009b\u202e") {
		t.Errorf("%q", out.String())
	}
	if !strings.Contains(out.String(), "line one\n") {
		t.Errorf("lines are kept: %q", out.String())
	}
}

func TestReport_IsOneCleanLine(t *testing.T) {
	var out bytes.Buffer
	code := report(errors.Join(errors.New("imap: \x1b[2Jno"), errors.New("close")), streams{err: &out})
	if code != 1 || out.String() != "postdesk: imap:  [2Jno; close\n" {
		t.Errorf("%d %q", code, out.String())
	}
}
