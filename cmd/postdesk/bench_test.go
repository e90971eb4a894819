package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-message"
	"github.com/emersion/go-smtp"
	_ "github.com/mattn/go-sqlite3"
	gomail "github.com/wneessen/go-mail"

	"postdesk/internal/mailtest"
	"postdesk/internal/store"
)

// The benchmarks measure the real program as a whole, each against a bare loop over the same mails in the same run, so that
// a slow machine slows both. Aims are printed beside what was reached.

const benchMails = 10_000

// BenchmarkIntake measures mails a second from IMAP to a committed, classified ticket with its answer queued.
func BenchmarkIntake(b *testing.B) {
	imap := mailtest.Dovecot(b)
	fillMaildir(b, imap, benchMails)
	for b.Loop() {
		bare := bareIntake(b, imap)
		rate, peak, o := intake(b, imap)
		idle := idlePoll(b, o, imap)
		fmt.Printf("\nintake     bare loop (fetch, parse, insert raw) %6.0f mails/s\n", bare)
		fmt.Printf("           postdesk (ticket, rules, answer)     %6.0f mails/s   ratio %.2f   aim ≥ 0.50\n", rate, rate/bare)
		fmt.Printf("           peak memory                          %6.0f MB                   aim ≤ 150\n", peak)
		fmt.Printf("           empty poll, %d mails in the box   %6.0f octets read       (full list would be %d)\n", benchMails, idle, benchMails*40)
		b.ReportMetric(rate/bare, "ratio")
		b.ReportMetric(peak, "MB")
	}
}

// fillMaildir writes the mails straight into the mailbox's folder: the server finds them there.
func fillMaildir(b *testing.B, s *mailtest.Server, n int) {
	b.Helper()
	s.Append(b, supportUser, "INBOX", letterTo(supportAddress, 0)) // makes the mailbox
	dir := filepath.Join(s.Dir, "mail", supportUser, "Maildir", "new")
	owner, err := os.Stat(dir)
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i < n; i++ {
		file := filepath.Join(dir, fmt.Sprintf("%d.M%dP1.bench", time.Now().Unix(), i))
		if err := os.WriteFile(file, bytes.ReplaceAll(letterTo(supportAddress, i), []byte("\r\n"), []byte("\n")), 0o666); err != nil {
			b.Fatal(err)
		}
		if err := sameOwner(file, owner); err != nil {
			b.Fatal(err)
		}
	}
	c := s.Client(b, supportUser)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil { // indexes them before anything is measured
		b.Fatal(err)
	}
}

// bareIntake fetches the same mails with go-imap, parses them with go-message and inserts the raw bytes into one SQLite
// table, a hundred a transaction, synchronous=FULL: the least that keeping mail can cost.
func bareIntake(b *testing.B, s *mailtest.Server) float64 {
	b.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(b.TempDir(), "bare.db")+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE raw (uid INTEGER PRIMARY KEY, data BLOB)"); err != nil {
		b.Fatal(err)
	}
	c := s.Client(b, supportUser)
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	cmd := c.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	n := 0
	tx, err := db.Begin()
	for msg := cmd.Next(); msg != nil && err == nil; msg = cmd.Next() {
		if err = bareOne(tx, msg); err != nil {
			break
		}
		if n++; n%100 == 0 {
			if err = tx.Commit(); err == nil {
				tx, err = db.Begin()
			}
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err := cmp(err, cmd.Close()); err != nil || n != benchMails {
		b.Fatalf("bare loop: %d mails, %v", n, err)
	}
	return float64(n) / time.Since(start).Seconds()
}

func cmp(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func bareOne(tx *sql.Tx, msg *imapclient.FetchMessageData) error {
	var uid uint32
	var raw []byte
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			var err error
			if raw, err = io.ReadAll(item.Literal); err != nil {
				return err
			}
		}
	}
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if err := e.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil || part.MultipartReader() != nil {
			return err
		}
		_, err = io.Copy(io.Discard, part.Body)
		return err
	}); err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO raw VALUES (?, ?)", uid, raw)
	return err
}

