package email

import (
	"bytes"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func outgoing() Outgoing {
	return Outgoing{
		FromName: "OKPay 客服", From: "support@okpay.example", To: "li.lei@example.com", ToName: "李雷",
		ReplyTo: "support+t.ceaaaaaacgjv3udb2imwyhac75wm5yxcza53gare@okpay.example",
		Subject: "您的请求已收到", Text: "您好：\n\n我们已收到您的邮件。\n.\nFrom here on\n", HTML: "<p>您好：</p>\n<p>我们已收到您的邮件。</p>\n",
		Language: "zh-Hans", MessageID: "pd.cmaaaaaaawjv3ufdjrvlgdiad5etlcumutcqzdrk.gmqh76ew@okpay.example",
		InReplyTo: "abc@example.com", References: []string{"first@example.com", "abc@example.com"},
		Date: time.Date(2026, 2, 3, 9, 0, 0, 0, time.UTC), AutoSubmitted: "auto-replied", Loop: "v1;okpay;1;00112233445566778899aabbccddeeff",
	}
}

// TestT3_6_OutgoingMails compares rendered mails byte by byte with golden files.
func TestT3_6_OutgoingMails(t *testing.T) {
	ack, agent, plain := outgoing(), outgoing(), outgoing()
	agent.AutoSubmitted, agent.Loop = "", ""
	plain.HTML, plain.FromName, plain.ToName, plain.ReplyTo, plain.AutoSubmitted, plain.Language = "", "OKPay", "", "", "auto-generated", "en"
	plain.Subject, plain.Text = "Reminder: documents", "Hello,\n\nplease send the documents.\n"
	for name, o := range map[string]Outgoing{"acknowledgement": ack, "agent": agent, "reminder-plain": plain} {
		raw, err := Compose(o)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "compose", name+".eml")
		if *update {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, want) {
			t.Errorf("%s:\n%s", name, raw)
		}
	}
}

func TestT3_6_AutomaticAndAgentMailsAreMarkedApart(t *testing.T) {
	o := outgoing()
	o.AutoSubmitted = ""
	cases := map[string]struct {
		o        Outgoing
		auto     string
		suppress string
	}{"automatic": {outgoing(), "auto-replied", "All"}, "agent": {o, "", "OOF"}}
	for name, c := range cases {
		raw, err := Compose(c.o)
		if err != nil {
			t.Fatal(err)
		}
		h := &Parse(raw).Header
		if h.First("Auto-Submitted") != c.auto || h.First("X-Auto-Response-Suppress") != c.suppress || h.Has("Precedence") || h.Has("User-Agent") || h.Has("X-Mailer") {
			t.Errorf("%s:\n%s", name, raw)
		}
	}
}

func TestComposedMailReadsBackAsWritten(t *testing.T) {
	o := outgoing()
	raw, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	m := Parse(raw)
	if m.Subject != o.Subject || m.FromName != o.FromName || m.From != o.From || m.MessageID != o.MessageID || m.ReplyTo[0] != o.ReplyTo ||
		m.Text != strings.TrimSpace(o.Text) || !m.Date.Equal(o.Date) || m.InReplyTo[0] != o.InReplyTo || len(m.References) != 2 || m.RawHTML() != o.HTML {
		t.Errorf("%+v\n%s", m, raw)
	}
	again, _ := Compose(o)
	if !bytes.Equal(raw, again) {
		t.Error("the same mail renders to other bytes")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 100 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line %q", line)
		}
		for _, c := range line {
			if c >= 0x80 {
				t.Fatalf("8-bit line %q", line)
			}
		}
	}
}

