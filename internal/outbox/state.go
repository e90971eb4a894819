package outbox

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is what a worker is doing, for status output.
type State struct {
	Paused bool      `json:"paused"`           // nothing goes out before Until
	Reason string    `json:"reason,omitempty"` // of the pause, or of the trouble that is being probed
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`

	Sending     int `json:"sending"`     // dialogues under way
	Waiting     int `json:"waiting"`     // claimed, not yet begun
	Connections int `json:"connections"` // open and unused

	Domains []DomainState `json:"domains,omitempty"` // that are paused
}

// DomainState is a recipient domain that takes no mail at the moment.
type DomainState struct {
	Domain string    `json:"domain"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// State returns a snapshot. It may be called at any time.
func (w *Worker) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := State{Sending: w.active, Waiting: len(w.line.waiting), Connections: len(w.idle)}
	for _, b := range []breaker{w.service, w.link} {
		if b.open(time.Now()) || w.link.trying() && b == w.link {
			s.Paused, s.Reason, s.Since, s.Until = true, b.reason, b.since, b.until
		}
	}
	for name, d := range w.line.domains {
		if b := d.breaker; b.trying() {
			s.Domains = append(s.Domains, DomainState{name, b.reason, b.since, b.until})
		}
	}
	slices.SortFunc(s.Domains, func(a, b DomainState) int { return strings.Compare(a.Domain, b.Domain) })
	return s
}

// Report is what Check found.
type Report struct {
	Address    string   `json:"address"` // host:port
	TLS        string   `json:"tls"`     // version in use; "" on a plain-text connection
	LoggedIn   bool     `json:"logged_in"`
	Extensions []string `json:"extensions"` // of EHLO, those the outbox or its operator cares about
}

// Check connects, protects and logs in as configured, and hangs up. It sends no mail.
func Check(ctx context.Context, cfg Config) (Report, error) {
	cfg = cfg.withDefaults()
	r := Report{Address: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))}
	if err := cfg.validate(); err != nil {
		return r, err
	}
	s, err := cfg.connect(ctx, ctx)
	if err != nil {
		return r, err
	}
	defer s.quit()
	if state, err := s.client.GetTLSConnectionState(); err == nil {
		r.TLS = tls.VersionName(state.Version)
	}
	r.LoggedIn = cfg.Username != ""
	for _, name := range []string{"8BITMIME", "AUTH", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES", "PIPELINING", "SIZE", "SMTPUTF8", "STARTTLS"} {
		if ok, words := s.client.Extension(name); ok {
			r.Extensions = append(r.Extensions, strings.TrimSpace(name+" "+words))
		}
	}
	return r, nil
}

// Check is Check with the worker's configuration.
func (w *Worker) Check(ctx context.Context) (Report, error) { return Check(ctx, w.cfg) }
