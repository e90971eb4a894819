// Package ticket holds the words of the desk: Ticket, Message, Attachment, Customer, Delivery and what may become of them.
//
// The structs are stored as they stand (gorm tags) and import only the standard library. Their JSON form is what the audit
// record fingerprints, so a field that is added later carries `omitzero`, and a field that may change without a trace
// (a lease, a heartbeat) carries `json:"-"`. The JSON shapes for people and scripts are separate and live with the desk.
package ticket

import (
	"errors"
	"time"
)

// What a caller can act on. Everything else is an internal error.
var (
	ErrNotFound  = errors.New("not found")
	ErrConflict  = errors.New("changed meanwhile")
	ErrInvalid   = errors.New("invalid")
	ErrForbidden = errors.New("not allowed")
)

// Category is the one topic a customer wants dealt with now.
type Category string

const (
	LockedAccount  Category = "locked_account"
	PaymentFailure Category = "payment_failure"
	Withdrawal     Category = "withdrawal"
	Restriction    Category = "restriction"
	Closure        Category = "closure"
	Other          Category = "other"
)

// Categories lists every category in the order in which people are shown them.
func Categories() []Category {
	return []Category{LockedAccount, PaymentFailure, Withdrawal, Restriction, Closure, Other}
}

// Status tells whose turn it is.
type Status string

const (
	Open    Status = "open"    // the desk has to act
	Waiting Status = "waiting" // the customer has to act
	Closed  Status = "closed"
	Merged  Status = "merged"
	Spam    Status = "spam"
)

// Ticket is one conversation with one customer about one topic.
type Ticket struct {
	ID            int64     `gorm:"primaryKey;autoIncrement:false" json:"id"` // the number people quote
	Brand         string    `json:"brand"`
	CustomerID    int64     `json:"customer_id"`
	Category      Category  `json:"category"`
	Confidence    float64   `json:"confidence"` // 0…1, of the rules; 1 when a person decided
	CategoryBy    string    `json:"category_by,omitzero"`
	Secondary     []string  `gorm:"serializer:json" json:"secondary,omitzero"`
	Flags         []string  `gorm:"serializer:json" json:"flags,omitzero"` // urgent side topics and warnings, e.g. "possibly_related:17"
	RulesVersion  string    `json:"rules_version,omitzero"`
	Status        Status    `json:"status"`
	Stage         string    `json:"stage"` // state of the category's procedure
	Subject       string    `json:"subject"`
	Language      string    `json:"language"` // BCP 47
	Assignee      string    `json:"assignee,omitzero"`
	Priority      string    `json:"priority,omitzero"`
	Queue         string    `json:"queue,omitzero"`
	Tags          []string  `gorm:"serializer:json" json:"tags,omitzero"`
	MergedInto    int64     `json:"merged_into,omitzero"`
	DueAt         time.Time `gorm:"serializer:stamp" json:"due_at,omitzero"`
	LastInboundAt time.Time `gorm:"serializer:stamp" json:"last_inbound_at,omitzero"`
	CreatedAt     time.Time `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`
	UpdatedAt     time.Time `gorm:"serializer:stamp;autoUpdateTime:false" json:"updated_at"`
}

// Customer is a person who writes to one brand, known by the exact address (no dot or plus folding: a.b@ and ab@ may be two people).
type Customer struct {
	ID              int64     `gorm:"primaryKey;autoIncrement:false" json:"id"`
	Brand           string    `json:"brand"`
	Address         string    `json:"address"`     // domain lower-case, local part as written
	AddressKey      string    `json:"address_key"` // whole address lower-case: the look-up key, unique within the brand
	Name            string    `json:"name,omitzero"`
	Language        string    `json:"language,omitzero"`
	UndeliverableAt time.Time `gorm:"serializer:stamp" json:"undeliverable_at,omitzero"` // a proven hard bounce
	CreatedAt       time.Time `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`
}

// Direction of a Message.
type Direction string

const (
	In   Direction = "in"
	Out  Direction = "out"
	Note Direction = "note" // internal, never sent
)

// Message is one mail in or out, or an internal note. It never changes once stored.
type Message struct {
	ID         int64     `gorm:"primaryKey;autoIncrement:false" json:"id"`
	TicketID   int64     `json:"ticket_id"`
	Direction  Direction `json:"direction"`
	Kind       string    `json:"kind"` // email.Kind of an inbound mail; "agent", "automatic" or "note" of ours
	From       string    `gorm:"column:from_address" json:"from"`
	FromName   string    `json:"from_name,omitzero"`
	To         []string  `gorm:"column:to_addresses;serializer:json" json:"to,omitzero"`
	Cc         []string  `gorm:"column:cc_addresses;serializer:json" json:"cc,omitzero"`
	Subject    string    `json:"subject,omitzero"`
	MessageID  string    `json:"message_id,omitzero"` // without angle brackets
	InReplyTo  []string  `gorm:"serializer:json" json:"in_reply_to,omitzero"`
	References []string  `gorm:"column:reference_ids;serializer:json" json:"references,omitzero"`
	Text       string    `gorm:"column:body" json:"text,omitzero"`         // whole visible text
	NewText    string    `gorm:"column:new_body" json:"new_text,omitzero"` // without quoted history and signature
	Language   string    `json:"language,omitzero"`
	Auth       string    `json:"auth,omitzero"`        // A0, A1 or A2: what is known of the sender: nothing, the From field, proven by its domain
	AuthResult string    `json:"auth_result,omitzero"` // what was checked and the DNS answers it rests on, JSON: keys rotate
	Trust      string    `json:"trust,omitzero"`       // "" participant, "external" held in quarantine, "released"
	Problems   []string  `gorm:"serializer:json" json:"problems,omitzero"`
	Decision   string    `json:"decision,omitzero"` // the rules' decision on this mail, JSON
	Author     string    `json:"author,omitzero"`   // agent of a reply or note
	Template   string    `json:"template,omitzero"`
	RawSHA256  string    `json:"raw_sha256,omitzero"`
	ReceivedAt time.Time `gorm:"serializer:stamp" json:"received_at"` // the server's INTERNALDATE, never the Date header
	CreatedAt  time.Time `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`
}

// Attachment describes a file of an inbound mail; its bytes are read from the mail's original.
type Attachment struct {
	ID          int64  `gorm:"primaryKey;autoIncrement:false" json:"id"`
	MessageID   int64  `json:"message_id"`
	Part        int    `json:"part"`             // index among the mail's attachments
	Filename    string `json:"filename"`         // made safe; never used as a path
	ContentType string `json:"content_type"`     // as declared
	Sniffed     string `json:"sniffed,omitzero"` // by content
	Size        int64  `json:"size"`             // bytes after decoding
	SHA256      string `json:"sha256"`
	Inline      bool   `json:"inline,omitzero"`
	ContentID   string `json:"content_id,omitzero"`
	Scan        string `json:"scan,omitzero"` // "", "clean", "infected", "unscanned"
}
