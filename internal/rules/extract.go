package rules

import (
	"strings"
)

// The concepts that extraction goes by. A rule set that does not declare one simply gives no hint of that kind.
const (
	labelAccount  = "ACCOUNT_LABEL"  // "account number", "username", 账户ID
	labelUser     = "USERNAME_LABEL" // labels after which a plain word is a user name
	labelTx       = "TX_LABEL"       // "reference", "order no.", 流水号
	labelTicket   = "TICKET_LABEL"   // "ticket", "case", 工单
	labelCard     = "CARD_LABEL"     // "card ending", 尾号, bank account numbers
	labelPhone    = "PHONE_LABEL"
	labelOrder    = "ORDER_LABEL"
	labelFee      = "FEE_LABEL"     // fee, limit, rate, minimum: sums that are not the one at stake
	labelArrived  = "ARRIVED_LABEL" // "only … arrived"
	labelSum      = "SUM_LABEL"     // words that go with the sum at stake
	labelUnit     = "COUNT_LABEL"   // days, times, attempts: numbers that are no sums
	labelOtherTok = "FOREIGN_LABEL" // names another person's account or a company's number
)

// closingItems are the names of the closing requirements.
var closingItems = []string{
	"account_id", "reason", "zero_balance_statement", "identity_document", "proof_of_address", "selfie", "third_party_unlinked", "statement_backup", "consent",
}

// extract takes the values out of subject and body.
func (s *scratch) extract(d *Decision) {
	var tokens []token
	var sums []amountToken
	for i := range s.fields {
		if s.fields[i].name == FieldSubject || s.fields[i].name == FieldBody {
			tokens = s.tokens(i, tokens)
			sums = s.amounts(i, sums)
		}
	}
	used := s.names(d, tokens)
	s.amount(d, sums, used)
	s.dates(d)
}

// readings of one token, with what speaks for each.
type guess struct{ account, tx float64 }

// names decides which tokens are the account's name and the transaction's reference. It returns the tokens taken.
func (s *scratch) names(d *Decision, tokens []token) []token {
	var account, tx *token
	var accountScore, txScore float64
	var taken []token
	for i := range tokens {
		t := &tokens[i]
		if isHash(t.text) {
			d.Facts.Hashes = append(d.Facts.Hashes, s.spanOf(t))
		}
		g := s.guess(t)
		if g.account >= 2 || g.tx >= 2 {
			taken = append(taken, *t)
		}
		if g.account >= 2 && g.account >= g.tx && g.account > accountScore {
			account, accountScore = t, g.account
		}
		if g.tx >= 2 && g.tx > g.account && g.tx > txScore {
			tx, txScore = t, g.tx
		}
		s.sideNames(d, t)
	}
	if account != nil {
		d.Facts.AccountID = s.spanOf(account)
	}
	if tx != nil {
		d.Facts.TxID = s.spanOf(tx)
	}
	return taken
}

// sideNames notes phones and order numbers.
func (s *scratch) sideNames(d *Decision, t *token) {
	if t.digits >= 8 && t.letters == 0 && s.label(t, labelPhone, 14) {
		d.Facts.Phones = append(d.Facts.Phones, s.spanOf(t))
	}
	if t.digits >= 4 && s.label(t, labelOrder, 14) {
		d.Facts.Orders = append(d.Facts.Orders, s.spanOf(t))
	}
}

// guess weighs what a token looks like and what words stand at it.
func (s *scratch) guess(t *token) guess {
	var g guess
	if strings.ContainsRune(t.text, '@') || looksLikeDomain(t.text) || isAddress(t.text) {
		return g
	}
	src := s.fields[t.field].source
	if t.start > 0 && (src[t.start-1] == '@' || src[t.start-1] == '#' && t.letters == 0) || t.end < len(src) && src[t.end] == '@' {
		return g
	}
	if isHash(t.text) {
		g.tx = 9
		return g
	}
	if t.letters == 0 && (strings.ContainsAny(t.text, ",.") || matchAfter(src, t.end) > 0 || matchBefore(src, t.start) > 0) {
		return g
	}
	g = shape(t)
	near, far := s.labels(t)
	switch near {
	case labelAccount, labelUser:
		if t.digits >= 5 || t.digits >= 2 && t.letters > 1 || near == labelUser && plausibleUser(t) {
			g.account += accountLabelWorth(g)
		}
	case labelTx, labelOrder:
		if t.digits >= 4 {
			g.tx += 6
		}
	case labelTicket, labelCard, labelPhone, labelOtherTok:
		return guess{}
	case "":
		if far == labelAccount && t.digits >= 4 {
			g.account += 1.5
		}
		if far == labelTx && t.digits >= 4 {
			g.tx += 1.5
		}
	}
	return g
}

