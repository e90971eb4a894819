package outbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mail "github.com/wneessen/go-mail"

	"postdesk/internal/ticket"
)

// sink starts Postfix's smtp-sink, which takes mail and forgets it, in a process of its own.
func sink(b *testing.B) (host string, port int) {
	b.Helper()
	program, err := exec.LookPath("smtp-sink")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/smtp-sink")
	}
	if err != nil {
		b.Skip("smtp-sink is missing: apt-get install postfix")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	addr := "127.0.0.1:" + strconv.Itoa(port)
	cmd := exec.Command(program, "-u", "nobody", addr, "100")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return "127.0.0.1", port
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("smtp-sink does not listen")
	return "", 0
}

// pile is a Queue with n deliveries, each of which takes commit to be written, as in a database with group commit.
type pile struct {
	n      int64
	raw    []byte
	commit time.Duration
	next   atomic.Int64
	done   atomic.Int64
	bad    atomic.Int64
	end    chan struct{}
}

func (p *pile) wait() {
	if p.commit > 0 {
		time.Sleep(p.commit)
	}
}

func (p *pile) Recover(context.Context, string, bool) error        { return nil }
func (p *pile) Renew(context.Context, string, time.Duration) error { return nil }
func (p *pile) Start(context.Context, Job) (bool, error)           { p.wait(); return true, nil }
func (p *pile) Claim(_ context.Context, _ string, max int, _ time.Duration, _ []string) ([]Job, error) {
	var jobs []Job
	for range max {
		id := p.next.Add(1)
		if id > p.n {
			break
		}
		domain := fmt.Sprintf("d%d.example", id%100)
		jobs = append(jobs, Job{ID: id, Ticket: id, MailFrom: "support@desk.example", To: "kunde@" + domain, Domain: domain, Raw: p.raw, CreatedAt: time.Now()})
	}
	if len(jobs) > 0 {
		p.wait()
	}
	return jobs, nil
}

func (p *pile) Finish(_ context.Context, _ Job, r Result) error {
	p.wait()
	if r.State != ticket.Accepted {
		p.bad.Add(1)
	}
	if p.done.Add(1) == p.n {
		close(p.end)
	}
	return nil
}

// BenchmarkDeliveries sends b.N mails of 7 KB to a sink: with go-mail alone on one connection, as it comes (bare) and
// without its NOOP and RSET (lean), and with the outbox. It reports the best rate of three rounds of each, in mails per
// second, and the outbox's ratio to the others. commit is what every write of the queue takes.
func BenchmarkDeliveries(b *testing.B) {
	for _, c := range []struct {
		workers int
		commit  time.Duration
	}{{4, 0}, {4, time.Millisecond}, {16, time.Millisecond}} {
		b.Run(fmt.Sprintf("connections=%d/commit=%v", c.workers, c.commit), func(b *testing.B) {
			host, port := sink(b)
			var bare, lean, ours float64
			for range 3 {
				bare = max(bare, bareLoop(b, host, port, b.N))
				lean = max(lean, bareLoop(b, host, port, b.N, mail.WithoutNoop(), mail.WithoutRset()))
				ours = max(ours, outboxRate(b, Config{Host: host, Port: port, TLS: None, HELO: "desk.example", Workers: c.workers}, b.N, c.commit))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(bare, "bare/s")
			b.ReportMetric(lean, "lean/s")
			b.ReportMetric(ours, "outbox/s")
			b.ReportMetric(ours/bare, "×bare")
			b.ReportMetric(ours/lean, "×lean")
		})
	}
}

func message() *mail.Msg {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	_ = m.From("support@desk.example")
	_ = m.To("kunde@d1.example")
	m.Subject("Ihre Anfrage")
	m.SetBodyString(mail.TypeTextPlain, string(bytes.Repeat([]byte("Sehr geehrte Damen und Herren, wir haben Ihre Nachricht erhalten.\r\n"), 100)))
	return m
}

// bareLoop returns the mails per second of go-mail's Send.
func bareLoop(b *testing.B, host string, port, n int, options ...mail.Option) float64 {
	b.Helper()
	c, err := mail.NewClient(host, append(options, mail.WithPort(port), mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("desk.example"), mail.WithTimeout(10*time.Minute))...)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.DialWithContext(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	m, began := message(), time.Now()
	for range n {
		if err := c.Send(m); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// outboxRate returns the mails per second from the start of the worker to the last recorded result.
func outboxRate(b *testing.B, cfg Config, n int, commit time.Duration) float64 {
	b.Helper()
	var raw bytes.Buffer
	if _, err := message().WriteTo(&raw); err != nil {
		b.Fatal(err)
	}
	q := &pile{n: int64(n), raw: raw.Bytes(), commit: commit, end: make(chan struct{})}
	w, err := New(cfg, q, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var running sync.WaitGroup
	began := time.Now()
	running.Go(func() { _ = w.Run(ctx) })
	<-q.end
	rate := float64(n) / time.Since(began).Seconds()
	cancel()
	running.Wait()
	if bad := q.bad.Load(); bad > 0 {
		b.Fatalf("%d of %d not accepted", bad, n)
	}
	return rate
}
