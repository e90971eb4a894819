package outbox

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"postdesk/internal/ticket"
)

func TestReadReply(t *testing.T) {
	for _, c := range []struct {
		in   string
		code int
		text string
		ok   bool
	}{
		{"250 2.0.0 Ok\r\n", 250, "2.0.0 Ok", true},
		{"250-one\r\n250-two\r\n250 three\r\n", 250, "one\ntwo\nthree", true},
		{"250\r\n", 250, "", true},
		{"250-one\r\n250\r\n", 250, "one\n", true},
		{"250 bare line feed\n", 250, "bare line feed", true},
		{"550 \xd3\xca\r\n", 550, "\xd3\xca", true},
		{"250-one\r\n550 two\r\n", 0, "", false},
		{"250-one\r\n", 0, "", false},
		{"250 no line end", 0, "", false},
		{"", 0, "", false},
		{"\r\n", 0, "", false},
		{"ok\r\n", 0, "", false},
		{"2500 long\r\n", 0, "", false},
		{"150 preliminary\r\n", 0, "", false},
		{"650 unknown\r\n", 0, "", false},
	} {
		code, text, err := readReply(bufio.NewReader(strings.NewReader(c.in)))
		if code != c.code || text != c.text || (err == nil) != c.ok {
			t.Errorf("%q: %d %q %v", c.in, code, text, err)
		}
	}
}

// FuzzReadReply: whatever a server sends, the verdict is one that the stage allows.
func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 2.0.0 Ok\r\n", "250-a\r\n250 b\r\n", "421 bye\r\n", "554 DT:SPM\r\n", "250-", "\xff\r\n"} {
		f.Add([]byte(s))
	}
	cfg := Config{Host: "localhost"}.withDefaults()
	now := time.Now()
	f.Fuzz(func(t *testing.T, in []byte) {
		code, text, err := readReply(bufio.NewReader(bytes.NewReader(in)))
		if again, words, err2 := readReply(bufio.NewReader(iotest.OneByteReader(bytes.NewReader(in)))); again != code || words != text || (err == nil) != (err2 == nil) {
			t.Fatalf("in pieces it is %d %q", again, words)
		}
		if (err == nil) != (code >= 200 && code < 600) {
			t.Fatalf("code %d with error %v", code, err)
		}
		for at := stageConnect; at <= stageDot; at++ {
			a := answer{stage: at, started: at >= stageData, code: code, text: text, err: err}
			r := cfg.result(Job{CreatedAt: now}, a, judge(a), now)
			switch {
			case r.State == ticket.Accepted && (at != stageDot || code/100 != 2):
				t.Fatalf("accepted at %s with %d", at, code)
			case r.State == ticket.Uncertain && (!a.started || code >= 400):
				t.Fatalf("uncertain at %s with %d", at, code)
			case r.State == ticket.Queued && (a.started || r.Attempts != 0):
				t.Fatalf("queued at %s after the start", at)
			case (r.State == ticket.Deferred || r.State == ticket.Queued) == r.Next.IsZero():
				t.Fatalf("%s with next attempt %v", r.State, r.Next)
			case strings.ContainsRune(r.Response, 0) || len(r.Response) > maxResponse || strings.ToValidUTF8(r.Response, "") != r.Response:
				t.Fatalf("response %q", r.Response)
			}
		}
	})
}

// FuzzStuff: what a dot-stuffing reader makes of the data is the message, and the data ends only at its end.
func FuzzStuff(f *testing.F) {
	for _, s := range []string{"a\r\n", ".\r\n", "..\r\n.\r\n", "\r\n.\r\n.", "a\n.\r\n", "a\r.\r\n", "a\r\n.b\r\n..c\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !canonical(raw) {
			return
		}
		data := stuff(raw)
		if bytes.Count(data, []byte("\r\n.\r\n"))+bytes.Count(data[:3], []byte(".\r\n")) != 1 {
			t.Fatalf("%q ends more than once", data)
		}
		// textproto's reader turns CRLF into LF
		got, err := io.ReadAll(textproto.NewReader(bufio.NewReader(bytes.NewReader(data))).DotReader())
		if err != nil || !bytes.Equal(bytes.ReplaceAll(got, []byte("\n"), []byte("\r\n")), raw) {
			t.Fatalf("%q became %q, %v", raw, got, err)
		}
	})
}

// FuzzEnvelope: no address makes a second command, a second address or a parameter.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{"a@b.test", "", "a@b.test> NOTIFY=NEVER", "a@b\r\nDATA", "用户@bücher.example", "\"a b\"@c.test", "a@\u3002", "a@b\u00a0c"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		e, err := newEnvelope(Job{ID: 7, MailFrom: from, To: to, Raw: []byte("\r\n")}, offer{dsn: true, utf8: true, size: true})
		if err != nil {
			return
		}
		for _, line := range []string{e.mail, e.rcpt} {
			if strings.ContainsAny(line, "\r\n\x00") || strings.Count(line, "<") != 1 || strings.Count(line, ">") != 1 {
				t.Fatalf("%q", line)
			}
			if path := line[strings.Index(line, "<"):strings.Index(line, ">")]; strings.ContainsAny(path, " \t") {
				t.Fatalf("%q", line)
			}
		}
	})
}