// accountLabelWorth is what an account label adds to what a token looks like: little where it looks like a reference, since
// "account" and "number" stand at references too.
func accountLabelWorth(looks guess) float64 {
	if looks.tx >= 2.5 {
		return 1.5
	}
	return 6
}

// shape is what a token's look alone says.
func shape(t *token) guess {
	text := t.text
	if t.digits < 4 || strings.ContainsAny(text, ",/") && t.letters == 0 || strings.ContainsRune(text, '.') {
		return guess{}
	}
	prefix := strings.ToUpper(leadingLetters(text))
	switch {
	case t.letters > 0 && txPrefix(prefix):
		return guess{tx: 4}
	case t.letters > 0 && datedDigits(text):
		return guess{tx: 3}
	case t.letters == 0 && t.digits >= 14:
		return guess{tx: 2.5, account: 0.5}
	case t.letters == 0 && strings.ContainsRune(text, '-') && looksLikeDate(text):
		return guess{}
	case t.letters > 0 && t.digits >= 4 && accountPrefix(prefix) && strings.ContainsAny(text, "-_"):
		return guess{account: 1.2, tx: 0.8}
	case t.letters == 0 && t.digits >= 6 && t.digits <= 12:
		return guess{account: 0.8, tx: 0.4}
	}
	return guess{}
}

func leadingLetters(s string) string {
	i := 0
	for i < len(s) && s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' {
		i++
	}
	return s[:i]
}

// txPrefix reports whether a reference that begins with p names a movement of money by common usage.
func txPrefix(p string) bool {
	switch p {
	case "W", "WD", "WDL", "WDR", "WTH", "WT", "WX", "TX", "TXN", "TXID", "TRX", "TRF", "TRN", "TR0", "TT", "PAY", "PMT", "PAYMENT", "DEP", "DP", "TOP", "TOPUP", "TU", "RC", "CZ", "TK", "ORD", "ORDER", "ST", "STL", "SET", "SETTLE", "RET", "RTR",
		"CO", "OUT", "PO", "PYT", "PAYOUT", "FPS", "NT", "RT", "PRL", "AUS", "EIN", "UEB", "VIR", "REF", "REFUND", "RF", "SEPA", "TF", "ZZ", "TX0", "CB", "CHG", "BATCH", "REC", "RIC", "DEPO", "INV0", "FT", "MT", "BON", "SAQ", "PIX", "PG", "CP", "UZ", "ZF", "FK", "CT", "YK", "PAYID", "UTR", "ARN", "SWIFT", "IT", "CRED":
		return p != "IT"
	}
	return false
}

func accountPrefix(p string) bool { return len(p) >= 1 && len(p) <= 6 }

// datedDigits reports whether the token holds a date as numbering schemes have it: 20241130.
func datedDigits(s string) bool {
	for _, year := range []string{"202", "201"} {
		if i := strings.Index(s, year); i >= 0 {
			rest := s[i:]
			n := 0
			for n < len(rest) && digit(rune(rest[n])) {
				n++
			}
			if n >= 8 && rest[4] <= '1' {
				return true
			}
		}
	}
	return false
}

func looksLikeDate(s string) bool {
	parts := strings.Split(s, "-")
	return len(parts) == 3 && len(parts[0]) <= 4 && len(parts[1]) <= 2 && len(parts[2]) <= 4
}

func looksLikeDomain(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return false
	}
	tail := s[i+1:]
	return len(tail) >= 2 && leadingLetters(tail) == tail
}

// plausibleUser reports whether a word without context could be a user name: it has a digit, an underscore or a dot.
func plausibleUser(t *token) bool {
	return t.digits > 0 && t.letters > 0 || strings.ContainsRune(t.text, '_')
}

// labelReach is how far before a token its label stands, in units: a few words.
const labelReach, labelReachAfter, labelFar = 7, 3, 24

