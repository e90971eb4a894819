package email

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Purpose separates the uses of a token: one made for a use is worthless for another.
type Purpose byte

const (
	ForReply   Purpose = 1 // support+t.<token>@domain, number is a ticket
	ForBounce  Purpose = 2 // support+b.<token>@domain, number is a delivery
	ForMessage Purpose = 3 // Message-ID pd.<token>.<random>@domain, number is a delivery
	forLoop    Purpose = 4 // X-Postdesk-Loop
)

// Key signs tokens. ID (0…15) stands in the token, so that older keys can go on verifying after a new one signs.
type Key struct {
	ID     int
	Secret []byte
}

// Tokens signs and recognises reply addresses, bounce addresses, message ids and loop marks. It is safe for concurrent use.
//
// A token is 25 bytes: key and purpose (1), number (5), a hash of the recipient's address (3) and the first 16 bytes of an
// HMAC-SHA256 over the rest under a key of its own for each purpose. It is written as 40 characters of a-z and 2-7, read in any
// case, and compared in constant time. It proves that its bearer has seen a mail of ours, not who the bearer is.
type Tokens struct {
	keys []derived
}

type derived struct {
	id   byte
	keys [5][]byte // by purpose
}

// Ref is what a valid token of ours refers to. The zero Ref refers to nothing.
type Ref struct {
	Ticket   int64 // of a reply address
	Delivery int64 // of a bounce address or message id
	Purpose  Purpose

	key  byte
	rcpt [3]byte
}

