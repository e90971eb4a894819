package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/audit"
	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

func ids[T any](rows []T, id func(T) int64) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprint(&b, id(r), " ")
	}
	return strings.TrimSpace(b.String())
}

func TestQueries_TicketFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for uid := range uint32(6) {
			mail(t, s, uid+1)
		}
		write(t, s, func(tx *store.Tx) error {
			for id, change := range map[int64]func(*ticket.Ticket){
				2: func(v *ticket.Ticket) { v.Status, v.DueAt = ticket.Waiting, day },
				3: func(v *ticket.Ticket) { v.Status, v.DueAt = ticket.Waiting, day.Add(time.Hour) },
				4: func(v *ticket.Ticket) { v.Assignee = "anna" },
				5: func(v *ticket.Ticket) { v.Category = ticket.Closure },
				6: func(v *ticket.Ticket) { v.Brand = "other" },
			} {
				row, err := tx.Ticket(noContext, id)
				if err != nil {
					return err
				}
				change(&row)
				tx.Update(&row)
				tx.Record("x", id, nil, &row)
			}
			return nil
		})
		cases := []struct {
			filter store.Filter
			want   string
		}{
			{store.Filter{}, "1 2 3 4 5 6"},
			{store.Filter{After: 2, Limit: 3}, "3 4 5"},
			{store.Filter{Status: ticket.Waiting}, "2 3"},
			{store.Filter{Due: day}, "2"},
			{store.Filter{Due: day.Add(time.Hour), Status: ticket.Waiting, Limit: 1}, "2"},
			{store.Filter{Assignee: "anna"}, "4"},
			{store.Filter{Category: ticket.Closure}, "5"},
			{store.Filter{Brand: "other"}, "6"},
			{store.Filter{Customer: 3}, "3"},
			{store.Filter{Brand: "none"}, ""},
		}
		for _, c := range cases {
			list, err := s.Tickets(noContext, c.filter)
			if got := ids(list, func(v ticket.Ticket) int64 { return v.ID }); got != c.want || err != nil {
				t.Errorf("%+v: %s, want %s, %v", c.filter, got, c.want, err)
			}
		}
		found, err := s.TicketsByID(noContext, []int64{1, 6, 99})
		if err != nil || len(found) != 2 || found[6].Brand != "other" {
			t.Errorf("by id: %v, %v", found, err)
		}
	})
}

func TestQueries_WhatIsNotThereIsNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		missing := map[string]func() error{
			"ticket":   func() error { _, err := s.Ticket(noContext, 1); return err },
			"message":  func() error { _, err := s.Message(noContext, 1); return err },
			"customer": func() error { _, err := s.Customer(noContext, 1); return err },
			"delivery": func() error { _, err := s.Delivery(noContext, 1); return err },
			"mail id":  func() error { _, err := s.DeliveryByMailID(noContext, "x"); return err },
			"held":     func() error { _, err := s.Held(noContext, 1); return err },
			"account":  func() error { _, err := s.Account(noContext, "x"); return err },
			"mailbox":  func() error { _, err := s.Mailbox(noContext, "x"); return err },
			"original": func() error { _, err := s.Original(noContext, "x"); return err },
			"proof":    func() error { _, err := s.Prove(noContext, 1); return err },
		}
		for name, query := range missing {
			if err := query(); !errors.Is(err, ticket.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := s.CustomersByKey(noContext, "okpay", nil); err != nil || got == nil || len(got) != 0 {
			t.Errorf("no keys: %v, %v", got, err)
		}
	})
}