var nameLabels = []string{labelTicket, labelCard, labelPhone, labelOtherTok, labelUser, labelAccount, labelOrder, labelTx}

// labels finds the label that stands at the token, and one that stands farther off in the sentence.
func (s *scratch) labels(t *token) (near, far string) {
	best, bestFar := int32(1<<30), int32(1<<30)
	longest := int32(0)
	from, to := s.unitAt(t.at), s.unit[max(t.at, min(t.to, int32(len(s.buf)))-1)]
	for _, l := range s.set.lex.labels {
		for i := s.first(l.id); i >= 0; i = s.occ[i].next {
			o := &s.occ[i]
			if o.sentence != t.sentence && !(o.end <= t.at && o.sentence == t.sentence-1) {
				continue
			}
			gap := int32(1 << 29)
			reach := int32(labelReach)
			if o.end <= t.at {
				gap = from - o.to
			} else if o.start >= t.to {
				gap, reach = o.from-to+2, labelReachAfter+2
			} else if o.start >= t.at {
				continue
			}
			// Of two labels that end at the same place the longer one says more: 单号, not 号.
			if gap <= reach && (gap < best || gap == best && o.end-o.start > longest) {
				best, near, longest = gap, l.name, o.end-o.start
			}
			if gap <= labelFar && gap < bestFar {
				bestFar, far = gap, l.name
			}
		}
	}
	return near, far
}

// label reports whether a label of that name stands within reach before the token.
func (s *scratch) label(t *token, name string, reach int32) bool {
	return s.labelBefore(t.at, t.sentence, name, reach)
}

func (s *scratch) labelBefore(at, sentence int32, name string, reach int32) bool {
	id, ok := s.set.lex.byName[name]
	if !ok {
		return false
	}
	for i := s.first(id); i >= 0; i = s.occ[i].next {
		o := &s.occ[i]
		if o.sentence == sentence && o.end <= at && s.unitAt(at)-o.to <= reach {
			return true
		}
	}
	return false
}

func (s *scratch) labelAfter(at, sentence int32, name string, reach int32) bool {
	id, ok := s.set.lex.byName[name]
	if !ok {
		return false
	}
	for i := s.first(id); i >= 0; i = s.occ[i].next {
		o := &s.occ[i]
		if o.sentence == sentence && o.start >= at && o.from-s.unitAt(at) <= reach {
			return true
		}
	}
	return false
}

// amount decides which sum is the one at stake.
func (s *scratch) amount(d *Decision, sums []amountToken, taken []token) {
	best := -1
	for i := range sums {
		a := &sums[i]
		a.score = s.weighSum(a, taken)
		if a.score >= 2 && (best < 0 || a.score > sums[best].score) {
			best = i
		}
	}
	if best >= 0 {
		a := &sums[best]
		d.Facts.Amount = sourceSpan(&s.fields[a.field], a.start, a.end)
	}
}

func (s *scratch) weighSum(a *amountToken, taken []token) float64 {
	if a.value == 0 {
		return 0
	}
	for _, t := range taken {
		if t.field == a.field && a.start < t.end && t.start < a.end {
			return 0
		}
	}
	f := &s.fields[a.field]
	at := s.bufAt(f, a.start, f.start)
	to := s.bufAt(f, a.end, at)
	if int(at) >= len(s.buf) {
		return 0
	}
	sentence := s.sentenceAt(at)
	score := 0.0
	if a.currency {
		score += 4
	} else if a.digits > 9 || a.digits < 2 {
		return 0
	}
	if s.labelBefore(at, sentence, labelSum, 8) || s.labelAfter(to, sentence, labelSum, 4) {
		score += 2.5
	} else if s.labelBefore(at, sentence, labelSum, 30) || s.labelAfter(to, sentence, labelSum, 20) {
		score++
	}
	if !a.currency && strings.ContainsAny(f.source[a.start:a.end], ",.") {
		score += 1.5
	}
	if s.labelBefore(at, sentence, labelFee, 8) || s.labelAfter(to, sentence, labelFee, 2) {
		score -= 4
	}
	if s.labelBefore(at, sentence, labelArrived, 6) || s.labelAfter(to, sentence, labelArrived, 4) {
		score -= 1.5
	}
	if !a.currency && s.labelAfter(to, sentence, labelUnit, 3) {
		score -= 5
	}
	return score
}
