package email

import (
	"slices"
	"strings"
	"testing"
)

// mailWith builds a mail of Li Lei with further header lines; lines that name From or Subject replace the usual ones.
func mailWith(lines ...string) []byte {
	header := map[string]string{"From": "From: Li Lei <li.lei@example.com>", "Subject": "Subject: Question", "To": "To: support@okpay.example"}
	var more []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		if _, ok := header[name]; ok {
			header[name] = line
			continue
		}
		more = append(more, line)
	}
	all := append([]string{header["From"], header["To"], header["Subject"], "Message-ID: <1@example.com>", "Date: Tue, 3 Feb 2026 09:00:00 +0000"}, more...)
	return []byte(strings.Join(all, "\r\n") + "\r\n\r\nHello\r\n")
}

// TestT3_1_KindsByHeader follows RFC 3834 and the fields that came before it.
func TestT3_1_KindsByHeader(t *testing.T) {
	cases := []struct {
		lines   []string
		kind    Kind
		noReply bool
	}{
		{nil, Human, false},
		{[]string{"Auto-Submitted: no"}, Human, false},
		{[]string{"Auto-Submitted: NO"}, Human, false},
		{[]string{"Auto-Submitted: no (a person)"}, Human, false},
		{[]string{"Auto-Submitted: no; x=y"}, Human, false},
		{[]string{"Auto-Submitted: auto-replied"}, AutoReply, true},
		{[]string{"auto-submitted: AUTO-REPLIED"}, AutoReply, true},
		{[]string{`Auto-Submitted: auto-replied; owner-email="x"`}, AutoReply, true},
		{[]string{"Auto-Submitted:\r\n auto-generated"}, AutoReply, true},
		{[]string{"Auto-Submitted: (vacation) auto-replied"}, AutoReply, true},
		{[]string{"Auto-Submitted: auto-notified"}, AutoReply, true},
		{[]string{"Auto-Submitted:"}, AutoReply, true},
		{[]string{"Auto-Submitted: x-unknown"}, AutoReply, true},
		{[]string{"Return-Path: <>"}, AutoReply, true},
		{[]string{"Return-Path: <li.lei@example.com>"}, Human, false},
		{[]string{"X-Autoreply: yes"}, AutoReply, true},
		{[]string{"X-Autoreply: no"}, Human, false},
		{[]string{"X-Autorespond:"}, AutoReply, true},
		{[]string{"X-AutoResponse: 1"}, AutoReply, true},
		{[]string{"X-Mail-Autoreply: on"}, AutoReply, true},
		{[]string{"X-FC-Machinegenerated: true"}, AutoReply, true},
		{[]string{"X-POST-MessageClass: 9; Autoresponder"}, AutoReply, true},
		{[]string{"Precedence: auto_reply"}, AutoReply, true},
		{[]string{"Precedence: junk"}, AutoReply, true},
		{[]string{"Precedence: bulk"}, List, true},
		{[]string{"Precedence: list"}, List, true},
		{[]string{"Precedence: BULK", "Subject: Out of Office: Question"}, AutoReply, true},
		{[]string{"Precedence: first-class"}, Human, false},
		{[]string{"List-Id: <news.example.com>"}, List, true},
		{[]string{"List-Post: <mailto:l@example.com>"}, List, true},
		{[]string{"List-Unsubscribe: <https://example.com/u>"}, List, true},
		{[]string{"Mailing-List: contact l@example.com"}, List, true},
		{[]string{"X-BeenThere: l@example.com"}, List, true},
		{[]string{"List-Id: <a.example.com>", "Auto-Submitted: auto-generated"}, AutoReply, true},
		{[]string{"X-Auto-Response-Suppress: All"}, Human, true},
		{[]string{"X-Auto-Response-Suppress: DR, OOF, AutoReply"}, Human, true},
		{[]string{"X-Auto-Response-Suppress: DR, RN"}, Human, false},
		{[]string{"X-Auto-Response-Suppress: None"}, Human, false},
		{[]string{"From: MAILER-DAEMON@example.com"}, AutoReply, true},
		{[]string{"From: postmaster@example.com"}, AutoReply, true},
		{[]string{"From: Bank <no-reply@example.com>"}, AutoReply, true},
		{[]string{"From: donotreply@example.com"}, AutoReply, true},
		{[]string{"From: bounce-123@example.com"}, AutoReply, true},
		{[]string{"From: Norbert Epley <norbert.epley@example.com>"}, Human, false},
		{[]string{"Subject: 自动回复: 我在休假"}, Human, true},
		{[]string{"Subject: Out of Office"}, Human, true},
		{[]string{"Subject: Automatische Antwort: Ihre Anfrage"}, Human, true},
		{[]string{"Subject: My account was closed while I was on holiday abroad and out of office"}, Human, false},
		{[]string{"From: a@example.com, b@example.com"}, Human, true},
		{[]string{"From: nobody knows"}, Human, true},
		{[]string{"From: Mail Delivery Subsystem <mailer-daemon@example.com>", "Subject: Undelivered Mail Returned to Sender"}, Bounced, true},
		{[]string{"X-Failed-Recipients: x@example.com"}, Bounced, true},
	}
	for _, c := range cases {
		m := Parse(mailWith(c.lines...))
		if m.Kind != c.kind || m.NoReply != c.noReply {
			t.Errorf("%q: %s no reply %v %v, want %s %v", c.lines, m.Kind, m.NoReply, m.Reasons, c.kind, c.noReply)
		}
	}
}

