package desk

import "context"

// authenticity is what is known of a mail's sender: A0 nothing, A1 the From field alone, A2 proven by the domain.
type authenticity struct {
	Level    string
	Fail     bool // the domain asks to refuse what it did not send, and this it did not send
	Warnings []string
}

func (d *Desk) authenticate(_ context.Context, r *reading) authenticity {
	if r.sender() == "" || r.parsed.FromCount != 1 {
		return authenticity{Level: "A0"}
	}
	return authenticity{Level: "A1"}
}
