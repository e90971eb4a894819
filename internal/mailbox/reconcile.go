package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// Report compares a folder with the ledger.
type Report struct {
	Mailbox     string   `json:"mailbox"`
	Folder      string   `json:"folder"`
	UIDValidity uint32   `json:"uidvalidity"`
	UIDNext     uint32   `json:"uidnext"`
	Messages    int      `json:"messages"`  // in the folder
	Decided     int      `json:"decided"`   // of these, have an outcome
	LeftOut     int      `json:"left_out"`  // of these, older than the start policy wants
	Undecided   []uint32 `json:"undecided"` // the UIDs of all others: holes, and mails not yet read
}

// Reconcile lists every message of the folder, read-only, and asks the ledger for its outcome. It takes no lease and may run
// beside Run; mails that arrive meanwhile are not in the report. If the folder has a UIDVALIDITY that the ledger has never
// seen, the ledger opens the new epoch.
func (p *Poller) Reconcile(ctx context.Context) (Report, error) {
	r := Report{Mailbox: p.cfg.Name, Folder: p.cfg.Folder, Undecided: []uint32{}}
	s, err := p.examine(ctx)
	if err != nil {
		return r, err
	}
	defer s.close()
	r.UIDValidity, r.UIDNext = s.uidvalidity, s.uidnext
	if s.cursor, err = p.ledger.Open(ctx, p.cfg.Name, s.uidvalidity, s.uidnext); err != nil {
		return r, fmt.Errorf("open ledger: %w", err)
	}
	for at, end := uint32(0), false; !end; {
		var found []meta
		if found, at, end, err = s.list(ctx, at); err != nil {
			return r, err
		}
		if err := r.count(ctx, s, found); err != nil {
			return r, err
		}
	}
	s.logout(ctx)
	return r, nil
}

func (r *Report) count(ctx context.Context, s *session, found []meta) error {
	for len(found) > 0 {
		part := found[:min(len(found), 1000)]
		found = found[len(part):]
		decided, err := s.ledger.Decided(ctx, r.Mailbox, r.UIDValidity, uidsOf(part))
		if err != nil {
			return fmt.Errorf("decided: %w", err)
		}
		for _, m := range part {
			switch {
			case m.uid >= r.UIDNext:
				continue
			case decided[m.uid]:
				r.Decided++
			case s.cursor.leavesOut(m):
				r.LeftOut++
			default:
				r.Undecided = append(r.Undecided, m.uid)
			}
			r.Messages++
		}
	}
	return nil
}

// examine opens the folder read-only on a connection of its own.
func (p *Poller) examine(ctx context.Context) (*session, error) {
	own := New(p.cfg, p.ledger, p.deliver, p.log)
	s, err := own.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.selectFolder(ctx, true); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// Checked is what Check found out.
type Checked struct {
	Capabilities []string `json:"capabilities"` // after log-in, sorted
	UIDValidity  uint32   `json:"uidvalidity"`
	UIDNext      uint32   `json:"uidnext"`
	Messages     uint32   `json:"messages"`
	Warnings     []string `json:"warnings"` // what works less well with this server and configuration, and what to do
}

// Check connects, logs in and selects the folder once, changing nothing. An error is what stops Run from working.
func (p *Poller) Check(ctx context.Context) (Checked, error) {
	var c Checked
	s, err := p.examine(ctx)
	if err != nil {
		return c, err
	}
	defer s.close()
	c.UIDValidity, c.UIDNext, c.Messages = s.uidvalidity, s.uidnext, s.exists
	for name := range s.caps {
		c.Capabilities = append(c.Capabilities, string(name))
	}
	slices.Sort(c.Capabilities)
	// EXAMINE answers with PERMANENTFLAGS () everywhere; the flags that can be kept are told by SELECT only.
	if err := s.selectFolder(ctx, false); err != nil {
		return c, err
	}
	c.Warnings = s.warnings()
	s.logout(ctx)
	return c, nil
}

func (s *session) warnings() (lines []string) {
	warn := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if !s.caps.Has(imap.CapIdle) {
		warn("the server has no IDLE: new mail is seen every %s only; a shorter poll helps", s.cfg.Poll)
	}
	folder, move := strings.CutPrefix(s.cfg.Done, DoneMove)
	switch {
	case s.cfg.Done == DoneKeyword && !s.keeps(Keyword):
		warn("the folder %s keeps no new keywords: mails that were taken in cannot be marked; use done: move:<folder> or none", s.cfg.Folder)
	case move && (folder == "" || folder == s.cfg.Folder):
		warn("done: %s names no other folder: mails that were taken in will not be moved", s.cfg.Done)
	case move && !s.caps.Has(imap.CapMove) && !s.caps.Has(imap.CapUIDPlus):
		warn("the server has neither MOVE nor UIDPLUS: mails that were taken in cannot be moved safely and stay; use done: keyword or none")
	case move && !s.caps.Has(imap.CapMove):
		warn("the server has no MOVE: mails are copied, then removed by UID EXPUNGE")
	}
	if s.cfg.TLS == TLSNone {
		warn("the connection is not encrypted")
	}
	return lines
}