// intake lets the real program take the mailbox in, and returns its rate and its peak of memory in MB. The clock runs from
// the first committed mail to the last, since a service starts once.
func intake(b *testing.B, s *mailtest.Server) (rate, peak float64, o *office) {
	b.Helper()
	o = openOffice(b, "sqlite:", s, "127.0.0.1", 9, "")
	serving := o.serve("--only", "poll,seal")
	st := o.store()
	first, firstCount := time.Time{}, 0
	for n := 0; n < benchMails; {
		n = count(b, st)
		if n > 0 && first.IsZero() {
			first, firstCount = time.Now(), n
		}
		if serving.cmd.ProcessState != nil {
			b.Fatal("serve ended: ", serving.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
	rate = float64(benchMails-firstCount) / time.Since(first).Seconds()
	peak = peakMemory(b, serving.cmd.Process.Pid)
	serving.stop()
	return rate, peak, o
}

func (o *office) store() *store.Store {
	o.t.Helper()
	st, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + filepath.Join(o.dir, "postdesk.db")})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { st.Close() })
	return st
}

// count is how many mails are committed; their UIDs are 1, 2, 3 … Counting rows would slow what is measured.
func count(b *testing.B, st *store.Store) int {
	b.Helper()
	uid, err := st.LastInboundUID(context.Background(), "support")
	if err != nil {
		b.Fatal(err)
	}
	return int(uid)
}

