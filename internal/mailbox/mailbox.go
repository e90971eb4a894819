// Package mailbox watches one IMAP folder and hands every mail in it to a Deliver function exactly once: fetched as often
// as need be, committed by the receiver, then marked on the server.
//
// The pair (UIDVALIDITY, UID) names one immutable message for ever (RFC 9051, section 2.3.1.1); a Ledger kept by the
// receiver remembers what became of each. Flags on the server are a courtesy for people and are never read back.
package mailbox

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"
)

// Mail is one message as the server gave it.
type Mail struct {
	Mailbox      string
	Folder       string
	UIDValidity  uint32
	UID          uint32
	InternalDate time.Time // when the server received it; zero if the server gives none that can be read
	Size         int64     // octets as the server declares them, or as read when it declares none
	Raw          []byte    // the exact octets; owned by the receiver
	Junk         bool      // from a folder for junk: never answered automatically
	Problem      string    // "" or TooLarge
	Reset        bool      // from an epoch after a change of UIDVALIDITY: to be matched by content first
}

// TooLarge is the Problem of a mail above Config.MaxSize: Raw holds the header only (at most the first 256 KiB of it).
const TooLarge = "too_large"

// Cursor is where the ledger stands in one epoch of a mailbox.
type Cursor struct {
	LastUID uint32    // every UID up to here has an outcome or a hole
	Reset   bool      // the epoch replaced an earlier one
	Since   time.Time // start policy: mails received before are not fetched; zero: all
}

// Deliver commits a batch, at most Config.Batch mails in ascending order of UID. It returns nil only after the commit; a
// mail that cannot be processed is put aside inside, not returned as an error. A mail may come again after a crash or a
// lost connection; the second time changes nothing. fence is the number given by Ledger.Lease: a receiver that sees a
// higher one in its ledger refuses the batch.
type Deliver func(ctx context.Context, fence int64, batch []Mail) error

// Ledger remembers the outcome of every UID. All methods may be called from several processes.
type Ledger interface {
	// Lease takes or renews the right to work on the mailbox. ok is false while another owner holds it. A ttl of 0 gives
	// the lease back.
	Lease(ctx context.Context, mailbox, owner string, ttl time.Duration) (fence int64, ok bool, err error)
	// Open is called after each SELECT. A UIDVALIDITY never seen starts a new epoch; the first one ever applies the
	// start policy to uidnext.
	Open(ctx context.Context, mailbox string, uidvalidity, uidnext uint32) (Cursor, error)
	// Decided names those of uids that have an outcome, or that the start policy leaves out. Holes are not decided.
	Decided(ctx context.Context, mailbox string, uidvalidity uint32, uids []uint32) (map[uint32]bool, error)
	// Holes names the UIDs that could not be read and are due for another try.
	Holes(ctx context.Context, mailbox string, uidvalidity uint32) ([]uint32, error)
	// Fail records a hole, or one more failure of it. The ledger spaces the tries and gives up after some.
	Fail(ctx context.Context, mailbox string, uidvalidity, uid uint32, reason string) error
	// Vanished records that the messages were removed before they could be read. An outcome that is there already stays.
	Vanished(ctx context.Context, mailbox string, uidvalidity uint32, uids []uint32) error
	// Advance records that every UID up to lastUID has an outcome or a hole. It never moves backwards.
	Advance(ctx context.Context, mailbox string, uidvalidity, lastUID uint32) error
	// Unmarked names at most limit UIDs that have an outcome and were not marked on the server.
	Unmarked(ctx context.Context, mailbox string, uidvalidity uint32, limit int) ([]uint32, error)
	// Marked records that the UIDs were marked on the server.
	Marked(ctx context.Context, mailbox string, uidvalidity uint32, uids []uint32) error
	// Health records the state and, unless nil, the error that led to it. A nil error with StateConnected or StateIdle
	// is a success now.
	Health(ctx context.Context, mailbox, state string, err error) error
}

// The states that Ledger.Health receives.
const (
	StateStarting   = "starting"    // connecting
	StateConnected  = "connected"   // reading
	StateIdle       = "idle"        // everything is read; waiting for news
	StateBackoff    = "backoff"     // waiting after an error
	StateAuthFailed = "auth_failed" // waiting after the server, or our own rules, refused the log-in
	StateStopped    = "stopped"     // ended by the operator
)

