package desk

import (
	"fmt"
	"slices"
	"strings"

	"postdesk/internal/email"
	"postdesk/internal/ticket"
)

// open begins a new ticket with the mail, and acknowledges it where an acknowledgement is owed.
func (in *intake) open(r *reading, p place) error {
	c, isNew := in.customer(r)
	t := in.newTicket(r, c, p)
	if err := in.watch(r, t); err != nil {
		return err
	}
	m := in.message(r, t.ID, "")
	row := in.inbound(r, ticket.Ticketed)
	row.TicketID, row.MessageID = t.ID, m.ID
	in.tx.PutOriginal(r.original)
	in.settle(row)
	rows := append([]any{t, m}, in.attachments(r, m.ID)...)
	if isNew {
		rows = append(rows, c)
	}
	in.tx.Insert(rows...)
	rows = append(rows, in.await(r, t)...)
	in.remember(r, row)
	in.rememberMessage(m)
	in.tx.Record("ticket.opened", t.ID, in.openedData(r, t, p), append(rows, row)...)
	if r.shadow != nil {
		in.tx.Record("rules.shadow", t.ID, map[string]any{"category": r.shadow.Category, "confidence": r.shadow.Confidence, "rules_version": r.shadow.Version})
	}
	if err := in.acknowledge(r, t, c); err != nil {
		return err
	}
	return in.warnOfSecrets(r, t, c)
}

// await notes which message a mail answers that is not here yet: mails may arrive in any order.
func (in *intake) await(r *reading, t *ticket.Ticket) (rows []any) {
	missing := slices.Concat(r.parsed.References, r.parsed.InReplyTo)
	slices.Reverse(missing)
	for i, id := range missing {
		if i >= 3 || r.sender() == "" || slices.Contains(missing[:i], id) {
			continue
		}
		a := &ticket.Awaited{ID: in.tx.NextID("awaited"), MailID: id, TicketID: t.ID, Sender: r.sender(), CreatedAt: in.tx.Now()}
		in.tx.Insert(a)
		in.awaited[id] = append(in.awaited[id], *a)
		rows = append(rows, a)
	}
	return rows
}

func (in *intake) newTicket(r *reading, c *ticket.Customer, p place) *ticket.Ticket {
	t := &ticket.Ticket{
		ID: in.tx.NextID("ticket"), Brand: r.brand.ID, CustomerID: c.ID,
		Status: ticket.Open, Stage: "received", Subject: r.parsed.Subject, Language: in.language(r),
		LastInboundAt: in.tx.Now(), CreatedAt: in.tx.Now(), UpdatedAt: in.tx.Now(),
	}
	in.classify(t, r)
	if p.related != 0 {
		t.Flags = append(t.Flags, fmt.Sprintf("possibly_related:%d", p.related))
	}
	for _, w := range r.auth.Warnings {
		t.Flags = append(t.Flags, "sender:"+w)
	}
	if r.mail.Junk {
		t.Flags = append(t.Flags, "junk_folder")
	}
	in.tickets[t.ID] = t
	in.fresh[c.ID]++
	return t
}

// classify writes the rules' decision into the ticket. Below the threshold the category is a proposal: the ticket waits in
// triage for a person.
func (in *intake) classify(t *ticket.Ticket, r *reading) {
	d := r.decision
	t.Category, t.Confidence, t.RulesVersion = d.Category, d.Confidence, d.Version
	t.Secondary = t.Secondary[:0]
	for _, s := range d.Secondary {
		t.Secondary = append(t.Secondary, string(s))
	}
	for _, f := range d.Flags {
		if !slices.Contains(t.Flags, f.Name) {
			t.Flags = append(t.Flags, f.Name)
		}
	}
	t.Priority, t.Queue = d.Actions.Priority, d.Actions.Queue
	if !in.sure(t.Confidence) {
		t.Stage = "triage"
	}
}

func (d *Desk) sure(confidence float64) bool { return confidence >= d.Settings.Rules.Threshold }

// language is the mail's, or the brand's first where it cannot be told.
func (in *intake) language(r *reading) string {
	if l := r.decision.Language; l != "" && l != "und" {
		return l
	}
	if len(r.brand.Languages) > 0 {
		return r.brand.Languages[0]
	}
	return "en"
}

// customer finds the sender among the brand's customers, or begins a new one. A mail without a usable sender gets a customer
// of its own, so that two strangers never share one.
func (in *intake) customer(r *reading) (c *ticket.Customer, isNew bool) {
	key := r.sender()
	if c, ok := in.customers[customerKey(r.brand.ID, key)]; ok && key != "" {
		return c, false
	}
	c = &ticket.Customer{
		ID: in.tx.NextID("customer"), Brand: r.brand.ID, Address: r.parsed.From, AddressKey: key,
		Name: r.parsed.FromName, Language: in.language(r), CreatedAt: in.tx.Now(),
	}
	if key == "" {
		c.AddressKey = fmt.Sprintf("unknown-%d", c.ID)
	}
	in.customers[customerKey(r.brand.ID, c.AddressKey)] = c
	return c, true
}

