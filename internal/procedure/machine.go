package procedure

import (
	"postdesk/internal/ticket"
)

// Source says who can satisfy a checklist item.
type Source string

const (
	FromDocument  Source = "document"  // a file, accepted by an agent
	FromStatement Source = "statement" // an explicit sentence of an authenticated sender
	FromAgent     Source = "agent"     // a structured check by a person
	FromSystem    Source = "system"    // the account system; without one, a person with evidence
)

// Machine is one procedure, merged with its fragments and a brand's overlay, and checked.
type Machine struct {
	Name       string
	File       string
	Line       int
	Title      Text
	Category   string // of the rules; "" when no mail is filed here directly
	Action     string // what executing does; "" when the procedure changes no account
	Protective string // an action that needs one person only, because it takes nothing away for good: freeze
	Subject    Text   // what the customer asked for, in the words of a challenge
	Initial    string
	Identity   map[Risk]Level
	Checks     []string // looks into the account system; all of them must be fresh before executing
	Clocks     []string // clocks started at receipt
	Items      map[string]ItemDef
	Timers     map[string]TimerDef
	States     map[string]State
	Moves      []Move // in order: the first that fits is taken
	Asides     []Move // every one that fits is done beside the move, within the same transition
	Mails      map[string]string
	order      []string            // keys of Items, sorted
	Codes      []string            // what can be recommended; the first when nothing is said
	Needs      map[string][]string // what a person has to write for the mail that follows a decision, by code; "refuse" for every refusal
}

// Text is one text in the two languages of the desk.
type Text struct {
	Zh string `yaml:"zh"`
	En string `yaml:"en"`
}

// In returns the text for a BCP 47 tag: Chinese for every Chinese one, English for everything else.
func (t Text) In(lang string) string {
	if isChinese(lang) {
		return t.Zh
	}
	return t.En
}

// ItemDef declares one line of a checklist.
type ItemDef struct {
	Line     int
	Source   Source
	Phase    string // info: from the customer; check: account system; decision: people
	Need     string // always, matrix, optional, dust
	Title    Text   // for the customer
	Why      Text   // why it is asked
	How      Text   // how to do it
	Level    Level  // of a statement: the identity its sender needs
	Provided string // name under which the rules report it in a mail
	Doc      string // kind of document: identity, address, selfie, funds, payment, notice, authority
	Proves   bool   // counts towards A4
	Check    string // of a system item
	Platform bool   // reported by the platform's own pages only
	Hidden   bool   // decided by and shown to compliance only
	Waive    string // least role that may waive: senior, approver; "" never
}

// TimerDef declares a timer of a state.
type TimerDef struct {
	Line    int
	After   Span
	Setting string // or the profile's setting of this name
	Behind  string // not before two days after this timer
	Polite  bool   // sends a mail: moved to a working day, outside quiet hours
	Until   string // "answer": any answer of the customer stops it; "restart": any answer starts it anew
}

// State is one place a case can be in.
type State struct {
	Line     int
	Status   ticket.Status
	Shown    string   // what the customer is told of it: received, identity, waiting_for_you, under_review, scheduled, done, ended
	Timers   []string // started on entry, stopped on exit
	Final    bool
	Refusal  bool   // entering it must send a template
	Acts     bool   // the account is being changed: needs every guard of an execution
	Void     string // where to go when the evidence changes under a recommendation
	Activity bool   // account activity suspends the request here
	Entry    bool   // another procedure or a classification may start here
	Gone     bool   // the account object is gone
}

// Move is one arrow.
type Move struct {
	File string
	Line int
	From []string
	On   string
	When []Guard
	To   string // "" stays
	Into string // another procedure
	Do   []Action
	Note string
}

// Guard is one named condition, possibly negated, possibly with an argument.
type Guard struct {
	Line int
	Not  bool
	Name string
	Arg  string
	test func(st *step, arg string) bool // bound when the machine is built
}

// String is the guard as it is written: "!item(cl.intent)".
func (g Guard) String() string {
	s := g.Name
	if g.Arg != "" {
		s += "(" + g.Arg + ")"
	}
	if g.Not {
		return "!" + s
	}
	return s
}

// Action is one thing a move does.
type Action struct {
	Line int
	Verb string // send, check, challenge, start, stop, restart, request, execute, alert, clock, end_clock, invite, drop, set
	Arg  string
}

// moves returns the moves that may fire in a state on an event, in order.
func (m *Machine) moves(state, on string) []Move {
	var out []Move
	for _, mv := range m.Moves {
		if mv.On != on {
			continue
		}
		for _, f := range mv.From {
			if f == state {
				out = append(out, mv)
				break
			}
		}
	}
	return out
}
