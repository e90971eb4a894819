// Package agent holds the staff accounts and what each role may do.
package agent

import "time"

// Role of a member of staff (least privilege; compliance alone sees hidden states).
type Role string

const (
	Agent      Role = "agent"
	Senior     Role = "senior"
	Approver   Role = "approver"
	Compliance Role = "compliance"
	Auditor    Role = "auditor"
	Admin      Role = "admin"
)

// Roles lists every role in the order in which people are shown them.
func Roles() []Role { return []Role{Agent, Senior, Approver, Compliance, Auditor, Admin} }

// Account is one member of staff.
type Account struct {
	Name      string    `gorm:"primaryKey" json:"name"` // log-in name, lower-case
	FullName  string    `json:"full_name,omitzero"`
	Role      Role      `json:"role"`
	Disabled  bool      `json:"disabled,omitzero"`
	Password  string    `json:"password,omitzero"` // argon2id hash
	CreatedAt time.Time `gorm:"serializer:stamp;autoCreateTime:false" json:"created_at"`
}

// Verb is something a member of staff does to a ticket or to the desk.
type Verb string

const (
	View    Verb = "view"
	Reply   Verb = "reply"
	Note    Verb = "note"
	Assign  Verb = "assign"
	Correct Verb = "correct" // change the category
	Close   Verb = "close"
	Release Verb = "release" // let a mail out of quarantine
	Resend  Verb = "resend"  // decide about an uncertain delivery
	Approve Verb = "approve"
	Hold    Verb = "hold"
	Staff   Verb = "staff" // manage accounts
	Audit   Verb = "audit"
)

var verbs = map[Role][]Verb{
	Agent:      {View, Reply, Note, Assign, Correct, Close},
	Senior:     {View, Reply, Note, Assign, Correct, Close, Release, Resend},
	Approver:   {View, Reply, Note, Assign, Correct, Close, Release, Resend, Approve},
	Compliance: {View, Note, Release, Resend, Hold, Audit},
	Auditor:    {View, Audit},
	Admin:      {Staff, Resend, Audit},
}

// May reports whether the account may do the verb. A disabled account may do nothing.
func (a Account) May(v Verb) bool {
	if a.Disabled {
		return false
	}
	for _, have := range verbs[a.Role] {
		if have == v {
			return true
		}
	}
	return false
}
