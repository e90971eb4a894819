package email

import (
	"regexp"
	"slices"
	"strings"
)

// Bounce is what a report about one of our mails says. Its first four fields are those of the recipient that matters most: the
// first failed one, else the first delayed one, else the first.
type Bounce struct {
	Action            string // failed, delayed, delivered, relayed or expanded (RFC 3464, section 2.3.3)
	Status            string // enhanced status code (RFC 3463), e.g. "5.1.1"; "" if not told
	Recipient         string
	Diagnostic        string // the other server's words
	OriginalMessageID string // of the returned mail, without angle brackets
	Standard          bool   // a delivery status in the form of RFC 3464; else guessed from the text, good for showing only
	Recipients        []RecipientStatus
}

// RecipientStatus is one per-recipient group of a delivery status (RFC 3464, section 2.3).
type RecipientStatus struct {
	Action     string
	Status     string
	Final      string // address the report is about
	Original   string // address as we gave it, if told
	Diagnostic string
	RemoteMTA  string
}

// readBounce reads the delivery report in the mail, nil if it is none.
func (m *Mail) readBounce(root *part, w *walker) *Bounce {
	for _, status := range findAll(root, "message/delivery-status", "message/global-delivery-status") {
		if b := parseStatus(w.decodeTransfer(status)); b != nil {
			b.OriginalMessageID = originalID(root, w)
			return b
		}
	}
	if !m.soundsBounced(root) {
		return nil
	}
	b := m.guessBounce()
	if b.OriginalMessageID = originalID(root, w); b.OriginalMessageID == "" {
		b.OriginalMessageID = m.quotedID()
	}
	return b
}

// findAll returns the parts of the types, in depth-first order.
func findAll(p *part, media ...string) []*part {
	if slices.Contains(media, p.media) {
		return []*part{p}
	}
	var found []*part
	for _, child := range p.children {
		found = append(found, findAll(child, media...)...)
	}
	return found
}

// parseStatus reads the groups of a delivery status. Some servers forget the blank line between the group about the mail and the
// first one about a recipient.
func parseStatus(body []byte) *Bounce {
	b := &Bounce{Standard: true}
	for len(body) > 0 && len(b.Recipients) < maxAddresses {
		reader := headerReader{raw: body, note: func(string) {}}
		var fields []field
		fields, rest := reader.read()
		if len(rest) >= len(body) {
			_, next := lineAt(body, 0)
			body = body[next:]
			continue
		}
		body = rest
		if r, ok := recipientOf(Header{fields: fields}); ok {
			b.Recipients = append(b.Recipients, r)
		}
	}
	if len(b.Recipients) == 0 {
		return nil
	}
	main := b.Recipients[b.worst()]
	b.Action, b.Status, b.Recipient, b.Diagnostic = main.Action, main.Status, main.Final, main.Diagnostic
	if main.Original != "" && main.Final == "" {
		b.Recipient = main.Original
	}
	return b
}

func (b *Bounce) worst() int {
	for _, action := range []string{"failed", "delayed"} {
		for i, r := range b.Recipients {
			if r.Action == action {
				return i
			}
		}
	}
	return 0
}

func recipientOf(h Header) (RecipientStatus, bool) {
	if !h.Has("Final-Recipient") && !h.Has("Original-Recipient") && !h.Has("Action") && !h.Has("Status") {
		return RecipientStatus{}, false
	}
	r := RecipientStatus{
		Action: strings.ToLower(firstWord(h.First("Action"))), Status: enhanced.FindString(h.First("Status")),
		Final: statusAddress(h.First("Final-Recipient")), Original: statusAddress(h.First("Original-Recipient")),
		Diagnostic: afterType(h.First("Diagnostic-Code")), RemoteMTA: afterType(h.First("Remote-MTA")),
	}
	if r.Status == "" {
		r.Status = enhanced.FindString(r.Diagnostic)
	}
	if r.Action == "" {
		r.Action = actionOf(r.Status)
	}
	return r, true
}

// actionOf reads the class of a status code (RFC 3463, section 3.1) where the action itself is missing.
func actionOf(status string) string {
	switch {
	case strings.HasPrefix(status, "2"):
		return "delivered"
	case strings.HasPrefix(status, "4"):
		return "delayed"
	}
	return "failed"
}

var enhanced = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)

func firstWord(s string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	return strings.Trim(word, ";,")
}

// afterType drops the type in front of a value: `rfc822; a@example.com`, `smtp; 550 no such user`.
func afterType(s string) string {
	if kind, value, ok := strings.Cut(s, ";"); ok && !strings.Contains(strings.TrimSpace(kind), " ") {
		return strings.TrimSpace(value)
	}
	return strings.TrimSpace(s)
}

func statusAddress(s string) string { return cleanSpec(afterType(s)) }

