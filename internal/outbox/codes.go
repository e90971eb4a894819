package outbox

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"postdesk/internal/ticket"
)

// stage is how far a dialogue had come when the answer arrived or failed to.
type stage int

const (
	stageLocal   stage = iota // nothing was said; we found the fault ourselves
	stageConnect              // TCP, greeting, EHLO, TLS
	stageAuth
	stageMail
	stageRcpt
	stageData // DATA and the message
	stageDot  // the message and its final dot are out
)

func (s stage) String() string {
	return [...]string{"check", "connect", "log-in", "MAIL", "RCPT", "DATA", "final dot"}[s]
}

// answer is the end of a dialogue: the reply that decided it, or the error that took its place.
type answer struct {
	stage   stage
	started bool // Queue.Start had recorded that the message data may go out
	unsent  bool // with started: but no byte of the message did
	code    int  // 0: no reply, see err
	text    string
	err     error
}

func (a answer) positive() bool { return a.err == nil && a.code/100 == 2 }

// blame says what, besides the message, the answer speaks against.
type blame int

const (
	nobody      blame = iota
	theDomain         // one more refusal of this recipient domain; several in a row pause it
	domainNow         // pause the recipient domain
	theServer         // one more message that the server lost or treated as none of its business; several in a row pause all sending
	serverNow         // pause all sending
	connection        // no session: pause all sending until one can be had
	credentials       // likewise, long: repeated wrong passwords lock accounts
)

// verdict is what an answer means for the delivery and for those that follow.
type verdict struct {
	state    ticket.DeliveryState
	enhanced string
	blame    blame
	hangUp   bool          // the connection is not used again
	atLeast  time.Duration // before the next attempt
	attempts int           // more than these are not made; 0: no such limit
	suppress bool
	policy   bool
}

// judge maps every answer of a server, and every missing one, to its meaning. It is the only place that knows reply codes
// (RFC 5321, 4.2; RFC 3463; the words of servers that use codes of their own mind).
func judge(a answer) verdict {
	v := verdict{enhanced: enhancedStatus(a.text)}
	switch {
	case a.stage == stageLocal:
		v.state = ticket.Failed
	case a.code == 0:
		v.noReply(a)
	case a.stage == stageConnect:
		v.state, v.blame, v.hangUp = ticket.Queued, connection, true
	case a.stage == stageAuth:
		v.state, v.blame, v.hangUp = ticket.Queued, credentials, true
	case a.stage == stageDot && a.code/100 == 2:
		// RFC 5321, 4.3.2: clients go by the first digit. From here on nothing, not even a lost connection, undoes it.
		v.state = ticket.Accepted
	case a.code/100 == 4:
		v.temporary(a)
	case a.code/100 == 5:
		v.permanent(a)
	default:
		v.nonsense(a)
	}
	return v
}

// noReply: the connection broke, or the deadline passed. Once the data may have gone out nobody can know (RFC 1047).
func (v *verdict) noReply(a answer) {
	v.hangUp, v.blame = true, theServer
	switch {
	case a.started:
		v.state = ticket.Uncertain
	case errors.Is(a.err, errLogin):
		v.state, v.blame = ticket.Queued, credentials
	case a.stage == stageConnect || a.stage == stageAuth:
		v.state, v.blame = ticket.Queued, connection
	default: // the server greeted us and hung up at this message: it may well be the message
		v.state = ticket.Deferred
	}
}

// nonsense: a code outside 4xx and 5xx where it cannot be. With the data out, it settles nothing.
func (v *verdict) nonsense(a answer) {
	v.hangUp, v.blame, v.state = true, theServer, ticket.Deferred
	if a.started {
		v.state = ticket.Uncertain
	}
}

