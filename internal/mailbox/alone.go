package mailbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// fetchAlone reads one message with small steps and appends it to mails: a large one, one that ended a connection, a hole.
// A refusal becomes a hole. A death of the connection leaves the message as suspect the first time, and a hole when it was
// one before (again) and no further octet of it could be read.
func (s *session) fetchAlone(ctx context.Context, c *suspect, mails []Mail, again bool) ([]Mail, error) {
	had, wasBig := len(c.raw), c.big
	mail, err := s.readAlone(ctx, c, again)
	var answer *imap.Error
	switch {
	case errors.Is(err, errLeftOut):
		return mails, nil
	case err == nil && mail == nil:
		return mails, s.vanished(ctx, []uint32{c.uid})
	case err == nil:
		return append(mails, *mail), nil
	case errors.As(err, &answer) || errors.Is(err, errNoBody):
		return mails, s.fail(ctx, c.uid, err)
	case ctx.Err() != nil:
		return nil, err
	case !again || len(c.raw) > had || c.big != wasBig:
		s.Poller.suspect = c
		return nil, err
	}
	if failed := s.fail(ctx, c.uid, err); failed != nil {
		return nil, failed
	}
	return nil, err
}

var (
	errNoBody  = errors.New("the server lists the mail and gives no body")
	errLeftOut = errors.New("older than the start policy wants")
)

// readAlone returns nil without error if the message is gone. What was learnt of it before an error stays in c.
func (s *session) readAlone(ctx context.Context, c *suspect, again bool) (*Mail, error) {
	there, err := s.measure(ctx, c)
	if err != nil || !there {
		return nil, err
	}
	if !again && s.cursor.leavesOut(c.meta) { // the listing had no date
		return nil, errLeftOut
	}
	if c.size > s.cfg.MaxSize || c.big {
		return s.readHeader(ctx, c)
	}
	err = s.readChunks(ctx, c)
	if errors.Is(err, errTooLarge) {
		c.big, c.raw = true, nil
		if s.wire.sound() {
			return s.readHeader(ctx, c)
		}
	}
	if err != nil {
		return nil, err
	}
	mail := s.mail(c.meta, c.raw)
	return &mail, nil
}

// measure asks for size and date one by one, each of which may end the connection, and reports whether the message exists.
func (s *session) measure(ctx context.Context, c *suspect) (bool, error) {
	size, there, err := s.ask(ctx, c.uid, &imap.FetchOptions{UID: true, RFC822Size: true})
	if err == nil && !there {
		size, there, err = s.ask(ctx, c.uid, &imap.FetchOptions{UID: true})
	}
	if err != nil || !there {
		return false, err
	}
	c.size = size.size
	if !c.date.IsZero() || s.noDate[c.uid] {
		return true, nil
	}
	date, _, err := s.ask(ctx, c.uid, &imap.FetchOptions{UID: true, InternalDate: true})
	if err != nil && s.wire.sound() {
		s.noDate[c.uid] = true
	}
	c.date = date.date
	return true, err
}

func (s *session) ask(ctx context.Context, uid uint32, options *imap.FetchOptions) (found meta, there bool, err error) {
	err = s.talk(ctx, fmt.Sprintf("ask for uid %d", uid), func() error {
		cmd := s.client.Fetch(imap.UIDSetNum(imap.UID(uid)), options)
		defer cmd.Close()
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			found, there = readMeta(m), true
		}
		return cmd.Close()
	})
	return found, there, err
}

// readChunks reads the body into c.raw, from where it ends. The server's size is a hint: the end is where a chunk comes
// back empty, or short at the declared size.
func (s *session) readChunks(ctx context.Context, c *suspect) error {
	for {
		section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: int64(len(c.raw)), Size: chunk}}
		most := int64(chunk)
		if len(c.raw) == 0 {
			most = s.cfg.MaxSize // a server without partial answers gives the whole
		}
		piece, whole, err := s.section(ctx, c.uid, section, most)
		if err != nil {
			return err
		}
		if c.raw == nil {
			c.raw = make([]byte, 0, max(c.size, int64(len(piece))))
		}
		c.raw = append(c.raw, piece...)
		if int64(len(c.raw)) > s.cfg.MaxSize {
			return errTooLarge
		}
		if whole || len(piece) == 0 || len(piece) < chunk && int64(len(c.raw)) >= c.size {
			return nil
		}
	}
}

// section fetches one part of a message, at most `most` octets; whole tells that the server answered with all of it.
func (s *session) section(ctx context.Context, uid uint32, section *imap.FetchItemBodySection, most int64) (piece []byte, whole bool, err error) {
	limit := limits{s.cfg.Silence, bodyTime, most + talkOctets}
	err = s.wire.exchange(ctx, limit, fmt.Sprintf("fetch of uid %d", uid), func() error {
		cmd := s.client.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		defer cmd.Close()
		got := false
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			lit := bodyOf(m, &whole)
			if lit == nil {
				continue
			}
			if lit.Size() > most {
				s.wire.kill(errTooLarge)
				return errTooLarge
			}
			var err error
			if piece, err = s.readLiteral(lit); err != nil {
				return err
			}
			got = true
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		if !got {
			return errNoBody
		}
		return nil
	})
	return piece, whole, err
}

// bodyOf is nextBody that also tells whether the answer is not partial.
func bodyOf(m *imapclient.FetchMessageData, whole *bool) imap.LiteralReader {
	for item := m.Next(); item != nil; item = m.Next() {
		if body, ok := item.(imapclient.FetchItemDataBodySection); ok {
			*whole = body.Section.Partial == nil
			return body.Literal
		}
	}
	return nil
}

// readHeader stands in for a body above the limit.
func (s *session) readHeader(ctx context.Context, c *suspect) (*Mail, error) {
	section := &imap.FetchItemBodySection{
		Specifier: imap.PartSpecifierHeader, Peek: true,
		Partial: &imap.SectionPartial{Size: headerOctets},
	}
	header, _, err := s.section(ctx, c.uid, section, literalSlack)
	if err != nil {
		return nil, err
	}
	mail := s.mail(c.meta, header[:min(len(header), headerOctets)])
	mail.Problem = TooLarge
	return &mail, nil
}
