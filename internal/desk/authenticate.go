package desk

import (
	"context"
	"encoding/json"
	"slices"

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
	a := authenticity{Level: result.Level, Fail: result.Fail && tried(result), Warnings: result.Warnings}
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

// tried reports whether the mail tried to prove its sender: a signature, or a verdict of our own mail server. A mail without
// either proves nothing and fails nothing; it may have passed a check that cannot be repeated here (SPF).
func tried(r authentic.Result) bool {
	return len(r.DKIM) > 0 || slices.ContainsFunc(r.AR, func(a authentic.Assertion) bool { return a.Method == "dmarc" && a.Value == "fail" })
}
