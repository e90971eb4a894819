package authentic

import (
	"context"
	"strings"
	"time"
)

// Levels of belief in the From address. A level above A1 also needs to know whose address it ought to be: a caller
// may speak of A2 where Result.Aligned holds and the address is the registered one.
const (
	A0 = "A0" // no single usable From address
	A1 = "A1" // a usable From address, unproven
)

const (
	dnsTimeout = 15 * time.Second   // for all look-ups of one mail together
	maxAge     = 7 * 24 * time.Hour // an older signed mail may have been sent again by somebody else
	maxSkew    = time.Hour          // clocks ahead of ours
)

// Resolver looks up TXT records; *net.Resolver is one. One string per record, its parts joined.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// From is what the mail's parser found in the From fields.
type From struct {
	Fields    int    // From fields in the header
	Addresses int    // addresses in them
	Address   string // the address, local@domain; "" when it could not be read
	Name      string // its decoded display name
	Group     bool   // group syntax was used (RFC 5322, section 3.4)
}

// Brand is a name that a stranger might pose as, with the domains it really writes from.
type Brand struct {
	Name    string
	Domains []string
}

// Input is a mail to judge.
type Input struct {
	Raw             []byte // the mail as stored
	From            From
	TrustedAuthserv []string  // authserv-ids whose Authentication-Results count; none: they are ignored
	Brands          []Brand   // for the warnings
	Now             time.Time // when the mail was received
	Resolver        Resolver  // nil: no DNS, signatures stay unchecked
}

// Result is what is known of the sender. It can be stored with the mail as it is.
type Result struct {
	Level      string      `json:"level"`                // A0 or A1
	Aligned    bool        `json:"aligned"`              // the From domain is proven, and nothing speaks against it
	Method     string      `json:"method,omitzero"`      // what proved it: "ar-dmarc", "ar-dkim", "dkim"
	Fail       bool        `json:"fail"`                 // the From domain asks to reject or quarantine what is not proven
	Policy     string      `json:"policy,omitzero"`      // DMARC policy that applies: none, quarantine, reject
	DKIM       []Signature `json:"dkim,omitempty"`       // in the order of the header, at most five
	AR         []Assertion `json:"ar,omitempty"`         // of the trusted server's topmost block
	Downgraded []string    `json:"downgraded,omitempty"` // why a proof was not accepted
	Warnings   []string    `json:"warnings,omitempty"`   // "code" or "code: detail", see Warnings
	Lookups    []Lookup    `json:"lookups,omitempty"`    // DNS answers that were used; keys change
}

// Lookup is one DNS answer.
type Lookup struct {
	Name  string   `json:"name"`
	TXT   []string `json:"txt,omitempty"`
	Error string   `json:"error,omitzero"`
}

// Check judges a mail. It never fails: what cannot be found out is left unproven.
func Check(ctx context.Context, in Input) Result {
	h := readHeader(in.Raw)
	r := Result{Level: A1, Warnings: Warnings(in.From, in.Brands)}
	domain, ok := senderDomain(in.From, h)
	if !ok {
		r.Level = A0
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	c := check{in: in, header: h, domain: domain, dns: &recorder{ctx: ctx, resolver: in.Resolver}, result: &r}
	c.run()
	r.Lookups = c.dns.answers
	return r
}

// senderDomain returns the domain of the one usable From address. The header's own count of From fields must agree:
// whoever reads the first of two would be deceived by the other.
func senderDomain(f From, h header) (string, bool) {
	if f.Fields != 1 || f.Addresses != 1 || f.Group || h.count("from") > 1 {
		return "", false
	}
	at := strings.LastIndexByte(f.Address, '@')
	if at < 1 || strings.ContainsAny(f.Address, "\r\n\x00 <>\t") {
		return "", false
	}
	domain, err := asciiDomain(f.Address[at+1:])
	return domain, err == nil && domain != ""
}

type check struct {
	in     Input
	header header
	domain string
	dns    *recorder
	result *Result
}

func (c *check) run() {
	r := c.result
	r.AR = trustedResults(c.header, c.in.TrustedAuthserv)
	method := c.byAuthserv()
	var record policy
	if method != "ar-dmarc" {
		record = c.policy()
		r.Policy = record.applies
	}
	if method == "ar-dkim" && record.strict && !c.exactDKIM() {
		method = ""
	}
	if method != "" {
		c.distrustOld()
	} else {
		method = c.byDKIM(record)
	}
	c.distrustLineEnds()
	if method != "" && len(r.Downgraded) == 0 {
		r.Method, r.Aligned = method, true
	}
	r.Fail = method == "" && record.enforced() && !c.undecided()
}

// undecided reports that a signature might yet hold: a key could not be fetched just now, or no key may be fetched.
func (c *check) undecided() bool {
	for _, s := range c.result.DKIM {
		if s.Result == "temperror" || s.Result == "unchecked" {
			return true
		}
	}
	return false
}

// distrustOld holds for proofs that carry no time of their own: the Date field tells the mail's age.
func (c *check) distrustOld() {
	if at, ok := c.header.date(); ok && c.in.Now.Sub(at) > maxAge {
		c.downgrade("old: the mail is older than seven days")
	}
}

// distrustLineEnds: a mail with bare CR or LF among its CRLF line ends may be two mails to another server, the second
// of which no sender's server has seen.
func (c *check) distrustLineEnds() {
	if bareLineEnds(c.in.Raw) {
		c.downgrade("line-ends: bare CR or LF in the mail")
	}
}

func (c *check) downgrade(why string) { c.result.Downgraded = append(c.result.Downgraded, why) }
