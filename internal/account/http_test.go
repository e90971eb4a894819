package account

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// against asks a server that answers every request with the given function.
func against(t *testing.T, answer http.HandlerFunc) *HTTP {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	h, err := NewHTTP(HTTPConfig{URL: srv.URL, Secret: secret, Timeout: 200 * time.Millisecond, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

func TestWhatCannotBeTrustedIsUnknown(t *testing.T) {
	const at = `"at":"2026-03-02T11:00:00Z"`
	for name, answer := range map[string]http.HandlerFunc{
		"error":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"not found": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"created": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"account":"a",`+at+`,"data":[]}`)
		},
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			fmt.Fprint(w, `{"account":"a"`)
		},
		"empty":            says(""),
		"not JSON":         says("<html>sign in</html>"),
		"two answers":      says(`{"account":"a",` + at + `,"data":[]}{"account":"a",` + at + `,"data":[]}`),
		"null":             says(`{"account":"a",` + at + `,"data":null}`),
		"no data":          says(`{"account":"a",` + at + `}`),
		"other form":       says(`{"account":"a",` + at + `,"data":{"total":0}}`),
		"another account":  says(`{"account":"b",` + at + `,"data":[]}`),
		"prefix of it":     says(`{"account":"",` + at + `,"data":[]}`),
		"no time":          says(`{"account":"a","data":[]}`),
		"from a cache":     says(`{"account":"a","at":"2026-03-02T10:00:00Z","data":[]}`),
		"from the future":  says(`{"account":"a","at":"2026-03-02T12:00:00Z","data":[]}`),
		"no currency":      says(`{"account":"a",` + at + `,"data":[{"currency":"","amount":"0.00"}]}`),
		"no amount":        says(`{"account":"a",` + at + `,"data":[{"currency":"EUR","amount":""}]}`),
		"amount in words":  says(`{"account":"a",` + at + `,"data":[{"currency":"EUR","amount":"nil"}]}`),
		"amount is number": says(`{"account":"a",` + at + `,"data":[{"currency":"EUR","amount":0}]}`),
		"exponent":         says(`{"account":"a",` + at + `,"data":[{"currency":"EUR","amount":"0e9"}]}`),
		"too large":        says(`{"account":"a",` + at + `,"data":[],"x":"` + strings.Repeat("x", maxBody) + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			if r := against(t, answer).Balances(t.Context(), "a"); r.Known || r.Problem == "" {
				t.Errorf("taken for an answer: %+v", r)
			}
		})
	}
	if r := against(t, says(`{"account":"a",`+at+`,"data":[]}`)).Balances(t.Context(), "a"); !r.Known {
		t.Errorf("the good answer was refused: %+v", r)
	}
}

func TestAStatusInAnotherWordIsUnknown(t *testing.T) {
	h := against(t, says(`{"account":"a","at":"2026-03-02T11:00:00Z","data":{"status":"archived"}}`))
	if r := h.Status(t.Context(), "a"); r.Known {
		t.Errorf("%+v", r)
	}
}

func TestOnlyDoneIsDone(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   State
	}{
		"done":        {says(`{"state":"done","at":"2026-03-02T11:00:00Z"}`), Done},
		"refused":     {says(`{"state":"refused","at":"2026-03-02T11:00:00Z"}`), Refused},
		"retry":       {says(`{"state":"retry","at":"2026-03-02T11:00:00Z"}`), Retry},
		"other word":  {says(`{"state":"accepted"}`), Unclear},
		"no word":     {says(`{}`), Unclear},
		"not JSON":    {says(`ok`), Unclear},
		"no answer":   {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Unclear},
		"bad gateway": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, Unclear},
		"busy":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, Retry},
		"too often":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, Retry},
		"forbidden":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, Refused},
	} {
		t.Run(name, func(t *testing.T) {
			if o, err := against(t, c.answer).Close(t.Context(), "a", "k"); err != nil || o.State != c.want {
				t.Errorf("outcome %+v, %v, want %s", o, err, c.want)
			}
		})
	}
}

