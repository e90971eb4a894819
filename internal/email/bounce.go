package email

// Bounce is what a delivery report says.
type Bounce struct {
	Action            string // failed, delayed, delivered, relayed, expanded
	Status            string // enhanced status code (RFC 3463), e.g. "5.1.1"
	Recipient         string
	Diagnostic        string
	OriginalMessageID string
}
