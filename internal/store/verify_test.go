package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postdesk/internal/agent"
	"postdesk/internal/audit"
	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

// fill stores three mails, an account, a mailbox and a held mail, with an update, in 12 events.
func fill(t testing.TB, s *store.Store) {
	t.Helper()
	for uid := range uint32(3) {
		mail(t, s, uid+1)
	}
	write(t, s, func(tx *store.Tx) error {
		a := agent.Account{Name: "anna", Role: agent.Senior, CreatedAt: tx.Now()}
		tx.Insert(&a)
		tx.Record("staff.added", 0, nil, &a)
		m := ticket.Mailbox{Name: "support", Address: "support@okpay.example", Folder: "INBOX", UIDValidity: 1}
		tx.Insert(&m)
		tx.Record("mailbox.added", 0, nil, &m)
		h := ticket.Held{InboundID: 1, Mailbox: "support", UID: 1, Reason: "external", RawSHA256: store.Pack([]byte("held")).SHA256, State: "held", At: tx.Now()}
		tx.PutOriginal(store.Pack([]byte("held")))
		tx.Insert(&h)
		h.State = "released"
		tx.Update(&h)
		tx.Record("mail.held", 0, map[string]any{"reason": "external"}, &h)
		return nil
	})
}

func verify(t testing.TB, s *store.Store, opt store.VerifyOptions) store.Report {
	t.Helper()
	r, err := s.Verify(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify_SoundRecordHasNoFailures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		signer, verifier := keys(t)
		file := filepath.Join(t.TempDir(), "checkpoints")
		if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); !r.OK {
			t.Errorf("empty: %+v", r.Failures)
		}
		fill(t, s)
		if size := seal(t, s, signer, file); size != 12 {
			t.Errorf("sealed %d events, want 12", size)
		}
		mail(t, s, 4)
		if size := seal(t, s, signer, file); size != 15 {
			t.Errorf("sealed %d events, want 15", size)
		}
		mail(t, s, 5)
		kept, err := os.ReadFile(file)
		if err != nil || len(audit.SplitCheckpoints(kept)) != 2 {
			t.Fatalf("checkpoint file: %q, %v", kept, err)
		}
		r := verify(t, s, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: kept})
		if !r.OK || r.Events != 18 || r.TreeSize != 15 || r.Originals != 11 || !strings.Contains(string(kept), r.Checkpoint) {
			t.Errorf("report %+v", r)
		}
	})
}