// peakMemory is the high-water mark of a process's resident memory, in MB.
func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // not Linux
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// idlePoll counts what a poll that finds nothing new reads from the server.
func idlePoll(b *testing.B, o *office, s *mailtest.Server) float64 {
	b.Helper()
	relay := countingRelay(b, fmt.Sprintf("127.0.0.1:%d", s.Port))
	text, err := os.ReadFile(o.file)
	if err != nil {
		b.Fatal(err)
	}
	text = bytes.Replace(text, fmt.Appendf(nil, "port: %d, tls: none, username", s.Port), fmt.Appendf(nil, "port: %d, tls: none, username", relay.port), 1)
	if err := os.WriteFile(o.file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	serving := o.serve("--only", "poll")
	time.Sleep(2 * time.Second) // log-in and first look
	before := relay.read.Load()
	const polls = 5
	time.Sleep(polls * time.Second) // poll: 1s
	perPoll := float64(relay.read.Load()-before) / polls
	serving.stop()
	return perPoll
}

// BenchmarkDelivery measures deliveries a second to a local sink.
func BenchmarkDelivery(b *testing.B) {
	const n = 3000
	imap := mailtest.Dovecot(b)
	for b.Loop() {
		sink := newSink(b)
		o := openOffice(b, "sqlite:", imap, "127.0.0.1", sink.port, "outbox: {per_domain: 8}\n")
		dir := b.TempDir()
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", i)), letterTo(supportAddress, i), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		o.run("mail", "import", dir)
		serving := o.serve("--only", "send")
		first, last := sink.wait(b, n)
		rate := float64(n-1) / last.Sub(first).Seconds()
		serving.stop()
		identical := sink.compare(b, o.store())
		bare := bareSend(b, sink, n)
		fmt.Printf("\ndelivery   bare go-mail loop, one connection       %6.0f mails/s\n", bare)
		fmt.Printf("           postdesk, four connections              %6.0f mails/s   ratio %.2f   aim ≥ 1.00\n", rate, rate/bare)
		fmt.Printf("           sent bytes identical to stored bytes    %d of %d\n", identical, n)
		b.ReportMetric(rate/bare, "ratio")
	}
}

// bareSend sends as many mails of the same size with go-mail over one connection.
func bareSend(b *testing.B, sink *sink, n int) float64 {
	b.Helper()
	c, err := gomail.NewClient("127.0.0.1", gomail.WithPort(sink.port), gomail.WithTLSPolicy(gomail.NoTLS))
	if err != nil {
		b.Fatal(err)
	}
	mails := make([]*gomail.Msg, n)
	for i := range mails {
		m := gomail.NewMsg()
		m.From("a@okpay.example")
		m.To(fmt.Sprintf("customer%d@mail%d.example", i, i%97))
		m.Subject("We have received your message")
		m.SetBodyString(gomail.TypeTextPlain, strings.Repeat("Words of an answer.\n", 120))
		m.AddAlternativeString(gomail.TypeTextHTML, strings.Repeat("<p>Words of an answer.</p>\n", 160))
		mails[i] = m
	}
	start := time.Now()
	if err := c.DialAndSend(mails...); err != nil {
		b.Fatal(err)
	}
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkAnswerTime measures from the delivery of a mail into the mailbox to the accepted answer, over IDLE.
func BenchmarkAnswerTime(b *testing.B) {
	const n = 200
	imap := mailtest.Dovecot(b)
	for b.Loop() {
		sink := newSink(b)
		o := openOffice(b, "sqlite:", imap, "127.0.0.1", sink.port, "")
		serving := o.serve()
		o.until("the service is idle", func() bool { return strings.Contains(o.run("mailbox", "status"), "idle") })
		times := make([]time.Duration, n)
		for i := range times {
			start := time.Now()
			imap.Append(b, supportUser, "INBOX", letterTo(supportAddress, 100_000+b.N*1000+i))
			_, last := sink.wait(b, i+1)
			times[i] = last.Sub(start)
		}
		serving.stop()
		slices.Sort(times)
		fmt.Printf("\nanswer     mail in the box to answer accepted      median %v   p99 %v   aim p99 < 1s\n", times[n/2].Round(time.Millisecond), times[n*99/100].Round(time.Millisecond))
		b.ReportMetric(times[n*99/100].Seconds(), "p99-s")
	}
}

// sink is an SMTP server that takes everything and keeps it with its time.
type sink struct {
	port  int
	mails chan delivered
	seen  []delivered
}

type delivered struct {
	raw []byte
	at  time.Time
}

func newSink(b *testing.B) *sink {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &sink{port: ln.Addr().(*net.TCPAddr).Port, mails: make(chan delivered, 100_000)}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return sinkSession{s}, nil }))
	srv.Domain = "sink.example"
	go srv.Serve(ln)
	b.Cleanup(func() { srv.Close() })
	return s
}

// wait returns when n mails are there, and the times of the first and the last.
func (s *sink) wait(b *testing.B, n int) (first, last time.Time) {
	b.Helper()
	for len(s.seen) < n {
		select {
		case m := <-s.mails:
			s.seen = append(s.seen, m)
		case <-time.After(2 * time.Minute):
			b.Fatalf("%d of %d mails left", len(s.seen), n)
		}
	}
	return s.seen[0].at, s.seen[n-1].at
}

// compare counts the mails that arrived as they are stored.
func (s *sink) compare(b *testing.B, st *store.Store) (identical int) {
	b.Helper()
	list, err := st.Deliveries(context.Background(), store.DeliveryFilter{})
	if err != nil {
		b.Fatal(err)
	}
	stored := map[string]bool{}
	for _, d := range list {
		raw, err := st.Original(context.Background(), d.RawSHA256)
		if err != nil {
			b.Fatal(err)
		}
		stored[string(raw)] = true
	}
	for _, m := range s.seen {
		if stored[string(m.raw)] {
			identical++
		}
	}
	return identical
}

type sinkSession struct{ s *sink }

func (sinkSession) Mail(string, *smtp.MailOptions) error { return nil }
func (sinkSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (sinkSession) Reset()                               {}
func (sinkSession) Logout() error                        { return nil }
func (x sinkSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	x.s.mails <- delivered{raw, time.Now()}
	return nil
}
