package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"postdesk/internal/audit"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// The shapes in which people's scripts see the desk. They list what is shown on purpose: a new column of a table does not
// show by itself.

// TicketView is one ticket; the lists are empty in short listings.
type TicketView struct {
	Number     int64           `json:"number"`
	Category   ticket.Category `json:"category"`
	Confidence float64         `json:"confidence"`
	Secondary  []string        `json:"secondary"`
	Flags      []string        `json:"flags"`
	Status     ticket.Status   `json:"status"`
	Stage      string          `json:"stage"`
	Brand      string          `json:"brand"`
	Customer   CustomerView    `json:"customer"`
	Subject    string          `json:"subject"`
	Language   string          `json:"language"`
	Assignee   string          `json:"assignee"`
	Priority   string          `json:"priority"`
	Queue      string          `json:"queue"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	DueAt      *time.Time      `json:"due_at"`
	*Conversation
}

// Conversation is the part of a ticket that short listings leave out.
type Conversation struct {
	Messages  []MessageView   `json:"messages"`
	Checklist []ChecklistView `json:"checklist"`
	Documents []DocumentView  `json:"documents"`
	Events    []EventView     `json:"events"`
}

// CustomerView names the customer of a ticket.
type CustomerView struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// MessageView is one mail or note.
type MessageView struct {
	ID          int64            `json:"id"`
	Direction   ticket.Direction `json:"direction"`
	Kind        string           `json:"kind"`
	From        string           `json:"from"`
	To          []string         `json:"to"`
	Subject     string           `json:"subject"`
	MessageID   string           `json:"message_id"`
	Text        string           `json:"text"`
	NewText     string           `json:"new_text"`
	Language    string           `json:"language"`
	Auth        string           `json:"auth,omitempty"`
	Trust       string           `json:"trust,omitempty"`
	Author      string           `json:"author,omitempty"`
	Template    string           `json:"template"`
	Decision    json.RawMessage  `json:"decision,omitempty"`
	Problems    []string         `json:"problems,omitempty"`
	Delivery    *DeliveryView    `json:"delivery,omitempty"`
	Attachments []AttachmentView `json:"attachments"`
	RawSHA256   string           `json:"raw_sha256"`
	At          time.Time        `json:"at"`
}

// AttachmentView describes a file of a mail.
type AttachmentView struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Sniffed     string `json:"sniffed"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	Inline      bool   `json:"inline"`
	Scan        string `json:"scan"`
}

// ChecklistView is one item of the procedure.
type ChecklistView struct {
	Key          string `json:"key"`
	Source       string `json:"source"`
	State        string `json:"state"`
	RejectReason string `json:"reject_reason"`
}

// DocumentView is one requested document.
type DocumentView struct {
	Key   string `json:"key"`
	State string `json:"state"`
}

// DeliveryView is one outgoing mail and where it stands.
type DeliveryView struct {
	ID            int64                `json:"id"`
	Ticket        int64                `json:"ticket"`
	Template      string               `json:"template"`
	To            string               `json:"to"`
	MessageID     string               `json:"message_id"`
	State         ticket.DeliveryState `json:"state"`
	Attempts      int                  `json:"attempts"`
	NextAttemptAt *time.Time           `json:"next_attempt_at"`
	LastResponse  string               `json:"last_response"`
}

// EventView is one event of the record.
type EventView struct {
	Seq    int64           `json:"seq"`
	At     time.Time       `json:"at"`
	Actor  string          `json:"actor"`
	Kind   string          `json:"kind"`
	Ticket int64           `json:"ticket,omitempty"`
	Data   json.RawMessage `json:"data"`
}