// damages are done behind the store's back after fill and seal; each must be found and named.
var damages = []struct {
	name, sql string
	want      store.Failure // What: a part of it
}{
	{"event data", "UPDATE event SET data = replace(data, 'ack', 'bck') WHERE seq = 3", store.Failure{Kind: "event", Seq: 3, What: "event 3 was changed"}},
	{"event white space", "UPDATE event SET data = ' ' || data WHERE seq = 3", store.Failure{Kind: "event", Seq: 3, What: "event 3 was changed"}},
	{"event actor", "UPDATE event SET actor = 'eve' WHERE seq = 5", store.Failure{Kind: "event", Seq: 5, What: "event 5 was changed"}},
	{"event kind", "UPDATE event SET kind = 'x' WHERE seq = 5", store.Failure{Kind: "event", Seq: 5, What: "event 5 was changed"}},
	{"event time", "UPDATE event SET at = at + 1 WHERE seq = 5", store.Failure{Kind: "event", Seq: 5, What: "event 5 was changed"}},
	{"event ticket", "UPDATE event SET ticket = 2 WHERE seq = 2", store.Failure{Kind: "event", Seq: 2, What: "event 2 was changed"}},
	{"event rows", "UPDATE event SET row_digests = '[]' WHERE seq = 2", store.Failure{Kind: "row", What: "ticket 1 is named by no event"}},
	{"event rows white space", "UPDATE event SET row_digests = row_digests || ' ' WHERE seq = 2", store.Failure{Kind: "event", Seq: 2, What: "not as they were written"}},
	{"event removed", "DELETE FROM event WHERE seq = 4", store.Failure{Kind: "event", What: "the event at leaf 3, after event 3, is missing"}},
	{"event unsealed again", "UPDATE event SET leaf = NULL WHERE seq = 4", store.Failure{Kind: "event", What: "leaf 3"}},
	{"last event removed", "DELETE FROM event WHERE seq = 12", store.Failure{Kind: "checkpoint", What: "only 11 sealed events are left"}},
	{"tree hash", "UPDATE tree_hash SET hash = (SELECT hash FROM tree_hash WHERE position = 0) WHERE position = 2", store.Failure{Kind: "tree", Seq: 2, What: "stored with event 2 does not follow"}},
	{"tree hash removed", "DELETE FROM tree_hash WHERE position = 3", store.Failure{Kind: "tree", Seq: 3, What: "tree hash of event 3 is missing"}},
	{"checkpoint text", "UPDATE checkpoint SET note = replace(note, '12', '11')", store.Failure{Kind: "checkpoint", What: "checkpoint 12"}},
	{"checkpoint removed", "DELETE FROM checkpoint", store.Failure{Kind: "checkpoint", Seq: 1, What: "under no checkpoint"}},
	{"original bytes", "UPDATE original SET data = (SELECT hash FROM tree_hash WHERE position = 0) WHERE sha256 = (SELECT raw_sha256 FROM message WHERE id = 1)", store.Failure{Kind: "original", What: "damaged"}},
	{"original removed", "DELETE FROM original WHERE sha256 = (SELECT raw_sha256 FROM delivery WHERE id = 2)", store.Failure{Kind: "original", What: "of delivery 2 is missing"}},
	{"original foreign", "INSERT INTO original SELECT 'ff', size, codec, key_id, data FROM original LIMIT 1", store.Failure{Kind: "original", SHA256: "ff", What: "named by no row"}},
	{"ticket", "UPDATE ticket SET subject = 'x' WHERE id = 2", store.Failure{Kind: "row", Seq: 5, What: "ticket 2 differs from what event 5 recorded"}},
	{"ticket list", "UPDATE ticket SET flags = '[\"calm\"]' WHERE id = 2", store.Failure{Kind: "row", Seq: 5, What: "ticket 2 differs"}},
	{"ticket list unreadable", "UPDATE ticket SET flags = '{' WHERE id = 2", store.Failure{Kind: "row", Seq: 5, What: "ticket 2 cannot be read"}},
	{"message", "UPDATE message SET body = body || '.' WHERE ticket_id = 2 AND direction = 'in'", store.Failure{Kind: "row", Seq: 4, What: " differs from what event 4 recorded"}},
	{"customer", "UPDATE customer SET address = 'eve@example.org' WHERE id = 1", store.Failure{Kind: "row", Seq: 1, What: "customer 1 differs"}},
	{"delivery", "UPDATE delivery SET state = 'accepted' WHERE id = 1", store.Failure{Kind: "row", Seq: 3, What: "delivery 1 differs from what event 3 recorded"}},
	{"inbound", "UPDATE inbound SET outcome = 'recorded' WHERE id = 1", store.Failure{Kind: "row", Seq: 1, What: "inbound 1 differs"}},
	{"held", "UPDATE held SET state = 'held' WHERE id = 1", store.Failure{Kind: "row", Seq: 12, What: "held 1 differs"}},
	{"account", "UPDATE account SET role = 'admin' WHERE name = 'anna'", store.Failure{Kind: "row", Seq: 10, What: "account anna differs"}},
	{"attachment", "UPDATE attachment SET filename = 'x.exe' WHERE id = 2", store.Failure{Kind: "row", Seq: 4, What: "attachment 2 differs"}},
	{"mailbox", "UPDATE mailbox SET uidvalidity = 2 WHERE name = 'support'", store.Failure{Kind: "row", Seq: 11, What: "mailbox support differs"}},
	{"ticket removed", "DELETE FROM ticket WHERE id = 1", store.Failure{Kind: "row", Seq: 2, What: "ticket 1, which event 2 recorded, is missing"}},
	{"message removed", "DELETE FROM message WHERE ticket_id = 3 AND direction = 'out'", store.Failure{Kind: "row", Seq: 9, What: ", which event 9 recorded, is missing"}},
	{"customer removed", "DELETE FROM customer WHERE id = 1", store.Failure{Kind: "row", Seq: 1, What: "customer 1, which"}},
	{"delivery removed", "DELETE FROM delivery WHERE id = 1", store.Failure{Kind: "row", Seq: 3, What: "delivery 1, which"}},
	{"inbound removed", "DELETE FROM inbound WHERE id = 3", store.Failure{Kind: "row", Seq: 7, What: "inbound 3, which"}},
	{"held removed", "DELETE FROM held", store.Failure{Kind: "row", Seq: 12, What: "held 1, which"}},
	{"account removed", "DELETE FROM account", store.Failure{Kind: "row", Seq: 10, What: "account anna, which"}},
	{"attachment removed", "DELETE FROM attachment WHERE id = 1", store.Failure{Kind: "row", Seq: 1, What: "attachment 1, which"}},
	{"mailbox removed", "DELETE FROM mailbox", store.Failure{Kind: "row", Seq: 11, What: "mailbox support, which"}},
	{"foreign account", "INSERT INTO account SELECT 'eve', full_name, role, disabled, password, created_at FROM account", store.Failure{Kind: "row", What: "account eve is named by no event"}},
	{"row renumbered", "UPDATE attachment SET id = 77 WHERE id = 1", store.Failure{Kind: "row", What: "attachment 77 is named by no event"}},
}

