package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

var day = time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)

// intake writes one mail as the desk does: eleven rows, three events.
func intake(tx *store.Tx, mailbox string, uid uint32, raw []byte) ticket.Ticket {
	o := store.Pack(raw)
	tx.PutOriginal(o)
	c := ticket.Customer{ID: tx.NextID("customer"), Brand: "okpay", Address: fmt.Sprintf("c%d@example.org", uid), CreatedAt: tx.Now()}
	c.AddressKey = c.Address
	t := ticket.Ticket{ID: tx.NextID("ticket"), Brand: "okpay", CustomerID: c.ID, Category: ticket.Withdrawal, Confidence: 0.75,
		Status: ticket.Open, Stage: "new", Subject: "Where is my money?", Language: "en", Flags: []string{"urgent"}, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
	m := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.In, Kind: "human", From: c.Address,
		To: []string{"support@okpay.example"}, Subject: t.Subject, MessageID: fmt.Sprintf("m%d@example.org", uid), Text: string(raw),
		NewText: string(raw), RawSHA256: o.SHA256, ReceivedAt: day, CreatedAt: tx.Now()}
	a := ticket.Attachment{ID: tx.NextID("attachment"), MessageID: m.ID, Filename: "receipt.pdf", ContentType: "application/pdf", Size: 10, SHA256: o.SHA256}
	in := ticket.Inbound{ID: tx.NextID("inbound"), Mailbox: mailbox, UIDValidity: 1, UID: uid, RawSHA256: o.SHA256, MailID: m.MessageID,
		Size: o.Size, InternalDate: day, Outcome: ticket.Ticketed, TicketID: t.ID, MessageID: m.ID, At: tx.Now()}
	answer := store.Pack(fmt.Appendf(nil, "To: %s\r\n\r\nWe have your mail, ticket %d.\r\n", c.Address, t.ID))
	tx.PutOriginal(answer)
	out := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.Out, Kind: "automatic", From: "support@okpay.example",
		To: []string{c.Address}, Subject: "Received", MessageID: fmt.Sprintf("o%d@okpay.example", t.ID), Text: "We have your mail.",
		Template: "ack", RawSHA256: answer.SHA256, ReceivedAt: tx.Now(), CreatedAt: tx.Now()}
	d := ticket.Delivery{ID: tx.NextID("delivery"), TicketID: t.ID, MessageID: out.ID, Class: ticket.ClassAck, Template: "ack",
		DedupeKey: fmt.Sprintf("ack/%d", t.ID), Automatic: true, To: c.Address, Domain: "example.org", MailID: out.MessageID,
		RawSHA256: answer.SHA256, State: ticket.Queued, NextAttemptAt: tx.Now(), CreatedAt: tx.Now()}
	tx.Insert(&c, &t, &m, &a, &in, &out, &d)
	tx.Record("mail.received", t.ID, map[string]any{"uid": uid}, &c, &m, &a, &in)
	tx.Record("ticket.opened", t.ID, nil, &t)
	tx.Record("mail.queued", t.ID, map[string]any{"template": "ack"}, &out, &d)
	return t
}

func write(t testing.TB, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), "system", fn); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// mail stores one mail and returns its ticket.
func mail(t testing.TB, s *store.Store, uid uint32) (made ticket.Ticket) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		made = intake(tx, "support", uid, fmt.Appendf(nil, "Subject: mail %d\r\n\r\nHello, this is mail %d.\r\n", uid, uid))
		return nil
	})
	return made
}

func TestWrite_RowsAreReadBackAsTheyWereWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		made := mail(t, s, 7)
		got, err := s.Ticket(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made, got); diff != "" {
			t.Error(diff)
		}
		messages, err := s.MessagesOf(ctx, made.ID)
		if err != nil || len(messages) != 2 {
			t.Fatalf("messages: %d, %v", len(messages), err)
		}
		raw, err := s.Original(ctx, messages[0].RawSHA256)
		if err != nil || string(raw) != messages[0].Text {
			t.Errorf("original %q, %v", raw, err)
		}
		events, err := s.EventsOf(ctx, made.ID)
		if err != nil || len(events) != 3 || events[0].Kind != "mail.received" || len(events[0].Rows) != 4 {
			t.Errorf("events %+v, %v", events, err)
		}
	})
}