// HeldView is one mail in quarantine.
type HeldView struct {
	ID        int64     `json:"id"`
	Mailbox   string    `json:"mailbox"`
	UID       uint32    `json:"uid"`
	Reason    string    `json:"reason"`
	From      string    `json:"from"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	RawSHA256 string    `json:"raw_sha256"`
	Ticket    int64     `json:"ticket"`
	State     string    `json:"state"`
	At        time.Time `json:"at"`
}

// MailboxView is the state of one watched mailbox.
type MailboxView struct {
	Name          string                 `json:"name"`
	Address       string                 `json:"address"`
	State         string                 `json:"state"`
	UIDValidity   uint32                 `json:"uidvalidity"`
	LastUID       uint32                 `json:"last_uid"`
	LastSuccessAt *time.Time             `json:"last_success_at"`
	LastError     string                 `json:"last_error"`
	Counts        map[ticket.Outcome]int `json:"counts"`
}

// Tickets lists tickets; full adds the conversations.
func (d *Desk) Tickets(ctx context.Context, f store.Filter, full bool) ([]TicketView, error) {
	rows, err := d.Store.Tickets(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	views := make([]TicketView, 0, len(rows))
	for _, t := range rows {
		v, err := d.ticketView(ctx, t, full)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// Ticket shows one ticket with everything.
func (d *Desk) Ticket(ctx context.Context, number int64) (TicketView, error) {
	t, err := d.Store.Ticket(ctx, number)
	if err != nil {
		return TicketView{}, fmt.Errorf("ticket %d: %w", number, err)
	}
	return d.ticketView(ctx, t, true)
}

func (d *Desk) ticketView(ctx context.Context, t ticket.Ticket, full bool) (TicketView, error) {
	c, err := d.Store.Customer(ctx, t.CustomerID)
	if err != nil {
		return TicketView{}, fmt.Errorf("customer of ticket %d: %w", t.ID, err)
	}
	v := TicketView{
		Number: t.ID, Category: t.Category, Confidence: t.Confidence, Secondary: list(t.Secondary), Flags: list(t.Flags), Status: t.Status,
		Stage: t.Stage, Brand: t.Brand, Customer: CustomerView{c.Address, c.Name}, Subject: masked(t.Subject), Language: t.Language,
		Assignee: t.Assignee, Priority: t.Priority, Queue: t.Queue, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, DueAt: optional(t.DueAt),
	}
	if full {
		v.Conversation, err = d.conversation(ctx, t.ID)
	}
	return v, err
}

func (d *Desk) conversation(ctx context.Context, number int64) (*Conversation, error) {
	c := &Conversation{Messages: []MessageView{}, Checklist: []ChecklistView{}, Documents: []DocumentView{}, Events: []EventView{}}
	messages, err := d.Store.MessagesOf(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("messages of ticket %d: %w", number, err)
	}
	deliveries, err := d.Store.Deliveries(ctx, store.DeliveryFilter{Ticket: number})
	if err != nil {
		return nil, fmt.Errorf("deliveries of ticket %d: %w", number, err)
	}
	released, err := d.releasedIn(ctx, number)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if released[m.ID] {
			m.Trust = "released"
		}
		v, err := d.messageView(ctx, m, deliveries)
		if err != nil {
			return nil, err
		}
		c.Messages = append(c.Messages, v)
	}
	events, err := d.Store.EventsOf(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("events of ticket %d: %w", number, err)
	}
	for _, e := range events {
		c.Events = append(c.Events, EventViewOf(e))
	}
	return c, nil
}

// releasedIn names the messages of a ticket that a person let out of its quarantine. A message itself never changes.
func (d *Desk) releasedIn(ctx context.Context, number int64) (map[int64]bool, error) {
	rows, err := d.Store.HeldList(ctx, store.HeldFilter{Ticket: number, State: "released"})
	if err != nil {
		return nil, fmt.Errorf("quarantine of ticket %d: %w", number, err)
	}
	released := map[int64]bool{}
	for _, h := range rows {
		released[h.MessageID] = true
	}
	return released, nil
}

func (d *Desk) messageView(ctx context.Context, m ticket.Message, deliveries []ticket.Delivery) (MessageView, error) {
	v := MessageView{
		ID: m.ID, Direction: m.Direction, Kind: m.Kind, From: m.From, To: list(m.To), Subject: masked(m.Subject), MessageID: m.MessageID,
		Text: masked(m.Text), NewText: masked(m.NewText), Language: m.Language, Auth: m.Auth, Trust: m.Trust, Author: m.Author, Template: m.Template,
		Decision: json.RawMessage(m.Decision), Problems: m.Problems, RawSHA256: m.RawSHA256, At: m.ReceivedAt, Attachments: []AttachmentView{},
	}
	for _, row := range deliveries {
		if row.MessageID == m.ID {
			dv := DeliveryViewOf(row)
			v.Delivery = &dv
		}
	}
	if m.Direction != ticket.In {
		return v, nil
	}
	files, err := d.Store.AttachmentsOf(ctx, m.ID)
	if err != nil {
		return v, fmt.Errorf("attachments of message %d: %w", m.ID, err)
	}
	for _, a := range files {
		v.Attachments = append(v.Attachments, AttachmentView{a.Filename, a.ContentType, a.Sniffed, a.Size, a.SHA256, a.Inline, a.Scan})
	}
	return v, nil
}

// DeliveryViewOf shows a delivery.
func DeliveryViewOf(d ticket.Delivery) DeliveryView {
	next := optional(d.NextAttemptAt)
	if d.State.Final() {
		next = nil
	}
	if (d.State == ticket.Queued || d.State == ticket.Deferred) && d.LeaseUntil.After(time.Now()) {
		d.State = ticket.Leased // a claim shows in the lease, not in the stored state
	}
	return DeliveryView{d.ID, d.TicketID, d.Template, d.To, d.MailID, d.State, d.Attempts, next, d.LastResponse}
}

// EventViewOf shows an event.
func EventViewOf(e audit.Event) EventView {
	data := e.Data
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	return EventView{e.Seq, e.At, e.Actor, e.Kind, e.Ticket, data}
}

// HeldViewOf shows a quarantined mail.
func HeldViewOf(h ticket.Held) HeldView {
	return HeldView{h.ID, h.Mailbox, h.UID, h.Reason, h.From, masked(h.Subject), h.MailID, h.RawSHA256, h.TicketID, h.State, h.At}
}

// Mailboxes shows the state of every watched mailbox, also of one that was never reached.
func (d *Desk) Mailboxes(ctx context.Context) ([]MailboxView, error) {
	views := []MailboxView{}
	for _, box := range d.Settings.Mailboxes {
		v := MailboxView{Name: box.Name, Address: box.Address, State: "never connected"}
		row, err := d.Store.Mailbox(ctx, box.Name)
		if err == nil {
			v.State, v.UIDValidity, v.LastUID, v.LastSuccessAt, v.LastError = row.State, row.UIDValidity, row.LastUID, optional(row.LastSuccessAt), row.LastError
		}
		counts, err := d.Store.InboundCounts(ctx, box.Name)
		if err != nil {
			return nil, fmt.Errorf("count mails of %s: %w", box.Name, err)
		}
		v.Counts = map[ticket.Outcome]int{ticket.Ticketed: 0, ticket.Quarantined: 0, ticket.Duplicate: 0, ticket.FailedFetch: 0}
		for outcome, n := range counts {
			v.Counts[outcome] = n
		}
		views = append(views, v)
	}
	return views, nil
}

// optional keeps a time that is not set out of the JSON.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// list shows "nothing" as an empty list, not as null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
