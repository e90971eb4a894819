package desk

import (
	"errors"
	"fmt"
	"time"

	"postdesk/internal/ticket"
)

// sentCounts are the automatic mails of late, as far as a batch may need them, and those that the batch itself adds.
type sentCounts struct {
	ticket, acks    map[int64]int
	address, domain map[string]int // by addressKey and domain
	total           int
	usual           float64 // of ten minutes, over the last day
}

func (s *sentCounts) add(number int64, address string, ack bool) {
	s.ticket[number]++
	if ack {
		s.acks[number]++
	}
	s.address[addressKey(address)]++
	s.domain[domainOf(address)]++
	s.total++
}

func (in *intake) readSent(readings []*reading) (err error) {
	var addresses, domains []string
	for _, c := range in.customers { // deliveries hold the address as the customer first wrote it
		addresses = append(addresses, c.Address)
	}
	for _, r := range readings {
		if s := r.sender(); s != "" {
			addresses, domains = append(addresses, s), append(domains, domainOf(s))
		}
	}
	now := in.tx.Now()
	day, hour, tenMinutes := now.Add(-24*time.Hour), now.Add(-time.Hour), now.Add(-10*time.Minute)
	in.sent = sentCounts{ticket: map[int64]int{}, acks: map[int64]int{}, address: map[string]int{}}
	asWritten, err := in.tx.AutomaticByAddress(in.ctx, addresses, day)
	if err != nil {
		return fmt.Errorf("count automatic mails by address: %w", err)
	}
	for address, n := range asWritten {
		in.sent.address[addressKey(address)] += n
	}
	if in.sent.domain, err = in.tx.AutomaticByDomain(in.ctx, domains, hour); err != nil {
		return fmt.Errorf("count automatic mails by domain: %w", err)
	}
	if in.sent.total, err = in.tx.AutomaticTotal(in.ctx, tenMinutes, now); err != nil {
		return fmt.Errorf("count automatic mails: %w", err)
	}
	if breaker := in.Settings.Automatic.BreakerPer10Min; breaker <= 0 || in.sent.total+mostAnswers*len(readings) < breaker {
		return nil // too far from the breaker for this batch to reach it: the usual rate need not be known
	}
	total, err := in.tx.AutomaticTotal(in.ctx, day, tenMinutes)
	in.sent.usual = float64(total) / (24*6 - 1)
	return err
}

// mostAnswers is how many automatic mails one mail can cause: an acknowledgement and a warning.
const mostAnswers = 2

// occasion gathers what mayAnswer needs for the acknowledgement of a mail.
func (in *intake) occasion(r *reading, t *ticket.Ticket, c *ticket.Customer) occasion {
	key, onTicket := addressKey(c.Address), in.onTicket(t.ID) // which also counts the acknowledgements
	return occasion{
		Kind: string(r.parsed.Kind), NoReply: r.parsed.NoReply, Forged: r.auth.Fail, Unknown: r.auth.Level == "A0", Junk: r.mail.Junk || r.box.Junk, To: c.Address, OwnAddress: in.isOwn(c.Address),
		Dead: !c.UndeliverableAt.IsZero(), Public: in.public[domainOf(key)], Age: in.tx.Now().Sub(r.mail.InternalDate),
		TicketDay: onTicket, AckDay: in.sent.acks[t.ID], AddressDay: in.sent.address[key], DomainHour: in.sent.domain[domainOf(key)],
		Total10Min: in.sent.total, UsualPer10M: in.sent.usual, Ack: true,
	}
}

// onTicket counts the automatic mails of a ticket in the last day. A ticket that this batch opened had none before.
func (in *intake) onTicket(number int64) int {
	if n, ok := in.sent.ticket[number]; ok {
		return n
	}
	if t := in.tickets[number]; t != nil && !t.CreatedAt.Before(in.tx.Now()) {
		in.sent.ticket[number] = 0
		return 0
	}
	day := in.tx.Now().Add(-24 * time.Hour)
	all, err := in.tx.AutomaticByTicket(in.ctx, []int64{number}, day)
	acks, ackErr := in.tx.AcksByTicket(in.ctx, []int64{number}, day)
	if err := errors.Join(err, ackErr); err != nil {
		in.Log.Error("count automatic mails of a ticket", "ticket", number, "err", err)
		return in.Settings.Automatic.PerTicketPerDay // unknown: rather silent than too much
	}
	in.sent.ticket[number], in.sent.acks[number] = all[number], acks[number]
	return all[number]
}
