package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxTokenLocal is the longest local part of a support address that leaves room for "+t." and a 40-character token within
// the 64 octets of RFC 5321 §4.5.3.1.1.
const maxTokenLocal = 64 - len("+t.") - 40

// Validate checks everything that can be checked without leaving the process. Each problem names its field.
func (c *Config) Validate() error {
	var p problems
	p.database(c.Database)
	for i, b := range c.Brands {
		p.brand(fmt.Sprintf("brands[%d]", i), b, c.Brands[:i])
	}
	for i, m := range c.Mailboxes {
		p.mailbox(fmt.Sprintf("mailboxes[%d]", i), m, c.Mailboxes[:i], c.Brands)
	}
	if c.SMTP.Host != "" {
		p.transport("smtp", c.SMTP.Host, c.SMTP.Port, c.SMTP.TLS, c.SMTP.Insecure)
	}
	p.oneOf("account.adapter", c.Account.Adapter, "manual", "http")
	p.check(c.Account.Adapter != "http" || c.Account.URL != "", "account.url: the http adapter needs one")
	p.check(c.Rules.Threshold > 0 && c.Rules.Threshold <= 1, "rules.threshold: %v is not between 0 and 1", c.Rules.Threshold)
	p.check(len(c.Outbox.Retry) > 0 && c.Outbox.GiveUp > 0, "outbox: retry and give_up must not be empty")
	p.check(c.Intake.Batch >= 1 && c.Intake.Batch <= 1000, "intake.batch: %d is not between 1 and 1000", c.Intake.Batch)
	p.check(c.SMTP.Connections >= 1 && c.SMTP.Connections <= 64, "smtp.connections: %d is not between 1 and 64", c.SMTP.Connections)
	p.processedFolders(c.Mailboxes)
	return errors.Join(p...)
}

type problems []error

func (p *problems) check(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func (p *problems) oneOf(field, value string, allowed ...string) {
	p.check(slices.Contains(allowed, value), "%s: %q is none of %s", field, value, strings.Join(allowed, ", "))
}

func (p *problems) database(d Database) {
	path, sqlite := strings.CutPrefix(d.URL, "sqlite:")
	u, err := url.Parse(d.URL)
	postgres := err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
	p.check(sqlite && path != "" || postgres, "database.url: %q is neither sqlite:<file> nor postgres://user@host/db", d.URL)
}

func (p *problems) brand(field string, b Brand, earlier []Brand) {
	p.check(b.ID != "", "%s.id: a brand needs an id", field)
	p.check(b.Name != "", "%s.name: a brand needs a name, customers read it", field)
	p.check(len(b.Domains) > 0, "%s.domains: name at least the official domain, it stands in our Message-IDs", field)
	p.check(!slices.ContainsFunc(earlier, func(o Brand) bool { return o.ID == b.ID }), "%s.id: %q is used twice", field, b.ID)
}

func (p *problems) mailbox(field string, m Mailbox, earlier []Mailbox, brands []Brand) {
	p.check(m.Name != "", "%s.name: a mailbox needs a name", field)
	p.check(!slices.ContainsFunc(earlier, func(o Mailbox) bool { return o.Name == m.Name }), "%s.name: %q is used twice", field, m.Name)
	p.check(slices.ContainsFunc(brands, func(b Brand) bool { return b.ID == m.Brand }), "%s.brand: %q is not among the brands", field, m.Brand)
	p.address(field, m)
	p.transport(field+".imap", m.IMAP.Host, m.IMAP.Port, m.IMAP.TLS, m.IMAP.Insecure)
	p.check(m.IMAP.Username != "", "%s.imap.username: missing", field)
	p.check(m.IMAP.Poll.D() >= time.Second, "%s.imap.poll: %s is less than a second", field, m.IMAP.Poll.D())
	folder, move := strings.CutPrefix(m.IMAP.Done, "move:")
	p.check(m.IMAP.Done == "keyword" || m.IMAP.Done == "none" || move && folder != "", "%s.imap.done: %q is none of keyword, move:<folder>, none", field, m.IMAP.Done)
	_, err := time.Parse(time.DateOnly, m.IMAP.Start)
	p.check(m.IMAP.Start == "from_now" || m.IMAP.Start == "all" || err == nil, "%s.imap.start: %q is none of from_now, all, or a date like 2026-01-31", field, m.IMAP.Start)
}

func (p *problems) address(field string, m Mailbox) {
	a, err := mail.ParseAddress(m.Address)
	if err != nil || a.Name != "" {
		p.check(false, "%s.address: %q is not a bare mail address", field, m.Address)
		return
	}
	local, _, _ := strings.Cut(a.Address, "@")
	p.check(!m.Plus() || len(local) <= maxTokenLocal,
		"%s.address: the local part has %d characters, at most %d leave room for the reply token: use a shorter address or plus_address: false", field, len(local), maxTokenLocal)
}

func (p *problems) transport(field, host string, port int, tls string, insecure bool) {
	p.check(host != "", "%s.host: missing", field)
	p.check(port > 0 && port < 65536, "%s.port: %d is not a port", field, port)
	p.oneOf(field+".tls", tls, "implicit", "starttls", "none")
	p.check(tls != "none" || insecure || loopback(host), "%s.tls: none would send the password in the clear to %s: use implicit or starttls, or say insecure: true", field, host)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// processedFolders refuses a folder that one mailbox moves its mails to and another reads from: they would come in twice.
func (p *problems) processedFolders(ms []Mailbox) {
	for _, m := range ms {
		folder, move := strings.CutPrefix(m.IMAP.Done, "move:")
		for i, o := range ms {
			same := o.IMAP.Host == m.IMAP.Host && o.IMAP.Username == m.IMAP.Username && o.IMAP.Folder == folder
			p.check(!move || !same, "mailboxes[%d].imap.folder: %q is where mailbox %q moves its processed mails", i, folder, m.Name)
		}
	}
}

// Path is where the SQLite file lies; empty for PostgreSQL.
func (d Database) Path() string {
	path, ok := strings.CutPrefix(d.URL, "sqlite:")
	if !ok {
		return ""
	}
	return filepath.Clean(path)
}