// TLS modes. None of them ever falls back to another.
const (
	TLSImplicit = "implicit"
	TLSStart    = "starttls"
	TLSNone     = "none"
)

// Ways to mark a mail on the server once it is committed.
const (
	DoneKeyword = "keyword" // add the keyword $PostdeskStored, where the server allows new keywords
	DoneNone    = "none"
	DoneMove    = "move:" // prefix of a folder name
)

// Keyword is the flag of DoneKeyword.
const Keyword = "$PostdeskStored"

// Config of one watched folder. Zero values mean the default named.
type Config struct {
	Name    string // of the mailbox in the ledger
	Brand   string // carried for the owner, not used here
	Address string // carried for the owner, not used here

	Host      string
	Port      int
	TLS       string // TLSImplicit (default), TLSStart or TLSNone
	Insecure  bool   // allows TLSNone towards a host other than loopback
	Username  string
	Password  func() (string, error)                    // read at each log-in, so that a changed secret takes effect
	Token     func(ctx context.Context) (string, error) // an OAuth 2 access token for XOAUTH2; nil: Password is used
	Dial      func(context.Context) (net.Conn, error)   // nil: TCP to Host and Port
	TLSConfig *tls.Config                               // nil: the system's roots, Host as name, TLS 1.2 or later

	Folder string // default INBOX
	Junk   bool   // mails of this folder are Mail.Junk
	Done   string // DoneKeyword (default), DoneMove + folder, or DoneNone

	Poll    time.Duration // look for mail at least so often, IDLE or not; default 60 s
	MaxSize int64         // larger mails are delivered as their header only; default 50 MiB
	Batch   int           // most mails of one Deliver; default 200
	Bytes   int64         // raw octets that end a batch early; default 16 MiB

	Owner   string        // names this process in the lease; default host name, process id and a random part
	Lease   time.Duration // default 60 s; renewed at a third of it
	Silence time.Duration // an exchange in which the server says nothing so long is given up; default 60 s
}

// chunk is the most that is asked of the server in one literal.
const chunk = 1 << 20

func (c Config) withDefaults() Config {
	set(&c.TLS, TLSImplicit)
	set(&c.Folder, "INBOX")
	set(&c.Done, DoneKeyword)
	set(&c.Poll, time.Minute)
	set(&c.MaxSize, 50<<20)
	set(&c.Batch, 200)
	set(&c.Bytes, 16<<20)
	set(&c.Lease, time.Minute)
	set(&c.Silence, time.Minute)
	if c.Owner == "" {
		c.Owner = processName()
	}
	if c.Port == 0 {
		c.Port = 143
		if c.TLS == TLSImplicit {
			c.Port = 993
		}
	}
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Poller watches one folder. Make it with New.
type Poller struct {
	cfg     Config
	ledger  Ledger
	deliver Deliver
	log     *slog.Logger

	memory // of one lease
}

// memory is what a Poller learnt from connections that died, to do better on the next. It is lost with the process, which
// costs repeated work only. Only the goroutine of Run uses it.
type memory struct {
	epoch    uint32          // UIDVALIDITY that the rest speaks of
	suspect  *suspect        // what the last connection died of
	failed   map[uint32]bool // given to Ledger.Fail: no business of the main line any more
	noDate   map[uint32]bool // UIDs whose INTERNALDATE ended a connection
	cautious bool            // an answer with sizes and dates ended a connection: list UIDs only
	noID     bool            // the answer to ID ended a connection
	noMark   bool            // marking ended the last connection: the next one does without
	noIdle   bool            // IDLE is listed, and refused or answered by closing the connection
	torn     int             // how often in a row a connection ended right after IDLE
	refusals int             // how often in a row the server refused a whole batch
	batch    int             // most mails of one FETCH: smaller after a death, larger after a success
}

// suspect is the message that was being read when the connection died. It is read alone next time.
type suspect struct {
	meta
	big bool   // larger than it was declared
	raw []byte // what was read of it in whole chunks
}

// New makes a Poller. deliver may be nil where only Check and Reconcile are used.
func New(cfg Config, ledger Ledger, deliver Deliver, log *slog.Logger) *Poller {
	cfg = cfg.withDefaults()
	return &Poller{cfg: cfg, ledger: ledger, deliver: deliver, log: log.With("mailbox", cfg.Name)}
}
