package authentic

import (
	"bytes"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

const maxSignatures = 5 // signatures verified of one mail; each costs a look-up

// Signature is one DKIM-Signature of the mail (RFC 6376).
type Signature struct {
	Domain  string    `json:"domain"` // d=
	Result  string    `json:"result"` // pass, fail, permerror, temperror, unchecked
	Reason  string    `json:"reason,omitzero"`
	Time    time.Time `json:"time,omitzero"` // t=
	Aligned bool      `json:"aligned"`       // of the From domain's organisation
}

// byDKIM verifies the mail's signatures and returns "dkim" if one proves the From domain.
func (c *check) byDKIM(record policy) string {
	if c.header.count("dkim-signature") == 0 {
		return ""
	}
	if c.in.Resolver == nil {
		c.unchecked(record)
		return ""
	}
	options := dkim.VerifyOptions{LookupTXT: c.dns.lookup, MaxVerifications: maxSignatures}
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(wireForm(c.in.Raw)), &options)
	if err != nil && len(verified) == 0 {
		c.result.DKIM = []Signature{{Result: "permerror", Reason: err.Error()}}
		return ""
	}
	return c.accept(verified, record)
}

// unchecked lists the signatures when no keys can be looked up.
func (c *check) unchecked(record policy) {
	for _, f := range c.header {
		if f.name == "dkim-signature" && len(c.result.DKIM) < maxSignatures {
			d := signatureTag(f.value, "d")
			c.result.DKIM = append(c.result.DKIM, Signature{Domain: d, Result: "unchecked", Aligned: aligned(d, c.domain, record.strict)})
		}
	}
}

func signatureTag(value, tag string) string {
	for part := range strings.SplitSeq(value, ";") {
		if k, v, ok := strings.Cut(part, "="); ok && strings.TrimSpace(k) == tag {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// accept keeps the results and says whether one is a proof. What weakens a proof is noted only when no other
// signature is without weakness.
func (c *check) accept(verified []*dkim.Verification, record policy) string {
	var weak []string
	found, strong := false, false
	for _, v := range verified {
		s := c.judge(v, record.strict)
		c.result.DKIM = append(c.result.DKIM, s)
		if s.Result != "pass" || !s.Aligned {
			continue
		}
		found = true
		if why := c.weaknesses(v); len(why) > 0 {
			weak = append(weak, why...)
			continue
		}
		strong = true
	}
	if !found {
		return ""
	}
	if !strong {
		c.result.Downgraded = append(c.result.Downgraded, weak...)
	}
	return "dkim"
}

func (c *check) judge(v *dkim.Verification, strict bool) Signature {
	s := Signature{Domain: strings.ToLower(v.Domain), Time: v.Time.UTC(), Result: "pass", Aligned: aligned(v.Domain, c.domain, strict)}
	if v.Time.IsZero() {
		s.Time = time.Time{}
	}
	switch {
	case v.Err != nil && dkim.IsTempFail(v.Err):
		s.Result, s.Reason = "temperror", v.Err.Error()
	case v.Err != nil && dkim.IsPermFail(v.Err):
		s.Result, s.Reason = "permerror", v.Err.Error()
	case v.Err != nil:
		s.Result, s.Reason = "fail", v.Err.Error()
	case !v.Expiration.IsZero() && c.in.Now.After(v.Expiration):
		s.Result, s.Reason = "fail", "the signature had expired when the mail arrived"
	case v.Time.After(c.in.Now.Add(maxSkew)):
		s.Result, s.Reason = "fail", "the signature is dated after the mail's arrival"
	case !v.Expiration.IsZero() && v.Expiration.Before(v.Time):
		s.Result, s.Reason = "fail", "the signature expires before it was made"
	}
	return s
}

// weaknesses are what lets somebody else use a valid signature: age, an unsigned recipient, fields put above the
// signed ones of the same name (RFC 6376, section 8.15).
func (c *check) weaknesses(v *dkim.Verification) []string {
	signed := map[string]int{}
	for _, k := range v.HeaderKeys {
		signed[strings.ToLower(strings.TrimSpace(k))]++
	}
	var why []string
	if at, ok := c.signedTime(v, signed); !ok {
		why = append(why, "undated: no signed time")
	} else if c.in.Now.Sub(at) > maxAge {
		why = append(why, "old: signed more than seven days before")
	}
	if signed["to"] == 0 {
		why = append(why, "to: the recipient is not signed")
	}
	for _, name := range []string{"to", "cc", "subject", "date", "reply-to", "content-type", "mime-version", "content-transfer-encoding"} {
		if n := c.header.count(name); signed[name] > 0 && n > signed[name] {
			why = append(why, "added: an unsigned "+name+" field stands beside the signed one")
		}
	}
	return why
}

func (c *check) signedTime(v *dkim.Verification, signed map[string]int) (time.Time, bool) {
	if !v.Time.IsZero() {
		return v.Time, true
	}
	if signed["date"] == 0 {
		return time.Time{}, false
	}
	return c.header.date()
}