func TestWrite_TextAndTimesAreBroughtToStoredForm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		zone := time.FixedZone("east", 8*3600)
		var made ticket.Ticket
		write(t, s, func(tx *store.Tx) error {
			c := ticket.Customer{Brand: "okpay", Address: "a\x00\xff@example.org", AddressKey: "a", CreatedAt: time.Unix(0, 0)}
			tx.Insert(&c)
			made = ticket.Ticket{CustomerID: c.ID, Subject: "ab\x00c\xc3", Tags: []string{"fine", "\x00bad"}, Flags: []string{},
				DueAt: time.Date(2030, 1, 2, 3, 4, 5, 6789, zone), LastInboundAt: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), CreatedAt: tx.Now()}
			tx.Insert(&made)
			tx.Record("test", made.ID, "\x00", &c, &made)
			return nil
		})
		got, err := s.Ticket(noContext, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made, got); diff != "" {
			t.Error(diff)
		}
		if got.Subject != "ab\uFFFDc\uFFFD" || got.DueAt != time.Date(2030, 1, 1, 19, 4, 5, 6000, time.UTC) || got.LastInboundAt.Year() != 9999 {
			t.Errorf("%+v", got)
		}
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

func TestWrite_ErrorRollsBackEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		broken := errors.New("broken")
		err := s.Write(noContext, "system", func(tx *store.Tx) error {
			made := intake(tx, "support", 1, []byte("one"))
			if _, err := tx.Ticket(noContext, made.ID); err != nil { // written by now
				t.Error(err)
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatalf("error %v", err)
		}
		if list, err := s.Tickets(noContext, store.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("tickets %v, %v", list, err)
		}
		if events, err := s.Events(noContext, 0, 0); err != nil || len(events) != 0 {
			t.Errorf("events %v, %v", events, err)
		}
		mail(t, s, 1)
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

func TestWrite_PanicRollsBackAndReachesTheCaller(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		func() {
			defer func() {
				if p := recover(); p != "bug" {
					t.Errorf("recovered %v", p)
				}
			}()
			_ = s.Write(noContext, "system", func(tx *store.Tx) error {
				intake(tx, "support", 1, []byte("one"))
				panic("bug")
			})
		}()
		if made := mail(t, s, 1); made.ID == 0 {
			t.Error("the store does not work any more")
		}
	})
}

func TestWrite_RefusesAChangeWithoutAnEvent(t *testing.T) {
	customer := func(tx *store.Tx) ticket.Customer {
		return ticket.Customer{ID: 1, Brand: "okpay", Address: "a@example.org", AddressKey: "a@example.org", CreatedAt: tx.Now()}
	}
	cases := map[string]func(tx *store.Tx){
		"insert": func(tx *store.Tx) {
			c := customer(tx)
			tx.Insert(&c)
		},
		"event names another row": func(tx *store.Tx) {
			c, d := customer(tx), customer(tx)
			d.ID, d.AddressKey = 2, "b"
			tx.Insert(&c, &d)
			tx.Record("x", 0, nil, &d)
		},
		"update after the event": func(tx *store.Tx) {
			c := customer(tx)
			tx.Insert(&c)
			tx.Record("x", 0, nil, &c)
			c.Name = "A"
			tx.Update(&c)
		},
		"event names an unchanged row": func(tx *store.Tx) {
			c := customer(tx)
			tx.Record("x", 0, nil, &c)
		},
		"original no row names": func(tx *store.Tx) { tx.PutOriginal(store.Pack([]byte("x"))) },
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, fn := range cases {
			t.Run(name, func(t *testing.T) {
				err := s.Write(noContext, "system", func(tx *store.Tx) error { fn(tx); return nil })
				if !errors.Is(err, store.ErrUnrecorded) {
					t.Errorf("error %v", err)
				}
				if _, err := s.Customer(noContext, 1); !errors.Is(err, ticket.ErrNotFound) {
					t.Errorf("the customer is there: %v", err)
				}
			})
		}
	})
}

func TestStore_CannotWriteOutsideWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made := mail(t, s, 1)
		for way, err := range s.GormWrites(&ticket.Ticket{ID: 99, Brand: "x"}) {
			if err == nil {
				t.Errorf("%s was not refused", way)
			}
		}
		got, err := s.Ticket(noContext, made.ID)
		if err != nil || got.Brand != "okpay" {
			t.Errorf("ticket %+v, %v", got, err)
		}
	})
}

