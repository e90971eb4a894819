package mailbox_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"postdesk/internal/mailbox"
	"postdesk/internal/mailtest"
)

// scripted runs fn in a bubble with a scripted server of n mails, UIDs 1 to n, and a ledger.
func scripted(t *testing.T, n int, b mailtest.IMAPBehaviour, fn func(t *testing.T, s *mailtest.IMAPServer, l *ledger)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mails []mailtest.IMAPMessage
		for i := range n {
			mails = append(mails, mailtest.IMAPMessage{Raw: sample(i+1, 400)})
		}
		fn(t, mailtest.IMAPPipe(t, b, mails...), newLedger())
	})
}

func pipeConfig(s *mailtest.IMAPServer) mailbox.Config {
	return mailbox.Config{
		Name: "support", Host: "127.0.0.1", TLS: mailbox.TLSNone, Username: "support",
		Password: func() (string, error) { return "secret", nil }, Dial: s.Dial,
	}
}

// start runs a poller on a scripted server and waits until it has nothing more to do.
func start(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
	t.Helper()
	run(t, mailbox.New(pipeConfig(s), l, l.deliver, logs(t)))
	l.idle(t)
}

// idle waits for a state of idleness that is not there yet.
func (l *ledger) idle(t testing.TB) {
	t.Helper()
	var before int
	l.with(func() { before = len(l.states) })
	l.wait(t, "idleness", func() bool { return slices.Contains(l.states[before:], mailbox.StateIdle) })
}

func bodies(s *mailtest.IMAPServer) map[uint32][]byte {
	want := map[uint32][]byte{}
	for _, m := range append(s.Messages(), s.Moved()...) {
		want[m.UID] = m.Raw
	}
	return want
}

func TestT1_2_ExpungeBetweenListAndFetchMixesNothingUp(t *testing.T) {
	var server *mailtest.IMAPServer
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK") && cmd.Conn == 1 {
			server.Remove(1)
			c.Line("* 1 EXPUNGE")
		}
		return false
	}
	scripted(t, 10, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		server = s
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if o := l.rows[uidKey{7, 1}]; o == nil || o.what != "vanished" {
				t.Errorf("uid 1 is %+v, want vanished", o)
			}
		})
		for _, command := range s.Commands() {
			if verb, _, _ := strings.Cut(command, " "); verb == "FETCH" || verb == "STORE" || verb == "SEARCH" || verb == "COPY" || verb == "MOVE" {
				t.Errorf("command by sequence number: %s", command)
			}
		}
	})
}

func TestT1_3_OldUIDInAnswerToOpenRangeIsNoNewMail(t *testing.T) {
	scripted(t, 5, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l) // the scripted server answers "6:*" with message 5
		l.idle(t)
		l.idle(t)
		l.with(func() {
			if len(l.rows) != 5 || l.delivered != 5 {
				t.Errorf("%d rows, %d deliveries, want 5 and 5", len(l.rows), l.delivered)
			}
		})
		asked := 0
		for _, command := range s.Commands() {
			if strings.HasPrefix(command, "UID FETCH 6:*") {
				asked++
			}
		}
		if asked < 2 {
			t.Errorf("the open range was asked for %d times: the test proves nothing", asked)
		}
	})
}

func TestT1_4_UnfetchableMailIsAHoleAndRepairedLater(t *testing.T) {
	var repaired atomic.Bool
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if repaired.Load() || cmd.Name != "UID FETCH" || !strings.Contains(cmd.Args, "BODY.PEEK") {
			return false
		}
		for _, m := range c.Matching(cmd) {
			if m.UID == 5 {
				c.Line("%s NO [SERVERBUG] cannot read message", cmd.Tag)
				return true
			}
			c.Fetch(m, cmd)
		}
		c.Line("%s OK", cmd.Tag)
		return true
	}
	scripted(t, 10, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		l.with(func() {
			o := l.rows[uidKey{7, 5}]
			if l.count("ticketed") != 9 || o == nil || o.what != "failed" || !strings.Contains(o.reason, "cannot read message") {
				t.Errorf("%d ticketed, uid 5 is %+v", l.count("ticketed"), o)
			}
			if l.cursor.LastUID != 10 {
				t.Errorf("cursor at %d, want 10", l.cursor.LastUID)
			}
		})
		repaired.Store(true)
		l.do(func() { l.retry = true })
		l.wait(t, "repair", func() bool { return l.count("ticketed") == 10 })
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if l.delivered != 10 {
				t.Errorf("%d mails delivered, want each of 10 once", l.delivered)
			}
		})
	})
}

func TestServerThatRefusesEverythingIsNotBlamedOnTheMails(t *testing.T) {
	refusals := 0
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK") && cmd.Conn == 1 {
			refusals++
			c.Line("%s NO [UNAVAILABLE] storage is down", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 10, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			for k, o := range l.rows {
				if o.attempts > 0 {
					t.Errorf("uid %d was blamed", k.uid)
				}
			}
			if refusals == 0 || !slices.Contains(l.states, mailbox.StateBackoff) {
				t.Errorf("%d refusals, states %v", refusals, l.states)
			}
		})
	})
}

