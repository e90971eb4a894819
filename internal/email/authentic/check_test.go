package authentic

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// zone answers TXT questions from a table, as a name server for tests.
type zone map[string][]string

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if txt, ok := z[name]; ok {
		return txt, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

const letter = "From: Li Wei <li.wei@example.com>\r\n" +
	"To: support@okpay.example\r\n" +
	"Subject: close my account\r\n" +
	"Message-ID: <1@example.com>\r\n" +
	"\r\n" +
	"Please close it.\r\n"

func dated(raw string, at time.Time) string {
	return "Date: " + at.Format(time.RFC1123Z) + "\r\n" + raw
}

// signer signs fixtures for one domain and publishes its key.
type signer struct {
	key    crypto.Signer
	domain string
	record string
}

func newRSA(t *testing.T, domain string, bits int) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, domain, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(pub)}
}

func newEd25519(t *testing.T, domain string) signer {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, domain, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)}
}

func (s signer) sign(t *testing.T, raw string, change func(*dkim.SignOptions)) string {
	t.Helper()
	o := &dkim.SignOptions{Domain: s.domain, Selector: "k1", Signer: s.key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"}}
	if change != nil {
		change(o)
	}
	var out bytes.Buffer
	if err := dkim.Sign(&out, strings.NewReader(raw), o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (s signer) zone(more ...string) zone {
	z := zone{"k1._domainkey." + s.domain: {s.record}}
	for i := 0; i+1 < len(more); i += 2 {
		z[more[i]] = []string{more[i+1]}
	}
	return z
}

func input(raw string, r Resolver) Input {
	return Input{Raw: []byte(raw), From: From{Fields: 1, Addresses: 1, Address: "li.wei@example.com", Name: "Li Wei"}, Now: time.Now(), Resolver: r}
}

func TestT4_2_SignatureOfTheFromDomainProvesIt(t *testing.T) {
	now := time.Now()
	s := newRSA(t, "example.com", 2048)
	signed := s.sign(t, dated(letter, now), nil)
	r := Check(t.Context(), input(signed, s.zone("_dmarc.example.com", "v=DMARC1; p=reject")))
	if !r.Aligned || r.Method != "dkim" || r.Level != A1 || r.Fail || r.Policy != "reject" {
		t.Fatalf("result %+v", r)
	}
	names := []string{}
	for _, l := range r.Lookups {
		names = append(names, l.Name)
	}
	if !slices.Contains(names, "k1._domainkey.example.com") || !slices.Contains(names, "_dmarc.example.com") {
		t.Errorf("look-ups kept: %v", names)
	}
}

func TestT4_2_WhatProvesNothing(t *testing.T) {
	now := time.Now()
	good := newRSA(t, "example.com", 2048)
	evil := newRSA(t, "evil.example", 2048)
	raw := dated(letter, now)
	unsignedFrom := func() string {
		s := good.sign(t, raw, nil)
		return strings.Replace(s, "h=From:", "h=", 1)
	}
	tests := []struct {
		name   string
		raw    string
		zone   zone
		dkim   string // result of the first signature
		reason string
	}{
		{"no signature", raw, zone{}, "", ""},
		{"another domain's signature passes", evil.sign(t, raw, nil), evil.zone(), "pass", ""},
		{"another domain that only ends alike", newRSAFor(t, "notexample.com").sign(t, raw, nil), zone{}, "permerror", "no key"},
		{"From not signed", unsignedFrom(), good.zone(), "permerror", "From field not signed"},
		{"body changed", strings.Replace(good.sign(t, raw, nil), "Please close", "Please keep", 1), good.zone(), "fail", "body hash"},
		{"subject changed", strings.Replace(good.sign(t, raw, nil), "Subject: close", "Subject: keep", 1), good.zone(), "fail", "signature"},
		{"partial body", strings.Replace(good.sign(t, raw, nil), "v=1;", "v=1; l=5;", 1), good.zone(), "fail", "body length"},
		{"key revoked", good.sign(t, raw, nil), zone{"k1._domainkey.example.com": {"v=DKIM1; p="}}, "permerror", "revoked"},
		{"key missing", good.sign(t, raw, nil), zone{}, "permerror", "no key"},
		{"two keys", good.sign(t, raw, nil), zone{"k1._domainkey.example.com": {good.record, good.record}}, "permerror", "multiple"},
		{"foreign key", good.sign(t, raw, nil), zone{"k1._domainkey.example.com": {evil.record}}, "fail", ""},
		{"expired long ago", good.sign(t, raw, func(o *dkim.SignOptions) { o.Expiration = now.Add(-time.Hour) }), good.zone(), "permerror", "expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Check(t.Context(), input(tt.raw, tt.zone))
			if r.Aligned || r.Method != "" || r.Level != A1 {
				t.Fatalf("believed: %+v", r)
			}
			if tt.dkim == "" {
				return
			}
			if len(r.DKIM) != 1 || r.DKIM[0].Result != tt.dkim || !strings.Contains(r.DKIM[0].Reason, tt.reason) {
				t.Errorf("DKIM %+v, want %s with %q", r.DKIM, tt.dkim, tt.reason)
			}
		})
	}
}

func newRSAFor(t *testing.T, domain string) signer { return newRSA(t, domain, 1024) }

func TestT4_2_ExpiryAndFutureAreJudgedAtArrival(t *testing.T) {
	now := time.Now()
	s := newRSA(t, "example.com", 2048)
	signed := s.sign(t, dated(letter, now), func(o *dkim.SignOptions) { o.Expiration = now.Add(time.Hour) })
	for _, tt := range []struct {
		name   string
		now    time.Time
		reason string
	}{
		{"arrived after expiry", now.Add(2 * time.Hour), "expired"},
		{"signed after arrival", now.Add(-5 * time.Hour), "dated after"},
	} {
		in := input(signed, s.zone())
		in.Now = tt.now
		r := Check(t.Context(), in)
		if r.Aligned || len(r.DKIM) != 1 || r.DKIM[0].Result != "fail" || !strings.Contains(r.DKIM[0].Reason, tt.reason) {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
}

func TestT4_2_KeysAndAlgorithms(t *testing.T) {
	raw := dated(letter, time.Now())
	ed := newEd25519(t, "example.com")
	if r := Check(t.Context(), input(ed.sign(t, raw, nil), ed.zone())); !r.Aligned {
		t.Errorf("ed25519: %+v", r)
	}
	small := newRSA(t, "example.com", 1024)
	if r := Check(t.Context(), input(small.sign(t, raw, nil), small.zone())); !r.Aligned {
		t.Errorf("rsa 1024: %+v", r)
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	tiny := newRSA(t, "example.com", 768)
	r := Check(t.Context(), input(tiny.sign(t, raw, nil), tiny.zone()))
	if r.Aligned || len(r.DKIM) != 1 || !strings.Contains(r.DKIM[0].Reason, "too short") {
		t.Errorf("rsa 768: %+v", r)
	}
}

func TestT4_2_OnlyFiveSignaturesAreVerified(t *testing.T) {
	s := newEd25519(t, "example.com")
	raw := dated(letter, time.Now())
	for range 8 {
		raw = s.sign(t, raw, nil)
	}
	r := Check(t.Context(), input(raw, s.zone()))
	if len(r.DKIM) != 5 || !r.Aligned {
		t.Errorf("%d signatures verified, aligned %v", len(r.DKIM), r.Aligned)
	}
}

func TestT4_2_AlignmentIsOfTheOrganisation(t *testing.T) {
	tests := []struct {
		signer, from string
		strict, want bool
	}{
		{"example.com", "example.com", true, true},
		{"EXAMPLE.com", "example.com", true, true},
		{"mail.example.com", "example.com", false, true},
		{"mail.example.com", "example.com", true, false},
		{"example.com", "mail.example.com", false, true},
		{"b.example.com", "a.example.com", false, true},
		{"example.org", "example.com", false, false},
		{"evil.co.uk", "bank.co.uk", false, false},
		{"co.uk", "bank.co.uk", false, false},
		{"com", "example.com", false, false},
		{"com", "com", false, true},
		{"alice.github.io", "bob.github.io", false, false},
		{"bücher.example", "xn--bcher-kva.example", false, true},
		{"", "example.com", false, false},
		{"evil.example com", "example.com", false, false},
		{"公司.cn", "公司.cn", false, false},
	}
	for _, tt := range tests {
		if got := aligned(tt.signer, tt.from, tt.strict); got != tt.want {
			t.Errorf("aligned(%q, %q, %v) = %v", tt.signer, tt.from, tt.strict, got)
		}
	}
}

func TestT4_2_PolicyDecidesWhatFails(t *testing.T) {
	s := newEd25519(t, "example.com")
	raw := dated(letter, time.Now())
	signed := s.sign(t, raw, nil)
	sub := strings.ReplaceAll(raw, "li.wei@example.com", "li.wei@mail.example.com")
	tests := []struct {
		name, raw, from string
		zone            zone
		fail, aligned   bool
		policy          string
	}{
		{"reject, unsigned", raw, "li.wei@example.com", zone{"_dmarc.example.com": {"v=DMARC1; p=reject; rua=mailto:x@y"}}, true, false, "reject"},
		{"quarantine in capitals", raw, "li.wei@example.com", zone{"_dmarc.example.com": {"v=DMARC1;P=Quarantine"}}, true, false, "quarantine"},
		{"none", raw, "li.wei@example.com", zone{"_dmarc.example.com": {"v=DMARC1; p=none"}}, false, false, "none"},
		{"no record", raw, "li.wei@example.com", zone{}, false, false, ""},
		{"two records are none", raw, "li.wei@example.com", zone{"_dmarc.example.com": {"v=DMARC1; p=reject", "v=DMARC1; p=none"}}, false, false, ""},
		{"other TXT records are passed over", raw, "li.wei@example.com", zone{"_dmarc.example.com": {"hello", "v=DMARC1; p=reject"}}, true, false, "reject"},
		{"organisation's policy", sub, "li.wei@mail.example.com", zone{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, true, false, "reject"},
		{"organisation's policy for subdomains", sub, "li.wei@mail.example.com", zone{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=none"}}, false, false, "none"},
		{"aligned", signed, "li.wei@example.com", s.zone("_dmarc.example.com", "v=DMARC1; p=reject"), false, true, "reject"},
		{"strict and the organisation signs", s.sign(t, sub, nil), "li.wei@mail.example.com", s.zone("_dmarc.mail.example.com", "v=DMARC1; p=reject; adkim=s"), true, false, "reject"},
		{"relaxed and the organisation signs", s.sign(t, sub, nil), "li.wei@mail.example.com", s.zone("_dmarc.mail.example.com", "v=DMARC1; p=reject"), false, true, "reject"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(tt.raw, tt.zone)
			in.From.Address = tt.from
			r := Check(t.Context(), in)
			if r.Fail != tt.fail || r.Aligned != tt.aligned || r.Policy != tt.policy {
				t.Errorf("fail %v aligned %v policy %q: %+v", r.Fail, r.Aligned, r.Policy, r)
			}
		})
	}
}

func TestNoResolverMeansUncheckedAndNoError(t *testing.T) {
	s := newEd25519(t, "example.com")
	r := Check(t.Context(), input(s.sign(t, dated(letter, time.Now()), nil), nil))
	if r.Level != A1 || r.Aligned || r.Fail || len(r.DKIM) != 1 || r.DKIM[0].Result != "unchecked" || len(r.Lookups) != 0 {
		t.Errorf("%+v", r)
	}
}

type broken struct{}

func (broken) LookupTXT(context.Context, string) ([]string, error) {
	return nil, errors.New("network is down")
}

func TestDNSFailureIsNoVerdict(t *testing.T) {
	s := newEd25519(t, "example.com")
	r := Check(t.Context(), input(s.sign(t, dated(letter, time.Now()), nil), broken{}))
	if r.Aligned || r.Fail || len(r.DKIM) != 1 || r.DKIM[0].Result != "temperror" {
		t.Errorf("%+v", r)
	}
	if len(r.Lookups) == 0 || r.Lookups[0].Error == "" {
		t.Errorf("the failed look-ups are not kept: %+v", r.Lookups)
	}
}

func TestT4_3_UnprovenFreemailIsNotRejected(t *testing.T) {
	raw := strings.ReplaceAll(dated(letter, time.Now()), "li.wei@example.com", "10001@qq.com")
	in := input(raw, zone{})
	in.From.Address = "10001@qq.com"
	if r := Check(t.Context(), in); r.Level != A1 || r.Fail || r.Aligned {
		t.Errorf("%+v", r)
	}
	s := newEd25519(t, "qq.com")
	in = input(s.sign(t, raw, nil), s.zone("_dmarc.qq.com", "v=DMARC1; p=quarantine"))
	in.From.Address = "10001@qq.com"
	if r := Check(t.Context(), in); !r.Aligned {
		t.Errorf("freemail signed by its provider: %+v", r)
	}
}

func TestT4_4_OnlyOneFromFieldWithOneAddressCounts(t *testing.T) {
	two := "From: ceo@bank.example\r\n" + letter
	tests := []struct {
		name string
		raw  string
		from From
	}{
		{"none", letter, From{}},
		{"two fields", two, From{Fields: 2, Addresses: 2, Address: "ceo@bank.example"}},
		{"two fields, of which the caller saw one", two, From{Fields: 1, Addresses: 1, Address: "li.wei@example.com"}},
		{"blank before the colon hides the second", "From : ceo@bank.example\r\n" + letter, From{Fields: 1, Addresses: 1, Address: "li.wei@example.com"}},
		{"two addresses", letter, From{Fields: 1, Addresses: 2, Address: "li.wei@example.com"}},
		{"unreadable", letter, From{Fields: 1, Addresses: 1}},
		{"no domain", letter, From{Fields: 1, Addresses: 1, Address: "li.wei"}},
		{"no local part", letter, From{Fields: 1, Addresses: 1, Address: "@example.com"}},
		{"NUL", letter, From{Fields: 1, Addresses: 1, Address: "li\x00wei@example.com"}},
		{"blank in the domain", letter, From{Fields: 1, Addresses: 1, Address: "li@exa mple.com"}},
		{"route", letter, From{Fields: 1, Addresses: 1, Address: "@relay.example:li@example.com>"}},
		{"group", letter, From{Fields: 1, Addresses: 1, Address: "li.wei@example.com", Group: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(tt.raw, zone{})
			in.From = tt.from
			if r := Check(t.Context(), in); r.Level != A0 || r.Aligned {
				t.Errorf("%+v", r)
			}
		})
	}
	in := input(letter, zone{})
	in.From.Address = "李伟@例子.example"
	if r := Check(t.Context(), in); r.Level != A1 {
		t.Errorf("internationalised address: %+v", r)
	}
}

func TestT4_6_DomainsAreComparedAsALabels(t *testing.T) {
	s := newEd25519(t, "xn--fsqu00a.example")
	raw := strings.ReplaceAll(dated(letter, time.Now()), "li.wei@example.com", "li@xn--fsqu00a.example")
	in := input(s.sign(t, raw, nil), s.zone())
	for _, address := range []string{"li@例子.example", "li@xn--fsqu00a.example", "LI@XN--FSQU00A.EXAMPLE"} {
		in.From.Address = address
		if r := Check(t.Context(), in); !r.Aligned {
			t.Errorf("%s: %+v", address, r)
		}
	}
	in.From.Address = "li@xn--fsqu00a.example.evil.example"
	if r := Check(t.Context(), in); r.Aligned {
		t.Errorf("a domain that goes on: %+v", r)
	}
}

func TestT4_7_OldOrRedirectedSignedMailIsNoProof(t *testing.T) {
	now := time.Now()
	s := newEd25519(t, "example.com")
	without := func(field string) func(*dkim.SignOptions) {
		return func(o *dkim.SignOptions) {
			o.HeaderKeys = slices.DeleteFunc(slices.Clone(o.HeaderKeys), func(k string) bool { return k == field })
		}
	}
	signed := s.sign(t, dated(letter, now), nil)
	tests := []struct {
		name, raw string
		now       time.Time
		why       string
	}{
		{"eight days old", signed, now.Add(8 * 24 * time.Hour), "old"},
		{"recipient not signed", s.sign(t, dated(letter, now), without("To")), now, "to"},
		{"recipient added on top", "To: victim@okpay.example\r\n" + signed, now, "added"},
		{"subject added on top", "Subject: pay out\r\n" + signed, now, "added"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(tt.raw, s.zone())
			in.Now = tt.now
			r := Check(t.Context(), in)
			if r.Aligned || r.Level != A1 || r.Fail || len(r.Downgraded) != 1 || !strings.HasPrefix(r.Downgraded[0], tt.why+":") {
				t.Errorf("%+v", r)
			}
		})
	}
	in := input(signed, s.zone())
	in.Now = now.Add(6 * 24 * time.Hour)
	if r := Check(t.Context(), in); !r.Aligned {
		t.Errorf("six days old: %+v", r)
	}
	weakThenGood := s.sign(t, s.sign(t, dated(letter, now), nil), without("To"))
	if r := Check(t.Context(), input(weakThenGood, s.zone())); !r.Aligned || len(r.Downgraded) != 0 {
		t.Errorf("one signature without weakness is enough: %+v", r)
	}
}

func TestT4_8_BareLineEndsTakeTheProofAway(t *testing.T) {
	s := newEd25519(t, "example.com")
	for name, body := range map[string]string{
		"LF.LF":       "one\n.\nMAIL FROM:<ceo@example.com>\r\n",
		"LF.CRLF":     "one\n.\r\ntwo\r\n",
		"CRLF.LF":     "one\r\n.\ntwo\r\n",
		"CR.CR":       "one\r.\rtwo\r\n",
		"bare LF":     "one\ntwo\r\n",
		"bare CR":     "one\rtwo\r\n",
		"CR CR LF":    "one\r\r\ntwo\r\n",
		"LF CR":       "one\n\rtwo\r\n",
		"CR at end":   "one\r\n\r",
		"CRLF.CR":     "one\r\n.\rtwo\r\n",
		"CR in front": "\rone\r\n",
	} {
		raw := s.sign(t, dated(strings.TrimSuffix(letter, "Please close it.\r\n"), time.Now())+body, nil)
		r := Check(t.Context(), input(raw, s.zone()))
		if r.Aligned || !slices.ContainsFunc(r.Downgraded, func(s string) bool { return strings.HasPrefix(s, "line-ends:") }) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	signed := s.sign(t, dated(letter, time.Now()), nil)
	if r := Check(t.Context(), input(strings.ReplaceAll(signed, "\r\n", "\n"), s.zone())); !r.Aligned {
		t.Errorf("a mail with LF alone is a change of format: %+v", r)
	}
}

func TestHeaderWithoutBodyCanBeVerified(t *testing.T) {
	s := newEd25519(t, "example.com")
	header, _, _ := strings.Cut(dated(letter, time.Now()), "\r\n\r\n")
	signed := s.sign(t, header+"\r\n\r\n", nil)
	r := Check(t.Context(), input(strings.TrimSuffix(signed, "\r\n\r\n")+"\r\n", s.zone()))
	if !r.Aligned {
		t.Errorf("%+v", r)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(letter), "li.wei@example.com")
	f.Add([]byte("From: a@b\nDKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=k1; h=from; bh=; b=\n\nx"), "a@example.com")
	f.Add([]byte("Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n\r\n"), "a@example.com")
	f.Fuzz(func(t *testing.T, raw []byte, address string) {
		in := Input{Raw: raw, From: From{Fields: 1, Addresses: 1, Address: address}, TrustedAuthserv: []string{ours}, Now: time.Unix(1736000000, 0),
			Resolver: zone{"_dmarc.example.com": {"v=DMARC1; p=reject"}}}
		r := Check(t.Context(), in)
		if r.Level != A0 && r.Level != A1 {
			t.Errorf("level %q", r.Level)
		}
		if r.Aligned && (r.Level == A0 || r.Method == "" || r.Fail || len(r.Downgraded) > 0) {
			t.Errorf("contradiction: %+v", r)
		}
		if r.Method == "dkim" {
			t.Error("no key is published, and yet a signature proved something")
		}
	})
}