func TestStore_RecordIsAppendOnly(t *testing.T) {
	statements := []string{
		"UPDATE event SET actor = 'x'", "UPDATE event SET data = 'x' WHERE leaf IS NULL", "UPDATE event SET leaf = 9", "UPDATE event SET leaf = NULL",
		"DELETE FROM event", "UPDATE original SET size = 0", "DELETE FROM original", "UPDATE message SET body = 'x'", "DELETE FROM message",
		"UPDATE attachment SET filename = 'x'", "DELETE FROM attachment", "UPDATE tree_hash SET position = 99", "DELETE FROM tree_hash",
		"UPDATE checkpoint SET note = 'x'", "DELETE FROM checkpoint",
	}
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		signer, verifier := keys(t)
		fill(t, s)
		seal(t, s, signer, "")
		mail(t, s, 9) // not sealed
		own := []string{"INSERT OR REPLACE INTO event SELECT seq, at, 'x', kind, ticket, data, row_digests, leaf FROM event"}
		if !strings.HasPrefix(url, "sqlite:") {
			own = []string{"TRUNCATE event", "TRUNCATE message CASCADE", "TRUNCATE original CASCADE"}
		}
		for _, statement := range append(own, statements...) {
			if err := s.Exec(noContext, statement); err == nil || !strings.Contains(err.Error(), "append-only") && !strings.Contains(err.Error(), "given once") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

func TestWrite_KeysAndReferencesAreChecked(t *testing.T) {
	cases := []struct {
		name string
		fn   func(tx *store.Tx)
		want []error
	}{
		{"same uid again", func(tx *store.Tx) {
			in := ticket.Inbound{Mailbox: "support", UIDValidity: 1, UID: 1, Outcome: ticket.Vanished, At: tx.Now()}
			tx.Insert(&in)
			tx.Record("x", 0, nil, &in)
		}, []error{ticket.ErrConflict, gorm.ErrDuplicatedKey}},
		{"same id again", func(tx *store.Tx) {
			c := ticket.Customer{ID: 1, AddressKey: "z"}
			tx.Insert(&c)
			tx.Record("x", 0, nil, &c)
		}, []error{ticket.ErrConflict, gorm.ErrDuplicatedKey}},
		{"twice in one transaction", func(tx *store.Tx) {
			c := ticket.Customer{ID: 50, AddressKey: "z"}
			tx.Insert(&c, &c)
			tx.Record("x", 0, nil, &c)
		}, []error{ticket.ErrConflict}},
		{"message of no ticket", func(tx *store.Tx) {
			m := ticket.Message{TicketID: 77}
			tx.Insert(&m)
			tx.Record("x", 0, nil, &m)
		}, []error{ticket.ErrInvalid, gorm.ErrForeignKeyViolated}},
		{"update of no row", func(tx *store.Tx) {
			c := ticket.Customer{ID: 77}
			tx.Update(&c)
			tx.Record("x", 0, nil, &c)
		}, []error{ticket.ErrNotFound}},
		{"update of a message", func(tx *store.Tx) {
			m := ticket.Message{ID: 1, Text: "rewritten"}
			tx.Update(&m)
			tx.Record("x", 0, nil, &m)
		}, nil},
		{"no row at all", func(tx *store.Tx) { tx.Insert("text") }, []error{ticket.ErrInvalid}},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mail(t, s, 1)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				err := s.Write(noContext, "system", func(tx *store.Tx) error { c.fn(tx); return nil })
				if err == nil {
					t.Fatal("it was accepted")
				}
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("error %v, want %v", err, want)
					}
				}
			})
		}
		if r := verify(t, s, store.VerifyOptions{}); !r.OK || r.Events != 3 {
			t.Errorf("%+v", r)
		}
	})
}

func TestUpdate_LeavesVolatileColumnsAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mail(t, s, 1)
		claimed, err := s.ClaimDeliveries(noContext, "w1", 10, time.Minute, nil)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %v, %v", claimed, err)
		}
		write(t, s, func(tx *store.Tx) error {
			d := claimed[0]
			d.State, d.Fence, d.LeaseOwner = ticket.Sending, 0, ""
			tx.Update(&d)
			tx.Record("mail.sending", d.TicketID, nil, &d)
			_, err := tx.ClaimedDelivery(d.ID, claimed[0].Fence)
			return err
		})
		got, err := s.Delivery(noContext, claimed[0].ID)
		if err != nil || got.State != ticket.Sending || got.LeaseOwner != "w1" || got.Fence != claimed[0].Fence {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestNextID_TicketNumbersAscendWithoutGap(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		for want := int64(1); want <= 20; want += 4 {
			write(t, s, func(tx *store.Tx) error {
				for i := range int64(4) {
					if got := intake(tx, "support", uint32(want+i), fmt.Append(nil, want+i)).ID; got != want+i {
						t.Errorf("ticket %d, want %d", got, want+i)
					}
				}
				return nil
			})
		}
	})
}

