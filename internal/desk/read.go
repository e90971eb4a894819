package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"postdesk/config"
	"postdesk/internal/email"
	"postdesk/internal/mailbox"
	"postdesk/internal/rules"
	"postdesk/internal/scan"
	"postdesk/internal/store"
)

// reading is what can be known of a mail without the database: computed outside the transaction, in parallel.
type reading struct {
	mail     mailbox.Mail
	box      config.Mailbox
	brand    config.Brand
	original store.Original
	content  string // hash of the mail without what servers added on the way
	parsed   *email.Mail
	ref      email.Ref // the token of ours that it carries, if any
	auth     authenticity
	facts    rules.Facts
	decision rules.Decision
	scans    []scan.Verdict  // of the attachments
	secrets  []string        // kinds of secrets in the writer's own words
	shadow   *rules.Decision // what the shadow set would have said, where it differs
	record   string          // the decision as JSON, as it is stored
	failed   string          // why the mail can only be set aside
}

func (d *Desk) readAll(ctx context.Context, batch []mailbox.Mail) []*reading {
	readings := make([]*reading, len(batch))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range batch {
		g.Go(func() error {
			readings[i] = d.read(ctx, m)
			return nil
		})
	}
	g.Wait()
	return readings
}

// read never fails: whatever goes wrong with one mail sets that mail aside and no other.
func (d *Desk) read(ctx context.Context, m mailbox.Mail) (r *reading) {
	r = &reading{mail: m, box: d.box(m.Mailbox), original: store.Pack(m.Raw), content: contentHash(m.Raw)}
	r.brand = d.brands[r.box.Brand]
	defer func() {
		if p := recover(); p != nil {
			d.Log.Error("reading a mail panicked", "mailbox", m.Mailbox, "uid", m.UID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			r.failed = fmt.Sprintf("could not be read: %v", p)
		}
	}()
	r.parsed = email.Parse(m.Raw)
	if slices.Contains(r.parsed.Problems, "unreadable") {
		r.failed = "could not be read"
		return r
	}
	if d.Tokens.OwnLoop(r.parsed) || d.own[r.sender()] {
		r.parsed.Kind = email.OwnLoop
	}
	r.ref = d.Tokens.Find(r.parsed)
	r.auth = d.authenticate(ctx, r)
	d.scanFiles(ctx, r)
	_, r.secrets = email.Mask(r.parsed.Subject + "\n" + r.parsed.NewText)
	r.facts = factsOf(r)
	r.decision = d.Rules.Classify(r.facts)
	r.shadow = d.shadowOf(r)
	record, err := json.Marshal(r.decision)
	if err != nil {
		r.failed = fmt.Sprintf("its classification could not be recorded: %v", err)
	}
	r.record = string(record)
	return r
}

// sender is the key of the address the mail says it is from; "" if there is none that could be written to.
func (r *reading) sender() string {
	if r.parsed == nil || !(email.Address{Addr: r.parsed.From}).Valid() {
		return ""
	}
	return addressKey(r.parsed.From)
}

// factsOf is what the rules may know of a mail: the writer's own words, not the history under them.
func factsOf(r *reading) rules.Facts {
	f := rules.Facts{
		From: r.parsed.From, Subject: r.parsed.Subject, Body: r.parsed.Counted, Kind: string(r.parsed.Kind), Received: r.mail.InternalDate,
	}
	for i := range r.parsed.Attachments {
		a := &r.parsed.Attachments[i]
		f.Attachments = append(f.Attachments, rules.Attachment{Filename: a.Filename, ContentType: a.ContentType})
	}
	return f
}

// shadowOf asks the shadow rules, if there are any; nil where they agree.
func (d *Desk) shadowOf(r *reading) *rules.Decision {
	if d.Shadow == nil {
		return nil
	}
	other := d.Shadow.Classify(r.facts)
	if other.Category == r.decision.Category {
		return nil
	}
	return &other
}
