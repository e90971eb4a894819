package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// session is one connection with the folder selected. Its methods are called by one goroutine; at most one command that
// carries bodies is in flight, because the library reads all answers in one goroutine.
type session struct {
	*Poller
	wire   *wire
	client *imapclient.Client
	caps   imap.CapSet
	news   chan struct{} // has an element when the server spoke of the folder's size since it was last emptied

	fence       int64
	uidvalidity uint32
	uidnext     uint32 // when selected
	exists      uint32 // when selected
	flags       []imap.Flag
	cursor      Cursor
	span        uint32 // how many UIDs the next listing covers
	mark        func(ctx context.Context, uids imap.UIDSet) error
	work        context.Context // for commits: outlives the end of the connection
	ahead       *delivery       // the batch that is being committed
	spoken      time.Time       // when a success was last recorded
	progress    bool            // something became of some UID in this session
	complete    bool            // everything there was has been read in this session
}

// hear is called by the library's reader and never blocks.
func (s *session) hear(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages == nil {
		return
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// talk is an exchange that asks for no bodies.
func (s *session) talk(ctx context.Context, what string, fn func() error) error {
	return s.wire.exchange(ctx, limits{s.cfg.Silence, 2 * s.cfg.Silence, talkOctets}, what, fn)
}

func (s *session) close() {
	s.wire.kill(errors.New("closed"))
	if s.client != nil {
		s.client.Close()
	}
}

// logout says goodbye if the server listens; the connection is closed afterwards by close.
func (s *session) logout(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s.talk(ctx, "logout", func() error { return s.client.Logout().Wait() })
}

// selectFolder selects the folder and completes what old servers leave out of the answer.
func (s *session) selectFolder(ctx context.Context, readOnly bool) error {
	err := s.talk(ctx, "select "+s.cfg.Folder, func() error {
		data, err := s.client.Select(s.cfg.Folder, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
		if err != nil {
			return err
		}
		s.uidvalidity, s.uidnext = data.UIDValidity, uint32(data.UIDNext)
		s.exists, s.flags = data.NumMessages, data.PermanentFlags
		return nil
	})
	if err != nil {
		return err
	}
	if s.uidvalidity == 0 || s.uidnext == 0 {
		if err := s.askStatus(ctx); err != nil {
			return err
		}
	}
	if s.uidvalidity == 0 { // RFC 3501, section 6.3.1: then the server has no unique identifiers
		return fmt.Errorf("select %s: the server gives no UIDVALIDITY, so mails cannot be told apart", s.cfg.Folder)
	}
	if s.uidnext == 0 {
		return s.highestUID(ctx)
	}
	return nil
}

func (s *session) askStatus(ctx context.Context) error {
	err := s.talk(ctx, "status", func() error {
		data, err := s.client.Status(s.cfg.Folder, &imap.StatusOptions{UIDValidity: true, UIDNext: true}).Wait()
		if err == nil {
			set(&s.uidvalidity, data.UIDValidity)
			set(&s.uidnext, uint32(data.UIDNext))
		}
		return err
	})
	var answer *imap.Error
	if errors.As(err, &answer) {
		return nil
	}
	return err
}

// highestUID finds UIDNEXT of a server that does not tell.
func (s *session) highestUID(ctx context.Context) error {
	s.uidnext = 1
	if s.exists == 0 {
		return nil
	}
	return s.talk(ctx, "highest uid", func() error {
		cmd := s.client.Fetch(imap.UIDSetNum(0), &imap.FetchOptions{UID: true})
		defer cmd.Close()
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			for item := m.Next(); item != nil; item = m.Next() {
				if uid, ok := item.(imapclient.FetchItemDataUID); ok {
					s.uidnext = max(s.uidnext, uint32(uid.UID)+1)
				}
			}
		}
		return cmd.Close()
	})
}