func TestT1_5_OnlyHarmlessItemsAreAskedFor(t *testing.T) {
	scripted(t, 30, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(31, 3<<20)})
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		fetched := 0
		for _, command := range s.Commands() {
			if !strings.Contains(command, "FETCH") {
				continue
			}
			fetched++
			for _, trap := range []string{"ENVELOPE", "BODYSTRUCTURE", "BODY ", "BODY[", "RFC822 ", "RFC822)"} {
				if strings.Contains(command, trap) {
					t.Errorf("%s in %s", trap, command)
				}
			}
		}
		if fetched == 0 {
			t.Error("nothing was fetched")
		}
	})
}

// A connection that ends inside a literal looks like the end of the literal to the IMAP library.
func TestT1_6_TruncatedLiteralIsNotStored(t *testing.T) {
	for _, large := range []bool{false, true} {
		t.Run(fmt.Sprintf("large=%v", large), func(t *testing.T) {
			cuts := 0
			on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
				if cmd.Name != "UID FETCH" || !strings.Contains(cmd.Args, "BODY.PEEK") || cuts > 0 {
					return false
				}
				cuts++
				c.Raw([]byte("* 1 FETCH (UID 1 BODY[] {1000}\r\nFrom: abc"))
				c.Drop()
				return true
			}
			scripted(t, 0, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				size := 400
				if large {
					size = 2 << 20
				}
				s.Add(mailtest.IMAPMessage{Raw: sample(1, size)}, mailtest.IMAPMessage{Raw: sample(2, 400)})
				start(t, s, l)
				checkBodies(t, l, 7, bodies(s))
				l.with(func() {
					if cuts != 1 || l.delivered != 2 {
						t.Errorf("%d cuts, %d deliveries, want 1 and 2", cuts, l.delivered)
					}
					for _, o := range l.rows {
						if o.attempts > 0 {
							t.Error("one broken connection was counted as a failure of the mail")
						}
					}
				})
			})
		})
	}
}

// deadly lets the connection die whenever the body of a UID is to be sent.
func deadly(uid uint32, how func(c *mailtest.IMAPConn)) func(*mailtest.IMAPConn, mailtest.IMAPCommand) bool {
	return func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name != "UID FETCH" || !strings.Contains(cmd.Args, "BODY.PEEK") {
			return false
		}
		for _, m := range c.Matching(cmd) {
			if m.UID == uid {
				how(c)
				return true
			}
			c.Fetch(m, cmd)
		}
		c.Line("%s OK", cmd.Tag)
		return true
	}
}

func TestMailThatKillsTheConnectionIsQuarantinedAndTheOthersGoOn(t *testing.T) {
	for name, how := range map[string]func(c *mailtest.IMAPConn){
		"drop":           func(c *mailtest.IMAPConn) { c.Drop() },
		"stall":          func(c *mailtest.IMAPConn) { c.Stall() },
		"odd item":       func(c *mailtest.IMAPConn) { c.Line("* 5 FETCH (UID 5 X-ODD {3}\r\nabc)") },
		"odd response":   func(c *mailtest.IMAPConn) { c.Line("* VANISHED (EARLIER) 300:310") },
		"no star":        func(c *mailtest.IMAPConn) { c.Line("5 FETCH (UID 5 BODY[] NIL)") },
		"half a literal": func(c *mailtest.IMAPConn) { c.Raw([]byte("* 5 FETCH (UID 5 BODY[] {999}\r\nabc")); c.Drop() },
		"bye":            func(c *mailtest.IMAPConn) { c.Line("* BYE internal error"); c.Drop() },
	} {
		t.Run(name, func(t *testing.T) {
			scripted(t, 10, mailtest.IMAPBehaviour{On: deadly(5, how)}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				l.retry = true
				run(t, mailbox.New(pipeConfig(s), l, l.deliver, logs(t)))
				l.wait(t, "quarantine", func() bool { return l.count("ticketed") == 9 && l.count("quarantined") == 1 })
				l.idle(t)
				want := bodies(s)
				delete(want, 5)
				checkBodies(t, l, 7, want)
				l.with(func() {
					if o := l.rows[uidKey{7, 5}]; o.attempts != 3 {
						t.Errorf("uid 5 was tried %d times, want 3", o.attempts)
					}
				})
			})
		})
	}
}

func TestBadDateInAListingHidesNoMail(t *testing.T) {
	scripted(t, 5, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(6, 400), Date: "yesterday, about noon"}, mailtest.IMAPMessage{Raw: sample(7, 400)})
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if date := l.mails[uidKey{7, 6}].InternalDate; !date.IsZero() {
				t.Errorf("uid 6 has the date %s", date)
			}
			if date := l.mails[uidKey{7, 7}].InternalDate; date.IsZero() {
				t.Error("uid 7 lost its date")
			}
		})
	})
}

// Another client's change of flags may name the UID in the middle of our FETCH; the library takes it for the answer.
func TestFlagChangeInTheMiddleOfAFetchLosesNoBody(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK") && cmd.N < 4 {
			c.Line(`* 3 FETCH (UID 3 FLAGS (\Seen))`)
			c.Line(`* 4 FETCH (FLAGS (\Seen))`)
		}
		return false
	}
	scripted(t, 5, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
	})
}