// originalID reads the Message-ID of the returned mail or of its headers.
func originalID(root *part, w *walker) string {
	enclosed := findAll(root, "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "text/rfc822-header")
	if len(enclosed) == 0 || enclosed[0] == root {
		return ""
	}
	p := enclosed[0]
	reader := headerReader{raw: w.decodeTransfer(p), top: true, note: func(string) {}}
	fields, _ := reader.read()
	h := Header{fields: fields}
	if ids := parseIDs(h.Raw("Message-ID")); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// soundsBounced recognises the reports of servers that do not follow RFC 3464. A person's mail about a bounce is none: the sender
// must be a mail system.
func (m *Mail) soundsBounced(root *part) bool {
	if m.Header.Has("X-Failed-Recipients") {
		return true
	}
	if root.media == "multipart/report" {
		return strings.EqualFold(root.params.get("report-type"), "delivery-status")
	}
	if !m.ReturnPath.Null() && !mailSystem(m.From) && !mailSystem(m.ReturnPath.Address) {
		return false
	}
	subject := strings.ToLower(m.Subject)
	for _, w := range bounceSubjects {
		if strings.Contains(subject, w) {
			return true
		}
	}
	head := strings.ToLower(m.Text[:min(len(m.Text), 4096)])
	for _, w := range bounceTexts {
		if strings.Contains(head, w) {
			return true
		}
	}
	return false
}

func mailSystem(addr string) bool {
	local, _, _ := strings.Cut(strings.ToLower(addr), "@")
	switch local {
	case "mailer-daemon", "mailer_daemon", "mailerdaemon", "postmaster", "mail-daemon", "mdaemon", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e":
		return true
	}
	return strings.HasPrefix(local, "mailer-daemon") || strings.HasPrefix(local, "microsoftexchange")
}

var bounceSubjects = []string{
	"undelivered mail", "undeliverable", "undelivered", "delivery status notification", "delivery failure", "delivery has failed", "mail delivery failed", "delivery failed",
	"failure notice", "returned mail", "returned to sender", "mail system error", "delivery notification", "message not delivered", "could not be delivered", "delivery problem",
	"warning: message", "warning: could not send", "mail could not be delivered", "rejected:", "unzustellbar", "nicht zustellbar", "non remis", "échec de la remise", "no se puede entregar",
	"退信", "无法投递", "無法投遞", "投递失败", "投遞失敗", "未送达", "未送達", "无法送达", "無法傳遞", "发送失败", "寄送失敗", "配信不能", "配信エラー", "반송", "недоставлен", "не доставлено", "не удалось доставить",
}

var bounceTexts = []string{
	"hi. this is the", "your message did not reach some or all of the intended recipients", "this message was created automatically by mail delivery software",
	"could not be delivered to", "the following recipient", "delivery to the following", "undeliverable message", "the original message was received at", "this is the mail system at host",
	"your message wasn't delivered", "message could not be delivered", "you sent a message that could not be delivered",
	"退信", "无法投递", "無法投遞", "投递失败", "未能投递", "无法送达", "收件人不存在", "无法发送到", "邮件被退回", "送信できませんでした", "配信できませんでした",
}

var (
	failedAddress = regexp.MustCompile(`(?i)[<( \t:：]?([a-z0-9!#$%&'*+/=?^_{|}~.-]+@[a-z0-9.-]+\.[a-z0-9-]{2,})`)
	smtpReply     = regexp.MustCompile(`(?m)\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}[^\n]*|\b(?:550|551|552|553|554|450|451|452|421)\b[^\n]*`)
)

// guessBounce collects from the text what a standard report would say in fields.
func (m *Mail) guessBounce() *Bounce {
	head := m.Text[:min(len(m.Text), 16<<10)]
	for _, mark := range []string{"--- Below this line", "------ This is a copy", "--- The header of the original", "----- Original message", "----- Unsent message follows"} {
		if before, _, ok := strings.Cut(head, mark); ok {
			head = before
		}
	}
	b := &Bounce{Action: "failed", Status: enhanced.FindString(head), Diagnostic: strings.TrimSpace(smtpReply.FindString(head))}
	b.Recipient = m.failedRecipient(head)
	lower := strings.ToLower(m.Subject + "\n" + head)
	for _, w := range []string{"delayed", "warning: message", "warning: could not send", "will be retried", "will keep trying", "still being retried", "no action is required", "延迟", "将继续尝试"} {
		if strings.Contains(lower, w) && !strings.HasPrefix(b.Status, "5") && !strings.Contains(lower, "permanent error") && !strings.Contains(lower, "given up") {
			b.Action = "delayed"
		}
	}
	if b.Recipient != "" {
		b.Recipients = []RecipientStatus{{Action: b.Action, Status: b.Status, Final: b.Recipient, Diagnostic: b.Diagnostic}}
	}
	return b
}

// failedRecipient is the address that Exim names in a field, or the first in the text that is neither the reporting system nor the
// receiver of the report.
func (m *Mail) failedRecipient(text string) string {
	if v := ParseAddresses(m.Header.Raw("X-Failed-Recipients"), ""); len(v) > 0 && v[0].Addr != "" {
		return v[0].Addr
	}
	own := append(m.AllRecipients(), m.From)
	for _, match := range failedAddress.FindAllStringSubmatch(text, 40) {
		addr := strings.Trim(match[1], ".'")
		if !containsFold(own, addr) && !mailSystem(addr) {
			return addr
		}
	}
	return ""
}

func containsFold(list []string, s string) bool {
	for _, have := range list {
		if strings.EqualFold(have, s) {
			return true
		}
	}
	return false
}

var idLine = regexp.MustCompile(`(?im)^[> \t]*message-id:\s*(<[^<>\s]+>)`)

// quotedID finds the Message-ID line of a mail that was returned as text.
func (m *Mail) quotedID() string {
	if match := idLine.FindStringSubmatch(m.Text[:min(len(m.Text), 256<<10)]); match != nil {
		return strings.Trim(match[1], "<>")
	}
	return ""
}
