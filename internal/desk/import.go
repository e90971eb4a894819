package desk

import (
	"context"
	"fmt"
	"time"

	"postdesk/internal/mailbox"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// importPrefix marks the pseudo-mailbox whose "UIDs" are the order of import.
const importPrefix = "import/"

// Imported counts what became of imported mails.
type Imported struct {
	New, Duplicate, Quarantined int
}

// Import takes mails from files as if they had been fetched from the mailbox. It may be broken off and repeated: mails whose
// bytes are known already count as duplicates and leave no trace. Deadlines and acknowledgements go by received, the time
// the original server noted, as far as the file tells it.
func (d *Desk) Import(ctx context.Context, name string, mails []FileMail) (Imported, error) {
	box, err := d.Settings.Mailbox(name)
	if err != nil {
		return Imported{}, err
	}
	fresh, n, err := d.unknown(ctx, mails)
	if err != nil || len(fresh) == 0 {
		return n, err
	}
	target := importPrefix + box.Name
	if err := d.ensureMailbox(ctx, target); err != nil {
		return n, err
	}
	batch, err := d.number(ctx, target, fresh)
	if err != nil {
		return n, err
	}
	if err := d.Receive(ctx, 0, batch); err != nil {
		return n, err
	}
	return d.tally(ctx, n, batch)
}

// FileMail is one mail of a file.
type FileMail struct {
	Raw      []byte
	Received time.Time
}

func (d *Desk) unknown(ctx context.Context, mails []FileMail) (fresh []FileMail, n Imported, err error) {
	shas := make([]string, len(mails))
	for i, m := range mails {
		shas[i] = store.Pack(m.Raw).SHA256
	}
	known, err := d.Store.InboundByRaw(ctx, shas)
	if err != nil {
		return nil, n, fmt.Errorf("look up known mails: %w", err)
	}
	seen := map[string]bool{}
	for i, m := range mails {
		if _, ok := known[shas[i]]; ok || seen[shas[i]] {
			n.Duplicate++
			continue
		}
		seen[shas[i]] = true
		fresh = append(fresh, m)
	}
	return fresh, n, nil
}

// number gives the mails the next places in the pseudo-mailbox. Two imports at once may take the same places: the unique key
// lets one of them win, and the other is repeated by its caller.
func (d *Desk) number(ctx context.Context, target string, mails []FileMail) ([]mailbox.Mail, error) {
	next, err := d.Store.LastInboundUID(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("last import into %s: %w", target, err)
	}
	batch := make([]mailbox.Mail, len(mails))
	for i, m := range mails {
		next++
		batch[i] = mailbox.Mail{Mailbox: target, UIDValidity: 1, UID: next, InternalDate: m.Received, Size: int64(len(m.Raw)), Raw: m.Raw}
	}
	return batch, nil
}

func (d *Desk) tally(ctx context.Context, n Imported, batch []mailbox.Mail) (Imported, error) {
	uids := make([]uint32, len(batch))
	for i, m := range batch {
		uids[i] = m.UID
	}
	rows, err := d.Store.InboundByUID(ctx, batch[0].Mailbox, 1, uids)
	if err != nil {
		return n, fmt.Errorf("count the outcomes: %w", err)
	}
	for _, row := range rows {
		switch row.Outcome {
		case ticket.Quarantined:
			n.Quarantined++
		case ticket.Duplicate:
			n.Duplicate++
		default:
			n.New++
		}
	}
	return n, nil
}