func TestT1_8_ChangedUIDValidityStartsAnEpochMatchedByContent(t *testing.T) {
	scripted(t, 1000, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, quiet()))
		l.wait(t, "1000 mails", func() bool { return l.count("ticketed") == 1000 })
		s.Renumber(8)
		s.Add(mailtest.IMAPMessage{Raw: sample(2001, 400)}, mailtest.IMAPMessage{Raw: sample(2002, 400)}, mailtest.IMAPMessage{Raw: sample(2003, 400)})
		s.Drop()
		l.wait(t, "the new epoch", func() bool { return l.cursor.Reset && l.cursor.LastUID == 1003 })
		l.with(func() {
			if got := [2]int{l.count("ticketed"), l.count("duplicate")}; got != [2]int{1003, 1000} {
				t.Errorf("ticketed and duplicate: %v, want 1003 and 1000", got)
			}
			for k, m := range l.mails {
				if m.Reset != (k.validity == 8) {
					t.Fatalf("uid %d of epoch %d has Reset %v", k.uid, k.validity, m.Reset)
				}
			}
		})
	})
}

func TestFolderWithoutUIDValidityIsAnErrorAndNotGuessed(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		switch cmd.Name {
		case "SELECT":
			c.Line("* 1 EXISTS")
		case "STATUS":
			c.Line("* STATUS INBOX (MESSAGES 1)")
		default:
			return false
		}
		c.Line("%s OK", cmd.Tag)
		return true
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, quiet()))
		l.wait(t, "an error", func() bool { return len(l.errors) > 0 })
		l.with(func() {
			if !strings.Contains(l.errors[0], "UIDVALIDITY") || len(l.epochs) > 0 {
				t.Errorf("errors %v, epochs %v", l.errors, l.epochs)
			}
		})
	})
}

func TestT1_9_VanishedMailIsRecordedAndNotTriedForEver(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name != "UID FETCH" || strings.HasPrefix(cmd.Args, "1:") && strings.Contains(cmd.Args, "SIZE") {
			return false // the first listing still names them
		}
		for _, m := range c.Matching(cmd) {
			if m.UID != 2 && m.UID != 3 {
				c.Fetch(m, cmd)
			}
		}
		c.Line("%s OK", cmd.Tag)
		return true
	}
	scripted(t, 5, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		l.idle(t)
		l.with(func() {
			if got := [2]int{l.count("ticketed"), l.count("vanished")}; got != [2]int{3, 2} {
				t.Errorf("ticketed and vanished: %v, want 3 and 2", got)
			}
			if l.cursor.LastUID != 5 {
				t.Errorf("cursor at %d, want 5", l.cursor.LastUID)
			}
		})
		asked := 0
		for _, command := range s.Commands() {
			if strings.HasPrefix(command, "UID FETCH 2:3 ") {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("the missing ones were asked for %d times more, want once", asked)
		}
	})
}

// A server that lists a mail and never gives its body has not lost it.
func TestMailWithoutBodyIsAHoleAndNotVanished(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name != "UID FETCH" || !strings.Contains(cmd.Args, "BODY.PEEK") {
			return false
		}
		for _, m := range c.Matching(cmd) {
			switch m.UID {
			case 2: // nothing at all
			case 3:
				c.Line("* 3 FETCH (UID 3 BODY[] NIL)")
			default:
				c.Fetch(m, cmd)
			}
		}
		c.Line("%s OK", cmd.Tag)
		return true
	}
	scripted(t, 5, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		l.with(func() {
			if got := [2]int{l.count("ticketed"), l.count("failed")}; got != [2]int{3, 2} {
				t.Errorf("ticketed and failed: %v, want 3 and 2", got)
			}
		})
	})
}

func TestT1_11_ServerWithNoExtensionAtAllWorksTheSame(t *testing.T) {
	scripted(t, 20, mailtest.IMAPBehaviour{Caps: "AUTH=PLAIN", PermanentFlags: "none", NoUIDNext: true}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		s.Add(mailtest.IMAPMessage{Raw: sample(21, 400)})
		l.wait(t, "the new one", func() bool { return l.count("ticketed") == 21 })
		checkBodies(t, l, 7, bodies(s))
		for _, command := range s.Commands() {
			for _, extension := range []string{"ENABLE", "CONDSTORE", "CHANGEDSINCE", "IDLE", "MOVE", "EXPUNGE", "STORE", "ID "} {
				if strings.HasPrefix(command, extension) || strings.Contains(command, " "+extension) {
					t.Errorf("%s was sent to a server that does not offer it", command)
				}
			}
		}
	})
}

func TestT1_12_FlagsOfPeopleChangeNothing(t *testing.T) {
	scripted(t, 20, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(21, 400), Flags: []string{`\Seen`}}, mailtest.IMAPMessage{Raw: sample(22, 400), Flags: []string{`\Seen \Deleted`}})
		start(t, s, l)
		for _, command := range s.Commands() {
			if strings.Contains(command, "SEARCH") || strings.Contains(command, `\Seen`) {
				t.Errorf("the flags of people are used in %s", command)
			}
		}
		s.Drop()
		l.idle(t)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if l.delivered != 22 {
				t.Errorf("%d deliveries, want 22", l.delivered)
			}
		})
		for _, m := range s.Messages() {
			if !slices.Contains(m.Flags, mailbox.Keyword) {
				t.Errorf("uid %d has the flags %v", m.UID, m.Flags)
			}
		}
	})
}

