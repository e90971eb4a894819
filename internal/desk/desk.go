// Package desk is the use cases of postdesk: what the machine does with a mail, and what people do with tickets. One verb a
// file, one transaction a verb, no network inside a transaction. Start with Receive.
package desk

import (
	"log/slog"
	"strings"
	"time"

	"postdesk/config"
	"postdesk/internal/email"
	"postdesk/internal/email/authentic"
	"postdesk/internal/reply"
	"postdesk/internal/rules"
	"postdesk/internal/scan"
	"postdesk/internal/store"
)

// System is the actor of everything that no person did.
const System = "system"

// Parts is what a Desk works with. All fields but Shadow, Scanner, Resolver and Queued are required.
type Parts struct {
	Settings *config.Config
	Store    *store.Store
	Rules    *rules.Set
	Shadow   *rules.Set // runs beside Rules without effect; nil: none
	Replies  *reply.Set
	Tokens   *email.Tokens
	Scanner  scan.Clamd // without an address files stay unscanned
	Resolver Resolver   // nil: no DNS, signatures stay unchecked
	Queued   func()     // called after a commit that queued deliveries
	Log      *slog.Logger
}

// Desk carries out the verbs. It is safe for concurrent use.
type Desk struct {
	Parts
	brands     map[string]config.Brand
	replies    map[string]*reply.Set // by brand
	resolver   authentic.Resolver
	brandNames []authentic.Brand
	boxes      map[string]config.Mailbox
	own        map[string]bool // addresses of ours, lower-case: never answered, never a customer
	public     map[string]bool // domains of mail providers
}

// New makes a desk of its parts.
func New(p Parts) *Desk {
	d := &Desk{Parts: p, brands: map[string]config.Brand{}, replies: map[string]*reply.Set{}, boxes: map[string]config.Mailbox{}, own: map[string]bool{}}
	for _, b := range p.Settings.Brands {
		d.brands[b.ID] = b
		d.brandNames = append(d.brandNames, authentic.Brand{Name: b.Name, Domains: b.Domains})
		d.replies[b.ID] = p.Replies.WithBrand(voice(b))
	}
	for _, m := range p.Settings.Mailboxes {
		d.boxes[m.Name] = m
		d.own[addressKey(m.Address)] = true
	}
	if p.Resolver != nil {
		d.resolver = newCache(p.Resolver, time.Now)
	}
	d.public = publicDomains(p.Settings.Automatic.PublicDomains)
	if d.Queued == nil {
		d.Queued = func() {}
	}
	return d
}

// voice is what the mails of a brand say about it; what the configuration leaves out is not said.
func voice(b config.Brand) reply.Brand {
	sla := map[string]string{reply.Chinese: b.SLAText.ZhCN, reply.English: b.SLAText.En}
	return reply.Brand{Name: b.Name, OfficialDomain: b.Domains[0], SupportPhone: b.SupportPhone, SLAText: sla}
}

// box is the mailbox a mail came from; an import names its target as "import/<mailbox>".
func (d *Desk) box(name string) config.Mailbox {
	return d.boxes[strings.TrimPrefix(name, importPrefix)]
}

// supportBox is the mailbox that answers for a brand: the first one that is not a junk folder.
func (d *Desk) supportBox(brand string) config.Mailbox {
	for _, m := range d.Settings.Mailboxes {
		if m.Brand == brand && !m.Junk {
			return m
		}
	}
	return config.Mailbox{}
}

// isOwn reports whether an address is one of ours, with or without a tag.
func (d *Desk) isOwn(address string) bool {
	key := addressKey(address)
	local, domain, _ := strings.Cut(key, "@")
	base, _, _ := strings.Cut(local, "+")
	return d.own[key] || d.own[base+"@"+domain]
}

// addressKey is the form in which addresses are compared: all lower-case, and nothing folded beyond that, since
// a.b@example and ab@example may be two people.
func addressKey(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func domainOf(address string) string {
	_, domain, _ := strings.Cut(addressKey(address), "@")
	return domain
}
