package ticket

import "time"

// DeliveryState follows one outgoing mail. SMTP is at-least-once: a connection that dies after the message was handed over
// leaves the outcome unknown (RFC 1047), and unknown is a state of its own, never a reason to send again.
type DeliveryState string

const (
	Queued    DeliveryState = "queued"
	Leased    DeliveryState = "leased"
	Sending   DeliveryState = "sending"   // the message data may have reached the server
	Accepted  DeliveryState = "accepted"  // the server answered 250 to the message data
	Deferred  DeliveryState = "deferred"  // a definite temporary refusal; tried again at NextAttemptAt
	Failed    DeliveryState = "failed"    // a definite permanent refusal, or given up
	Uncertain DeliveryState = "uncertain" // only a person, or the class's policy, may resend
	Bounced   DeliveryState = "bounced"   // accepted, then returned by a bounce that carries our token
	Cancelled DeliveryState = "cancelled"
)

// Class of a delivery decides its back-off, its expiry and what an unknown outcome means.
type Class string

const (
	ClassAck       Class = "ack"       // acknowledgement: never sent twice
	ClassProcedure Class = "procedure" // a step of a procedure, reminders
	ClassFinal     Class = "final"     // final confirmation, refusal
	ClassChallenge Class = "challenge" // expires with its link
	ClassAgent     Class = "agent"     // written by a person
)

// Delivery is one outgoing mail to one recipient: the stored bytes, and where they stand.
type Delivery struct {
	ID            int64         `gorm:"primaryKey;autoIncrement:false" json:"id"`
	TicketID      int64         `json:"ticket_id"`
	MessageID     int64         `json:"message_id"` // the Message that was composed
	Class         Class         `json:"class"`
	Template      string        `json:"template,omitzero"`
	DedupeKey     string        `json:"dedupe_key"` // unique: the same step never queues two mails
	Automatic     bool          `json:"automatic"`
	MailFrom      string        `json:"mail_from"` // envelope sender; "" is the null reverse-path
	To            string        `gorm:"column:rcpt_to" json:"to"`
	Domain        string        `json:"domain"`
	MailID        string        `json:"mail_id"` // Message-ID header without angle brackets
	RawSHA256     string        `json:"raw_sha256"`
	State         DeliveryState `json:"state"`
	Attempts      int           `json:"attempts"`
	LastCode      int           `json:"last_code,omitzero"`
	LastResponse  string        `json:"last_response,omitzero"` // the server's words
	NextAttemptAt time.Time     `gorm:"serializer:stamp" json:"next_attempt_at"`
	ExpiresAt     time.Time     `gorm:"serializer:stamp" json:"expires_at,omitzero"`
	AcceptedAt    time.Time     `gorm:"serializer:stamp" json:"accepted_at,omitzero"`
	CreatedAt     time.Time     `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`

	LeaseOwner string    `json:"-"`
	LeaseUntil time.Time `gorm:"serializer:stamp" json:"-"`
	Fence      int64     `json:"-"` // grows with every claim; a result with an old fence is refused
}

// Final reports whether nothing more will happen to the delivery by itself.
func (s DeliveryState) Final() bool {
	switch s {
	case Accepted, Failed, Bounced, Cancelled, Uncertain:
		return true
	}
	return false
}
