package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"postdesk/internal/mailbox"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// group is how many mails one transaction takes in: enough to share the cost of a commit, few enough that the next group is
// read while it runs.
const group = 64

// Receive turns a batch of mails into tickets, exactly once: when it returns nil, every mail of the batch has its outcome in
// the database, and a mail that already had one is left alone. Mails are committed in groups, one transaction each. If that
// fails, each mail is tried alone, and one that still fails is set aside with its raw bytes: nothing blocks and nothing is
// lost. An error means that the database took nothing more; the poller brings the rest again.
//
// fence is the poller's right to the mailbox (see mailbox.Ledger); 0 for an import, which needs none.
func (d *Desk) Receive(ctx context.Context, fence int64, batch []mailbox.Mail) error {
	reading, stop := context.WithCancel(ctx)
	ahead, wait := d.readAhead(reading, batch)
	defer wait()
	defer stop()
	for readings := range ahead {
		if err := d.commit(ctx, fence, readings); err != nil {
			return fmt.Errorf("receive %d mails: %w", len(batch), err)
		}
		d.Queued()
	}
	return ctx.Err()
}

// readAhead reads the batch group by group, one group ahead of the database. wait returns when it has ended.
func (d *Desk) readAhead(ctx context.Context, batch []mailbox.Mail) (ahead <-chan []*reading, wait func()) {
	out := make(chan []*reading)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(out)
		for part := range slices.Chunk(batch, group) {
			select {
			case out <- d.readAll(ctx, part):
			case <-ctx.Done():
				return
			}
		}
	})
	return out, wg.Wait
}

// commit gives every reading of a group its outcome.
func (d *Desk) commit(ctx context.Context, fence int64, readings []*reading) error {
	err := d.receive(ctx, fence, readings)
	if err != nil && !d.hopeless(ctx, err) {
		err = d.receiveEach(ctx, fence, readings)
	}
	return err
}

// receive commits the outcome of every reading, or of none.
func (d *Desk) receive(ctx context.Context, fence int64, readings []*reading) error {
	return d.Store.Write(ctx, System, func(tx *store.Tx) error {
		in, err := d.openIntake(ctx, tx, fence, readings)
		if err != nil {
			return err
		}
		for _, r := range readings {
			if err := in.takeWhole(r); err != nil {
				return fmt.Errorf("mail %s/%d: %w", r.mail.Mailbox, r.mail.UID, err)
			}
		}
		return nil
	})
}

func (d *Desk) receiveEach(ctx context.Context, fence int64, readings []*reading) error {
	for _, r := range readings {
		one := []*reading{r}
		err := d.receive(ctx, fence, one)
		if err != nil && !d.hopeless(ctx, err) {
			d.Log.Error("mail set aside", "mailbox", r.mail.Mailbox, "uid", r.mail.UID, "err", err)
			r.failed = "could not be processed: " + err.Error()
			err = d.receive(ctx, fence, one)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hopeless reports whether trying again at once, mail by mail, makes no sense: the process ends, another poller took over,
// or the database takes nothing at all. A key that exists already is the fault of one mail, and must not hold up the others.
func (d *Desk) hopeless(ctx context.Context, err error) bool {
	overtaken := errors.Is(err, ticket.ErrConflict) && !errors.Is(err, store.ErrExists)
	return ctx.Err() != nil || overtaken || store.Unavailable(err)
}
