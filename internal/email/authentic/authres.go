package authentic

import "strings"

const maxAssertions = 100 // results read of one mail's Authentication-Results

// Assertion is one result of an Authentication-Results field (RFC 8601).
type Assertion struct {
	Method     string            `json:"method"` // dkim, spf, dmarc, …
	Value      string            `json:"value"`  // pass, fail, none, …
	Properties map[string]string `json:"properties,omitempty"`
}

// trustedResults reads the topmost block of Authentication-Results fields of a trusted authserv-id. It must stand
// above the first Received field that our own server wrote on receiving the mail; whatever stands below it came with
// the mail. Received fields of local delivery (LMTP) are our own and may stand above.
func trustedResults(h header, trusted []string) []Assertion {
	var found []Assertion
	started := false
	for _, f := range h {
		switch {
		case f.name == "received":
			if started || !isLocalDelivery(f.value) {
				return found
			}
		case f.name == "authentication-results":
			id, results, ok := parseResults(f.value)
			if !ok || !isTrusted(id, trusted) {
				if started {
					return found
				}
				continue
			}
			started = true
			if found = append(found, results...); len(found) > maxAssertions {
				return nil
			}
		case started && !isFilterNote(f.name):
			return found
		}
	}
	if !started {
		return nil
	}
	return found // no Received at all: a mail that our own server made
}

func isTrusted(id string, trusted []string) bool {
	for _, t := range trusted {
		if t != "" && strings.EqualFold(id, t) {
			return true
		}
	}
	return false
}

// isFilterNote reports fields that mail filters write between two Authentication-Results of theirs.
func isFilterNote(name string) bool {
	switch name {
	case "dkim-filter", "dmarc-filter", "received-spf", "arc-authentication-results":
		return true
	}
	return false
}

// isLocalDelivery reports a Received field of the step from our mail server to the mailbox: "with LMTP" (RFC 3848).
func isLocalDelivery(received string) bool {
	words := strings.Fields(strings.ToLower(dropComments(received)))
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "with" {
			switch strings.TrimRight(words[i+1], ";") {
			case "lmtp", "lmtps", "lmtpa", "lmtpsa":
				return true
			}
			return false
		}
	}
	return false
}

