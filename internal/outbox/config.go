package outbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// TLS says how the connection to the server is protected. There is no "if offered": what was configured happens or the
// connection is not used.
type TLS string

const (
	Implicit TLS = "implicit" // TLS from the first byte (RFC 8314), usually port 465
	StartTLS TLS = "starttls" // RFC 3207, required; usually port 587
	None     TLS = "none"     // plain text, for loopback
)

// Config of a Worker. Zero values mean the default given with the field.
type Config struct {
	Host     string                 // of the smarthost; also the name its certificate must carry
	Port     int                    // default 465, 587 or 25, by TLS
	TLS      TLS                    // default StartTLS
	Insecure bool                   // permits None towards a host that is not loopback
	Username string                 // "": no log-in
	Password func() (string, error) // asked at every log-in, so that a changed secret file is picked up
	XOAUTH2  bool                   // Password returns an OAuth 2 access token
	HELO     string                 // name given with EHLO; default: the host's name

	Retry  []time.Duration // waits after the 1st, 2nd, … temporary refusal, the last one repeats; default 5m 10m 20m 40m 90m 3h 6h 12h
	GiveUp time.Duration   // after Job.CreatedAt; default 5 days

	Workers   int // connections; default 4
	PerDomain Limit

	Deadlines Deadlines
	Timeout   time.Duration // whole transaction, MAIL to the final reply; default 30 m. Too short a time makes doubles or uncertain ones: RFC 5321, 4.5.3.2 adds up to more than 12 minutes
	Idle      time.Duration // an unused connection is closed after it; default 20 s
	Grace     time.Duration // how long a dialogue in hand may go on after the stop; default 30 s

	Lease time.Duration // of a claim, renewed at a third of it; default 15 s
	Poll  time.Duration // longest wait before the queue is asked again; default 1 s
	Owner string        // of the leases, a number is added for each claim; default: made of host name, process and a random part
	Sole  bool          // no other process works this queue: at the start every lease is ended at once

	TLSConfig *tls.Config                                                       // default: system roots, TLS 1.2 or later
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // default: net.Dialer
}

// Limit is what one recipient domain may take. In memory: every process counts for itself.
type Limit struct {
	Concurrency int     // messages at the same time; default 2, negative: no limit
	PerMinute   float64 // started messages; 0: no limit
}

// Deadlines of single steps; the defaults are the least that RFC 5321, 4.5.3.2 asks for.
type Deadlines struct {
	Dial    time.Duration // TCP, and TLS when implicit; default 30 s
	Command time.Duration // any reply but the last; default 5 m
	Block   time.Duration // 64 KiB of message data leave the socket; default 3 m
	Final   time.Duration // reply to the final dot; default 10 m
}

func (c Config) withDefaults() Config {
	c.TLS = cmp.Or(c.TLS, StartTLS)
	c.Port = cmp.Or(c.Port, map[TLS]int{Implicit: 465, StartTLS: 587, None: 25}[c.TLS])
	if len(c.Retry) == 0 {
		c.Retry = []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
			90 * time.Minute, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	}
	c.GiveUp = cmp.Or(c.GiveUp, 5*24*time.Hour)
	c.Workers = cmp.Or(c.Workers, 4)
	c.PerDomain.Concurrency = cmp.Or(c.PerDomain.Concurrency, 2)
	c.Deadlines.Dial = cmp.Or(c.Deadlines.Dial, 30*time.Second)
	c.Deadlines.Command = cmp.Or(c.Deadlines.Command, 5*time.Minute)
	c.Deadlines.Block = cmp.Or(c.Deadlines.Block, 3*time.Minute)
	c.Deadlines.Final = cmp.Or(c.Deadlines.Final, 10*time.Minute)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Minute)
	c.Idle = cmp.Or(c.Idle, 20*time.Second)
	c.Grace = cmp.Or(c.Grace, 30*time.Second)
	c.Lease = cmp.Or(c.Lease, 15*time.Second)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Owner = cmp.Or(c.Owner, newOwner())
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Host == "":
		return errors.New("outbox: no SMTP host")
	case c.TLS != Implicit && c.TLS != StartTLS && c.TLS != None:
		return fmt.Errorf("outbox: tls is %q, want implicit, starttls or none", c.TLS)
	case c.TLS == None && !c.Insecure && !loopback(c.Host):
		return fmt.Errorf("outbox: tls none towards %s, which is not loopback", c.Host)
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("outbox: port %d", c.Port)
	case c.Username != "" && c.Password == nil:
		return errors.New("outbox: a user name without a password")
	case c.Workers < 1:
		return fmt.Errorf("outbox: %d workers", c.Workers)
	case strings.ContainsAny(c.HELO, " \r\n"):
		return fmt.Errorf("outbox: HELO name %q", c.HELO)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func newOwner() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
