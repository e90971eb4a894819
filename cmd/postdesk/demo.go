package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"postdesk/config"
	"postdesk/internal/audit"
	"postdesk/internal/demo"
	"postdesk/internal/desk"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

type demoCommand struct {
	Addr string `help:"Address of the web desk." default:"127.0.0.1:8080"`
	Once bool   `help:"Let everybody write at once, print the tickets and what was sent to whom, and end."`
	Dir  string `help:"Folder for the database instead of a temporary one; kept at the end." type:"path" placeholder:"DIR"`
}

func (d *demoCommand) Run(ctx context.Context, std streams) error {
	dir, cleanup, err := d.folder()
	if err != nil {
		return err
	}
	defer cleanup()
	out := &lines{w: std.out}
	world, err := demo.Open(d.Once, out.say)
	if err != nil {
		return err
	}
	defer world.Post.Close()
	settings, err := demoSettings(dir, d.Addr, world.Post)
	if err != nil {
		return err
	}
	return d.play(ctx, settings, world, out)
}

func (d *demoCommand) folder() (dir string, cleanup func(), err error) {
	if d.Dir != "" {
		return d.Dir, func() {}, os.MkdirAll(d.Dir, 0o755)
	}
	dir, err = os.MkdirTemp("", "postdesk-demo-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// demoSettings is the configuration of the demo, written into its folder so that the other commands can be tried on it.
func demoSettings(dir, listen string, post *demo.Post) (*config.Config, error) {
	keys, err := config.NewKeyring("postdesk.demo")
	if err != nil {
		return nil, err
	}
	if err := config.WriteKeyFile(filepath.Join(dir, "postdesk.keys"), keys); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("demo keys: %w", err)
	}
	file := filepath.Join(dir, "postdesk.yaml")
	text := fmt.Sprintf(demoYAML, listen, demo.Brand, demo.Support, port(post.IMAP), demo.Support, demo.Password, port(post.SMTP))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("demo configuration: %w", err)
	}
	return config.Load(file, nil)
}

const demoYAML = `database: {url: "sqlite:postdesk.db"}
listen: %s
brands:
  - {id: %s, name: OKPay, languages: [zh-Hans, en], jurisdiction: EU, domains: [okpay.example], procedures: e-money}
mailboxes:
  - name: support
    brand: okpay
    address: %s
    imap: {host: 127.0.0.1, port: %d, tls: none, username: %s, password: %s, start: all, poll: 5s}
smtp: {host: 127.0.0.1, port: %d, tls: none}
authenticity: {resolver: "off"}
`

func port(a net.Addr) int {
	_, p, _ := net.SplitHostPort(a.String())
	n, _ := strconv.Atoi(p)
	return n
}

// play runs the real service against the demo's post office while the customers write.
func (d *demoCommand) play(ctx context.Context, settings *config.Config, world *demo.World, out *lines) error {
	bound()
	log := slog.New(slog.DiscardHandler)
	st, err := openStore(ctx, settings, log)
	if err != nil {
		return err
	}
	if _, _, err := st.Migrate(ctx); err != nil {
		return errors.Join(err, st.Close())
	}
	service, err := newService(settings, st, log)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	d.welcome(out, settings, world)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return service.Run(ctx, nil) })
	g.Go(func() error { return world.Play(ctx, demo.Customers()) })
	g.Go(func() error { return narrate(ctx, st, out) })
	if d.Once {
		g.Go(func() error { defer stop(); return quietened(ctx, st, world) })
	}
	err = g.Wait()
	if d.Once && err == nil {
		err = summary(out, service.desk)
	}
	return errors.Join(err, st.Close())
}

func (d *demoCommand) welcome(out *lines, s *config.Config, w *demo.World) {
	dir := filepath.Dir(s.Keys.File)
	out.say("postdesk demo: everything runs on this machine and nothing leaves it")
	out.say(fmt.Sprintf("  be a customer yourself: SMTP %s without TLS, to %s; read the answers by IMAP %s, any address as user, password %q",
		w.Post.SMTP, demo.Support, w.Post.IMAP, demo.Password))
	out.say(fmt.Sprintf("  try the commands beside it: %s --config %s/postdesk.yaml ticket list", os.Args[0], dir))
	if !d.Once {
		out.say("  Ctrl-C ends it")
	}
	out.say("")
}

// lines prints whole lines from several goroutines.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) say(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, line)
}

