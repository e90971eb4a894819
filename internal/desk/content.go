package desk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// traceFields are what servers write on top of a mail on its way. Two copies of one mail, delivered to two addresses,
// differ in these alone.
var traceFields = map[string]bool{
	"received": true, "return-path": true, "delivered-to": true, "x-original-to": true, "envelope-to": true, "x-envelope-to": true,
	"authentication-results": true, "received-spf": true, "arc-seal": true, "arc-message-signature": true, "arc-authentication-results": true,
	"x-received": true, "x-spam-status": true, "x-spam-score": true, "x-spam-flag": true, "x-spam-level": true, "x-spam-checker-version": true, "x-virus-scanned": true,
}

// contentHash is the SHA-256 of a mail without its trace fields; "" for a mail without a header.
func contentHash(raw []byte) string {
	h := sha256.New()
	skip := false
	rest := raw
	for len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			return ""
		}
		line := rest[:end]
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			skip = traceFields[strings.ToLower(string(bytes.TrimSpace(name)))]
		}
		if !skip {
			h.Write(line)
		}
		rest = rest[end:]
	}
	h.Write(rest)
	return hex.EncodeToString(h.Sum(nil))
}
