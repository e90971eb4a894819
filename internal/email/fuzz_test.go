package email

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse throws bytes at the whole reader: nothing panics, nothing but valid UTF-8 comes out, and the raw bytes stay as they are.
func FuzzParse(f *testing.F) {
	f.Add(alternative("hello", "<p>hello</p>"))
	f.Add([]byte("From: =?gb2312?B?16LP+g==?= <a@example.com>\r\nSubject: \xd7\xa2\xcf\xfa\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename*0*=gbk''%D7%A2; filename*1=.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8*=\r\n--b--\r\n"))
	f.Add([]byte("From a\n\nbegin 644 x\n#0V%T\n`\nend\n"))
	f.Add([]byte(dsnFor("a@example.com")))
	files, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "mail", "*", "*.eml"))
	for _, name := range files {
		if raw, err := os.ReadFile(name); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		in := Inspect(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("the raw bytes changed")
		}
		out, err := json.Marshal(in)
		if err != nil || !utf8.Valid(out) {
			t.Fatal(err)
		}
		if strings.ContainsAny(in.Subject+in.From+in.FromName+in.MessageID+strings.Join(in.To, ""), "\r\n\x00") {
			t.Fatalf("a header value holds a line end: %q", in.Subject)
		}
		for _, a := range in.Attachments {
			if a.Filename == "" || len(a.Filename) > maxNameBytes || strings.ContainsAny(a.Filename, "/\\\r\n\x00") {
				t.Fatalf("file name %q", a.Filename)
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("From a\nA: b\n c\nbad\nB : d\n\nbody"), true)
	f.Add([]byte(" \n\nA:\n"), false)
	f.Fuzz(func(t *testing.T, raw []byte, top bool) {
		r := headerReader{raw: raw, top: top, note: func(string) {}}
		fields, body := r.read()
		if len(body) > len(raw) || len(fields) > maxFields {
			t.Fatal(len(body), len(fields))
		}
		for _, field := range fields {
			if v := decodeText(unfold(field.value), ""); strings.ContainsAny(v, "\r\n\x00") || !utf8.ValidString(v) {
				t.Fatalf("%q: %q", field.name, v)
			}
		}
	})
}

func FuzzParams(f *testing.F) {
	f.Add(`text/plain; charset="utf-8"; name*0*=utf-8''a%20; name*1=b`)
	f.Add(`attachment; filename="a"b".pdf" x=`)
	f.Fuzz(func(t *testing.T, s string) {
		_, p := parseParams(s)
		for _, name := range []string{"name", "filename", "boundary"} {
			if v := p.text(name, ""); strings.ContainsAny(v, "\r\n\x00") || !utf8.ValidString(v) {
				t.Fatalf("%q", v)
			}
		}
	})
}

func FuzzDeliveryStatus(f *testing.F) {
	f.Add([]byte("Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n\n"))
	f.Add([]byte("Final-Recipient: \nAction: \n\n\n\nStatus: 4\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := parseStatus(body)
		if b != nil && (len(b.Recipients) == 0 || b.Action == "") {
			t.Fatalf("%+v", b)
		}
	})
}
