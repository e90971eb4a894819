package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"postdesk/config"
	"postdesk/internal/desk"
	"postdesk/internal/email"
	"postdesk/internal/reply"
	"postdesk/internal/rules"
	"postdesk/internal/scan"
	"postdesk/internal/store"
	"postdesk/templates"
)

// settings reads the configuration that the command line names, or postdesk.yaml where it stands.
func (c *commands) settings() (*config.Config, error) {
	file := c.Config
	if file == "" {
		if _, err := os.Stat("postdesk.yaml"); err == nil {
			file = "postdesk.yaml"
		}
	}
	return config.Load(file, os.Environ())
}

// configured is settings for commands that make no sense without brands and mailboxes.
func (c *commands) configured() (*config.Config, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if len(s.Brands) == 0 {
		return nil, errors.New("nothing is configured yet: postdesk init writes a configuration, --config FILE names one")
	}
	return s, nil
}

func openStore(ctx context.Context, s *config.Config, log *slog.Logger) (*store.Store, error) {
	url, err := s.DatabaseURL()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{URL: url, Log: log})
}

// openDesk opens the store, which must be up to date, and makes the desk over it by maker: makeDesk or makeClerk.
func (c *commands) openDesk(ctx context.Context, log *slog.Logger, maker deskMaker) (*desk.Desk, error) {
	s, err := c.configured()
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, s, log)
	if err != nil {
		return nil, err
	}
	d, err := maker(s, st, log, nil)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return d, nil
}

type deskMaker func(s *config.Config, st *store.Store, log *slog.Logger, queued func()) (*desk.Desk, error)

// makeDesk makes a desk that can read mails.
func makeDesk(s *config.Config, st *store.Store, log *slog.Logger, queued func()) (*desk.Desk, error) {
	set, err := rules.Load(config.RuleFiles(s.Rules.Dir))
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	shadow, err := loadShadow(s.Rules.Shadow)
	if err != nil {
		return nil, err
	}
	return assemble(s, st, log, queued, set, shadow)
}

// loadShadow reads the rule set that runs without effect; nil if there is none.
func loadShadow(dir string) (*rules.Set, error) {
	if dir == "" {
		return nil, nil
	}
	set, err := rules.Load(config.RuleFiles(dir))
	if err != nil {
		return nil, fmt.Errorf("rules.shadow: %w", err)
	}
	return set, nil
}

// makeClerk makes a desk for verbs and lists: it reads no mail, so it does without the rules, which take longer to load than
// all the rest of a command.
func makeClerk(s *config.Config, st *store.Store, log *slog.Logger, queued func()) (*desk.Desk, error) {
	return assemble(s, st, log, queued, nil, nil)
}

// assemble puts the parts together.
func assemble(s *config.Config, st *store.Store, log *slog.Logger, queued func(), set, shadow *rules.Set) (*desk.Desk, error) {
	keys, err := config.LoadKeys(s.Keys.File)
	if err != nil {
		return nil, err
	}
	tokens, err := makeTokens(keys)
	if err != nil {
		return nil, err
	}
	replies, err := reply.Load(templates.FS())
	if err != nil {
		return nil, err
	}
	resolver, err := makeResolver(s.Authenticity.Resolver)
	if err != nil {
		return nil, err
	}
	return desk.New(desk.Parts{Settings: s, Store: st, Rules: set, Shadow: shadow, Replies: replies, Tokens: tokens, Resolver: resolver, Scanner: scan.Clamd{Address: s.Intake.Clamd}, Queued: queued, Log: log}), nil
}

func makeTokens(k *config.Keyring) (*email.Tokens, error) {
	keys := make([]email.Key, len(k.Tokens))
	for i, t := range k.Tokens {
		secret, err := t.Bytes()
		if err != nil {
			return nil, fmt.Errorf("token key %d: %w", t.ID, err)
		}
		keys[i] = email.Key{ID: t.ID, Secret: secret}
	}
	return email.NewTokens(keys...)
}

// quiet is the logger of commands that print their result: only what went wrong shows.
func quiet(std streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