func TestProblemsNameNoAccount(t *testing.T) {
	h, err := NewHTTP(HTTPConfig{URL: "http://127.0.0.1:1", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	if r := h.FindByEmail(t.Context(), "maria.keller@post.example"); strings.Contains(r.Problem, "keller") || r.Problem == "" {
		t.Errorf("problem %q", r.Problem)
	}
}

func TestPlainHTTPAndShortSecretsAreRefused(t *testing.T) {
	for _, c := range []HTTPConfig{{URL: "http://platform.example", Secret: secret}, {URL: "https://platform.example", Secret: []byte("short")}, {URL: "platform", Secret: secret}} {
		if _, err := NewHTTP(c); err == nil {
			t.Errorf("%s was accepted", c.URL)
		}
	}
}

// Every way of changing a signed request must be noticed by who receives it.
func TestAChangedRequestIsRefused(t *testing.T) {
	make := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/v1/accounts/a/actions/close?x=1", nil)
		r.Header.Set(headerKey, "k1")
		sign(r, secret, []byte("body"), start)
		return r
	}
	if err := verify(make(), secret, []byte("body"), start); err != nil {
		t.Fatalf("the unchanged request: %v", err)
	}
	for name, change := range map[string]func(*http.Request){
		"method":       func(r *http.Request) { r.Method = http.MethodPut },
		"account":      func(r *http.Request) { r.URL.Path = "/v1/accounts/b/actions/close" },
		"query":        func(r *http.Request) { r.URL.RawQuery = "x=2" },
		"key":          func(r *http.Request) { r.Header.Set(headerKey, "k2") },
		"time":         func(r *http.Request) { r.Header.Set(headerTime, strconv.FormatInt(start.Unix()+1, 10)) },
		"no time":      func(r *http.Request) { r.Header.Del(headerTime) },
		"no signature": func(r *http.Request) { r.Header.Del(headerSign) },
		"other":        func(r *http.Request) { r.Header.Set(headerSign, "v1="+strings.Repeat("0", 64)) },
	} {
		r := make()
		change(r)
		if verify(r, secret, []byte("body"), start) == nil {
			t.Errorf("changed %s: accepted", name)
		}
	}
	if verify(make(), secret, []byte("other"), start) == nil || verify(make(), secret, []byte("body"), start.Add(6*time.Minute)) == nil || verify(make(), nil, []byte("body"), start) == nil {
		t.Error("another body, a later time or an empty secret was accepted")
	}
}

func hook(body string, key []byte, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks/activity", strings.NewReader(body))
	sign(r, key, []byte(body), at)
	return r
}

func TestWebhook(t *testing.T) {
	h := against(t, says(""))
	const good = `{"id":"act-1","account":"a","kind":"trade","at":"2026-03-02T10:59:00Z"}`
	a, err := h.Webhook(hook(good, secret, start))
	if err != nil || a.ID != "act-1" || a.Kind != "trade" || a.Account != "a" {
		t.Fatalf("%+v, %v", a, err)
	}
	for name, r := range map[string]*http.Request{
		"other secret": hook(good, []byte("another secret!!"), start),
		"old":          hook(good, secret, start.Add(-time.Hour)),
		"other kind":   hook(strings.Replace(good, "trade", "dance", 1), secret, start),
		"no id":        hook(strings.Replace(good, "act-1", "", 1), secret, start),
		"no time":      hook(`{"id":"1","account":"a","kind":"trade"}`, secret, start),
		"not JSON":     hook("trade", secret, start),
		"too large":    hook(good+strings.Repeat(" ", 64<<10), secret, start),
	} {
		if a, err := h.Webhook(r); err == nil {
			t.Errorf("%s: accepted as %+v", name, a)
		}
	}
}

func FuzzParseActivity(f *testing.F) {
	f.Add([]byte(`{"id":"act-1","account":"a","kind":"trade","at":"2026-03-02T10:59:00Z"}`))
	f.Add([]byte(`{"id":1}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseActivity(b)
		if err == nil && (a.ID == "" || a.Account == "" || a.Kind == "" || a.At.IsZero()) {
			t.Errorf("%q was read as %+v", b, a)
		}
	})
}

// The document and the adapter must not drift apart: every request the adapter makes is described, and nothing else is.
func TestOpenAPIDescribesExactlyWhatIsAsked(t *testing.T) {
	var doc struct {
		Paths    map[string]map[string]yaml.Node
		Webhooks map[string]yaml.Node
	}
	if err := yaml.NewDecoder(bytes.NewReader([]byte(OpenAPI()))).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for m := range methods {
			described[strings.ToUpper(m)+" "+path] = true
		}
	}
	asked := map[string]bool{}
	h := against(t, func(w http.ResponseWriter, r *http.Request) {
		p := strings.Replace(r.URL.Path, "/accounts/a/", "/accounts/{ref}/", 1)
		if i := strings.Index(p, "/actions/"); i >= 0 {
			p = p[:i] + "/actions/{action}"
		}
		asked[r.Method+" "+p] = true
		w.WriteHeader(500)
	})
	ctx := t.Context()
	h.FindByEmail(ctx, "x@y.example")
	h.FindByID(ctx, "a")
	h.Contacts(ctx, "a")
	h.Balances(ctx, "a")
	h.Pending(ctx, "a")
	h.Disputes(ctx, "a")
	h.Debts(ctx, "a")
	h.Links(ctx, "a")
	h.LastActivity(ctx, "a")
	h.Restrictions(ctx, "a")
	h.Status(ctx, "a")
	_, _ = h.Close(ctx, "a", "k")
	for what := range asked {
		if !described[what] {
			t.Errorf("%s is asked and not described", what)
		}
		delete(described, what)
	}
	for what := range described {
		t.Errorf("%s is described and never asked", what)
	}
	if _, ok := doc.Webhooks["activity"]; !ok {
		t.Error("the activity webhook is not described")
	}
}