func TestT1_12_MovesAfterTheCommitAndAgainAfterACrash(t *testing.T) {
	for _, caps := range []string{"MOVE", "UIDPLUS", "IDLE"} {
		t.Run(caps, func(t *testing.T) {
			scripted(t, 10, mailtest.IMAPBehaviour{Caps: caps}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				s.Add(mailtest.IMAPMessage{Raw: sample(11, 400), Flags: []string{`\Deleted`}})
				// Another process committed the first five and was killed before it could say so to the server.
				l.epochs, l.from = []uint32{7}, 0
				for uid := uint32(1); uid <= 5; uid++ {
					l.commit(mailbox.Mail{UIDValidity: 7, UID: uid, Raw: s.Messages()[uid-1].Raw})
				}
				cfg := pipeConfig(s)
				cfg.Done = mailbox.DoneMove + "Processed"
				l.before = func([]mailbox.Mail) error {
					if len(s.Moved()) > 5 {
						return errors.New("moved before the commit")
					}
					return nil
				}
				run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
				l.idle(t)
				checkBodies(t, l, 7, bodies(s))
				want := 11
				if caps == "IDLE" { // no safe way: nothing is removed, nothing expunged
					want = 0
				}
				if got := len(s.Moved()); got != want || len(s.Messages()) != 11-want {
					t.Errorf("%d moved, %d left, want %d moved", got, len(s.Messages()), want)
				}
				l.with(func() {
					if l.delivered != 6 || len(l.errors) > 0 {
						t.Errorf("%d deliveries, errors %v, want 6 and none", l.delivered, l.errors)
					}
				})
				for _, command := range s.Commands() {
					if strings.HasPrefix(command, "EXPUNGE") || strings.HasPrefix(command, "CLOSE") {
						t.Errorf("%s removes what others marked as deleted", command)
					}
				}
			})
		})
	}
}

func TestMissingTargetFolderIsMade(t *testing.T) {
	made := false
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "CREATE" {
			made = true
		}
		if cmd.Name == "UID MOVE" && !made {
			c.Line("%s NO [TRYCREATE] no such folder", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 3, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.Done = mailbox.DoneMove + "Processed"
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.idle(t)
		if len(s.Moved()) != 3 {
			t.Errorf("%d moved, want 3", len(s.Moved()))
		}
	})
}

func TestServerThatRefusesMarksKeepsGivingMail(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID STORE" {
			c.Line("%s NO [OVERQUOTA] no room for flags", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 300, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if len(l.errors) > 0 {
				t.Errorf("errors %v", l.errors)
			}
		})
	})
}

func TestT1_14_TwoPollersOneLease(t *testing.T) {
	scripted(t, 50, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		var stops []func()
		for _, owner := range []string{"one", "two"} {
			cfg := pipeConfig(s)
			cfg.Owner = owner
			stops = append(stops, run(t, mailbox.New(cfg, l, l.deliver, logs(t))))
		}
		l.wait(t, "50 mails", func() bool { return l.count("ticketed") == 50 })
		if n := s.Dialled(); n != 1 {
			t.Errorf("%d connections while one holds the lease", n)
		}
		l.idle(t)
		holder := map[string]int{"one": 0, "two": 1}[l.owner]
		stops[holder]() // gives the lease back
		s.Add(mailtest.IMAPMessage{Raw: sample(51, 400)})
		l.wait(t, "the other to go on", func() bool { return l.count("ticketed") == 51 })
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if l.delivered != 51 || l.worst != 1 || len(l.holders) != 2 || l.holders[0] == l.holders[1] {
				t.Errorf("%d deliveries, at most %d at a time, holders %v", l.delivered, l.worst, l.holders)
			}
		})
	})
}

func TestT1_14_LostLeaseStopsTheWork(t *testing.T) {
	scripted(t, 5, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		l.do(func() { // as if this process had been frozen beyond its lease
			l.owner, l.until = "other", time.Now().Add(10*time.Minute)
			l.fence++
		})
		states := 0
		time.Sleep(2 * time.Minute)
		l.with(func() { states = len(l.states) })
		s.Add(mailtest.IMAPMessage{Raw: sample(6, 400)})
		time.Sleep(5 * time.Minute)
		l.with(func() {
			if l.delivered != 5 || len(l.states) != states {
				t.Errorf("%d deliveries, states %v after the lease was lost", l.delivered, l.states[states:])
			}
		})
		l.wait(t, "work after the other's lease ended", func() bool { return l.delivered == 6 })
	})
}