func (v *verdict) temporary(a answer) {
	v.state = ticket.Deferred
	switch p, isPolicy := policyOf(a.text); {
	case a.code == 421 && a.stage == stageMail:
		v.state, v.blame, v.hangUp = ticket.Queued, theServer, true
	case a.code == 421: // 3.8: treat like 451; the server closes the connection
		v.blame, v.hangUp = theServer, true
	case a.code == 454 && !a.started, a.code == 432 && !a.started: // RFC 4954: temporary authentication failure, password transition
		v.state, v.blame, v.hangUp = ticket.Queued, credentials, true
	case isPolicy:
		v.refusedByPolicy(a, p)
	case strings.HasPrefix(v.enhanced, "4.3."): // mail system full, shutting down, misconfigured
		v.blame = theServer
	case strings.HasPrefix(v.enhanced, "4.7.") || greylisted.MatchString(a.text):
		v.blame, v.atLeast = nobody, 5*time.Minute
	default:
		v.blame = theDomain
	}
}

func (v *verdict) permanent(a answer) {
	v.state = ticket.Failed
	switch p, isPolicy := policyOf(a.text); {
	case authRequired(a.code) && !a.started:
		v.state, v.blame, v.hangUp = ticket.Queued, credentials, true
	case isPolicy:
		v.refusedByPolicy(a, p)
	case relayDenied.MatchString(a.text) && !a.started: // our set-up, not the recipient: do not burn the whole queue
		v.state, v.blame = ticket.Deferred, theServer
	case v.enhanced == "5.1.1", v.enhanced == "5.1.10":
		v.suppress = true
	case v.enhanced == "" && a.stage == stageRcpt && unknownUser.MatchString(a.text):
		v.suppress = true
	}
}

// authRequired: RFC 4954, section 6. Any of them outside AUTH means that the server no longer knows us.
func authRequired(code int) bool {
	return code == 530 || code == 534 || code == 535 || code == 538
}

// policy is how a large provider words "not now" or "not you", mostly with codes that say "never".
type policy struct {
	words   *regexp.Regexp
	account bool // speaks of our account or address, so it concerns every recipient
	content bool // speaks of this message; further attempts hurt our name
}

// policyOf finds the words of rate and reputation refusals in a reply.
func policyOf(text string) (policy, bool) {
	for _, p := range policies {
		if p.words.MatchString(text) {
			return p, true
		}
	}
	return policy{}, false
}

func (v *verdict) refusedByPolicy(a answer, p policy) {
	v.state, v.policy, v.blame, v.atLeast = ticket.Deferred, true, domainNow, 30*time.Minute
	if p.account || a.stage == stageMail { // before RCPT the server does not know the domain
		v.blame = serverNow
	}
	if p.content {
		v.attempts = 3
	}
}

var policies = []policy{
	// NetEase (163, 126, yeah): 554 DT:SPM, 550 User suspended, 450/550 "frequency limited".
	{words: regexp.MustCompile(`(?i)\bDT:SPM\b`), content: true},
	{words: regexp.MustCompile(`(?i)\buser suspended\b`)},
	// NetEase and Tencent: "Connection / Domain / Ip / Sender frequency limited".
	{words: regexp.MustCompile(`(?i)\bfrequency (is )?limited\b`)},
	{words: regexp.MustCompile(`(?i)\bmail content denied\b`), content: true},
	{words: regexp.MustCompile(`(?i)\b(daily (user )?sending (quota|limit)|sending (quota|limit)s? (has been |was )?exceeded|exceeded (the |your )?(daily |hourly )?sending (quota|limit))\b`), account: true},
	{words: regexp.MustCompile(`(?i)\b(rate[- ]limit(ed)?|sending rate|too many (messages|mails|emails|recipients|connections))\b`)},
}

var (
	greylisted  = regexp.MustCompile(`(?i)gr[ea]y-?list`)
	relayDenied = regexp.MustCompile(`(?i)\b(relay(ing)? (access )?(is )?(denied|prohibited|not permitted|not allowed)|unable to relay|not permitted to relay|authentication (is )?required)\b`)
	unknownUser = regexp.MustCompile(`(?i)\b((user|recipient|mailbox|account|address) (is )?(unknown|not found|does not exist|doesn't exist)|(no such|unknown|invalid) (user|recipient|mailbox|account))\b`)
	statusCode  = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)`)
)

// enhancedStatus is the RFC 3463 status at the start of a reply (RFC 2034), "" when there is none.
func enhancedStatus(text string) string {
	if m := statusCode.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
