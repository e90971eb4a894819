package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"postdesk/config"
	"postdesk/internal/desk"
	"postdesk/internal/mailbox"
	"postdesk/internal/outbox"
	"postdesk/internal/store"
)

type serveCommand struct {
	Only []string `help:"Run only these parts: web, poll, send, timers, seal." enum:"web,poll,send,timers,seal" placeholder:"PART,…"`
	Log  string   `help:"Log format." enum:"text,json" default:"text"`
}

func (s *serveCommand) Run(ctx context.Context, c *commands, std streams) error {
	settings, err := c.configured()
	if err != nil {
		return err
	}
	log := s.logger(std)
	for _, w := range settings.Warnings {
		log.Warn(w)
	}
	return serve(ctx, settings, log, s.Only)
}

func (s *serveCommand) logger(std streams) *slog.Logger {
	if s.Log == "json" {
		return slog.New(slog.NewJSONHandler(std.err, nil))
	}
	return slog.New(slog.NewTextHandler(std.err, nil))
}

// serve opens the store, makes the desk and its workers, and runs them until ctx ends or one of them cannot go on.
func serve(ctx context.Context, settings *config.Config, log *slog.Logger, only []string) error {
	bound()
	unlock, err := soleProcess(settings.Database.Path())
	if err != nil {
		return err
	}
	defer unlock()
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
	return errors.Join(service.Run(ctx, only), st.Close())
}

// memory is what the service's heap may grow to before the garbage collector works harder, and batchBytes what a poller holds
// of one batch: memory stays flat however large the mailbox is.
const (
	memory     = 96 << 20
	batchBytes = 4 << 20
)

// bound keeps memory small, unless the operator has decided (GOMEMLIMIT).
func bound() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
}

// service is the desk with everything that works on its own.
type service struct {
	settings *config.Config
	store    *store.Store
	desk     *desk.Desk
	pollers  []*mailbox.Poller
	sender   *outbox.Worker
	sealer   *store.Sealer
	log      *slog.Logger
}

func newService(settings *config.Config, st *store.Store, log *slog.Logger) (*service, error) {
	s := &service{settings: settings, store: st, log: log}
	var err error
	if s.desk, err = makeDesk(settings, st, log, s.wake); err != nil {
		return nil, err
	}
	for _, m := range settings.Mailboxes {
		cfg, err := pollerConfig(settings, m)
		if err != nil {
			return nil, err
		}
		s.pollers = append(s.pollers, mailbox.New(cfg, s.desk.Ledger(), s.desk.Receive, log))
	}
	if settings.SMTP.Host != "" {
		cfg, err := senderConfig(settings)
		if err != nil {
			return nil, err
		}
		if s.sender, err = outbox.New(cfg, s.desk.Outbox(), log); err != nil {
			return nil, err
		}
	}
	s.sealer, err = makeSealer(settings, st, log)
	return s, err
}

// wake tells the sender that a commit has queued something.
func (s *service) wake() {
	if s.sender != nil {
		s.sender.Wake()
	}
}

// Run starts the parts and stops them in this order when ctx ends or one of them cannot go on: pollers, sender, sealer. So
// everything that was taken in has been written, and everything written is sealed.
func (s *service) Run(ctx context.Context, only []string) error {
	runs := func(part string) bool { return len(only) == 0 || slices.Contains(only, part) }
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sealing, stopSealing := context.WithCancel(context.WithoutCancel(ctx))
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSealing()
	defer stopSending()

	work, workCtx := errgroup.WithContext(ctx)
	var send, seal errgroup.Group
	if runs("seal") {
		seal.Go(func() error { defer stop(); return named("sealer", s.sealer.Run(sealing)) })
	}
	if runs("send") && s.sender != nil {
		send.Go(func() error { defer stop(); return named("sender", s.sender.Run(sending)) })
	}
	if runs("poll") {
		for _, p := range s.pollers {
			work.Go(func() error { return named("poller", p.Run(workCtx)) })
		}
	}
	work.Go(func() error { <-workCtx.Done(); return nil })
	s.log.Info("postdesk runs", "mailboxes", len(s.pollers), "brands", len(s.settings.Brands), "version", version)
	err := work.Wait()
	stopSending()
	err = errors.Join(err, send.Wait())
	stopSealing()
	err = errors.Join(err, seal.Wait())
	s.log.Info("postdesk stopped")
	return err
}