// narrate follows the record and tells what the desk does, as it does it.
func narrate(ctx context.Context, st *store.Store, out *lines) error {
	var last int64
	for {
		events, err := st.Events(ctx, last, 100)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, e := range events {
			last = e.Seq
			if line := tale(e); line != "" {
				out.say(line)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(150 * time.Millisecond):
		}
	}
}

// tale is one event in words; "" for those that would only repeat what is told already.
func tale(e audit.Event) string {
	var data struct {
		Category   string   `json:"category"`
		Confidence float64  `json:"confidence"`
		Rules      []string `json:"rules"`
		Evidence   string   `json:"evidence"`
		Reason     string   `json:"reason"`
		Template   string   `json:"template"`
		Response   string   `json:"response"`
		Kind       string   `json:"kind"`
		Status     string   `json:"status"`
	}
	if json.Unmarshal(e.Data, &data) != nil {
		data.Kind = ""
	}
	switch e.Kind {
	case "ticket.opened":
		return fmt.Sprintf("●  ticket %d opened: %s (%.2f, rules %s)", e.Ticket, data.Category, data.Confidence, short(fmt.Sprint(data.Rules), 60))
	case "mail.added":
		return fmt.Sprintf("●  ticket %d: the answer was added (found by %s)", e.Ticket, data.Evidence)
	case "mail.quarantined":
		return fmt.Sprintf("⚠  ticket %d: a mail waits for a person: %s", e.Ticket, short(data.Reason, 120))
	case "mail.queued":
		return fmt.Sprintf("   ticket %d: %s is queued", e.Ticket, data.Template)
	case "answer.withheld":
		return fmt.Sprintf("   ticket %d: no automatic answer, because %s", e.Ticket, data.Reason)
	case "delivery.accepted":
		return fmt.Sprintf("   ticket %d: the mail server took it: %s", e.Ticket, short(data.Response, 60))
	case "delivery.bounced":
		return fmt.Sprintf("⚠  ticket %d: our mail came back (%s): agents see it, nothing more is sent there", e.Ticket, data.Status)
	case "delivery.failed", "delivery.uncertain", "delivery.deferred":
		return fmt.Sprintf("⚠  ticket %d: %s: %s", e.Ticket, e.Kind, short(data.Response, 80))
	}
	return ""
}

// quietened waits until everybody has said what they wanted and the desk has dealt with all of it.
func quietened(ctx context.Context, st *store.Store, world *demo.World) error {
	for calm := 0; calm < 5; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
		done, err := settled(ctx, st, world)
		if err != nil {
			return err
		}
		if calm++; !done {
			calm = 0
		}
	}
	return nil
}

func settled(ctx context.Context, st *store.Store, world *demo.World) (bool, error) {
	sent, done := world.Sent()
	counts, err := st.InboundCounts(ctx, "support")
	if err != nil || !done {
		return false, err
	}
	taken := 0
	for _, n := range counts {
		taken += n
	}
	deliveries, err := st.Deliveries(ctx, store.DeliveryFilter{})
	if err != nil {
		return false, err
	}
	for _, d := range deliveries {
		if !d.State.Final() {
			return false, nil
		}
	}
	return taken >= sent, nil
}

// summary prints the tickets and what was sent to whom.
func summary(out *lines, d *desk.Desk) error {
	ctx := context.Background()
	views, err := d.Tickets(ctx, store.Filter{}, false)
	if err != nil {
		return err
	}
	out.say("\nTickets")
	if err := printTickets(out.w, views); err != nil {
		return err
	}
	deliveries, err := d.Store.Deliveries(ctx, store.DeliveryFilter{})
	if err != nil {
		return err
	}
	out.say("\nSent")
	rows := make([][]string, len(deliveries))
	for i, x := range deliveries {
		rows[i] = []string{fmt.Sprint(x.TicketID), x.Template, short(x.To, 40), string(x.State), short(x.LastResponse, 60)}
	}
	if err := table(out.w, []string{"TICKET", "TEMPLATE", "TO", "STATE", "THE SERVER'S WORDS"}, rows); err != nil {
		return err
	}
	boxes, err := d.Mailboxes(ctx)
	if err != nil {
		return err
	}
	n := boxes[0].Counts
	out.say(fmt.Sprintf("\n%d mails ticketed, %d in quarantine, %d duplicate, %d failed", n[ticket.Ticketed], n[ticket.Quarantined], n[ticket.Duplicate], n[ticket.FailedFetch]))
	return nil
}
