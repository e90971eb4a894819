package ticket

import "time"

// Outcome is what became of one message of a mailbox. Every UID ends in exactly one.
type Outcome string

const (
	Ticketed    Outcome = "ticketed"    // a message of a ticket, new or existing
	Quarantined Outcome = "quarantined" // held with its raw bytes for a person
	Duplicate   Outcome = "duplicate"   // the same bytes were already received
	Recorded    Outcome = "recorded"    // kept without a ticket: a bounce, a report, our own loop
	Vanished    Outcome = "vanished"    // removed from the server before it could be read
	FailedFetch Outcome = "failed"      // a hole: not readable yet, tried again
)

// Mailbox is the state of one watched folder.
type Mailbox struct {
	Name        string    `gorm:"primaryKey" json:"name"`
	Address     string    `json:"address"`
	Folder      string    `json:"folder"`
	UIDValidity uint32    `gorm:"column:uidvalidity" json:"uidvalidity"`
	LastUID     uint32    `json:"-"`                                            // highest UID below which every UID has an outcome
	StartUID    uint32    `gorm:"column:start_uid" json:"start_uid,omitzero"`   // mails up to it were there before and are left alone
	EpochStart  time.Time `gorm:"serializer:stamp" json:"epoch_start,omitzero"` // when the mailbox was first opened, whatever its UIDVALIDITY then was
	Reset       bool      `json:"reset,omitzero"`                               // the epoch replaced an earlier one: its mails are matched by content first

	State         string    `json:"-"` // starting, connected, idle, backoff, auth_failed, stopped
	LastSuccessAt time.Time `gorm:"serializer:stamp" json:"-"`
	LastError     string    `json:"-"`
	LeaseOwner    string    `json:"-"`
	LeaseUntil    time.Time `gorm:"serializer:stamp" json:"-"`
	Fence         int64     `json:"-"`
}

// Inbound is the outcome of one (mailbox, UIDVALIDITY, UID), which names one immutable message for ever (RFC 9051 §2.3.1.1).
type Inbound struct {
	ID            int64     `gorm:"primaryKey;autoIncrement:false" json:"id"`
	Mailbox       string    `json:"mailbox"`
	UIDValidity   uint32    `gorm:"column:uidvalidity" json:"uidvalidity"`
	UID           uint32    `gorm:"column:uid" json:"uid"`
	RawSHA256     string    `json:"raw_sha256,omitzero"`
	ContentSHA256 string    `gorm:"column:content_sha256" json:"content_sha256,omitzero"` // of the bytes without what servers added on the way: the same for two copies of one mail
	MailID        string    `json:"mail_id,omitzero"`                                     // Message-ID header: a hint, never the key
	Size          int64     `json:"size,omitzero"`
	InternalDate  time.Time `gorm:"serializer:stamp" json:"internal_date,omitzero"`
	Outcome       Outcome   `json:"outcome"`
	Reason        string    `json:"reason,omitzero"`
	TicketID      int64     `json:"ticket_id,omitzero"`
	MessageID     int64     `json:"message_id,omitzero"`
	At            time.Time `gorm:"serializer:stamp" json:"at"`

	Attempts  int       `json:"-"` // of a hole
	NextTryAt time.Time `gorm:"serializer:stamp" json:"-"`
	Marked    bool      `json:"-"` // the server was told (keyword or MOVE): a courtesy
}

// Held is a mail in quarantine: it could not be processed, or its sender may not act on the ticket.
type Held struct {
	ID        int64     `gorm:"primaryKey;autoIncrement:false" json:"id"`
	InboundID int64     `json:"inbound_id"`
	Mailbox   string    `json:"mailbox"`
	UID       uint32    `gorm:"column:uid" json:"uid,omitzero"`
	Reason    string    `json:"reason"`
	From      string    `gorm:"column:from_address" json:"from,omitzero"`
	Subject   string    `json:"subject,omitzero"`
	MailID    string    `json:"mail_id,omitzero"`
	RawSHA256 string    `json:"raw_sha256"`
	TicketID  int64     `json:"ticket_id,omitzero"`  // whose conversation it claims to belong to
	MessageID int64     `json:"message_id,omitzero"` // the message stored for it, if it could be read
	State     string    `json:"state"`               // held, released, discarded
	At        time.Time `gorm:"serializer:stamp" json:"at"`
}

// Awaited is a message that a mail answers and that has not come yet. Mails may arrive in any order; when it comes, it joins
// the ticket of its answer.
type Awaited struct {
	ID        int64     `gorm:"primaryKey;autoIncrement:false" json:"id"`
	MailID    string    `json:"mail_id"`
	TicketID  int64     `json:"ticket_id"`
	Sender    string    `json:"sender"` // address key of who wrote the answer: nobody else's mail joins by it
	CreatedAt time.Time `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`
}