// named says which part ended; the end of the context is no error.
func named(part string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}

// soleProcess makes sure that one service at most works on a SQLite file. Commands may use the file beside it.
func soleProcess(path string) (unlock func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another postdesk serves %s already: with SQLite one process serves, with PostgreSQL several may", path)
	}
	return func() { f.Close() }, nil
}

func pollerConfig(s *config.Config, m config.Mailbox) (mailbox.Config, error) {
	tlsConfig, err := tlsFor(m.IMAP.Host, m.IMAP.CAFile)
	if err != nil {
		return mailbox.Config{}, fmt.Errorf("mailbox %s: imap.ca_file: %w", m.Name, err)
	}
	cfg := mailbox.Config{
		Name: m.Name, Brand: m.Brand, Address: m.Address, Host: m.IMAP.Host, Port: m.IMAP.Port, TLS: m.IMAP.TLS, Insecure: m.IMAP.Insecure,
		Username: m.IMAP.Username, Password: func() (string, error) { return config.Secret(m.IMAP.Password, m.IMAP.PasswordFile) },
		TLSConfig: tlsConfig, Folder: m.IMAP.Folder, Junk: m.Junk, Done: m.IMAP.Done, Poll: m.IMAP.Poll.D(),
		MaxSize: int64(m.IMAP.MaxSize), Batch: s.Intake.Batch, Bytes: batchBytes, Lease: leaseTime(s),
	}
	if m.IMAP.OAuth2.TokenURL != "" {
		cfg.Token = accessToken(m.IMAP.OAuth2)
	}
	return cfg, nil
}

func senderConfig(s *config.Config) (outbox.Config, error) {
	tlsConfig, err := tlsFor(s.SMTP.Host, s.SMTP.CAFile)
	if err != nil {
		return outbox.Config{}, fmt.Errorf("smtp.ca_file: %w", err)
	}
	retry := make([]time.Duration, len(s.Outbox.Retry))
	for i, d := range s.Outbox.Retry {
		retry[i] = d.D()
	}
	return outbox.Config{
		Host: s.SMTP.Host, Port: s.SMTP.Port, TLS: outbox.TLS(s.SMTP.TLS), Insecure: s.SMTP.Insecure, Username: s.SMTP.Username, HELO: s.SMTP.HELO,
		Password: func() (string, error) { return config.Secret(s.SMTP.Password, s.SMTP.PasswordFile) },
		Retry:    retry, GiveUp: s.Outbox.GiveUp.D(), Workers: s.SMTP.Connections, Timeout: s.SMTP.Timeout.D(),
		PerDomain: outbox.Limit{Concurrency: s.Outbox.PerDomain, PerMinute: float64(s.Outbox.PerDomainMinute)},
		Sole:      s.Database.Path() != "", TLSConfig: tlsConfig,
	}, nil
}

// leaseTime is how long another process waits for a mailbox whose poller died. The only process of a SQLite file waits for
// nobody, so its own earlier lease must not hold it up for long.
func leaseTime(s *config.Config) time.Duration {
	if s.Database.Path() != "" {
		return 5 * time.Second
	}
	return 30 * time.Second
}

func makeSealer(s *config.Config, st *store.Store, log *slog.Logger) (*store.Sealer, error) {
	keys, err := config.LoadKeys(s.Keys.File)
	if err != nil {
		return nil, err
	}
	return store.NewSealer(st, store.SealerConfig{Key: keys.Audit, File: s.CheckpointFile(), Every: s.Audit.Interval.D(), Log: log})
}