// message is the mail as people and rules read it; its bytes are the original's.
func (in *intake) message(r *reading, number int64, trust string) *ticket.Message {
	p := r.parsed
	return &ticket.Message{
		ID: in.tx.NextID("message"), TicketID: number, Direction: ticket.In, Kind: string(p.Kind),
		From: p.From, FromName: p.FromName, To: p.To, Cc: p.Cc, Subject: p.Subject,
		MessageID: p.MessageID, InReplyTo: p.InReplyTo, References: p.References,
		Text: p.Text, NewText: p.NewText, Language: p.Language, Auth: r.auth.Level, AuthResult: r.auth.record, Trust: trust,
		Problems: r.problems(), Decision: r.record, RawSHA256: r.original.SHA256,
		ReceivedAt: r.mail.InternalDate, CreatedAt: in.tx.Now(),
	}
}

func (r *reading) problems() []string {
	if r.mail.Problem == "" {
		return r.parsed.Problems
	}
	return append([]string{r.mail.Problem}, r.parsed.Problems...)
}

func (in *intake) attachments(r *reading, message int64) []any {
	var rows []any
	for i := range r.parsed.Attachments {
		a := &r.parsed.Attachments[i]
		row := &ticket.Attachment{
			ID: in.tx.NextID("attachment"), MessageID: message, Part: i, Filename: a.Filename, ContentType: a.ContentType,
			Sniffed: a.Sniffed, Size: a.Size, SHA256: a.SHA256, Inline: a.Inline, ContentID: a.ContentID, Scan: string(r.scans[i]),
		}
		in.files[row.SHA256] = append(in.files[row.SHA256], *row)
		rows = append(rows, row)
	}
	return rows
}

func (in *intake) rememberMessage(m *ticket.Message) {
	if m.MessageID != "" {
		in.byMailID[m.MessageID] = append(in.byMailID[m.MessageID], *m)
	}
}

func (in *intake) openedData(r *reading, t *ticket.Ticket, p place) map[string]any {
	return mailData(r, map[string]any{
		"category": t.Category, "confidence": t.Confidence, "rules_version": t.RulesVersion,
		"rules": ruleNames(r), "stage": t.Stage, "auth": r.auth.Level, "related": p.related,
	})
}

func ruleNames(r *reading) []string {
	var names []string
	for _, m := range r.decision.Matched {
		if !slices.Contains(names, m.Rule) {
			names = append(names, m.Rule)
		}
	}
	return names
}

// join adds the mail to its ticket. Only a person's mail moves the ticket; an automatic one is kept and changes nothing.
func (in *intake) join(r *reading, p place) error {
	t := p.ticket
	m := in.message(r, t.ID, "")
	row := in.inbound(r, ticket.Ticketed)
	row.TicketID, row.MessageID = t.ID, m.ID
	in.tx.PutOriginal(r.original)
	in.settle(row)
	rows := append([]any{m}, in.attachments(r, m.ID)...)
	in.tx.Insert(rows...)
	rows = append(rows, row)
	in.remember(r, row)
	in.rememberMessage(m)
	data := mailData(r, map[string]any{"evidence": p.how, "auth": r.auth.Level})
	if r.parsed.Kind != email.Human {
		in.tx.Record("mail.added", t.ID, data, rows...)
		return nil
	}
	clarified := in.move(t, r, data)
	if err := in.watch(r, t); err != nil {
		return err
	}
	in.tx.Update(t)
	in.tx.Record("mail.added", t.ID, data, append(rows, t)...)
	if !clarified && len(r.secrets) == 0 {
		return nil
	}
	c, err := in.tx.Customer(in.ctx, t.CustomerID)
	if err != nil {
		return fmt.Errorf("customer of ticket %d: %w", t.ID, err)
	}
	if clarified {
		err = in.acknowledge(r, t, &c)
	}
	if err != nil {
		return err
	}
	return in.warnOfSecrets(r, t, &c)
}

// move is what a customer's mail does to its ticket: it is the desk's turn again. A ticket that waited in triage takes the
// category of a clearer mail, and only then is the category's guide owed.
func (in *intake) move(t *ticket.Ticket, r *reading, data map[string]any) (clarified bool) {
	if t.Status == ticket.Closed {
		data["reopened"] = true
	}
	t.Status, t.UpdatedAt, t.LastInboundAt = ticket.Open, in.tx.Now(), in.tx.Now()
	clarified = t.Stage == "triage" && t.CategoryBy == "" && t.Category != "" && in.sure(r.decision.Confidence) && r.decision.Category != ticket.Other
	if clarified {
		t.Stage = "received"
		in.classify(t, r)
		data["category"], data["confidence"], data["rules"] = t.Category, t.Confidence, strings.Join(ruleNames(r), " ")
	}
	return clarified
}

// holdBack keeps a mail with the ticket it claims, out of the conversation: no participant, checklist, status or timer
// changes, and nobody is answered. A person may release it.
func (in *intake) holdBack(r *reading, p place) error {
	m := in.message(r, p.ticket.ID, "external")
	row := in.inbound(r, ticket.Quarantined)
	row.TicketID, row.MessageID, row.Reason = p.ticket.ID, m.ID, p.hold
	held := in.held(r, row, p.hold)
	held.TicketID, held.MessageID = p.ticket.ID, m.ID
	in.tx.PutOriginal(r.original)
	in.settle(row)
	rows := append([]any{m, held}, in.attachments(r, m.ID)...)
	in.tx.Insert(rows...)
	rows = append(rows, row)
	in.remember(r, row)
	in.tx.Record("mail.quarantined", p.ticket.ID, mailData(r, map[string]any{"reason": p.hold, "evidence": p.how}), rows...)
	return nil
}
