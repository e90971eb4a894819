package authentic

import (
	"strings"
	"testing"
	"time"
)

const ours = "mx.okpay.example"

func authserv(t *testing.T, header string) Result {
	t.Helper()
	raw := header + dated(letter, time.Now())
	in := input(raw, nil)
	in.TrustedAuthserv = []string{ours}
	return Check(t.Context(), in)
}

const received = "Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n\tby mx.okpay.example (Postfix) with ESMTPS id 4Xy\r\n\tfor <support@okpay.example>; Mon, 6 Jan 2025 10:00:00 +0000 (UTC)\r\n"
const delivery = "Received: from mx.okpay.example ([10.0.0.2])\r\n\tby imap.okpay.example with LMTP\r\n\tid abc (envelope-from <a@b.example>); Mon, 6 Jan 2025 10:00:01 +0000\r\n"

func TestT4_1_TrustedResultsProve(t *testing.T) {
	for name, header := range map[string]string{
		"plain":                "Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n" + received,
		"below local delivery": delivery + "Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n" + received,
		"case":                 "AUTHENTICATION-RESULTS: MX.OkPay.Example; DMARC=Pass Header.From=EXAMPLE.com\r\n" + received,
		"comments":             "Authentication-Results: (a (nested) one) mx.okpay.example (x; dmarc=fail) ; dmarc (c) = (d) pass (p=none; dis=none) header (e) . (f) from = (g) example.com (h)\r\n" + received,
		"folded":               "Authentication-Results: mx.okpay.example;\r\n\tspf=pass smtp.mailfrom=a@example.com;\r\n\tdmarc=pass\r\n  header.from=example.com\r\n" + received,
		"version":              "Authentication-Results: mx.okpay.example 1; dmarc=pass header.from=example.com\r\n" + received,
		"method version":       "Authentication-Results: mx.okpay.example; dmarc/1=pass header.from=example.com\r\n" + received,
		"quoted values":        "Authentication-Results: \"mx.okpay.example\"; dmarc=\"pass\" reason=\"fine; dmarc=fail\" header.from=\"example.com\"\r\n" + received,
		"two fields":           "Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\nDKIM-Filter: OpenDKIM v2 mx\r\nAuthentication-Results: mx.okpay.example; dkim=pass header.d=example.com\r\n" + received,
		"dkim":                 "Authentication-Results: mx.okpay.example; dkim=fail header.d=evil.example; dkim=pass header.d=mail.example.com\r\n" + received,
		"dkim identity":        "Authentication-Results: mx.okpay.example; dkim=pass header.i=@example.com header.b=abc\r\n" + received,
		"foreign id above":     "Authentication-Results: scanner.okpay.example; dmarc=fail header.from=example.com\r\nAuthentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n" + received,
	} {
		if r := authserv(t, header); !r.Aligned || !strings.HasPrefix(r.Method, "ar-") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestT4_1_ForgedResultsProveNothing(t *testing.T) {
	pass := "dmarc=pass header.from=example.com\r\n"
	for name, header := range map[string]string{
		"below our Received":           received + "Authentication-Results: mx.okpay.example; " + pass,
		"below both":                   delivery + received + "Authentication-Results: mx.okpay.example; " + pass,
		"between two servers":          received + "Authentication-Results: mx.okpay.example; " + pass + received,
		"other authserv-id":            "Authentication-Results: mx.evil.example; " + pass + received,
		"id that goes on":              "Authentication-Results: mx.okpay.example.evil.example; " + pass + received,
		"id in a comment":              "Authentication-Results: (mx.okpay.example) evil.example; " + pass + received,
		"id quoted with more":          "Authentication-Results: \"mx.okpay.example evil\"; " + pass + received,
		"unknown version":              "Authentication-Results: mx.okpay.example 2; " + pass + received,
		"pass in a comment":            "Authentication-Results: mx.okpay.example; dmarc=fail (x; dmarc=pass header.from=example.com) header.from=example.com\r\n" + received,
		"pass in a quoted reason":      "Authentication-Results: mx.okpay.example; dmarc=fail reason=\"; dmarc=pass header.from=example.com\" header.from=example.com\r\n" + received,
		"unclosed comment":             "Authentication-Results: mx.okpay.example; dmarc=pass (header.from=example.com\r\n" + received,
		"unclosed quote":               "Authentication-Results: mx.okpay.example; dmarc=pass reason=\"header.from=example.com\r\n" + received,
		"fail above pass":              "Authentication-Results: mx.okpay.example; dmarc=fail header.from=example.com\r\nAuthentication-Results: mx.okpay.example; " + pass + received,
		"pass above fail":              "Authentication-Results: mx.okpay.example; " + pass[:len(pass)-2] + "\r\nAuthentication-Results: mx.okpay.example; dmarc=fail header.from=example.com\r\n" + received,
		"block ended by another field": "Authentication-Results: mx.okpay.example; spf=pass\r\nX-Spam: no\r\nAuthentication-Results: mx.okpay.example; " + pass + received,
		"dmarc of another domain":      "Authentication-Results: mx.okpay.example; dmarc=pass header.from=evil.example\r\n" + received,
		"dmarc of no domain":           "Authentication-Results: mx.okpay.example; dmarc=pass\r\n" + received,
		"two domains in one result":    "Authentication-Results: mx.okpay.example; dmarc=pass header.from=evil.example header.from=example.com\r\n" + received,
		"dkim of another domain":       "Authentication-Results: mx.okpay.example; dkim=pass header.d=evil.example\r\n" + received,
		"dkim passes, dmarc fails":     "Authentication-Results: mx.okpay.example; dkim=pass header.d=example.com; dmarc=fail header.from=example.com\r\n" + received,
		"spf alone":                    "Authentication-Results: mx.okpay.example; spf=pass smtp.mailfrom=example.com\r\n" + received,
		"none":                         "Authentication-Results: mx.okpay.example; none\r\n" + received,
		"another field":                "X-Authentication-Results: mx.okpay.example; " + pass + received,
		"ARC":                          "ARC-Authentication-Results: i=1; mx.okpay.example; " + pass + received,
		"an SMTP step named LMTP":      strings.Replace(delivery, "with LMTP", "(with LMTP) with SMTP", 1) + "Authentication-Results: mx.okpay.example; " + pass,
	} {
		if r := authserv(t, header); r.Aligned || r.Method != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestT4_1_ResultsInsideTheMailProveNothing(t *testing.T) {
	raw := received + dated(letter, time.Now()) + "\r\nAuthentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n"
	in := input(raw, nil)
	in.TrustedAuthserv = []string{ours}
	if r := Check(t.Context(), in); r.Aligned || len(r.AR) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestT4_1_WithoutConfigurationResultsAreIgnored(t *testing.T) {
	in := input("Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n"+received+dated(letter, time.Now()), nil)
	for _, trusted := range [][]string{nil, {}, {""}} {
		in.TrustedAuthserv = trusted
		if r := Check(t.Context(), in); r.Aligned || len(r.AR) != 0 {
			t.Errorf("trusted %q: %+v", trusted, r)
		}
	}
	empty := input("Authentication-Results: ; dmarc=pass header.from=example.com\r\n"+received+dated(letter, time.Now()), nil)
	empty.TrustedAuthserv = []string{""}
	if r := Check(t.Context(), empty); r.Aligned {
		t.Errorf("empty id: %+v", r)
	}
}

func TestT4_7_TrustedResultsOfAnOldMailAreDowngraded(t *testing.T) {
	in := input("Authentication-Results: mx.okpay.example; dmarc=pass header.from=example.com\r\n"+received+dated(letter, time.Now().Add(-9*24*time.Hour)), nil)
	in.TrustedAuthserv = []string{ours}
	if r := Check(t.Context(), in); r.Aligned || len(r.Downgraded) != 1 {
		t.Errorf("%+v", r)
	}
}

func FuzzParseResults(f *testing.F) {
	for _, s := range []string{
		"mx.example; dmarc=pass header.from=example.com", "mx.example 1; none", `"mx" ; dkim=pass reason="a\"b" header.d=x`,
		"(c) mx (d);dkim/1=pass header . d = x", "mx;;;", "mx; dkim=", "((", `"`, "mx; a=b c.d=e c.d=f",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, results, ok := parseResults(s)
		if !ok {
			return
		}
		if id == "" {
			t.Error("accepted without an authserv-id")
		}
		again := render(id, results)
		id2, results2, ok := parseResults(again)
		if !ok || id2 != id || len(results2) != len(results) {
			t.Fatalf("%q read as %q %+v, then as %q %+v", s, id, results, id2, results2)
		}
		for i := range results {
			if results[i].Method != results2[i].Method || results[i].Value != results2[i].Value || len(results[i].Properties) != len(results2[i].Properties) {
				t.Errorf("%+v became %+v", results[i], results2[i])
			}
		}
	})
}

// render writes results with every value quoted.
func render(id string, results []Assertion) string {
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	var b strings.Builder
	b.WriteString(quote(id))
	for _, a := range results {
		b.WriteString("; " + a.Method + "=" + quote(a.Value))
		for k, v := range a.Properties {
			b.WriteString(" " + k + "=" + quote(v))
		}
	}
	return b.String()
}
