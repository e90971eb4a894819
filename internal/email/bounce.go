package email

// Bounce is what a delivery report says.
type Bounce struct{}