func dropComments(s string) string {
	p := arScanner{s: s}
	var b strings.Builder
	for p.i < len(p.s) {
		if p.s[p.i] == '(' {
			if !p.comment() {
				return ""
			}
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(p.s[p.i])
		p.i++
	}
	return b.String()
}

// parseResults reads one Authentication-Results value (RFC 8601, section 2.2): comments anywhere, quoted values, a
// version after the authserv-id and after methods. A field that breaks the grammar is refused whole.
func parseResults(v string) (id string, results []Assertion, ok bool) {
	p := arScanner{s: v}
	if !p.space() {
		return "", nil, false
	}
	if id, ok = p.value(); !ok || id == "" || !p.space() {
		return "", nil, false
	}
	if !p.at(';') && !p.done() {
		if version, ok := p.value(); !ok || version != "1" || !p.space() {
			return id, nil, false
		}
	}
	for !p.done() {
		if !p.take(';') || !p.space() {
			return id, nil, false
		}
		if p.done() || p.at(';') {
			continue
		}
		a, none, ok := p.result()
		if !ok || len(results) > maxAssertions {
			return id, nil, false
		}
		if !none {
			results = append(results, a)
		}
	}
	return id, results, true
}

type arScanner struct {
	s string
	i int
}

func (p *arScanner) done() bool     { return p.i >= len(p.s) }
func (p *arScanner) at(c byte) bool { return p.i < len(p.s) && p.s[p.i] == c }

func (p *arScanner) take(c byte) bool {
	if !p.at(c) {
		return false
	}
	p.i++
	return true
}

// space skips white space and comments; false means an unclosed comment.
func (p *arScanner) space() bool {
	for !p.done() {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		case '(':
			if !p.comment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

func (p *arScanner) comment() bool {
	depth := 0
	for ; !p.done(); p.i++ {
		switch p.s[p.i] {
		case '\\':
			p.i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.i++
				return true
			}
		}
	}
	return false
}

// value reads a quoted string or what runs to the next blank, ';' or comment.
func (p *arScanner) value() (string, bool) {
	if p.at('"') {
		return p.quoted()
	}
	from := p.i
	for !p.done() && !strings.ContainsRune(" \t\r\n;(\"", rune(p.s[p.i])) {
		p.i++
	}
	v := p.s[from:p.i]
	if p.at('"') { // local"part"@domain and the like: not worth the doubt
		return "", false
	}
	return v, v != ""
}

func (p *arScanner) quoted() (string, bool) {
	var b strings.Builder
	for p.i++; !p.done(); p.i++ {
		switch c := p.s[p.i]; c {
		case '\\':
			if p.i++; !p.done() {
				b.WriteByte(p.s[p.i])
			}
		case '"':
			p.i++
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// word reads a method or property name: up to '=', '/', '.', a blank, ';' or a comment.
func (p *arScanner) word() string {
	from := p.i
	for !p.done() && !strings.ContainsRune("=/. \t\r\n;(\"", rune(p.s[p.i])) {
		p.i++
	}
	return strings.ToLower(p.s[from:p.i])
}

// result reads "method[/version] = value [reason=…] [ptype.property=…]…", or "none".
func (p *arScanner) result() (a Assertion, none, ok bool) {
	a.Method = p.word()
	if a.Method == "" || !p.space() {
		return a, false, false
	}
	if a.Method == "none" && (p.done() || p.at(';')) {
		return a, true, true
	}
	if p.take('/') {
		if !p.space() || p.word() != "1" || !p.space() {
			return a, false, false
		}
	}
	if !p.take('=') || !p.space() {
		return a, false, false
	}
	if a.Value, ok = p.value(); !ok || !p.space() {
		return a, false, false
	}
	a.Value = strings.ToLower(a.Value)
	for !p.done() && !p.at(';') {
		if !p.property(&a) {
			return a, false, false
		}
	}
	return a, false, true
}

func (p *arScanner) property(a *Assertion) bool {
	name := p.word()
	if name == "" || !p.space() {
		return false
	}
	if p.take('.') {
		if !p.space() {
			return false
		}
		name += "." + p.word()
		if !p.space() {
			return false
		}
	}
	if !p.take('=') || !p.space() {
		return false
	}
	v, ok := p.value()
	if !ok || !p.space() {
		return false
	}
	if old, twice := a.Properties[name]; twice && old != v {
		return false // two answers to one question
	}
	if a.Properties == nil {
		a.Properties = map[string]string{}
	}
	a.Properties[name] = v
	return len(a.Properties) <= 50
}

// byAuthserv returns how the trusted server proved the From domain, or "". A DMARC failure in the block outweighs
// every pass, and so do two results that disagree.
func (c *check) byAuthserv() string {
	dmarc, dkim := "", false
	for _, a := range c.result.AR {
		switch a.Method {
		case "dmarc":
			domain, err := asciiDomain(a.Properties["header.from"])
			if err != nil || domain != c.domain {
				continue
			}
			if a.Value != "pass" || dmarc == "no" {
				if a.Value != "none" {
					dmarc = "no"
				}
				continue
			}
			dmarc = "yes"
		case "dkim":
			if a.Value == "pass" && aligned(assertedDomain(a), c.domain, false) {
				dkim = true
			}
		}
	}
	switch {
	case dmarc == "no":
		return ""
	case dmarc == "yes":
		return "ar-dmarc"
	case dkim:
		return "ar-dkim"
	}
	return ""
}

// exactDKIM reports a passed signature of the From domain itself, as a strict policy asks for.
func (c *check) exactDKIM() bool {
	for _, a := range c.result.AR {
		if a.Method == "dkim" && a.Value == "pass" && aligned(assertedDomain(a), c.domain, true) {
			return true
		}
	}
	return false
}

// assertedDomain is the signing domain that a DKIM result names.
func assertedDomain(a Assertion) string {
	if d := a.Properties["header.d"]; d != "" {
		return d
	}
	i := a.Properties["header.i"]
	return i[strings.LastIndexByte(i, '@')+1:]
}
