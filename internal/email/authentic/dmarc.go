package authentic

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// policy is what the From domain publishes (RFC 7489).
type policy struct {
	applies string // none, quarantine, reject; "" without a record
	strict  bool   // adkim=s: the signing domain must be the From domain itself
}

func (p policy) enforced() bool { return p.applies == "quarantine" || p.applies == "reject" }

// policy looks up the DMARC record of the From domain, then that of its organisation.
func (c *check) policy() policy {
	if c.in.Resolver == nil {
		return policy{}
	}
	if tags, ok := c.record(c.domain); ok {
		return policy{applies: policyValue(tags["p"]), strict: tags["adkim"] == "s"}
	}
	org := organisation(c.domain)
	if org == c.domain {
		return policy{}
	}
	tags, ok := c.record(org)
	if !ok {
		return policy{}
	}
	p := policyValue(tags["p"])
	if sp, ok := tags["sp"]; ok {
		p = policyValue(sp)
	}
	return policy{applies: p, strict: tags["adkim"] == "s"}
}

// policyValue reads p= or sp=. An unknown value is "none" (RFC 7489, section 6.6.3).
func policyValue(v string) string {
	switch v {
	case "reject", "quarantine":
		return v
	}
	return "none"
}

// record returns the tags of the only DMARC record at a domain. Two records are none (RFC 7489, section 6.6.3).
func (c *check) record(domain string) (map[string]string, bool) {
	txts, err := c.dns.lookup("_dmarc." + domain)
	if err != nil {
		return nil, false
	}
	var found map[string]string
	for _, txt := range txts {
		tags := recordTags(txt)
		if tags["v"] != "dmarc1" || !strings.HasPrefix(strings.TrimSpace(txt), "v") {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = tags
	}
	return found, found != nil
}

func recordTags(txt string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(txt, ";") {
		if k, v, ok := strings.Cut(part, "="); ok && len(tags) < 50 {
			tags[strings.ToLower(strings.TrimSpace(k))] = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return tags
}

// aligned reports that a signing domain speaks for the From domain: the same domain, or unless strict one of the
// same organisation (RFC 7489, section 3.1).
func aligned(signer, from string, strict bool) bool {
	signer, err := asciiDomain(signer)
	if err != nil || signer == "" {
		return false
	}
	if signer == from {
		return true
	}
	return !strict && organisation(signer) == organisation(from)
}

// organisation returns the domain below the public suffix; a public suffix is its own, so that nothing but itself
// aligns with it.
func organisation(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return org
}

// asciiDomain returns a domain in lower case with A-labels.
func asciiDomain(domain string) (string, error) {
	domain = strings.TrimSuffix(strings.TrimSpace(domain), ".")
	a, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(domain)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(a, " \t\r\n\x00@<>()[],;:\\\"/") {
		return "", errors.New("not a domain name")
	}
	return strings.ToLower(a), nil
}

// recorder answers look-ups through the caller's resolver, each name once, and keeps the answers. Signatures are
// verified side by side, hence the lock.
type recorder struct {
	ctx      context.Context
	resolver Resolver

	mu      sync.Mutex
	answers []Lookup
	errs    []error
}

func (r *recorder) lookup(name string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, a := range r.answers {
		if a.Name == name {
			return a.TXT, r.errs[i]
		}
	}
	txt, err := r.resolver.LookupTXT(r.ctx, name)
	answer := Lookup{Name: name, TXT: txt}
	if err != nil {
		err = temporary(err)
		answer.TXT, answer.Error = nil, err.Error()
	}
	r.answers = append(r.answers, answer)
	r.errs = append(r.errs, err)
	return answer.TXT, err
}

// temporary makes every error but "no such name" one that may pass, as the verifier of signatures tells them apart.
func temporary(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns
	}
	return &net.DNSError{Err: err.Error(), IsTemporary: true}
}
