package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// chooseMark decides how mails are marked on this server. Without a safe way they stay as they are: a plain EXPUNGE would
// also remove what other people marked as deleted.
func (s *session) chooseMark() {
	folder, move := strings.CutPrefix(s.cfg.Done, DoneMove)
	switch {
	case s.noMark:
		s.mark, s.noMark = nil, false
	case s.cfg.Done == DoneKeyword && s.keeps(Keyword):
		s.mark = s.markKeyword
	case move && folder != "" && folder != s.cfg.Folder && (s.caps.Has(imap.CapMove) || s.caps.Has(imap.CapUIDPlus)):
		s.mark = func(ctx context.Context, uids imap.UIDSet) error { return s.move(ctx, uids, folder) }
	default:
		s.mark = nil
		if s.cfg.Done != DoneNone {
			s.log.Warn("mails cannot be marked on this server", "done", s.cfg.Done)
		}
	}
}

// keeps reports whether the folder stores a keyword: it is there already, or new ones may be made (\*).
func (s *session) keeps(keyword imap.Flag) bool {
	return slices.ContainsFunc(s.flags, func(f imap.Flag) bool {
		return f == imap.FlagWildcard || strings.EqualFold(string(f), string(keyword))
	})
}

func (s *session) markKeyword(ctx context.Context, uids imap.UIDSet) error {
	return s.talk(ctx, "mark", func() error {
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{Keyword}}
		return s.client.Store(uids, store, nil).Close()
	})
}

// move takes the mails to another folder, which is made if need be.
func (s *session) move(ctx context.Context, uids imap.UIDSet, folder string) error {
	err := s.moveOnce(ctx, uids, folder)
	var answer *imap.Error
	if !errors.As(err, &answer) || answer.Code != imap.ResponseCodeTryCreate && answer.Code != imap.ResponseCodeNonExistent {
		return err
	}
	err = s.talk(ctx, "create "+folder, func() error { return s.client.Create(folder, nil).Wait() })
	if err != nil {
		return err
	}
	return s.moveOnce(ctx, uids, folder)
}

// moveOnce uses MOVE (RFC 6851), else COPY, \Deleted and UID EXPUNGE of just these (RFC 4315).
func (s *session) moveOnce(ctx context.Context, uids imap.UIDSet, folder string) error {
	if s.caps.Has(imap.CapMove) {
		return s.talk(ctx, "move", func() error {
			_, err := s.client.Move(uids, folder).Wait()
			return err
		})
	}
	return s.talk(ctx, "copy and expunge", func() error {
		if _, err := s.client.Copy(uids, folder).Wait(); err != nil {
			return err
		}
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
		if err := s.client.Store(uids, store, nil).Close(); err != nil {
			return err
		}
		return s.client.UIDExpunge(uids).Close()
	})
}

// markDone marks committed mails. A refusal ends marking for this session and nothing else; the ledger remembers them.
func (s *session) markDone(ctx context.Context, uids []uint32) error {
	if s.mark == nil || ctx.Err() != nil {
		return nil
	}
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	err := s.mark(ctx, set)
	var answer *imap.Error
	if errors.As(err, &answer) {
		s.log.Warn("the server refuses to mark mails", "count", len(uids), "err", err)
		s.mark = nil
		return nil
	}
	if err != nil {
		s.noMark = true // mail goes before marks
		return err
	}
	if err := s.ledger.Marked(ctx, s.cfg.Name, s.uidvalidity, uids); err != nil {
		return undelivered{fmt.Errorf("marked: %w", err)}
	}
	return nil
}

// markLeftOver marks what an earlier process committed and could not mark. Doing it twice does no harm.
func (s *session) markLeftOver(ctx context.Context) error {
	const some = 500
	for s.mark != nil && ctx.Err() == nil {
		uids, err := s.ledger.Unmarked(ctx, s.cfg.Name, s.uidvalidity, some)
		if err != nil {
			return undelivered{fmt.Errorf("unmarked: %w", err)}
		}
		if len(uids) == 0 {
			return nil
		}
		if err := s.markDone(ctx, uids); err != nil || len(uids) < some {
			return err
		}
	}
	return ctx.Err()
}