func TestVerify_FindsAndNamesDamage(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, _ string) {
		open := storetest.SQLiteURL
		if strings.HasSuffix(t.Name(), "postgres") {
			open = storetest.PostgresURL
		}
		for _, d := range damages {
			t.Run(d.name, func(t *testing.T) {
				url := open(t)
				s := storetest.OpenURL(t, url)
				signer, verifier := keys(t)
				fill(t, s)
				seal(t, s, signer, "")
				tamper(t, url, d.sql)
				r := verify(t, s, store.VerifyOptions{VerifierKey: verifier})
				if r.OK || !hasFailure(r, d.want) {
					t.Errorf("want %+v in %+v", d.want, r.Failures)
				}
			})
		}
	})
}

func hasFailure(r store.Report, want store.Failure) bool {
	for _, f := range r.Failures {
		if f.Kind == want.Kind && (want.Seq == 0 || f.Seq == want.Seq) && (want.SHA256 == "" || f.SHA256 == want.SHA256) &&
			strings.Contains(f.What, want.What) {
			return true
		}
	}
	return false
}

func TestVerify_OneChangedEventIsOneFailure(t *testing.T) {
	url := storetest.SQLiteURL(t)
	s := storetest.OpenURL(t, url)
	signer, verifier := keys(t)
	fill(t, s)
	seal(t, s, signer, "")
	tamper(t, url, "UPDATE event SET kind = 'x' WHERE seq = 5")
	if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); len(r.Failures) != 1 {
		t.Errorf("failures %+v", r.Failures)
	}
}

func TestVerify_VolatileColumnsMayChange(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		fill(t, s)
		tamper(t, url, "UPDATE delivery SET fence = 9", "UPDATE inbound SET marked = (1 = 1), attempts = 3", "UPDATE mailbox SET last_uid = 5, state = 'idle'")
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("failures %+v", r.Failures)
		}
	})
}

