package mailbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"postdesk/internal/mailbox"
)

func TestEveryMailIsDeliveredOnceAndNewOnesFollow(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{
		"rev1 only": nil,
		"with MOVE": {imap.CapMove, imap.CapUIDPlus},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, l := newMemory(t, caps...), newLedger()
				m.fill(450, 500)
				stop := run(t, mailbox.New(m.config(), l, l.deliver, logs(t)))
				l.wait(t, "450 mails", func() bool { return l.count("ticketed") == 450 })
				m.fill(3, 500)
				l.wait(t, "3 more", func() bool { return l.count("ticketed") == 453 })
				l.wait(t, "marks", func() bool { return l.rows[uidKey{l.epochs[0], 453}].marked })
				stop()
				checkBodies(t, l, l.epochs[0], m.mails)
			})
		})
	}
}

func TestIdleBringsNewMailAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := newMemory(t), newLedger()
		cfg := m.config()
		cfg.Poll = time.Hour
		defer run(t, mailbox.New(cfg, l, l.deliver, logs(t)))()
		l.wait(t, "idle", func() bool { return len(l.states) > 0 && l.states[len(l.states)-1] == mailbox.StateIdle })
		synctest.Wait()
		before := time.Now()
		m.fill(1, 500)
		l.wait(t, "the mail", func() bool { return l.count("ticketed") == 1 })
		if waited := time.Since(before); waited > time.Second {
			t.Errorf("the mail was seen after %s of bubble time: by polling, not by IDLE", waited)
		}
	})
}