// TestWrite_ConcurrentWritersLoseNothing also holds that on SQLite writers share commits, and that one of them failing
// takes nothing of the others with it.
func TestWrite_ConcurrentWritersLoseNothing(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		const writers, each = 12, 8
		broken := errors.New("broken")
		var wg sync.WaitGroup
		for w := range uint32(writers) {
			wg.Go(func() {
				for i := range uint32(each) {
					uid := w*each + i + 1
					err := s.Write(noContext, "system", func(tx *store.Tx) error {
						intake(tx, "support", uid, fmt.Append(nil, uid))
						if uid%5 == 0 {
							_, err := tx.Tickets(noContext, store.Filter{}) // so that rows are there to be taken back
							return errors.Join(err, broken)
						}
						return nil
					})
					if (uid%5 == 0) != errors.Is(err, broken) || uid%5 != 0 && err != nil {
						t.Errorf("uid %d: %v", uid, err)
					}
				}
			})
		}
		wg.Wait()
		rows, err := s.InboundRange(noContext, "support", 1, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want := writers*each - writers*each/5
		if len(rows) != want {
			t.Errorf("%d rows, want %d", len(rows), want)
		}
		for _, r := range rows {
			if r.UID%5 == 0 {
				t.Errorf("uid %d was rolled back and is there", r.UID)
			}
		}
		st := s.Stats()
		if st.Writes != int64(want) {
			t.Errorf("%d writes counted, want %d", st.Writes, want)
		}
		if strings.HasPrefix(url, "sqlite:") && st.Commits >= st.Writes {
			t.Errorf("%d commits for %d writes", st.Commits, st.Writes)
		}
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

func TestWrite_ReadAndWriteOfOneRowLosesNoUpdate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made := mail(t, s, 1)
		const writers = 10
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				err := s.Write(noContext, "system", func(tx *store.Tx) error {
					got, err := tx.Ticket(noContext, made.ID)
					if err != nil {
						return err
					}
					got.Tags = append(got.Tags, fmt.Sprint(w))
					tx.Update(&got)
					tx.Record("tagged", got.ID, nil, &got)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.Ticket(noContext, made.ID)
		if err != nil || len(got.Tags) != writers {
			t.Errorf("tags %v, %v", got.Tags, err)
		}
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}

func TestWrite_EndedContextChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Write(ctx, "system", func(tx *store.Tx) error {
			intake(tx, "support", 1, []byte("one"))
			cancel()
			_, err := tx.Ticket(ctx, 1)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if err := s.Write(ctx, "system", func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if list, err := s.Tickets(noContext, store.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("tickets %v, %v", list, err)
		}
	})
}

func TestClose_LaterCallsAreRefused(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), store.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(noContext, "x", func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		if _, err := s.Ticket(noContext, 1); !errors.Is(err, store.ErrClosed) {
			t.Errorf("query: %v", err)
		}
	})
}

func TestOriginal_IsCheckedAgainstItsHash(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		raws := [][]byte{nil, []byte("x"), []byte(strings.Repeat("long and dull ", 5000)), make([]byte, 1<<20)}
		write(t, s, func(tx *store.Tx) error {
			for i, raw := range raws {
				o := store.Pack(raw)
				tx.PutOriginal(o)
				in := ticket.Inbound{Mailbox: "support", UID: uint32(i), RawSHA256: o.SHA256, Outcome: ticket.Recorded, At: tx.Now()}
				tx.Insert(&in)
				tx.Record("mail.recorded", 0, nil, &in)
			}
			return nil
		})
		for _, raw := range raws {
			got, err := s.Original(noContext, store.Pack(raw).SHA256)
			if err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%d bytes: got %d, %v", len(raw), len(got), err)
			}
		}
		if _, err := s.Original(noContext, "no such hash"); !errors.Is(err, ticket.ErrNotFound) {
			t.Errorf("error %v", err)
		}
		tamper(t, url, "UPDATE original SET size = size + 1")
		if _, err := s.Original(noContext, store.Pack(raws[2]).SHA256); err == nil {
			t.Error("a wrong size was not noticed")
		}
	})
}
