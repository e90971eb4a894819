package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// offer is what the server said it can do (EHLO).
type offer struct {
	pipelining, dsn, eightBit, utf8, size bool
}

// envelope is the pair of command lines that open a transaction, without line ends.
type envelope struct{ mail, rcpt string }

var (
	errAddress  = errors.New("not a usable envelope address")
	errUTF8     = errors.New("the address needs SMTPUTF8, which the server does not offer")
	errEightBit = errors.New("the message has bytes above 127 and the server does not offer 8BITMIME")
	errLineEnds = errors.New("the message is not made of lines that end in CRLF; it would not arrive as it is stored")
)

// newEnvelope refuses what cannot be sent exactly as it is stored to exactly the address that is stored.
func newEnvelope(job Job, can offer) (envelope, error) {
	from, err := path(job.MailFrom)
	if err != nil {
		return envelope{}, fmt.Errorf("sender: %w", err)
	}
	to, err := path(job.To)
	if err == nil && to == "" {
		err = errAddress
	}
	if err != nil {
		return envelope{}, fmt.Errorf("recipient: %w", err)
	}
	if !canonical(job.Raw) {
		return envelope{}, errLineEnds
	}
	e := envelope{mail: "MAIL FROM:<" + from + ">", rcpt: "RCPT TO:<" + to + ">"}
	return e, e.parameters(job, can)
}

func (e *envelope) parameters(job Job, can offer) error {
	if can.size { // RFC 1870
		e.mail += " SIZE=" + strconv.Itoa(len(job.Raw))
	}
	if !ascii(job.Raw) { // RFC 6152
		if !can.eightBit {
			return errEightBit
		}
		e.mail += " BODY=8BITMIME"
	}
	if !ascii(e.mail) || !ascii(e.rcpt) { // RFC 6531
		if !can.utf8 {
			return errUTF8
		}
		e.mail += " SMTPUTF8"
	}
	if can.dsn && job.MailFrom != "" { // RFC 3461; the null reverse-path cannot be notified
		e.mail += " RET=HDRS ENVID=" + strconv.FormatInt(job.ID, 10)
		e.rcpt += " NOTIFY=FAILURE,DELAY"
	}
	return nil
}

// path is the address as it stands between the angle brackets: its domain in ASCII, and nothing in it that could end the
// command or begin a parameter (RFC 5321, 4.1.2). "" stays "".
func path(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 || len(address) > 254 || strings.ContainsFunc(address, forbidden) {
		return "", errAddress
	}
	local, domain := address[:at], address[at+1:]
	if ascii(domain) {
		return address, nil
	}
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("%w: %v", errAddress, err)
	}
	return local + "@" + domain, nil
}

func forbidden(r rune) bool {
	return r <= ' ' || r == '<' || r == '>' || r >= 0x7f && r < 0xa0 || r == 0xfffd
}

func ascii[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// canonical reports whether every CR and LF of raw is part of a CRLF and the last line is complete (RFC 5321, 2.3.8). Only
// such bytes arrive as they were sent.
func canonical(raw []byte) bool {
	lines := bytes.Count(raw, []byte("\r\n"))
	return bytes.HasSuffix(raw, []byte("\r\n")) &&
		bytes.Count(raw, []byte("\r")) == lines && bytes.Count(raw, []byte("\n")) == lines
}

// stuff makes the data that follows DATA: raw with every leading dot doubled, and the line with a single dot that ends it
// (RFC 5321, 4.5.2). raw is canonical.
func stuff(raw []byte) []byte {
	dots := bytes.Count(raw, []byte("\n."))
	data := make([]byte, 0, len(raw)+dots+4)
	if raw[0] == '.' {
		data = append(data, '.')
	}
	for dots > 0 {
		i := bytes.Index(raw, []byte("\n."))
		data = append(append(data, raw[:i+2]...), '.')
		raw = raw[i+2:]
		dots--
	}
	return append(append(data, raw...), ".\r\n"...)
}
