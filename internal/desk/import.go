package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"postdesk/internal/mailbox"
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
	target := importPrefix + box.Name
	if err := d.ensureMailbox(ctx, target); err != nil {
		return Imported{}, err
	}
	var n Imported
	for rest := mails; len(rest) > 0 && err == nil; {
		rest, err = d.importOnce(ctx, target, rest, &n)
	}
	return n, err
}

// importOnce takes in what it can, counts it, and returns the mails whose places another import took first.
func (d *Desk) importOnce(ctx context.Context, target string, mails []FileMail, n *Imported) (rest []FileMail, err error) {
	fresh, err := d.unknown(ctx, mails, n)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	batch, err := d.number(ctx, target, fresh)
	if err != nil {
		return nil, err
	}
	if err := d.Receive(ctx, 0, batch); err != nil {
		return nil, err
	}
	return d.tally(ctx, n, batch)
}

// FileMail is one mail of a file.
type FileMail struct {
	Raw      []byte
	Received time.Time
}

// unknown leaves out the mails whose bytes are known, and counts them.
func (d *Desk) unknown(ctx context.Context, mails []FileMail, n *Imported) (fresh []FileMail, err error) {
	shas := make([]string, len(mails))
	for i, m := range mails {
		shas[i] = hashOf(m.Raw)
	}
	known, err := d.Store.InboundByRaw(ctx, shas)
	if err != nil {
		return nil, fmt.Errorf("look up known mails: %w", err)
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
	return fresh, nil
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// number gives the mails the next places in the pseudo-mailbox. Two imports at once may take the same places: one of them
// wins, and the other sees it in the tally.
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

// tally counts what became of the mails, and returns those whose places hold another mail.
func (d *Desk) tally(ctx context.Context, n *Imported, batch []mailbox.Mail) (rest []FileMail, err error) {
	uids := make([]uint32, len(batch))
	for i, m := range batch {
		uids[i] = m.UID
	}
	rows, err := d.Store.InboundByUID(ctx, batch[0].Mailbox, 1, uids)
	if err != nil {
		return nil, fmt.Errorf("count the outcomes: %w", err)
	}
	for _, m := range batch {
		row := rows[m.UID]
		switch {
		case row.RawSHA256 != hashOf(m.Raw):
			rest = append(rest, FileMail{Raw: m.Raw, Received: m.InternalDate})
		case row.Outcome == ticket.Quarantined:
			n.Quarantined++
		case row.Outcome == ticket.Duplicate:
			n.Duplicate++
		default:
			n.New++
		}
	}
	return rest, nil
}
