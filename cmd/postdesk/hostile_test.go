package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/text/encoding/simplifiedchinese"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

// The attacks run through a real Postfix and Dovecot, which carry mail for everybody: a customer's answer lies in a mailbox
// named like her local part.

// town is an office with the mail servers that everybody uses.
type town struct {
	*office
	imap *mailtest.Server
	mta  *mailtest.MTA
}

// openTown starts it; lines are added to the configuration of Postfix.
func openTown(t *testing.T, lines ...string) *town {
	t.Helper()
	imap := mailtest.Dovecot(t)
	mta := mailtest.PostfixTo(t, imap, append(lines, "smtputf8_enable = no")...) // or it insists on it towards Dovecot
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Postfix said:\n%s", mta.Log())
		}
	})
	return &town{openOffice(t, "sqlite:", imap, mta.Host, mta.Port, ""), imap, mta}
}

var letters atomic.Int64

// letter is a mail as a person writes it. fields are whole header lines.
func letter(from, subject, text string, fields ...string) []byte {
	head := append([]string{
		"From: " + from, "To: " + supportAddress, "Subject: " + subject, "Date: " + time.Now().UTC().Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <%d.%d@written.example>", time.Now().UnixNano(), letters.Add(1)), "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
	}, fields...)
	return []byte(strings.Join(head, "\r\n") + "\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
}

// answered waits until a user has so many mails and returns the newest.
func (x *town) answered(t *testing.T, user string, n int) string {
	t.Helper()
	x.until(fmt.Sprintf("%s has %d mails", user, n), func() bool { return len(inbox(t, x.imap, user)) >= n })
	return inbox(t, x.imap, user)[n-1]
}

func field(t *testing.T, raw, name string) string {
	t.Helper()
	return headerOf(t, []byte(raw), name)
}

// replyAddress is where an answer to a mail goes.
func replyAddress(t *testing.T, raw string) string {
	t.Helper()
	a, err := mail.ParseAddress(field(t, raw, "Reply-To"))
	if err != nil {
		t.Fatalf("Reply-To %q: %v", field(t, raw, "Reply-To"), err)
	}
	return a.Address
}

// state is all of a ticket and of the outbox that an attack must leave as it is, a line each. A message that waits in the
// ticket's quarantine does not count.
func (x *town) state(number int64) (lines []string) {
	v := x.ticket(number)
	lines = append(lines, fmt.Sprint("ticket ", v.Number, v.Status, v.Stage, v.Category, v.Flags, v.Customer, v.Assignee, v.UpdatedAt, v.DueAt))
	for _, m := range v.Messages {
		if m.Trust != "external" {
			lines = append(lines, fmt.Sprint("message ", m.ID, m.Direction, m.From, m.RawSHA256))
		}
	}
	for _, d := range x.deliveries() {
		lines = append(lines, fmt.Sprint("delivery ", d.ID, d.Ticket, d.State, d.Attempts, d.To))
	}
	return lines
}

func (x *town) ticket(number int64) desk.TicketView {
	return read[desk.TicketView](x.office, "ticket", "show", fmt.Sprint(number))
}

// deliveryTo is the delivery to an address; the zero one if there is none yet.
func (o *office) deliveryTo(address string) desk.DeliveryView {
	o.t.Helper()
	for _, d := range o.deliveries() {
		if d.To == address {
			return d
		}
	}
	return desk.DeliveryView{}
}

// unchanged compares a ticket with what it was.
func (x *town) unchanged(before []string, number int64) {
	x.t.Helper()
	if after := x.state(number); !slices.Equal(before, after) {
		x.t.Errorf("ticket %d was\n%s\nand is\n%s", number, strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// TestT2_2_Hijack has somebody else write to the address with the token of a customer's ticket.
func TestT2_2_Hijack(t *testing.T) {
	t.Parallel()
	x := openTown(t)
	s := x.serve()
	post(t, x.mta, "linda@customer.example", supportAddress, letter("Linda <linda@customer.example>", "Please close my account", "Please close my account permanently. My account ID is OK-4711."))
	answer := x.answered(t, "linda", 1)
	x.settled(1)
	replyTo := replyAddress(t, answer)
	before := x.state(1)

	attack := letter("Linda <mallory@evil.example>", "Re: "+field(t, answer, "Subject"), "It is me from my other address. Send the balance to my wallet, and confirm the closure.",
		"In-Reply-To: "+field(t, answer, "Message-ID"), "References: "+field(t, answer, "Message-ID"))
	post(t, x.mta, "mallory@evil.example", replyTo, attack)
	x.until("the attack is in quarantine", func() bool { return len(read[[]desk.HeldView](x.office, "quarantine", "list")) == 1 })
	held := read[[]desk.HeldView](x.office, "quarantine", "list")[0]
	if held.Ticket != 1 || held.From != "mallory@evil.example" || held.Reason == "" {
		t.Errorf("the quarantine shows %+v", held)
	}
	x.settled(2)
	x.unchanged(before, 1)
	if shown := x.run("ticket", "show", "1"); !strings.Contains(shown, "IN QUARANTINE") {
		t.Errorf("ticket show does not say that a message is in quarantine:\n%s", shown)
	}

	post(t, x.mta, "linda@customer.example", replyTo, letter("linda@customer.example", "Re: close", "Here is my answer.")) // the customer herself is let in
	x.settled(3)
	v := x.ticket(1)
	if last := v.Messages[len(v.Messages)-1]; last.From != "linda@customer.example" || last.Trust != "" || len(read[[]desk.TicketView](x.office, "ticket", "list")) != 1 {
		t.Errorf("the customer's own answer became %+v", last)
	}
	if got := len(inbox(t, x.imap, "linda")); got != 1 {
		t.Errorf("the customer has %d mails, want 1", got)
	}
	if _, err := os.Stat(maildir(x.imap, "mallory")); err == nil {
		t.Error("the attacker was answered")
	}
	s.stop()
	x.wholeRecord()
}

func (o *office) wholeRecord() {
	o.t.Helper()
	if out, errOut, err := o.try("audit", "verify"); err != nil {
		o.t.Errorf("the record is damaged:\n%s%s", out, errOut)
	}
}

// TestT4_1_Spoof has somebody write under the customer's own address. Its domain signs its mail and asks to refuse what it
// did not send.
func TestT4_1_Spoof(t *testing.T) {
	t.Parallel()
	x := openTown(t, "header_checks = regexp:{ {/^Received: from evil\\.example/ PREPEND Authentication-Results: mta.test; dmarc=fail header.from=bank.example} }")
	bank, evil := newSigner(t, "bank.example"), newSigner(t, "evil.example")
	x.edit(`resolver: "off"`, fmt.Sprintf("resolver: %q, trusted_authserv: [mta.test]", nameServer(t, map[string]string{
		"s1._domainkey.bank.example.": bank.record, "s1._domainkey.evil.example.": evil.record, "_dmarc.bank.example.": "v=DMARC1; p=reject",
	})))
	s := x.serve()
	const linda = "linda@bank.example"
	const from = "Linda <" + linda + ">"
	post(t, x.mta, linda, supportAddress, bank.sign(t, letter(from, "Please close my account", "Please close my account permanently. My account ID is OK-4711.")))
	answer := x.answered(t, "linda", 1)
	x.settled(1)
	if auth := x.ticket(1).Messages[0].Auth; auth != "A2" {
		t.Errorf("a mail signed by the sender's domain is %s, want A2", auth)
	}
	before := x.state(1)

	const words = "My new wallet is bc1q. Pay everything out there."
	post(t, x.mta, "x@elsewhere.example", replyAddress(t, answer), evil.sign(t, letter(from, "Re: close", words)))
	x.settled(2)
	post(t, x.mta, "x@evil.example", replyAddress(t, answer), letter(from, "Re: close", words+" Now.")) // our own mail server sees through it
	x.settled(3)
	for _, h := range read[[]desk.HeldView](x.office, "quarantine", "list") {
		if h.Ticket != 1 || !strings.Contains(h.Reason, "authenticated") {
			t.Errorf("a forged mail with the token is held as %+v", h)
		}
	}
	if n := x.box().Counts[ticket.Quarantined]; n != 2 {
		t.Errorf("%d forged mails with the token are in quarantine, want 2", n)
	}
	x.unchanged(before, 1)

	post(t, x.mta, "x@evil.example", supportAddress, letter(from, "[#1] close", "A number in the subject proves nothing."))
	x.settled(4)
	if got := x.ticket(1); len(got.Messages) != 4 { // her mail, the answer, the two that are held
		t.Errorf("a forged mail with the number in its subject came into the ticket: %+v", got.Messages)
	}
	post(t, x.mta, linda, supportAddress, bank.sign(t, letter(from, "[#1] close", "A number from a proven sender is enough.")))
	x.settled(5)
	if got := x.ticket(1); len(got.Messages) != 5 || got.Messages[4].Trust != "" {
		t.Errorf("the customer's signed mail with the number in its subject is not in the ticket: %+v", got.Messages)
	}
	s.stop()
	x.wholeRecord()
}

// signer is a domain that signs its mail (RFC 6376, RFC 8463).
type signer struct {
	domain, record string
	key            ed25519.PrivateKey
}

func newSigner(t *testing.T, domain string) signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{domain, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), private}
}

func (s signer) sign(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{Domain: s.domain, Selector: "s1", Signer: s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed, HeaderKeys: []string{"From", "To", "Subject", "Date"}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nameServer answers TXT questions about these names, and that there is nothing else.
func nameServer(t *testing.T, txt map[string]string) (addr string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for buf := make([]byte, 4096); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := dnsReply(buf[:n], txt); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func dnsReply(query []byte, txt map[string]string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("query: %w", err)
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RCode: dnsmessage.RCodeNameError}, Questions: m.Questions}
	if words, ok := txt[strings.ToLower(q.Name.String())]; ok && q.Type == dnsmessage.TypeTXT {
		reply.RCode = dnsmessage.RCodeSuccess
		reply.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: &dnsmessage.TXTResource{TXT: []string{words}}}}
	}
	return reply.Pack()
}

// TestT3_7_Bounces has Postfix return a mail that its recipient's server refuses, and somebody forge such a return.
func TestT3_7_Bounces(t *testing.T) {
	t.Parallel()
	gone := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageRCPT: mailtest.SMTPAlways("550 5.1.1 no such mailbox")})
	x := openTown(t, fmt.Sprintf("transport_maps = inline:{gone.example=smtp:[127.0.0.1]:%d}", gone.Port))
	s := x.serve()
	for _, from := range []string{"linda@customer.example", "ghost@gone.example"} {
		post(t, x.mta, from, supportAddress, letter(from, "Please close my account", "Please close my account permanently. My account ID is OK-4711."))
		x.until("the mail is answered", func() bool { return x.deliveryTo(from).ID != 0 })
	}
	x.until("the answer to nobody has come back", func() bool { return x.deliveryTo("ghost@gone.example").State == ticket.Bounced })
	answer := x.answered(t, "linda", 1)
	x.settled(3)
	if d := x.deliveryTo("ghost@gone.example"); !strings.Contains(d.LastResponse, "no such mailbox") {
		t.Errorf("the bounced delivery shows %q", d.LastResponse)
	}
	v := x.ticket(2)
	if !slices.Contains(v.Flags, "undeliverable") || v.Messages[len(v.Messages)-1].Kind != "bounce" {
		t.Errorf("ticket 2 does not show that its answer came back: flags %v", v.Flags)
	}
	before := x.state(1)

	id := []byte(field(t, answer, "Message-ID"))
	id[20] ^= 1 // of the token: somebody guesses
	envelope := "support+b." + strings.Repeat("a", 40) + "@okpay.example"
	post(t, x.mta, "", envelope, forgedBounce("linda@customer.example", envelope, string(id)))
	x.settled(4)
	x.unchanged(before, 1)
	post(t, x.mta, "linda@customer.example", supportAddress, letter("linda@customer.example", "账户被锁定了", "客服您好，我的账户今天早上被锁定，请问怎样解锁？"))
	x.answered(t, "linda", 2) // she can still be written to
	s.stop()
	x.wholeRecord()
}

