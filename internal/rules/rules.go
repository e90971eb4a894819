// Package rules files a mail: which of the desk's topics it is about, how sure that is, which words say so, and what the
// procedure needs from it. It is deterministic: a lexicon of concepts, rules over concepts and a calibration table, all
// read from files; no network. It reads only what it is given: quoted history is cut by the caller.
package rules

import (
	"time"

	"postdesk/internal/ticket"
)

// Facts is what is known of one mail.
type Facts struct {
	From    string // address of the writer
	Subject string
	// InheritedSubject says that the subject comes from an earlier mail. It is also found from a reply prefix
	// (Re:, AW:, 回复: …), so it need be set only where threading knows better.
	InheritedSubject bool
	Body             string // the writer's own new text
	Attachments      []Attachment
	Headers          map[string]string // by canonical name; may be nil
	Kind             string            // "", human, auto_reply, bounce, list, report, own_loop
	Account          map[string]any    // what the account system says; may be nil
	Received         time.Time
}

// Attachment is a file by its name and declared type; its content is not read.
type Attachment struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
}

// The fields of a mail that a Span can lie in. Attachment names are "attachment:0", "attachment:1" …
const (
	FieldSubject = "subject"
	FieldBody    = "body"
)

// Span is a piece of the mail: Text is the exact substring, Start and End count Unicode code points in the named field.
type Span struct {
	Field string `json:"field"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Match is one rule that held, with the words that made it hold.
type Match struct {
	Rule  string                      `json:"rule"`
	Spans []Span                      `json:"spans,omitempty"`
	Score map[ticket.Category]float64 `json:"score,omitempty"`
}

// Found are the values taken from the mail. A span with empty Text was not found.
type Found struct {
	AccountID Span   `json:"account_id,omitzero"`
	Amount    Span   `json:"amount,omitzero"`
	TxID      Span   `json:"txid,omitzero"`
	Dates     []Span `json:"dates,omitempty"`
	Phones    []Span `json:"phones,omitempty"`
	Orders    []Span `json:"orders,omitempty"`
	Hashes    []Span `json:"hashes,omitempty"`
}

// Item is one closing requirement that the mail meets, with the words or the file that meet it.
type Item struct {
	Name  string `json:"name"`
	Spans []Span `json:"spans,omitempty"`
}

// Flag is an urgent side topic with its own evidence.
type Flag struct {
	Name  string `json:"name"`
	Rule  string `json:"rule"`
	Spans []Span `json:"spans,omitempty"`
}

// Actions are what the rules ask the desk to do besides filing.
type Actions struct {
	Priority string   `json:"priority,omitempty"`
	Queue    string   `json:"queue,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Request  []string `json:"request,omitempty"`  // documents to ask for
	Template string   `json:"template,omitempty"` // key of the answer to propose
	Hold     bool     `json:"hold,omitempty"`     // a person decides before anything is sent
}

// Decision is what Classify says of one mail.
type Decision struct {
	Category   ticket.Category             `json:"category"`
	Confidence float64                     `json:"confidence"` // 0…1: how often a decision like this one is right
	Secondary  []ticket.Category           `json:"secondary,omitempty"`
	Language   string                      `json:"language"` // BCP 47
	Matched    []Match                     `json:"matched,omitempty"`
	Facts      Found                       `json:"facts,omitzero"`
	Provided   []Item                      `json:"provided,omitempty"` // closure only
	Flags      []Flag                      `json:"flags,omitempty"`
	Actions    Actions                     `json:"actions,omitzero"`
	Scores     map[ticket.Category]float64 `json:"scores,omitempty"`
	Version    string                      `json:"version"` // hash of the rule set

	fired []string // every rule that held, scoring or not
}

// Threshold is the confidence below which a person decides and no category template is sent.
const Threshold = 0.75

// Hold reports whether a person must decide.
func (d Decision) Hold() bool { return d.Actions.Hold || d.Confidence < Threshold }

// FlagNames lists the flags by name, for the ticket's row.
func (d Decision) FlagNames() []string {
	names := make([]string, 0, len(d.Flags))
	for _, f := range d.Flags {
		names = append(names, f.Name)
	}
	return names
}

// Line is the machine form of a decision, one JSON object a mail.
type Line struct {
	ID         string      `json:"id"`
	Category   string      `json:"category"`
	Confidence float64     `json:"confidence"`
	Secondary  []string    `json:"secondary"`
	Language   string      `json:"language"`
	Matched    []LineMatch `json:"matched"`
	Facts      LineFacts   `json:"facts"`
	Provided   []string    `json:"provided"`
	Flags      []string    `json:"flags"`
	Version    string      `json:"version"`
}

// LineMatch is one matched span in a Line.
type LineMatch struct {
	Rule  string `json:"rule"`
	Field string `json:"field"`
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// LineFacts are the values of a Line; what was not found is left out.
type LineFacts struct {
	AccountID string `json:"account_id,omitempty"`
	Amount    string `json:"amount,omitempty"`
	TxID      string `json:"txid,omitempty"`
}

// Line gives the decision in its machine form.
func (d Decision) Line(id string) Line {
	l := Line{
		ID: id, Category: string(d.Category), Confidence: d.Confidence, Language: d.Language, Version: d.Version,
		Secondary: []string{}, Matched: []LineMatch{}, Provided: []string{}, Flags: d.FlagNames(),
		Facts: LineFacts{d.Facts.AccountID.Text, d.Facts.Amount.Text, d.Facts.TxID.Text},
	}
	for _, c := range d.Secondary {
		l.Secondary = append(l.Secondary, string(c))
	}
	for _, m := range d.Matched {
		for _, s := range m.Spans {
			l.Matched = append(l.Matched, LineMatch{m.Rule, s.Field, s.Text, s.Start, s.End})
		}
	}
	for _, p := range d.Provided {
		l.Provided = append(l.Provided, p.Name)
	}
	return l
}
