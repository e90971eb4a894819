package account

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

//go:embed openapi.yaml
var openapi string

// OpenAPI is the contract of the HTTP service, for whoever builds the platform's side.
func OpenAPI() string { return openapi }

// Serve answers openapi.yaml from a ledger. It is the platform's side in miniature: the demonstration runs it, the contract tests
// judge the HTTP adapter by it, and it can be read as an example.
func Serve(l *Ledger, secret []byte, now func() time.Time) http.Handler {
	s := service{l, secret, now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/accounts", s.signed(s.find))
	mux.HandleFunc("GET /v1/accounts/{ref}/{field}", s.signed(s.read))
	mux.HandleFunc("POST /v1/accounts/{ref}/actions/{action}", s.signed(s.act))
	return mux
}

type service struct {
	l      *Ledger
	secret []byte
	now    func() time.Time
}

func (s service) signed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil || verify(r, s.secret, body, s.now()) != nil {
			http.Error(w, `{"error":"signature"}`, http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func (s service) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if id := q.Get("id"); id != "" {
		reply(w, "", s.l.FindByID(r.Context(), id))
		return
	}
	reply(w, "", s.l.FindByEmail(r.Context(), q.Get("email")))
}

func (s service) read(w http.ResponseWriter, r *http.Request) {
	ref, ctx := r.PathValue("ref"), r.Context()
	switch r.PathValue("field") {
	case "contacts":
		reply(w, ref, s.l.Contacts(ctx, ref))
	case "balances":
		reply(w, ref, notNil(s.l.Balances(ctx, ref)))
	case "pending":
		reply(w, ref, notNil(s.l.Pending(ctx, ref)))
	case "disputes":
		reply(w, ref, notNil(s.l.Disputes(ctx, ref)))
	case "debts":
		reply(w, ref, notNil(s.l.Debts(ctx, ref)))
	case "links":
		reply(w, ref, notNil(s.l.Links(ctx, ref)))
	case "last-activity":
		reply(w, ref, s.l.LastActivity(ctx, ref))
	case "restrictions":
		reply(w, ref, notNil(s.l.Restrictions(ctx, ref)))
	case "status":
		st := s.l.Status(ctx, ref)
		reply(w, ref, Result[statusBody]{Known: st.Known, Value: statusBody{st.Value}, At: st.At})
	default:
		http.NotFound(w, r)
	}
}

// notNil makes an empty list of none: null is no answer.
func notNil[T any](r Result[[]T]) Result[[]T] {
	if r.Value == nil {
		r.Value = []T{}
	}
	return r
}

func reply[T any](w http.ResponseWriter, ref string, r Result[T]) {
	if !r.Known {
		http.Error(w, `{"error":"unavailable"}`, http.StatusServiceUnavailable)
		return
	}
	write(w, answer[T]{Account: ref, At: r.At, Data: &r.Value})
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client has gone: it will ask again
}

func (s service) act(w http.ResponseWriter, r *http.Request) {
	ref, key, action := r.PathValue("ref"), r.Header.Get(headerKey), r.PathValue("action")
	var o Outcome
	var err error
	switch action {
	case "close":
		o, err = s.l.Close(r.Context(), ref, key)
	case "deactivate":
		o, err = s.l.Deactivate(r.Context(), ref, key)
	default:
		o, err = s.l.Perform(r.Context(), Action(action), ref, key)
	}
	switch {
	case err != nil:
		http.Error(w, `{"error":"request"}`, http.StatusBadRequest)
	case o.State == Unclear:
		http.Error(w, `{"error":"unavailable"}`, http.StatusServiceUnavailable)
	default:
		write(w, orderBody(o))
	}
}