func TestReceiverWithAStaleFenceGetsNothingCommitted(t *testing.T) {
	scripted(t, 5, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		l.before = func([]mailbox.Mail) error {
			l.do(func() { l.owner, l.until, l.fence, l.before = "other", time.Now().Add(10*time.Minute), l.fence+1, nil })
			return nil
		}
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, logs(t)))
		l.wait(t, "the stale batch", func() bool { return l.before == nil })
		time.Sleep(5 * time.Minute)
		l.with(func() {
			if l.delivered != 0 {
				t.Errorf("%d mails were committed with a stale fence", l.delivered)
			}
		})
		l.wait(t, "the mails", func() bool { return l.delivered == 5 })
	})
}

func TestT1_15_BackoffGrowsAndNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		var at []time.Time
		cfg := mailbox.Config{
			Name: "support", Host: "127.0.0.1", TLS: mailbox.TLSNone, Username: "support",
			Password: func() (string, error) { return "secret", nil },
		}
		s := mailtest.IMAPPipe(t, mailtest.IMAPBehaviour{}, mailtest.IMAPMessage{Raw: sample(1, 400)})
		cfg.Dial = s.Dial
		down := errors.New("connection refused")
		failing := cfg
		failing.Dial = func(ctx ctxT) (net.Conn, error) {
			if at = append(at, time.Now()); len(at) <= 25 {
				return nil, down
			}
			return s.Dial(ctx)
		}
		run(t, mailbox.New(failing, l, l.deliver, quiet()))
		l.wait(t, "recovery without a restart", func() bool { return l.count("ticketed") == 1 })
		for i := 1; i < len(at); i++ {
			gap := at[i].Sub(at[i-1])
			least := min(time.Second<<min(i-1, 20), 15*time.Minute) * 3 / 4
			if gap < least || gap > 15*time.Minute+time.Second {
				t.Errorf("wait %d was %s, want %s to 15m", i, gap, least)
			}
		}
	})
}

func TestT1_15_RefusedLogInIsAStateOfItsOwn(t *testing.T) {
	scripted(t, 1, mailtest.IMAPBehaviour{Password: "new"}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		var password atomic.Value
		password.Store("old")
		cfg := pipeConfig(s)
		cfg.Password = func() (string, error) { return password.Load().(string), nil }
		run(t, mailbox.New(cfg, l, l.deliver, quiet()))
		begin := time.Now()
		l.wait(t, "auth_failed", func() bool { return slices.Contains(l.states, mailbox.StateAuthFailed) })
		time.Sleep(time.Hour)
		if n := s.Dialled(); n > 14 {
			t.Errorf("%d log-ins in an hour with a wrong password", n)
		}
		password.Store("new") // the secret's file was replaced
		l.wait(t, "log-in with the new password", func() bool { return l.count("ticketed") == 1 })
		if waited := time.Since(begin); waited > time.Hour+16*time.Minute {
			t.Errorf("the new password was used after %s", waited)
		}
		l.with(func() {
			for _, text := range l.errors {
				if strings.Contains(text, "old") {
					t.Errorf("the secret is in the error %q", text)
				}
			}
		})
	})
}

func TestT1_15_HalfOpenConnectionIsFoundAndReplaced(t *testing.T) {
	for _, caps := range []string{"IDLE", "AUTH=PLAIN"} {
		t.Run(caps, func(t *testing.T) {
			on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
				switch {
				case cmd.Conn > 1:
					return false
				case cmd.Name == "IDLE":
					c.Line("+ idling")
				case cmd.Name != "NOOP":
					return false
				}
				c.Stall() // a middle box forgot the connection
				return true
			}
			scripted(t, 1, mailtest.IMAPBehaviour{Caps: caps, On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				start(t, s, l)
				s.Add(mailtest.IMAPMessage{Raw: sample(2, 400)})
				begin := time.Now()
				l.wait(t, "mail over a new connection", func() bool { return l.count("ticketed") == 2 })
				if waited := time.Since(begin); waited > 3*time.Minute {
					t.Errorf("the dead connection was replaced after %s", waited)
				}
			})
		})
	}
}

func TestT1_15_PollsAlthoughIdleSaysNothing(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name != "IDLE" {
			return false
		}
		c.Line("+ idling")
		c.ReadLine() // DONE; news are not told
		c.Line("%s OK", cmd.Tag)
		return true
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		s.Add(mailtest.IMAPMessage{Raw: sample(2, 400)})
		begin := time.Now()
		l.wait(t, "the mail", func() bool { return l.count("ticketed") == 2 })
		if waited := time.Since(begin); waited > 61*time.Second {
			t.Errorf("the mail was seen after %s, want the poll of 60s", waited)
		}
	})
}

func TestT1_15_IdleIsReissuedWellBeforeHalfAnHour(t *testing.T) {
	var at []time.Time
	on := func(_ *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "IDLE" {
			at = append(at, time.Now())
		}
		return false
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.Poll = 24 * time.Hour
		stop := run(t, mailbox.New(cfg, l, l.deliver, quiet()))
		time.Sleep(2 * time.Hour)
		stop()
		if len(at) < 13 {
			t.Errorf("IDLE was issued %d times in two hours", len(at))
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < 5*time.Minute || gap > 9*time.Minute+time.Second {
				t.Errorf("IDLE was re-issued after %s", gap)
			}
		}
	})
}

