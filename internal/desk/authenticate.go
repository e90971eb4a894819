package desk

import (
	"context"
	"encoding/json"

	"postdesk/internal/email/authentic"
)

// authenticity is what is known of a mail's sender: A0 nothing usable, A1 the From field alone, A2 proven by its domain.
// Whether the proven address is also the ticket's customer is asked where a ticket is chosen.
type authenticity struct {
	Level    string
	Fail     bool // the domain asks to refuse what it did not send, and it did not prove to have sent this
	Warnings []string
	record   string // the whole result with the DNS answers it rests on, as JSON
}

func (d *Desk) authenticate(ctx context.Context, r *reading) authenticity {
	in := authentic.Input{
		Raw: r.mail.Raw, TrustedAuthserv: d.Settings.Authenticity.TrustedAuthserv, Brands: d.brandNames, Now: r.mail.InternalDate, Resolver: d.resolver,
		From: authentic.From{Fields: r.parsed.Header.Count("From"), Addresses: r.parsed.FromCount, Address: r.parsed.From, Name: r.parsed.FromName},
	}
	result := authentic.Check(ctx, in)
	a := authenticity{Level: result.Level, Fail: result.Fail, Warnings: result.Warnings}
	if result.Aligned {
		a.Level = "A2"
	}
	record, err := json.Marshal(result)
	if err != nil {
		d.Log.Error("record authenticity", "mailbox", r.mail.Mailbox, "uid", r.mail.UID, "err", err)
	}
	a.record = string(record)
	return a
}