// TestT5_9_NoValueAddsAHeaderField tries to smuggle a Bcc line through every value.
func TestT5_9_NoValueAddsAHeaderField(t *testing.T) {
	const evil = "x\r\nBcc: victim@example.com\r\n\r\nbody"
	values := map[string]func(*Outgoing, string){
		"FromName": func(o *Outgoing, v string) { o.FromName = v }, "From": func(o *Outgoing, v string) { o.From = v }, "To": func(o *Outgoing, v string) { o.To = v },
		"ToName": func(o *Outgoing, v string) { o.ToName = v }, "ReplyTo": func(o *Outgoing, v string) { o.ReplyTo = v }, "Subject": func(o *Outgoing, v string) { o.Subject = v },
		"Language": func(o *Outgoing, v string) { o.Language = v }, "MessageID": func(o *Outgoing, v string) { o.MessageID = v }, "InReplyTo": func(o *Outgoing, v string) { o.InReplyTo = v },
		"References": func(o *Outgoing, v string) { o.References = []string{v} }, "Loop": func(o *Outgoing, v string) { o.Loop = v }, "AutoSubmitted": func(o *Outgoing, v string) { o.AutoSubmitted = v },
		"Extra name": func(o *Outgoing, v string) { o.Extra = map[string]string{v: "1"} }, "Extra": func(o *Outgoing, v string) { o.Extra = map[string]string{"X-Postdesk-Retry": v} },
		"Extra address": func(o *Outgoing, v string) { o.Extra = map[string]string{"Bcc": "victim@example.com"} },
	}
	for name, set := range values {
		for _, v := range []string{evil, strings.ReplaceAll(evil, "\r\n", "\n"), strings.ReplaceAll(evil, "\r\n", "\r"), "a@example.com" + evil, mime.QEncoding.Encode("utf-8", evil), "x\x00Bcc: y"} {
			o := outgoing()
			set(&o, v)
			raw, err := Compose(o)
			if err != nil {
				continue
			}
			m := Parse(raw)
			if m.Header.Has("Bcc") || len(m.To) != 1 || m.To[0] != "li.lei@example.com" || !strings.HasPrefix(m.Text, "您好") || bytes.IndexByte(raw, 0) >= 0 {
				t.Errorf("%s %q:\n%s", name, v, raw)
			}
		}
	}
}

func TestComposeRefusesWhatCannotBeSent(t *testing.T) {
	broken := map[string]func(*Outgoing){
		"no text": func(o *Outgoing) { o.Text = " \n" }, "no date": func(o *Outgoing) { o.Date = time.Time{} }, "no id": func(o *Outgoing) { o.MessageID = "" },
		"id in brackets": func(o *Outgoing) { o.MessageID = "<a@b>" }, "two recipients": func(o *Outgoing) { o.To = "a@example.com, b@example.com" }, "no domain": func(o *Outgoing) { o.To = "li" },
		"auto-submitted no": func(o *Outgoing) { o.AutoSubmitted = "no" },
	}
	for name, change := range broken {
		o := outgoing()
		change(&o)
		if raw, err := Compose(o); err == nil {
			t.Errorf("%s:\n%s", name, raw)
		}
	}
}

func TestReferencesAreTrimmedInTheMiddle(t *testing.T) {
	ids := []string{"first@example.com"}
	for range 100 {
		ids = append(ids, strings.Repeat("m", 40)+"@example.com")
	}
	ids = append(ids, "bad id", "last@example.com")
	got := trimReferences(ids)
	if len(got) > referenceRoom+20 || !strings.HasPrefix(got, "<first@example.com> ") || !strings.HasSuffix(got, " <last@example.com>") || strings.Contains(got, "bad") {
		t.Errorf("%d %s", len(got), got)
	}
	if trimReferences(nil) != "" || trimReferences(ids[:1]) != "<first@example.com>" {
		t.Error("short lists")
	}
}

// TestPreformattedFieldsAreNotUsed keeps out the one setter of go-mail that writes its value as it is.
func TestPreformattedFieldsAreNotUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f, "_test.go") && bytes.Contains(src, []byte("Preformatted")) {
			t.Errorf("%s uses it", f)
		}
	}
}
