package desk

import (
	"context"
	"encoding/json"
	"fmt"

	"postdesk/internal/email"
	"postdesk/internal/rules"
	"postdesk/internal/ticket"
)

// Replayed is one stored mail, decided anew by another rule set. Nothing is changed.
type Replayed struct {
	Ticket     int64           `json:"ticket"`
	Message    int64           `json:"message"`
	Then       ticket.Category `json:"then"` // what was decided when it came
	ThenSure   float64         `json:"then_confidence"`
	Now        ticket.Category `json:"now"`
	NowSure    float64         `json:"now_confidence"`
	Corrected  ticket.Category `json:"corrected,omitempty"` // what a person said, if one did
	ThenRules  []string        `json:"then_rules"`
	NowRules   []string        `json:"now_rules"`
	RulesTexts []string        `json:"now_words"` // words that decide now
}

// Changed reports whether the other rule set files the mail elsewhere.
func (r Replayed) Changed() bool { return r.Then != r.Now }

// Backtest classifies every first mail of a ticket anew with set and calls fn for each. A mail whose bytes are damaged ends it
// with an error.
func (d *Desk) Backtest(ctx context.Context, set *rules.Set, fn func(Replayed) error) error {
	return d.eachFirstMail(ctx, func(m ticket.Message, t ticket.Ticket) error {
		raw, err := d.Store.Original(ctx, m.RawSHA256)
		if err != nil {
			return fmt.Errorf("bytes of message %d: %w", m.ID, err)
		}
		r := &reading{parsed: email.Parse(raw)}
		r.mail.InternalDate = m.ReceivedAt
		now := set.Classify(factsOf(r))
		var then rules.Decision
		if m.Decision != "" {
			if err := json.Unmarshal([]byte(m.Decision), &then); err != nil {
				return fmt.Errorf("decision of message %d: %w", m.ID, err)
			}
		}
		out := Replayed{
			Ticket: t.ID, Message: m.ID, Then: then.Category, ThenSure: then.Confidence, Now: now.Category, NowSure: now.Confidence,
			ThenRules: namesOf(then), NowRules: namesOf(now), RulesTexts: wordsOf(now),
		}
		if t.CategoryBy != "" {
			out.Corrected = t.Category
		}
		return fn(out)
	})
}

// eachFirstMail walks over the mails that opened tickets.
func (d *Desk) eachFirstMail(ctx context.Context, fn func(ticket.Message, ticket.Ticket) error) error {
	seen := map[int64]bool{}
	for after := int64(0); ; {
		page, err := d.Store.CustomerMessages(ctx, after, 200)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			after = m.ID
			if seen[m.TicketID] || m.TicketID == 0 || m.Trust == "external" {
				continue
			}
			seen[m.TicketID] = true
			t, err := d.Store.Ticket(ctx, m.TicketID)
			if err != nil {
				return fmt.Errorf("ticket %d: %w", m.TicketID, err)
			}
			if err := fn(m, t); err != nil {
				return err
			}
		}
	}
}

func namesOf(d rules.Decision) []string {
	names := []string{}
	for _, m := range d.Matched {
		names = append(names, m.Rule)
	}
	return names
}

func wordsOf(d rules.Decision) []string {
	words := []string{}
	for _, m := range d.Matched {
		for _, s := range m.Spans {
			words = append(words, s.Text)
		}
	}
	return words
}

// Tally counts how often something was right.
type Tally struct {
	Said  int `json:"said"`  // the rules said it
	Right int `json:"right"` // and a person agreed or did not object
	Meant int `json:"meant"` // it was so, whoever said it
}

// Agreement is how the rules' decisions and people's corrections compare.
type Agreement struct {
	Tickets    int                        `json:"tickets"`
	Corrected  int                        `json:"corrected"` // a person set another category
	Confirmed  int                        `json:"confirmed"` // a person set the same one
	Categories map[ticket.Category]*Tally `json:"categories"`
	Rules      map[string]*Tally          `json:"rules"`
	Missed     []Missed                   `json:"missed"` // corrected tickets, with the words that the right category could have used
}

// Missed is a mail that was filed wrong.
type Missed struct {
	Ticket  int64           `json:"ticket"`
	Said    ticket.Category `json:"said"`
	Meant   ticket.Category `json:"meant"`
	Subject string          `json:"subject"`
	Terms   []string        `json:"terms"`
}

// Report compares what the rules said with what people made of it. Only tickets that a person decided about count as judged;
// the others count as said and not objected to.
func (d *Desk) Report(ctx context.Context) (Agreement, error) {
	a := Agreement{Categories: map[ticket.Category]*Tally{}, Rules: map[string]*Tally{}, Missed: []Missed{}}
	err := d.eachFirstMail(ctx, func(m ticket.Message, t ticket.Ticket) error {
		var said rules.Decision
		if m.Decision == "" {
			return nil
		}
		if err := json.Unmarshal([]byte(m.Decision), &said); err != nil {
			return fmt.Errorf("decision of message %d: %w", m.ID, err)
		}
		a.add(said, m, t)
		return nil
	})
	return a, err
}

func (a *Agreement) add(said rules.Decision, m ticket.Message, t ticket.Ticket) {
	meant := said.Category
	if t.CategoryBy != "" {
		meant = t.Category
	}
	a.Tickets++
	tally(a.Categories, said.Category).Said++
	tally(a.Categories, meant).Meant++
	for _, rule := range namesOf(said) {
		count := tally(a.Rules, rule)
		count.Said++
		if said.Category == meant {
			count.Right++
		}
	}
	switch {
	case said.Category == meant:
		tally(a.Categories, meant).Right++
		if t.CategoryBy != "" {
			a.Confirmed++
		}
	default:
		a.Corrected++
		a.Missed = append(a.Missed, Missed{Ticket: t.ID, Said: said.Category, Meant: meant, Subject: m.Subject, Terms: unusedTerms(said, m)})
	}
}

func tally[K comparable](m map[K]*Tally, key K) *Tally {
	if m[key] == nil {
		m[key] = &Tally{}
	}
	return m[key]
}