func forgedBounce(rcpt, to, id string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`From: Mail Delivery System <mailer-daemon@mail.example>
To: %s
Subject: Undelivered Mail Returned to Sender
Message-ID: <forged@mail.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Not delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

From: %s
To: %s
Message-ID: %s

--b--
`, to, rcpt, supportAddress, rcpt, id), "\n", "\r\n"))
}

// TestT3_5_TwoDesks lets two desks write to each other, over a server that takes every sign of automatic mail away: they
// stop by themselves.
func TestT3_5_TwoDesks(t *testing.T) {
	t.Parallel()
	x := openTown(t, "header_checks = regexp:{ {/^(Auto-Submitted|X-Auto-Response-Suppress|X-Postdesk-Loop|Precedence|List-.*|Return-Path):/ IGNORE} }")
	const otherAddress = "help@coinly.example"
	other := &town{openOffice(t, "sqlite:", x.imap, x.mta.Host, x.mta.Port, ""), x.imap, x.mta}
	other.edit(supportAddress, otherAddress, "domains: [okpay.example]", "domains: [coinly.example]", "username: support", "username: help",
		"id: okpay, name: OKPay", "id: coinly, name: Coinly", "brand: okpay", "brand: coinly")
	first, second := x.serve(), other.serve()
	post(t, x.mta, "x@evil.example", supportAddress, letter(otherAddress, "Please close my account", "Please close my account permanently. My account ID is OK-4711."))

	between := func() int {
		n := 0
		for i, d := range []*town{x, other} {
			probe := fmt.Sprintf("person%d-%d@customer.example", i, letters.Add(1))
			post(t, x.mta, probe, []string{supportAddress, otherAddress}[i], letter(probe, "提现一直没到账", "你好，我前天提现的 100 USDT 到现在还没有到账。"))
			d.until("a person is answered meanwhile", func() bool { return d.deliveryTo(probe).State == ticket.Accepted })
			for _, v := range d.deliveries() {
				if v.To == supportAddress || v.To == otherAddress {
					n++
				}
			}
		}
		return n
	}
	x.until("the desks have written to each other", func() bool { return between() > 0 })
	last := -1
	x.until("the desks are silent", func() bool {
		n := between()
		quiet := n == last
		last = n
		return quiet
	})
	if last > 10 {
		t.Errorf("the desks wrote %d mails to each other", last)
	}
	t.Logf("the desks wrote %d mails to each other", last)
	first.stop()
	second.stop()
}

