package email

// Bounds of what is read of one mail. Each is checked before the work it bounds; what lies beyond is left out and told in
// Problems, and the raw bytes always keep the whole.
const (
	maxDepth       = 20        // multiparts inside each other
	maxParts       = 200       // parts of one mail
	maxHeaderBytes = 256 << 10 // one header block
	maxFields      = 2000      // fields of one header block
	maxFieldBytes  = 64 << 10  // one field
	maxAddresses   = 500       // addresses of one field name
	maxIDs         = 100       // message ids kept of References
	maxDecoded     = 100 << 20 // bytes of all decoded parts together
	maxText        = 8 << 20   // bytes of derived text
)