func TestQueries_Batches(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const mails = 900 // more than one IN list holds
		write(t, s, func(tx *store.Tx) error {
			for i := range uint32(mails) {
				intake(tx, "support", i+1, fmt.Append(nil, "mail ", i))
			}
			return nil
		})
		var uids []uint32
		var keys, mailIDs, shas, dedupe []string
		var tickets []int64
		for i := range uint32(mails + 100) {
			uids = append(uids, i+1, i+1) // twice: must not count twice
			keys = append(keys, fmt.Sprintf("c%d@example.org", i+1))
			mailIDs = append(mailIDs, fmt.Sprintf("m%d@example.org", i+1))
			shas = append(shas, store.Pack(fmt.Append(nil, "mail ", i)).SHA256)
			dedupe = append(dedupe, fmt.Sprintf("ack/%d", i+1))
			tickets = append(tickets, int64(i+1))
		}
		since := time.Now().Add(-time.Hour)
		sizes := map[string]func() (int, error){
			"InboundByUID":       func() (int, error) { m, err := s.InboundByUID(noContext, "support", 1, uids); return len(m), err },
			"InboundByRaw":       func() (int, error) { m, err := s.InboundByRaw(noContext, shas); return len(m), err },
			"CustomersByKey":     func() (int, error) { m, err := s.CustomersByKey(noContext, "okpay", keys); return len(m), err },
			"MessagesByMailID":   func() (int, error) { m, err := s.MessagesByMailID(noContext, mailIDs); return len(m), err },
			"AttachmentsBySHA":   func() (int, error) { m, err := s.AttachmentsBySHA(noContext, shas); return len(m), err },
			"DeliveriesByDedupe": func() (int, error) { m, err := s.DeliveriesByDedupe(noContext, dedupe); return len(m), err },
			"DeliveriesOf":       func() (int, error) { m, err := s.DeliveriesOf(noContext, tickets...); return len(m), err },
			"AutomaticByTicket":  func() (int, error) { m, err := s.AutomaticByTicket(noContext, tickets, since); return sum(m), err },
			"AcksByTicket":       func() (int, error) { m, err := s.AcksByTicket(noContext, tickets, since); return sum(m), err },
			"AutomaticByAddress": func() (int, error) { m, err := s.AutomaticByAddress(noContext, keys, since); return sum(m), err },
			"AutomaticByDomain": func() (int, error) {
				m, err := s.AutomaticByDomain(noContext, []string{"example.org", "x"}, since)
				return sum(m), err
			},
			"AutomaticTotal":       func() (int, error) { return s.AutomaticTotal(noContext, since, since.Add(2*time.Hour)) },
			"NewTicketsByCustomer": func() (int, error) { m, err := s.NewTicketsByCustomer(noContext, tickets, since); return sum(m), err },
			"InboundRange":         func() (int, error) { m, err := s.InboundRange(noContext, "support", 1, 1, 5000); return len(m), err },
			"InboundCounts":        func() (int, error) { m, err := s.InboundCounts(noContext, "support"); return m[ticket.Ticketed], err },
		}
		for name, size := range sizes {
			if n, err := size(); n != mails || err != nil {
				t.Errorf("%s: %d, want %d, %v", name, n, mails, err)
			}
		}
		later := since.Add(2 * time.Hour)
		if m, err := s.AutomaticByTicket(noContext, tickets, later); err != nil || len(m) != 0 {
			t.Errorf("later: %v, %v", m, err)
		}
		if m, err := s.InboundByUID(noContext, "other", 1, uids); err != nil || len(m) != 0 {
			t.Errorf("another mailbox: %v, %v", m, err)
		}
		if m, err := s.CustomersByKey(noContext, "other", keys); err != nil || len(m) != 0 {
			t.Errorf("another brand: %v, %v", m, err)
		}
		attachments, err := s.AttachmentsOf(noContext, 1, 2)
		if err != nil || len(attachments) != 1 {
			t.Errorf("attachments %v, %v", attachments, err)
		}
		events, err := s.Events(noContext, 10, 5)
		if err != nil || len(events) != 5 || events[0].Seq != 11 {
			t.Errorf("events %v, %v", events, err)
		}
	})
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func TestQueries_DeliveriesHeldAndStaff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s)
		write(t, s, func(tx *store.Tx) error {
			d, err := tx.DeliveryByMailID(noContext, "o2@okpay.example")
			d.State = ticket.Cancelled
			tx.Update(&d)
			tx.Record("mail.cancelled", d.TicketID, nil, &d)
			return err
		})
		delivery := func(d ticket.Delivery) int64 { return d.TicketID }
		for filter, want := range map[store.DeliveryFilter]string{
			{}: "1 2 3", {State: ticket.Queued}: "1 3", {Ticket: 2}: "2", {Limit: 2}: "1 2", {State: ticket.Accepted}: "",
		} {
			if list, err := s.Deliveries(noContext, filter); ids(list, delivery) != want || err != nil {
				t.Errorf("%+v: %v, %v", filter, list, err)
			}
		}
		if m, err := s.AutomaticByTicket(noContext, []int64{1, 2}, time.Time{}); err != nil || m[1] != 1 || m[2] != 0 {
			t.Errorf("a cancelled mail counts: %v, %v", m, err)
		}
		if list, err := s.HeldList(noContext, store.HeldFilter{State: "released"}); err != nil || len(list) != 1 {
			t.Errorf("held %v, %v", list, err)
		}
		if list, err := s.HeldList(noContext, store.HeldFilter{State: "held"}); err != nil || len(list) != 0 {
			t.Errorf("held %v, %v", list, err)
		}
		if list, err := s.Accounts(noContext); err != nil || len(list) != 1 || list[0].Role != agent.Senior {
			t.Errorf("accounts %v, %v", list, err)
		}
		if list, err := s.Mailboxes(noContext); err != nil || len(list) != 1 || list[0].Name != "support" {
			t.Errorf("mailboxes %v, %v", list, err)
		}
	})
}

