package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// HTTP asks a platform that implements openapi.yaml.
type HTTP struct {
	base   *url.URL
	secret []byte
	client *http.Client
	now    func() time.Time
}

// HTTPConfig says where the platform is. Secret is shared with it and at least 16 bytes long.
type HTTPConfig struct {
	URL     string
	Secret  []byte
	Timeout time.Duration    // of one request; 0 is 10 s
	Client  *http.Client     // nil: one of its own
	Now     func() time.Time // nil: time.Now
}

// NewHTTP checks the configuration. Plain http is accepted towards loopback only, because requests name accounts.
func NewHTTP(c HTTPConfig) (*HTTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("account system: %q is not an address", c.URL)
	}
	if host := u.Hostname(); u.Scheme == "http" && host != "127.0.0.1" && host != "localhost" && host != "::1" {
		return nil, fmt.Errorf("account system: %s is not encrypted", u.Redacted())
	}
	if len(c.Secret) < 16 {
		return nil, errors.New("account system: the shared secret has fewer than 16 bytes")
	}
	h := &HTTP{base: u, secret: c.Secret, client: c.Client, now: c.Now}
	if h.client == nil {
		h.client = &http.Client{}
	}
	own := *h.client
	own.Timeout = c.Timeout
	if own.Timeout == 0 {
		own.Timeout = 10 * time.Second
	}
	// A redirect would send a signed request elsewhere.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.client = &own
	if h.now == nil {
		h.now = time.Now
	}
	return h, nil
}

func (h *HTTP) FindByEmail(ctx context.Context, address string) Result[Found] {
	return h.find(ctx, "email", address)
}

func (h *HTTP) FindByID(ctx context.Context, id string) Result[Found] { return h.find(ctx, "id", id) }

func (h *HTTP) find(ctx context.Context, by, value string) Result[Found] {
	if value == "" {
		return unknown[Found]("nothing to look for")
	}
	return get(ctx, h, "/v1/accounts?"+url.Values{by: {value}}.Encode(), func(f Found) error {
		if f.OK && f.Ref == "" {
			return errors.New("an account was found and not named")
		}
		return nil
	})
}

func (h *HTTP) Contacts(ctx context.Context, ref string) Result[Contacts] {
	return get(ctx, h, path(ref, "contacts"), func(c Contacts) error {
		if !strings.Contains(c.Address, "@") {
			return errors.New("there is no registered address")
		}
		return nil
	})
}

func (h *HTTP) Balances(ctx context.Context, ref string) Result[[]Money] {
	return list(ctx, h, path(ref, "balances"), Money.valid)
}

func (h *HTTP) Pending(ctx context.Context, ref string) Result[[]Pending] {
	return list(ctx, h, path(ref, "pending"), func(p Pending) error { return named(p.Kind) })
}

func (h *HTTP) Disputes(ctx context.Context, ref string) Result[[]Dispute] {
	return list(ctx, h, path(ref, "disputes"), func(d Dispute) error { return named(d.ID) })
}

func (h *HTTP) Debts(ctx context.Context, ref string) Result[[]Money] {
	return list(ctx, h, path(ref, "debts"), Money.valid)
}

func (h *HTTP) Links(ctx context.Context, ref string) Result[[]Link] {
	return list(ctx, h, path(ref, "links"), func(l Link) error { return named(l.Name) })
}

func (h *HTTP) LastActivity(ctx context.Context, ref string) Result[Last] {
	return get(ctx, h, path(ref, "last-activity"), func(Last) error { return nil })
}

func (h *HTTP) Restrictions(ctx context.Context, ref string) Result[[]Restriction] {
	return list(ctx, h, path(ref, "restrictions"), func(Restriction) error { return nil })
}

func (h *HTTP) Status(ctx context.Context, ref string) Result[Status] {
	r := get(ctx, h, path(ref, "status"), func(s statusBody) error {
		if !slices.Contains(Statuses(), s.Status) {
			return fmt.Errorf("status %q is not understood", s.Status)
		}
		return nil
	})
	return Result[Status]{Known: r.Known, Value: r.Value.Status, At: r.At, Problem: r.Problem}
}

type statusBody struct {
	Status Status `json:"status"`
}

func (h *HTTP) Close(ctx context.Context, ref, key string) (Outcome, error) {
	return h.order(ctx, "close", ref, key)
}

func (h *HTTP) Deactivate(ctx context.Context, ref, key string) (Outcome, error) {
	return h.order(ctx, "deactivate", ref, key)
}

func (h *HTTP) Perform(ctx context.Context, action Action, ref, key string) (Outcome, error) {
	if !slices.Contains(Actions(), action) {
		return Outcome{}, fmt.Errorf("account system has no action %q", action)
	}
	return h.order(ctx, string(action), ref, key)
}