func TestVerify_UnsealedEventRemoved(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		fill(t, s)
		tamper(t, url, "DELETE FROM event WHERE seq = 12")
		if r := verify(t, s, store.VerifyOptions{}); !hasFailure(r, store.Failure{Kind: "row", What: "held 1 is named by no event"}) {
			t.Errorf("failures %+v", r.Failures)
		}
	})
}

func TestVerify_KeptCheckpointExposesTruncation(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		signer, verifier := keys(t)
		file := filepath.Join(t.TempDir(), "checkpoints")
		mail(t, s, 1)
		seal(t, s, signer, file)
		mail(t, s, 2)
		seal(t, s, signer, file)
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Everything of the second mail goes, as if it had never come.
		tamper(t, url, "DELETE FROM event WHERE seq > 3", "DELETE FROM tree_hash WHERE position > 3", "DELETE FROM checkpoint WHERE size > 3",
			"DELETE FROM delivery WHERE id = 2", "DELETE FROM inbound WHERE id = 2", "DELETE FROM attachment WHERE id = 2", "DELETE FROM message WHERE ticket_id = 2",
			"DELETE FROM ticket WHERE id = 2", "DELETE FROM customer WHERE id = 2", "DELETE FROM original WHERE sha256 NOT IN (SELECT raw_sha256 FROM message)")
		if strings.HasPrefix(url, "sqlite:") {
			tamper(t, url, "UPDATE counter SET next = 4 WHERE name = 'event'")
		}
		if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); !r.OK {
			t.Errorf("without the kept checkpoint nothing is to be seen, but %+v", r.Failures)
		}
		want := store.Failure{Kind: "checkpoint", What: "the kept checkpoint of 6 events does not fit: the record was cut off, only 3 sealed events are left"}
		if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: kept}); !hasFailure(r, want) {
			t.Errorf("failures %+v", r.Failures)
		}
	})
}

func TestVerify_RewrittenHistoryDoesNotFitTheCheckpoints(t *testing.T) {
	url := storetest.SQLiteURL(t)
	s := storetest.OpenURL(t, url)
	signer, verifier := keys(t)
	file := filepath.Join(t.TempDir(), "checkpoints")
	for uid := range uint32(3) {
		mail(t, s, uid+1)
		seal(t, s, signer, file)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// An event is changed, and the tree is built anew over it and signed with another key.
	tamper(t, url, "UPDATE event SET actor = 'eve', leaf = NULL WHERE seq = 5", "UPDATE event SET leaf = NULL", "DELETE FROM tree_hash", "DELETE FROM checkpoint")
	forger, forged := keys(t)
	seal(t, s, forger, "")
	if r := verify(t, s, store.VerifyOptions{VerifierKey: forged}); !r.OK {
		t.Fatalf("the forger's own record should fit: %+v", r.Failures)
	}
	if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); !hasFailure(r, store.Failure{Kind: "checkpoint", What: "checkpoint 9: "}) {
		t.Errorf("foreign signature not found: %+v", r.Failures)
	}
	r := verify(t, s, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: kept})
	if !hasFailure(r, store.Failure{Kind: "checkpoint", Seq: 4, What: "history was rewritten among events 4 to 6"}) {
		t.Errorf("failures %+v", r.Failures)
	}
}

func TestVerify_BrokenKeptCheckpointIsNamed(t *testing.T) {
	s := storetest.Open(t)
	_, verifier := keys(t)
	r := verify(t, s, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: []byte("garbage\n")})
	if !hasFailure(r, store.Failure{Kind: "checkpoint", What: "kept checkpoint 1"}) {
		t.Errorf("failures %+v", r.Failures)
	}
	if _, err := s.Verify(t.Context(), store.VerifyOptions{VerifierKey: "garbage"}); err == nil {
		t.Error("a bad verifier key was taken")
	}
}

