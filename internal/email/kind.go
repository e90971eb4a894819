package email

// Kind tells who wrote a mail and why. Only human mail may be answered automatically.
type Kind string

const (
	Human     Kind = "human"
	AutoReply Kind = "auto_reply"
	BounceOf  Kind = "bounce"
	List      Kind = "list"
	Report    Kind = "report"
	OwnLoop   Kind = "own_loop"
)

func (m *Mail) classify(root *part) { m.Kind = Human }