type orderBody struct {
	State   State     `json:"state"`
	At      time.Time `json:"at"`
	Problem string    `json:"problem,omitzero"`
}

// order sends one change. Only a plain "done" is done; everything that cannot be understood is Unclear, because the change may
// have been made.
func (h *HTTP) order(ctx context.Context, action, ref, key string) (Outcome, error) {
	if key == "" {
		return Outcome{}, ErrNoKey
	}
	var o orderBody
	code, err := h.call(ctx, http.MethodPost, path(ref, "actions/"+action), key, &o)
	switch {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return Outcome{State: Retry, Problem: fmt.Sprint("account system answered ", code)}, nil
	case code >= 400 && code < 500:
		return Outcome{State: Refused, Problem: fmt.Sprint("account system answered ", code)}, nil
	case err != nil:
		return Outcome{State: Unclear, Problem: err.Error()}, nil
	case !slices.Contains([]State{Done, Retry, Refused}, o.State):
		return Outcome{State: Unclear, Problem: fmt.Sprintf("outcome %q is not understood", o.State)}, nil
	}
	return Outcome(o), nil
}

func path(ref, what string) string { return "/v1/accounts/" + url.PathEscape(ref) + "/" + what }

func (m Money) valid() error {
	if m.Currency == "" || decimal(m.Amount) == nil {
		return fmt.Errorf("%q %q is not an amount", m.Amount, m.Currency)
	}
	return nil
}

func named(s string) error {
	if s == "" {
		return errors.New("an entry has no name")
	}
	return nil
}

// answer is the envelope of every reading: whose account it is about, when it was true, and the value. An answer about another
// account, or an old one out of a cache, is no answer.
type answer[T any] struct {
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Data    *T        `json:"data"`
}

// maxAge is how old an answer may be when it arrives.
const maxAge = 5 * time.Minute

func get[T any](ctx context.Context, h *HTTP, target string, valid func(T) error) Result[T] {
	var a answer[T]
	if _, err := h.call(ctx, http.MethodGet, target, "", &a); err != nil {
		return unknown[T](err.Error())
	}
	switch age := h.now().Sub(a.At); {
	case a.Data == nil:
		return unknown[T]("the answer has no data")
	case age > maxAge || age < -maxAge:
		return unknown[T]("the answer is not of now")
	case !strings.HasPrefix(target, "/v1/accounts?") && !strings.HasPrefix(target, path(a.Account, "")):
		return unknown[T]("the answer is about another account")
	}
	if err := valid(*a.Data); err != nil {
		return unknown[T](err.Error())
	}
	return known(*a.Data, a.At)
}

func list[T any](ctx context.Context, h *HTTP, target string, valid func(T) error) Result[[]T] {
	return get(ctx, h, target, func(items []T) error {
		for _, it := range items {
			if err := valid(it); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxBody bounds an answer in bytes.
const maxBody = 1 << 20

// call makes one signed request and decodes the answer. The code is 0 when there was none.
func (h *HTTP) call(ctx context.Context, method, target, key string, into any) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(h.base.String(), "/")+target, nil)
	if err != nil {
		return 0, fmt.Errorf("ask the account system: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	if key != "" {
		r.Header.Set(headerKey, key)
	}
	sign(r, h.secret, nil, h.now())
	resp, err := h.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("ask the account system: %w", bare(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the account system's answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return resp.StatusCode, fmt.Errorf("account system answered %d", resp.StatusCode)
	case len(body) > maxBody:
		return 0, errors.New("the account system's answer is too large")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(into); err != nil {
		return 0, errors.New("the account system's answer cannot be read")
	}
	if dec.More() {
		return 0, errors.New("the account system's answer goes on after its end")
	}
	return resp.StatusCode, nil
}

// bare drops the address from an error: it names an account.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Webhook reads one report of activity that the platform posts. It checks the signature over the exact bytes, the time and the
// form; the caller recognises repetitions by Activity.ID. It answers nothing.
func (h *HTTP) Webhook(r *http.Request) (Activity, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10+1))
	if err != nil {
		return Activity{}, fmt.Errorf("read activity: %w", err)
	}
	if len(body) > 64<<10 || r.Method != http.MethodPost {
		return Activity{}, ErrSignature
	}
	if err := verify(r, h.secret, body, h.now()); err != nil {
		return Activity{}, err
	}
	return parseActivity(body)
}

func parseActivity(body []byte) (Activity, error) {
	var a Activity
	if err := json.Unmarshal(body, &a); err != nil {
		return Activity{}, fmt.Errorf("read activity: %w", err)
	}
	if a.ID == "" || a.Account == "" || a.At.IsZero() || !slices.Contains(activityKinds(), a.Kind) {
		return Activity{}, errors.New("read activity: id, account, kind or time is missing or unknown")
	}
	return a, nil
}