func TestTx_SeesItsOwnRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		write(t, s, func(tx *store.Tx) error {
			made := intake(tx, "support", 1, []byte("one"))
			if got, err := tx.CustomersByKey(noContext, "okpay", []string{"c1@example.org"}); err != nil || len(got) != 1 {
				t.Errorf("customers %v, %v", got, err)
			}
			made.Subject = "changed"
			tx.Update(&made)
			tx.Record("renamed", made.ID, nil, &made)
			got, err := tx.Ticket(noContext, made.ID)
			if err != nil || got.Subject != "changed" {
				t.Errorf("ticket %+v, %v", got, err)
			}
			if _, err := s.Ticket(noContext, made.ID); !errors.Is(err, ticket.ErrNotFound) {
				t.Errorf("others see it before the commit: %v", err)
			}
			if events, err := tx.EventsOf(noContext, made.ID); err != nil || len(events) != 4 {
				t.Errorf("events %v, %v", events, err)
			}
			return nil
		})
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

// TestRows_KeepTheirFingerprint holds the JSON forms that the digests of stored events rest on: a field may be added (with
// omitzero), none may be moved, renamed or dropped.
func TestRows_KeepTheirFingerprint(t *testing.T) {
	at := day
	rows := map[string]any{
		`{"name":"a","full_name":"b","role":"agent","disabled":true,"password":"p","created_at":"2026-03-04T05:06:07.000008Z"}`: agent.Account{
			Name: "a", FullName: "b", Role: agent.Agent, Disabled: true, Password: "p", CreatedAt: at},
		`{"id":1,"brand":"b","address":"a","address_key":"k","name":"n","created_at":"0001-01-01T00:00:00Z"}`: ticket.Customer{
			ID: 1, Brand: "b", Address: "a", AddressKey: "k", Name: "n"},
		`{"name":"n","address":"a","folder":"f","uidvalidity":7,"reset":true}`: ticket.Mailbox{Name: "n", Address: "a", Folder: "f", UIDValidity: 7, LastUID: 3, Reset: true},
		`{"id":1,"inbound_id":2,"mailbox":"m","reason":"r","raw_sha256":"s","state":"held","at":"0001-01-01T00:00:00Z"}`: ticket.Held{
			ID: 1, InboundID: 2, Mailbox: "m", Reason: "r", RawSHA256: "s", State: "held"},
		`{"id":1,"message_id":2,"part":3,"filename":"f","content_type":"c","size":4,"sha256":"s"}`: ticket.Attachment{
			ID: 1, MessageID: 2, Part: 3, Filename: "f", ContentType: "c", Size: 4, SHA256: "s"},
		`{"id":1,"mailbox":"m","uidvalidity":2,"uid":3,"outcome":"ticketed","ticket_id":4,"at":"0001-01-01T00:00:00Z"}`: ticket.Inbound{
			ID: 1, Mailbox: "m", UIDValidity: 2, UID: 3, Outcome: ticket.Ticketed, TicketID: 4, Attempts: 9, Marked: true},
	}
	for want, row := range rows {
		text, err := json.Marshal(row)
		if err != nil || string(text) != want {
			t.Errorf("%T\n got %s\nwant %s, %v", row, text, want, err)
		}
		if audit.Digest(row) != store.Pack([]byte(want)).SHA256 {
			t.Errorf("%T: the digest is not the hash of the JSON form", row)
		}
	}
}