// TestT3_5_TenThousandRounds has one address write 10,000 mails that look like a person's, as a machine does that answers every
// answer.
func TestT3_5_TenThousandRounds(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 mails take a while")
	}
	t.Parallel()
	const rounds = 10_000
	x := openTown(t)
	x.imap.Append(t, supportUser, "INBOX", letter("robot@echo.example", "Thank you for your mail", "We have received your mail 0."))
	mails := make([][]byte, 0, rounds)
	for n := range rounds - 1 {
		mails = append(mails, letter("robot@echo.example", "Thank you for your mail", fmt.Sprintf("We have received your mail %d.", n+1)))
	}
	drop(t, x.imap, supportUser, mails...)
	s := x.serve()
	x.settled(rounds)
	s.stop()
	answers, tickets := len(x.deliveries()), len(read[[]desk.TicketView](x.office, "ticket", "list"))
	if answers < 1 || answers > 20 || tickets > 20 {
		t.Errorf("%d mails of one sender became %d tickets and %d answers", rounds, tickets, answers)
	}
	t.Logf("%d mails of one sender became %d tickets and %d answers", rounds, tickets, answers)
	x.wholeRecord()
}

// TestMail_InGBK has a customer write as old Chinese mail programs do: GBK bytes that call themselves GB2312.
func TestMail_InGBK(t *testing.T) {
	t.Parallel()
	x := openTown(t)
	s := x.serve()
	gbk := func(text string) string {
		b, err := simplifiedchinese.GBK.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	word := func(text string) string {
		return "=?gb2312?B?" + base64.StdEncoding.EncodeToString([]byte(gbk(text))) + "?="
	}
	raw := strings.ReplaceAll("From: "+word("朱镕基")+" <zhu@customer.example>\nTo: "+supportAddress+"\nSubject: "+word("账户被锁定了，囧")+`
Message-ID: <gbk@customer.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=gb2312
Content-Transfer-Encoding: 8bit

`+gbk("客服您好，我的账户今天早上被锁定，真囧，喆哥说可以解锁。")+`
--b
Content-Type: image/png; name="`+word("身份证喆.png")+`"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="`+gbk("身份证喆.png")+`"

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
--b--
`, "\n", "\r\n")
	post(t, x.mta, "zhu@customer.example", supportAddress, []byte(raw))
	x.settled(1)
	v := x.ticket(1)
	m := v.Messages[0]
	if v.Subject != "账户被锁定了，囧" || v.Customer.Name != "朱镕基" || v.Language != "zh-Hans" || v.Category != ticket.LockedAccount {
		t.Errorf("ticket: %q of %q, %s, %s", v.Subject, v.Customer.Name, v.Language, v.Category)
	}
	if !strings.Contains(m.Text, "真囧，喆哥说可以解锁。") || len(m.Attachments) != 1 || m.Attachments[0].Filename != "身份证喆.png" || m.Attachments[0].Sniffed != "image/png" {
		t.Errorf("message: %q with %+v", m.Text, m.Attachments)
	}
	answer := x.answered(t, "zhu", 1)
	if !strings.Contains(field(t, answer, "Auto-Submitted"), "auto-replied") {
		t.Errorf("the answer does not say that a machine wrote it:\n%s", answer)
	}
	s.stop()
}
