// Package outbox hands stored mails to one SMTP server (the smarthost) and keeps what the server said.
//
// SMTP is at-least-once: a client that loses the reply to the final dot cannot know whether the server took the message
// (RFC 1047). The package therefore never sends a second time by itself after the message data may have gone out; such a
// delivery becomes uncertain and stays so until somebody decides. It composes nothing and stores nothing: the bytes come
// from a Queue and every change of state goes back to it.
package outbox

import (
	"context"
	"errors"
	"time"

	"postdesk/internal/ticket"
)

// ErrStale is returned by a Queue when the job's fence is no longer the delivery's: someone else claimed it since.
var ErrStale = errors.New("outbox: the delivery was claimed by someone else")

// Job is one claimed delivery: one mail to one recipient.
type Job struct {
	ID, Ticket int64
	Fence      int64 // of this claim; the Queue refuses a result that carries an older one
	Class      ticket.Class
	MailFrom   string // envelope sender without angle brackets; "" is the null reverse-path
	To         string // envelope recipient without angle brackets
	Domain     string // of the recipient, lower case; throttling counts by it
	Raw        []byte // the exact bytes to send; CRLF line ends, ending with one
	Attempts   int    // earlier attempts that the server answered or may have seen
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never; the mail is not sent after it
}

// Queue is where deliveries rest. Every method commits before it returns. A method that returned an error may or may not
// have committed; the worker copes with both. All are called from several goroutines.
type Queue interface {
	// Recover ends leases that ran out: leased becomes queued, sending becomes uncertain (the message data may have gone
	// out). With all it ends every lease, also of other owners: right only when no other process works the queue.
	Recover(ctx context.Context, owner string, all bool) error

	// Claim leases up to max due deliveries to owner, longest due first, and sets a new fence on each. It leaves out the
	// domains named, and gives at most one delivery of a ticket: none while another of that ticket is leased or sending.
	// So the mails of a ticket go out in order and a ticket with many of them does not keep the others waiting. Ticket 0 is
	// no ticket.
	Claim(ctx context.Context, owner string, max int, lease time.Duration, skipDomains []string) ([]Job, error)

	// Start asks for the last time whether the mail is still wanted and records that it is being sent, with
	// Attempts = job.Attempts + 1. The message data goes out only after it returned true. False: the Queue has cancelled
	// the delivery and no Finish follows. ErrStale: the lease was lost, nothing goes out.
	Start(ctx context.Context, job Job) (bool, error)

	// Finish records the result. A result with the fence of the last claim also replaces an uncertain that Recover wrote
	// while the result was on its way here. ErrStale: somebody else has the delivery, the result is dropped.
	Finish(ctx context.Context, job Job, r Result) error

	// Renew prolongs every lease of owner to now + lease.
	Renew(ctx context.Context, owner string, lease time.Duration) error
}

// Result says what became of a job.
type Result struct {
	// State is accepted, deferred, failed or uncertain; or queued when it was not the message's fault that nothing went
	// out (no connection, no log-in, stop), and then the attempt does not count.
	State    ticket.DeliveryState
	Code     int       // of the server's reply; 0 when there was none
	Enhanced string    // RFC 3463 status, such as "5.1.1"; empty when the reply had none
	Response string    // the server's words without the code, lines joined by \n; without a reply what was seen instead. At most 2,000 bytes
	Attempts int       // to be stored
	Next     time.Time // when to try again: deferred, queued
	GaveUp   bool      // failed for lack of time, not by a permanent refusal
	Suppress bool      // the server says that the mailbox does not exist: do not write to this address again
	Unsent   bool      // uncertain by the rule, but the connection broke before the first byte of the message was sent: a resend cannot double it
	Policy   bool      // refused for reputation or rate; the domain or the transport is paused and somebody should look
}