var (
	// ErrLocalPart means that an address leaves no room for a token in the 64 bytes of a local part (RFC 5321, section 4.5.3.1.1).
	ErrLocalPart = errors.New("local part too long for a token")
	encoding     = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

const (
	tokenBytes = 25
	tokenChars = 40
	signedPart = 9
)

// NewTokens takes at least one key; the first signs, all verify. A secret has at least 16 bytes.
func NewTokens(keys ...Key) (*Tokens, error) {
	if len(keys) == 0 {
		return nil, errors.New("no token key")
	}
	t := &Tokens{}
	for _, k := range keys {
		if k.ID < 0 || k.ID > 15 || len(k.Secret) < 16 {
			return nil, fmt.Errorf("token key %d: the id must be 0 to 15 and the secret at least 16 bytes", k.ID)
		}
		t.keys = append(t.keys, derive(k))
	}
	return t, nil
}

func derive(k Key) derived {
	d := derived{id: byte(k.ID)}
	for p, name := range []string{"rcpt", "reply", "bounce", "message-id", "loop"} {
		d.keys[p] = mac(k.Secret, []byte("postdesk token v1 "+name))
	}
	return d
}

func mac(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// ReplyAddress returns the address under which an answer of rcpt comes back to the ticket.
func (t *Tokens) ReplyAddress(support string, ticket int64, rcpt string) (string, error) {
	return t.address(support, "t", ForReply, ticket, rcpt)
}

// BounceAddress returns the envelope sender under which a bounce comes back to the delivery.
func (t *Tokens) BounceAddress(support string, delivery int64, rcpt string) (string, error) {
	return t.address(support, "b", ForBounce, delivery, rcpt)
}

func (t *Tokens) address(support, mark string, p Purpose, number int64, rcpt string) (string, error) {
	local, domain := cutLast(support, '@')
	if local == "" || domain == "" {
		return "", fmt.Errorf("address %q has no local part or no domain", support)
	}
	local += "+" + mark + "." + t.sign(p, number, rcpt)
	if len(local) > 64 {
		return "", fmt.Errorf("%s: %w", support, ErrLocalPart)
	}
	return local + "@" + domain, nil
}

// MessageID returns a fresh Message-ID, without angle brackets, that leads back to the delivery.
func (t *Tokens) MessageID(domain string, delivery int64, rcpt string) string {
	random := make([]byte, 5)
	rand.Read(random) // never fails: crypto/rand crashes the program instead
	return "pd." + t.sign(ForMessage, delivery, rcpt) + "." + encoding.EncodeToString(random) + "@" + domain
}

func (t *Tokens) sign(p Purpose, number int64, rcpt string) string {
	k := t.keys[0]
	b := make([]byte, tokenBytes)
	putNumber(b, number)
	b[0] = k.id<<4 | byte(p)
	copy(b[6:signedPart], k.rcptHash(rcpt))
	copy(b[signedPart:], mac(k.keys[p], b[:signedPart]))
	return encoding.EncodeToString(b)
}

// putNumber writes the number into bytes 1 to 5.
func putNumber(b []byte, number int64) {
	for i := range 5 {
		b[5-i] = byte(number >> (8 * i))
	}
}

func number(b []byte) int64 {
	n := int64(0)
	for _, c := range b[1:6] {
		n = n<<8 | int64(c)
	}
	return n
}

func (d derived) rcptHash(rcpt string) []byte {
	return mac(d.keys[0], []byte(strings.ToLower(strings.TrimSpace(rcpt))))[:3]
}

// read verifies a token for one purpose.
func (t *Tokens) read(token string, p Purpose) (Ref, bool) {
	if len(token) != tokenChars {
		return Ref{}, false
	}
	b, err := encoding.DecodeString(strings.ToLower(token))
	if err != nil || len(b) != tokenBytes || Purpose(b[0]&15) != p {
		return Ref{}, false
	}
	for _, k := range t.keys {
		if k.id != b[0]>>4 || !hmac.Equal(mac(k.keys[p], b[:signedPart])[:16], b[signedPart:]) {
			continue
		}
		ref := Ref{Purpose: p, key: k.id, rcpt: [3]byte(b[6:signedPart])}
		if p == ForReply {
			ref.Ticket = number(b)
		} else {
			ref.Delivery = number(b)
		}
		return ref, true
	}
	return Ref{}, false
}

// Find returns what the mail refers to by a valid token: the address it was sent to, then, from the newest to the oldest, the message
// ids it answers, then the mail that a bounce returns. It is the zero Ref if there is none.
func (t *Tokens) Find(m *Mail) Ref {
	for _, addr := range m.AllRecipients() {
		if ref, ok := t.FindAddress(addr); ok {
			return ref
		}
	}
	for _, ids := range [][]string{m.InReplyTo, m.References} {
		for i := len(ids) - 1; i >= 0; i-- {
			if ref, ok := t.FindID(ids[i]); ok {
				return ref
			}
		}
	}
	if m.Bounce != nil {
		if ref, ok := t.FindID(m.Bounce.OriginalMessageID); ok {
			return ref
		}
	}
	return Ref{}
}

// FindAddress reads the token of a reply or bounce address.
func (t *Tokens) FindAddress(addr string) (Ref, bool) {
	local, _ := cutLast(addr, '@')
	i := strings.LastIndexByte(local, '+')
	if i < 0 || len(local)-i != tokenChars+3 || local[i+2] != '.' {
		return Ref{}, false
	}
	switch local[i+1] | 0x20 {
	case 't':
		return t.read(local[i+3:], ForReply)
	case 'b':
		return t.read(local[i+3:], ForBounce)
	}
	return Ref{}, false
}

// FindID reads the token of a Message-ID of ours.
func (t *Tokens) FindID(id string) (Ref, bool) {
	local, _ := cutLast(id, '@')
	if len(local) < tokenChars+4 || !strings.EqualFold(local[:3], "pd.") || local[3+tokenChars] != '.' {
		return Ref{}, false
	}
	return t.read(local[3:3+tokenChars], ForMessage)
}

// IssuedTo reports whether the token was made for that address. A few addresses in a hundred million share a hash.
func (t *Tokens) IssuedTo(ref Ref, addr string) bool {
	for _, k := range t.keys {
		if k.id == ref.key && ref.Purpose != 0 {
			return hmac.Equal(k.rcptHash(addr), ref.rcpt[:])
		}
	}
	return false
}

// Loop returns the value of X-Postdesk-Loop for a mail of this instance: "v1;instance;hop;mac".
func (t *Tokens) Loop(instance string) string { return t.loop(instance, 1) }

func (t *Tokens) loop(instance string, hop int) string {
	body := "v1;" + loopName(instance) + ";" + strconv.Itoa(hop)
	return body + ";" + hex.EncodeToString(mac(t.keys[0].keys[forLoop], []byte(body))[:16])
}

func loopName(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ';' {
			return '-'
		}
		return r
	}, s)
}

// OwnLoop reports whether the mail is one of our own that came back: it carries our signed X-Postdesk-Loop or our own Message-ID as
// its Message-ID. An answer to us carries neither.
func (t *Tokens) OwnLoop(m *Mail) bool {
	if _, ok := t.FindID(m.MessageID); ok {
		return true
	}
	for _, v := range m.Header.RawAll(LoopField) {
		if t.ownMark(v) {
			return true
		}
	}
	return false
}

// LoopField is the header field that marks our own mail.
const LoopField = "X-Postdesk-Loop"

func (t *Tokens) ownMark(v string) bool {
	i := strings.LastIndexByte(v, ';')
	if i < 0 {
		return false
	}
	sum, err := hex.DecodeString(strings.TrimSpace(v[i+1:]))
	if err != nil || !strings.HasPrefix(v, "v1;") {
		return false
	}
	for _, k := range t.keys {
		if hmac.Equal(mac(k.keys[forLoop], []byte(v[:i]))[:16], sum) {
			return true
		}
	}
	return false
}