func TestIdleThatIsListedAndRefusedIsDoneWithout(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "IDLE" {
			c.Line("%s NO not today", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		s.Add(mailtest.IMAPMessage{Raw: sample(2, 400)})
		l.wait(t, "the mail", func() bool { return l.count("ticketed") == 2 })
		if s.Dialled() != 1 {
			t.Errorf("%d connections", s.Dialled())
		}
	})
}

func TestT1_16_IDBeforeSelectWhereNetEaseWantsIt(t *testing.T) {
	named := map[int]bool{}
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		switch {
		case cmd.Name == "ID":
			named[cmd.Conn] = true
		case cmd.Name == "SELECT" && !named[cmd.Conn]:
			c.Line("%s NO SELECT Unsafe Login. Please contact kefu@188.com for help", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 3, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		if s.Dialled() != 1 {
			t.Errorf("%d connections", s.Dialled())
		}
	})
}

func TestUnreadableAnswerToIDIsDoneWithoutNextTime(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "ID" {
			c.Line(`* ID ("name" NIL`)
			c.Line("%s OK", cmd.Tag)
			return true
		}
		return false
	}
	scripted(t, 3, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
	})
}

func TestT1_16_LoginDisabledIsRespected(t *testing.T) {
	scripted(t, 1, mailtest.IMAPBehaviour{CapsBefore: "LOGINDISABLED AUTH=PLAIN"}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, quiet()))
		l.wait(t, "auth_failed", func() bool { return slices.Contains(l.states, mailbox.StateAuthFailed) })
		for _, command := range s.Commands() {
			if strings.Contains(command, "LOGIN") || strings.Contains(command, "AUTHENTICATE") {
				t.Error("a secret was sent")
			}
		}
	})
}

func TestT1_16_NoFallbackToPlainText(t *testing.T) {
	scripted(t, 1, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.TLS = mailbox.TLSStart
		run(t, mailbox.New(cfg, l, l.deliver, quiet()))
		l.wait(t, "an error", func() bool { return len(l.errors) > 3 })
		for _, command := range s.Commands() {
			if strings.Contains(command, "LOGIN") || strings.Contains(command, "secret") {
				t.Error("a secret was sent in plain text after STARTTLS was refused")
			}
		}
	})
	t.Run("none towards another host", func(t *testing.T) {
		l := newLedger()
		cfg := mailbox.Config{Name: "support", Host: "imap.example.com", TLS: mailbox.TLSNone, Username: "support", Password: func() (string, error) { return "secret", nil }}
		cfg.Dial = func(ctxT) (net.Conn, error) { t.Error("dialled"); return nil, errors.New("no") }
		if _, err := mailbox.New(cfg, l, l.deliver, quiet()).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("error %v", err)
		}
	})
}

func TestEncryptedConnections(t *testing.T) {
	server, client := mailtest.IMAPTLS(t)
	for mode, b := range map[string]mailtest.IMAPBehaviour{
		mailbox.TLSImplicit: {TLS: server, CapsBefore: "LOGINDISABLED AUTH=PLAIN"},
		mailbox.TLSStart:    {STARTTLS: server},
	} {
		t.Run(mode, func(t *testing.T) {
			s, l := mailtest.IMAPScript(t, b, mailtest.IMAPMessage{Raw: sample(1, 400)}), newLedger()
			cfg := pipeConfig(s)
			cfg.TLS, cfg.TLSConfig, cfg.Host, cfg.Port, cfg.Dial = mode, client, "localhost", s.Port, nil
			run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
			l.wait(t, "the mail", func() bool { return l.count("ticketed") == 1 })
			strange := cfg
			strange.TLSConfig = nil
			if _, err := mailbox.New(strange, l, nil, quiet()).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("a certificate of nobody gave %v", err)
			}
		})
	}
}

func TestXOAUTH2(t *testing.T) {
	scripted(t, 1, mailtest.IMAPBehaviour{CapsBefore: "AUTH=XOAUTH2 SASL-IR"}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.Password = nil
		cfg.Token = func(ctxT) (string, error) { return "ya29.token", nil }
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.wait(t, "the mail", func() bool { return l.count("ticketed") == 1 })
		want := "AUTHENTICATE XOAUTH2 dXNlcj1zdXBwb3J0AWF1dGg9QmVhcmVyIHlhMjkudG9rZW4BAQ=="
		if !slices.Contains(s.Commands(), want) {
			t.Errorf("commands %v, want %s", s.Commands(), want)
		}
	})
}

func TestXOAUTH2RefusalIsAnAuthFailure(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name != "AUTHENTICATE" {
			return false
		}
		c.Line("+ eyJzdGF0dXMiOiI0MDAifQ==")
		c.ReadLine()
		c.Line("%s NO [AUTHENTICATIONFAILED] invalid credentials", cmd.Tag)
		return true
	}
	scripted(t, 1, mailtest.IMAPBehaviour{CapsBefore: "AUTH=XOAUTH2 SASL-IR", On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.Token = func(ctxT) (string, error) { return "ya29.old", nil }
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.wait(t, "auth_failed", func() bool { return slices.Contains(l.states, mailbox.StateAuthFailed) })
	})
}

