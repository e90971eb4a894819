package desk

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Resolver looks up the DNS records that prove a sender (DKIM keys, DMARC policies). *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

const (
	lookupLimit  = 2 * time.Second  // of one look-up: a slow name server must not hold mail up
	keepAnswer   = 10 * time.Minute // DKIM keys rotate; the answer that was used is stored with the mail
	maxAnswers   = 4096
	restAfter    = 3           // look-ups in a row that found no name server …
	restDuration = time.Minute // … and for so long nobody is asked
)

// cache remembers answers, and rests when no name server answers at all: then senders stay unproven for a while, and mail
// flows on.
type cache struct {
	next Resolver
	now  func() time.Time

	mu      sync.Mutex
	answers map[string]dnsAnswer
	silent  int // look-ups in a row without any answer
	resting time.Time
}

type dnsAnswer struct {
	txt   []string
	err   error
	until time.Time
}

func newCache(next Resolver, now func() time.Time) *cache {
	return &cache{next: next, now: now, answers: map[string]dnsAnswer{}}
}

var errResting = errors.New("no name server answered of late")

// LookupTXT implements Resolver.
func (c *cache) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if a, ok := c.known(name); ok {
		return a.txt, a.err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	txt, err := c.next.LookupTXT(ctx, name)
	c.learn(name, txt, err)
	return txt, err
}

func (c *cache) known(name string) (dnsAnswer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.answers[name]; ok && c.now().Before(a.until) {
		return a, true
	}
	if c.now().Before(c.resting) {
		return dnsAnswer{err: errResting}, true
	}
	return dnsAnswer{}, false
}

func (c *cache) learn(name string, txt []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var dns *net.DNSError
	if err != nil && !(errors.As(err, &dns) && dns.IsNotFound) {
		if c.silent++; c.silent >= restAfter {
			c.silent, c.resting = 0, c.now().Add(restDuration)
		}
		return
	}
	c.silent = 0
	if len(c.answers) >= maxAnswers {
		clear(c.answers)
	}
	c.answers[name] = dnsAnswer{txt: txt, err: err, until: c.now().Add(keepAnswer)}
}