func TestVerify_MissingTriggerIsNamed(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		drop := "DROP TRIGGER event_no_delete"
		if !strings.HasPrefix(url, "sqlite:") {
			drop = "ALTER TABLE event DISABLE TRIGGER event_no_delete"
		}
		exec(t, behind(t, url), drop)
		if r := verify(t, s, store.VerifyOptions{}); !hasFailure(r, store.Failure{Kind: "schema", What: "event_no_delete"}) {
			t.Errorf("failures %+v", r.Failures)
		}
	})
}

// closedFile fills a database and returns the path of its file, closed, with everything out of the write-ahead log.
func closedFile(t *testing.T, signer string) (url, path string) {
	t.Helper()
	url = storetest.SQLiteURL(t)
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	seal(t, s, signer, "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := behind(t, url)
	exec(t, db, "VACUUM") // no copies of text in unused space, where a flipped byte changes nothing
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return url, strings.TrimPrefix(url, "sqlite:")
}

func TestVerify_FlippedByteInTheFile(t *testing.T) {
	held := store.Pack([]byte("held"))
	for _, text := range []string{
		"Hello, this is mail 2.", "Where is my money?", "c3@example.org", `"template":"ack"`, "receipt.pdf", "mail.received",
		"We have your mail, ticket 3", held.SHA256, "Subject: mail 1", "external", "ack/2",
	} {
		t.Run(text, func(t *testing.T) {
			signer, verifier := keys(t)
			url, path := closedFile(t, signer)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for at := bytes.Index(whole, []byte(text)); at >= 0 && found < 6; found++ {
				damaged := bytes.Clone(whole)
				damaged[at+len(text)/2] ^= 1
				if err := os.WriteFile(path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := store.Open(t.Context(), store.Config{URL: url})
				if err != nil {
					t.Fatal(err)
				}
				r := verify(t, s, store.VerifyOptions{VerifierKey: verifier})
				if r.OK {
					t.Errorf("a flipped byte at offset %d of %q was not found", at, text)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				next := bytes.Index(whole[at+1:], []byte(text))
				if next < 0 {
					break
				}
				at += 1 + next
			}
			if !bytes.Contains(whole, []byte(text)) {
				t.Fatalf("%q is not in the file", text)
			}
		})
	}
}

func TestVerify_CorruptPagesAreReportedNotFatal(t *testing.T) {
	for _, name := range []string{"message", "ticket", "event", "original", "tree_hash", "checkpoint", "account", "event_leaf", "counter"} {
		t.Run(name, func(t *testing.T) {
			signer, verifier := keys(t)
			url, path := closedFile(t, signer)
			db := behind(t, url)
			var root, size int64
			if err := db.QueryRow("SELECT rootpage FROM sqlite_master WHERE name = ?", name).Scan(&root); err != nil {
				t.Fatal(err)
			}
			if err := db.QueryRow("PRAGMA page_size").Scan(&size); err != nil {
				t.Fatal(err)
			}
			db.Close()
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(bytes.Repeat([]byte{0xA5}, int(size)), (root-1)*size); err != nil {
				t.Fatal(err)
			}
			f.Close()
			s, err := store.Open(t.Context(), store.Config{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			r := verify(t, s, store.VerifyOptions{VerifierKey: verifier})
			if !hasFailure(r, store.Failure{Kind: "database"}) {
				t.Errorf("failures %+v", r.Failures)
			}
		})
	}
}

func TestProve_EventIsProvenOffline(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		signer, verifier := keys(t)
		fill(t, s)
		if _, err := s.Prove(t.Context(), 1); err == nil {
			t.Error("an event that is not sealed was proven")
		}
		seal(t, s, signer, "")
		mail(t, s, 4)
		seal(t, s, signer, "")
		for seq := int64(1); seq <= 15; seq++ {
			p, err := s.Prove(t.Context(), seq)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(verifier); err != nil {
				t.Error(err)
			}
			p.Event.Actor = "eve"
			if p.Check(verifier) == nil {
				t.Errorf("event %d was changed and still proven", seq)
			}
		}
	})
}