func TestT1_17_JunkFolderIsMarkedAsSuch(t *testing.T) {
	scripted(t, 2, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		cfg := pipeConfig(s)
		cfg.Folder, cfg.Junk = "Junk", true
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.idle(t)
		l.with(func() {
			for _, m := range l.mails {
				if !m.Junk || m.Folder != "Junk" {
					t.Errorf("uid %d: folder %s, junk %v", m.UID, m.Folder, m.Junk)
				}
			}
			if len(l.mails) != 2 {
				t.Errorf("%d mails", len(l.mails))
			}
		})
		if !slices.Contains(s.Commands(), `SELECT "Junk"`) {
			t.Errorf("commands %v", s.Commands())
		}
	})
}

func TestReceiverThatCannotCommitLosesNothing(t *testing.T) {
	scripted(t, 30, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		failures := 0
		l.before = func([]mailbox.Mail) error {
			if failures++; failures < 10 {
				return errors.New("disk full")
			}
			return nil
		}
		begin := time.Now()
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, quiet()))
		l.wait(t, "recovery", func() bool { return l.count("ticketed") == 30 })
		if waited := time.Since(begin); waited > 10*time.Minute {
			t.Errorf("recovered after %s", waited)
		}
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if !strings.Contains(l.errors[0], "disk full") {
				t.Errorf("errors %v", l.errors)
			}
		})
	})
}

func TestCommitWhoseAnswerIsLostIsMarkedOnly(t *testing.T) {
	scripted(t, 30, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		lost := 0
		l.after = func() error {
			if lost++; lost == 1 {
				return errors.New("connection to the database lost")
			}
			return nil
		}
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if l.delivered != 30 || !l.rows[uidKey{7, 30}].marked {
				t.Errorf("%d deliveries, uid 30 is %+v", l.delivered, l.rows[uidKey{7, 30}])
			}
		})
	})
}

func TestStopWaitsForTheCommitInHand(t *testing.T) {
	scripted(t, 3, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		l.before = func([]mailbox.Mail) error { close(begun); <-goOn; return nil }
		stop := run(t, mailbox.New(pipeConfig(s), l, l.deliver, logs(t)))
		<-begun
		time.AfterFunc(5*time.Second, func() { close(goOn) })
		stop()
		l.with(func() {
			if l.count("ticketed") != 3 || l.cursor.LastUID != 3 {
				t.Errorf("%d ticketed, cursor %d after the stop", l.count("ticketed"), l.cursor.LastUID)
			}
			if !slices.Contains(l.states, mailbox.StateStopped) || time.Now().Before(l.until) {
				t.Errorf("states %v, lease until %s", l.states, l.until)
			}
		})
	})
}

func TestFetchOverlapsCommitByOneBatch(t *testing.T) {
	scripted(t, 12, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		fetched := func() (n int) {
			for _, command := range s.Commands() {
				if strings.Contains(command, "BODY.PEEK") {
					n++
				}
			}
			return n
		}
		overlap := 0
		l.before = func([]mailbox.Mail) error {
			l.mu.Lock()
			n := len(l.batches)
			l.mu.Unlock()
			time.Sleep(time.Second)
			overlap = max(overlap, fetched()-n-1)
			return nil
		}
		cfg := pipeConfig(s)
		cfg.Batch = 2
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.wait(t, "12 mails", func() bool { return l.count("ticketed") == 12 })
		l.with(func() {
			if overlap != 1 || len(l.batches) != 6 || l.worst != 1 {
				t.Errorf("at most %d batches ahead, %d batches, %d commits at a time, want 1, 6, 1", overlap, len(l.batches), l.worst)
			}
		})
	})
}

func TestStartPolicies(t *testing.T) {
	t.Run("from now", func(t *testing.T) {
		scripted(t, 20, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
			l.start = "from_now"
			start(t, s, l)
			s.Add(mailtest.IMAPMessage{Raw: sample(21, 400)})
			l.wait(t, "the new mail", func() bool { return l.count("ticketed") == 1 })
		})
	})
	t.Run("from a date", func(t *testing.T) {
		scripted(t, 0, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
			s.Add(mailtest.IMAPMessage{Raw: sample(1, 400), Date: "01-Nov-2026 23:59:59 +0000"}, mailtest.IMAPMessage{Raw: sample(2, 400), Date: "02-Nov-2026 00:00:00 +0000"})
			l.cursor.Since = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
			start(t, s, l)
			l.with(func() {
				if len(l.rows) != 1 || l.rows[uidKey{7, 2}] == nil || l.cursor.LastUID != 2 {
					t.Errorf("rows %v, cursor %d", l.rows, l.cursor.LastUID)
				}
			})
			r, err := mailbox.New(pipeConfig(s), l, nil, quiet()).Reconcile(t.Context())
			if err != nil || r.Messages != 2 || r.Decided != 1 || r.LeftOut != 1 || len(r.Undecided) != 0 {
				t.Errorf("report %+v, error %v", r, err)
			}
		})
	})
}

