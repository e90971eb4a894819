package email

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Inspection is what `mail inspect --json` prints. Lists are never null.
type Inspection struct {
	MessageID     string           `json:"message_id"`
	From          string           `json:"from"`
	FromName      string           `json:"from_name"`
	Sender        string           `json:"sender"`
	ReplyTo       []string         `json:"reply_to"`
	To            []string         `json:"to"`
	Cc            []string         `json:"cc"`
	Subject       string           `json:"subject"`
	Date          string           `json:"date"` // RFC 3339, UTC; "" if missing or unreadable
	InReplyTo     []string         `json:"in_reply_to"`
	References    []string         `json:"references"`
	Kind          Kind             `json:"kind"`
	Reasons       []string         `json:"reasons"`
	AutoSubmitted bool             `json:"auto_submitted"` // any automatic mail
	NoReply       bool             `json:"no_reply"`       // no automatic mail may answer it
	IsBounce      bool             `json:"is_bounce"`
	Bounce        *InspectedBounce `json:"bounce"`
	Language      string           `json:"language"`
	Text          string           `json:"text"`
	NewText       string           `json:"new_text"`
	HTML          string           `json:"html"`
	Attachments   []InspectedFile  `json:"attachments"`
	Problems      []string         `json:"problems"`
	SHA256        string           `json:"sha256"`
}

// InspectedFile is one attachment of an Inspection.
type InspectedFile struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	Inline      bool   `json:"inline"`
	ContentID   string `json:"content_id"`
}

// InspectedBounce is the first recipient of a delivery report, and all of them.
type InspectedBounce struct {
	Action            string `json:"action"`
	Status            string `json:"status"`
	Recipient         string `json:"recipient"`
	OriginalMessageID string `json:"original_message_id"`
}

// Inspect parses a mail into the form for people and scripts.
func Inspect(raw []byte) Inspection {
	m := Parse(raw)
	in := Inspection{
		MessageID: m.MessageID, From: m.From, FromName: m.FromName, Sender: m.Sender,
		ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Subject: m.Subject, Date: stamp(m.Date),
		InReplyTo: list(m.InReplyTo), References: list(m.References),
		Kind: m.Kind, Reasons: list(m.Reasons), AutoSubmitted: m.automatic(), NoReply: m.NoReply, IsBounce: m.Kind == Bounced,
		Language: m.Language, Text: m.Text, NewText: m.NewText, HTML: m.HTML(m.ownImage),
		Attachments: []InspectedFile{}, Problems: list(m.Problems), SHA256: m.SHA256,
	}
	if b := m.Bounce; b != nil {
		in.Bounce = &InspectedBounce{b.Action, b.Status, b.Recipient, b.OriginalMessageID}
	}
	if in.Kind == Human && strings.HasPrefix(m.Header.Raw(LoopField), "v1;") {
		in.Kind, in.AutoSubmitted, in.NoReply = OwnLoop, true, true // whether the mark is ours is known only with the key
	}
	for _, a := range m.Attachments {
		in.Attachments = append(in.Attachments, InspectedFile{a.Filename, a.ContentType, a.Size, a.SHA256, a.Inline, a.ContentID})
	}
	return in
}

// automatic reports whether a program wrote the mail. What a mailing list passes on may well come from a person.
func (m *Mail) automatic() bool {
	return m.Kind != Human && m.Kind != List || slices.Contains(m.Reasons, "precedence_bulk")
}

// ownImage leaves a reference to an image of the same mail as it is.
func (m *Mail) ownImage(id string) (string, bool) {
	for _, a := range m.Attachments {
		if a.ContentID == id && strings.HasPrefix(a.ContentType, "image/") {
			return "cid:" + id, true
		}
	}
	return "", false
}

// JSON returns the inspection as indented JSON.
func (in Inspection) JSON() ([]byte, error) { return json.MarshalIndent(in, "", "  ") }

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