func TestT3_2_MissingReturnPathIsNotTheNullPath(t *testing.T) {
	if p := Parse(mailWith()).ReturnPath; p.Present || p.Null() {
		t.Errorf("missing: %+v", p)
	}
	if p := Parse(mailWith("Return-Path: <>")).ReturnPath; !p.Present || !p.Null() {
		t.Errorf("null: %+v", p)
	}
	if p := Parse(mailWith("Return-Path: <a@example.com>")).ReturnPath; p.Null() || p.Address != "a@example.com" {
		t.Errorf("address: %+v", p)
	}
}

func TestT3_4_OwnMailThatComesBackIsRecognised(t *testing.T) {
	tokens := testTokens(t, 1)
	other := testTokens(t, 2)
	cases := map[string]struct {
		lines []string
		own   bool
	}{
		"our mark":             {[]string{"X-Postdesk-Loop: " + tokens.Loop("okpay")}, true},
		"a forged mark":        {[]string{"X-Postdesk-Loop: v1;okpay;1;00112233445566778899aabbccddeeff"}, false},
		"another desk's mark":  {[]string{"X-Postdesk-Loop: " + other.Loop("okpay")}, false},
		"an answer to our id":  {[]string{"In-Reply-To: <" + tokens.MessageID("okpay.example", 5, "li.lei@example.com") + ">"}, false},
		"an ordinary question": {nil, false},
	}
	for name, c := range cases {
		if got := tokens.OwnLoop(Parse(mailWith(c.lines...))); got != c.own {
			t.Errorf("%s: %v", name, got)
		}
	}
	m := Parse([]byte("From: support@okpay.example\nMessage-ID: <" + tokens.MessageID("okpay.example", 5, "x@example.com") + ">\n\nhi\n"))
	if !tokens.OwnLoop(m) {
		t.Error("our own Message-ID is not recognised")
	}
	hops := slices.Repeat([]string{"Received: from a by b; Tue, 3 Feb 2026 09:00:00 +0000"}, 51)
	if m := Parse(mailWith(hops...)); m.Kind != OwnLoop {
		t.Errorf("51 hops: %s", m.Kind)
	}
	if m := Parse(mailWith(hops[:50]...)); m.Kind != Human {
		t.Errorf("50 hops: %s", m.Kind)
	}
}

func TestT3_9_CalendarAnswerIsNotAnswered(t *testing.T) {
	m := Parse(mailWith("MIME-Version: 1.0", "Content-Type: text/calendar; method=REPLY"))
	if m.Kind != Human || !m.NoReply || len(m.Attachments) != 1 || m.Attachments[0].Filename != "attachment-1.ics" {
		t.Errorf("%s %v %+v", m.Kind, m.NoReply, m.Attachments)
	}
}