func TestReconcileNamesEveryUIDWithoutOutcome(t *testing.T) {
	scripted(t, 30, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		l.do(func() {
			delete(l.rows, uidKey{7, 4})
			l.rows[uidKey{7, 9}].what = "failed"
		})
		r, err := mailbox.New(pipeConfig(s), l, nil, quiet()).Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(r.Undecided) != "[4 9]" || r.Messages != 30 || r.Decided != 28 || r.UIDNext != 31 || r.UIDValidity != 7 {
			t.Errorf("report %+v", r)
		}
		if !slices.Contains(s.Commands(), "EXAMINE INBOX") {
			t.Error("the folder was not opened read-only")
		}
	})
}

func TestCheckWarnsOfWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		caps, flags, done string
		want              []string
	}{
		"all there":        {"IDLE MOVE UIDPLUS", "", "move:Done", []string{"not encrypted"}},
		"no idle":          {"MOVE", "", "move:Done", []string{"no IDLE", "not encrypted"}},
		"no move":          {"IDLE UIDPLUS", "", "move:Done", []string{"no MOVE", "not encrypted"}},
		"no way to move":   {"IDLE", "", "move:Done", []string{"neither MOVE nor UIDPLUS", "not encrypted"}},
		"no keywords":      {"IDLE", `\Seen`, "keyword", []string{"keeps no new keywords", "not encrypted"}},
		"keyword is known": {"IDLE", mailbox.Keyword, "keyword", []string{"not encrypted"}},
		"same folder":      {"IDLE MOVE", "", "move:INBOX", []string{"no other folder", "not encrypted"}},
	} {
		t.Run(name, func(t *testing.T) {
			scripted(t, 3, mailtest.IMAPBehaviour{Caps: c.caps, PermanentFlags: c.flags}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				cfg := pipeConfig(s)
				cfg.Done = c.done
				got, err := mailbox.New(cfg, l, nil, quiet()).Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got.Messages != 3 || got.UIDNext != 4 || len(got.Capabilities) == 0 || len(got.Warnings) != len(c.want) {
					t.Fatalf("%+v", got)
				}
				for i, want := range c.want {
					if !strings.Contains(got.Warnings[i], want) {
						t.Errorf("warning %q, want %q", got.Warnings[i], want)
					}
				}
			})
		})
	}
}

func TestMailThatArrivesDuringACommitIsSeenAtOnce(t *testing.T) {
	scripted(t, 3, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		commits := 0
		l.before = func([]mailbox.Mail) error {
			if commits++; commits < 4 {
				s.Add(mailtest.IMAPMessage{Raw: sample(10+commits, 400)})
			}
			return nil
		}
		cfg := pipeConfig(s)
		cfg.Poll = time.Hour
		begin := time.Now()
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.wait(t, "6 mails", func() bool { return l.count("ticketed") == 6 })
		if waited := time.Since(begin); waited > time.Second {
			t.Errorf("the last was seen after %s", waited)
		}
	})
}

func TestServerThatHangsUpOnIdleIsPolledAndNotHammered(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "IDLE" {
			c.Drop()
			return true
		}
		return false
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		time.Sleep(time.Hour)
		if n := s.Dialled(); n > 4 {
			t.Errorf("%d connections in an hour", n)
		}
		s.Add(mailtest.IMAPMessage{Raw: sample(2, 400)})
		time.Sleep(61 * time.Second)
		l.with(func() {
			if l.count("ticketed") != 2 {
				t.Error("new mail was not seen within the poll interval")
			}
		})
	})
}

func TestServerThatHangsUpAfterEachLookIsLookedAtInTime(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "NOOP" && c.Looked() {
			c.Line("* BYE too long idle")
			c.Drop()
			return true
		}
		return false
	}
	scripted(t, 1, mailtest.IMAPBehaviour{Caps: "AUTH=PLAIN", On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		start(t, s, l)
		time.Sleep(3 * time.Hour)
		if n := s.Dialled(); n > 200 {
			t.Errorf("%d connections in three hours", n)
		}
		s.Add(mailtest.IMAPMessage{Raw: sample(2, 400)})
		time.Sleep(122 * time.Second)
		l.with(func() {
			if l.count("ticketed") != 2 {
				t.Error("new mail was not seen within two poll intervals")
			}
		})
	})
}

func TestMarksThatKillTheConnectionDoNotStopTheMail(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID STORE" {
			c.Drop()
			return true
		}
		return false
	}
	scripted(t, 500, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		begin := time.Now()
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		if waited := time.Since(begin); waited > 10*time.Minute {
			t.Errorf("read after %s", waited)
		}
	})
}

func TestServersWordsAreFitForADatabase(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "SELECT" {
			c.Line("%s NO \xb2\xbb\x07 %s", cmd.Tag, strings.Repeat("退信", 400))
			return true
		}
		return false
	}
	scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		run(t, mailbox.New(pipeConfig(s), l, l.deliver, quiet()))
		l.wait(t, "an error", func() bool { return len(l.errors) > 0 })
		l.with(func() {
			text := l.errors[0]
			if !utf8.ValidString(text) || len(text) > 500 || strings.ContainsFunc(text, unicode.IsControl) || !strings.Contains(text, "退信") {
				t.Errorf("error %q", text)
			}
		})
	})
}
