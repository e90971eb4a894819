package body

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/idna"
)

// shownLink is a link being written.
type shownLink struct {
	target string // host or mail address it leads to
	shown  strings.Builder
}

func (w *sanitiser) startLink(e *element) {
	href, target, ok := safeLink(e.attr["href"])
	if !ok {
		return
	}
	attrs := ` href="` + html.EscapeString(href) + `" rel="noopener noreferrer nofollow" target="_blank"`
	if s := w.push(e, attrs); s != nil {
		s.link = &shownLink{target: target}
	}
}

// suffix is what has to follow the link's text so that the reader sees where it leads.
func (l *shownLink) suffix() string {
	text := strings.TrimSpace(l.shown.String())
	mark := "[" + l.target + "]"
	if strings.HasSuffix(text, mark) || l.names(text) {
		return ""
	}
	return " " + mark
}

// names reports a text that is the link's own address or host, and nothing else.
func (l *shownLink) names(text string) bool {
	if text == "" || strings.ContainsAny(text, " \t\n\\@") && !strings.EqualFold(text, l.target) {
		return false
	}
	if strings.EqualFold(text, l.target) {
		return true
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	_, target, ok := safeLink(text)
	return ok && target == l.target
}

// safeLink returns the address to write for a link, and the host or mail address that it leads to. Only absolute
// http, https and mailto addresses are safe; user names in them are dropped, because "https://bank.com@evil.com" is
// read as bank.com; hosts become A-labels (RFC 5890).
func safeLink(raw string) (href, target string, ok bool) {
	raw, _ = clean(strings.TrimSpace(raw))
	if len(raw) > 4096 || strings.ContainsAny(raw, "\\ \t\n\r\"<>`") {
		return "", "", false
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return webLink(u)
	case "mailto":
		return mailLink(u)
	}
	return "", "", false
}

func webLink(u *url.URL) (href, target string, ok bool) {
	if u.Opaque != "" || u.Host == "" {
		return "", "", false
	}
	host, ok := asciiHost(u.Hostname())
	if !ok {
		return "", "", false
	}
	port := u.Port()
	u.User = nil
	u.Host = host
	if port != "" {
		u.Host += ":" + port
	}
	href = u.String()
	again, err := url.Parse(href)
	if err != nil || again.String() != href || again.Host != u.Host || strings.ContainsAny(href, "\\ \"<>`") {
		return "", "", false
	}
	return href, host, true
}

// asciiHost returns a host in lower case with A-labels. IPv6 addresses come back in brackets.
func asciiHost(host string) (string, bool) {
	if strings.Contains(host, ":") {
		return "[" + strings.ToLower(host) + "]", strings.Trim(host, "0123456789abcdefABCDEF:.") == ""
	}
	a, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(host)
	if err != nil {
		a = strings.ToLower(host) // still shown as it is when it is plain ASCII
	}
	a = strings.TrimSuffix(a, ".")
	for _, r := range a {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_') {
			return "", false
		}
	}
	return a, a != "" && len(a) <= 253
}

// mailLink keeps the address of a mailto link and drops its header fields: a link must not fill in a mail.
func mailLink(u *url.URL) (href, target string, ok bool) {
	address := unescapePercent(u.Opaque)
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at+1 == len(address) || len(address) > 254 {
		return "", "", false
	}
	for _, r := range address {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@._+-=~!#$'*", r)) {
			return "", "", false
		}
	}
	return "mailto:" + address, address, true
}
