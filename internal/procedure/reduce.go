package procedure

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"postdesk/internal/agent"
)

// reduce enters the facts of the event into the case and names what happened, the word after `on:`; "" means nothing did.
func (st *step) reduce() (string, error) {
	e := &st.e
	if st.m.States[st.c.State].Final && ignoredAtRest(e.Kind) {
		return "", nil
	}
	if isStaff(e.Role) {
		for name, w := range e.Words {
			st.c.Words[name] = w
		}
	}
	switch e.Kind {
	case MailReceived:
		return st.mail()
	case Answered:
		return st.answer()
	case PageUsed:
		return st.page()
	case FileGiven:
		return st.itemSubmitted()
	case ItemDecided:
		return st.itemDecided()
	case ItemWaive:
		return st.itemWaived()
	case AccountRead:
		return st.accountRead()
	case PlatformDone:
		return st.platformDone()
	case FindingMade:
		return st.finding()
	case Classified:
		return st.classified()
	case RiskSet:
		return st.riskSet()
	case Recommend:
		return st.recommend()
	case Approve:
		return st.approve()
	case Reject:
		st.c.Recommendation, st.c.Approval = nil, nil
		return "reject", nil
	case Refuse:
		return st.refuse()
	case Withdraw:
		return st.withEvidence("withdraw")
	case Ask:
		return st.ask()
	case TimerDue:
		return st.timerDue()
	case ActivitySeen:
		return st.activity()
	case HoldSet:
		return st.holdSet()
	case HoldReleased:
		return st.holdReleased()
	case Executed:
		return st.executed()
	case Bounced:
		return st.bounced()
	case ComplaintYes, ComplaintNo, ComplaintDone:
		return st.complaint()
	case Extend:
		return "extend", st.needReason()
	case Absorb:
		return st.absorb()
	case Merge:
		if e.Code == "" {
			return "", invalid("merge needs the main ticket")
		}
	}
	return string(e.Kind), nil
}

// ignoredAtRest lists what means nothing any more once a case has ended.
func ignoredAtRest(k Kind) bool {
	switch k {
	case AccountRead, ActivitySeen, PlatformDone, FindingMade, Bounced, Executed:
		return true
	}
	return false
}

func (st *step) needReason() error {
	if strings.TrimSpace(st.e.Reason) == "" {
		return invalid("%s needs a reason", st.e.Kind)
	}
	return nil
}

func (st *step) withEvidence(on string) (string, error) {
	if strings.TrimSpace(st.e.Evidence) == "" {
		return "", invalid("%s needs the message or note it rests on", st.e.Kind)
	}
	return on, nil
}

// mail takes what the rules found in one human mail. Whoever wrote it, it changes the case only: no state that acts on an
// account can be entered by it.
func (st *step) mail() (string, error) {
	ml := st.e.Mail
	if ml == nil {
		return "", invalid("mail event without mail")
	}
	if ml.Auto { // an automatic reply answers nothing and stops nothing
		return "", nil
	}
	if st.isStranger(ml.From) {
		st.stranger = true
		return "stranger", nil
	}
	if st.c.Identity.From == "" || sameAddress(ml.From, st.c.Account.Address) {
		st.c.Identity.From, st.c.Identity.Aligned = ml.From, ml.Aligned
	}
	st.c.LastMail = st.now
	if st.c.State == st.m.Initial {
		st.c.Confidence = ml.Confidence
	}
	for k, v := range ml.Facts {
		if v != "" {
			st.c.Facts[k] = v
		}
	}
	if slices.Contains(ml.Flags, "complaint") && st.c.Complaint.Proposed.IsZero() {
		st.c.Complaint.Proposed, st.c.Complaint.ReceivedAt = st.now, ml.ReceivedAt.UTC().Truncate(time.Microsecond)
		st.warn("int.complaint_due", map[string]any{"ref": fmt.Sprintf("C-%d", st.c.Ticket), "due": Span{1, "bd"}.From(st.now, st.cal).In(st.cal.Zone)})
	}
	st.provided(ml)
	st.files(ml)
	st.sawAnswer()
	return "mail", nil
}

// isStranger reports whether the mail is from an address that is neither the registered one nor the one that opened the ticket.
func (st *step) isStranger(from string) bool {
	if st.c.Account.Address != "" {
		return !sameAddress(from, st.c.Account.Address) && st.c.Identity.Level >= A1
	}
	return st.c.Identity.From != "" && !sameAddress(from, st.c.Identity.From)
}

// provided marks the statements found in the customer's own words. They count when their sender is sure enough: see promote.
func (st *step) provided(ml *Mail) {
	for key, def := range st.m.Items {
		if def.Source != FromStatement || def.Platform || !gave(ml, def.Provided) {
			continue
		}
		it := st.c.Items[key]
		if it.settled(st.now) && it.State != ItemNA {
			continue
		}
		it.State, it.Evidence, it.From, it.Aligned, it.ReceivedAt = ItemSubmitted, ml.Message, ml.From, ml.Aligned, ml.ReceivedAt
		st.c.Items[key] = it
	}
}

// gave reports whether the mail provides what an item asks for: a statement by name, or a fact ("fact:txid").
func gave(ml *Mail, what string) bool {
	if fact, ok := strings.CutPrefix(what, "fact:"); ok {
		return ml.Facts[fact] != ""
	}
	return what != "" && slices.Contains(ml.Provided, what)
}

// files puts the attachments under the items they answer.
func (st *step) files(ml *Mail) {
	beyond := CheckMail(ml.Files, st.p.Files)
	for i, f := range ml.Files {
		f.Message = ml.Message
		if st.c.Account.Address != "" && !sameAddress(ml.From, st.c.Account.Address) {
			st.c.Unsorted = append(st.c.Unsorted, f) // kept, but it answers nothing we asked the owner for
			continue
		}
		if _, tooMuch := beyond[i]; tooMuch {
			f.Size = max(f.Size, st.p.Files.MaxSize+1)
		}
		st.file(f, ml.ReceivedAt)
	}
}

func (st *step) file(f File, received time.Time) {
	key := st.itemFor(f)
	if key == "" {
		st.c.Unsorted = append(st.c.Unsorted, f)
		return
	}
	st.submit(key, f, received)
}

// itemFor finds the item a file answers: the one of its kind, or, when the kind is not known, the only one still asked for.
func (st *step) itemFor(f File) string {
	var wanting []string
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Source != FromDocument || it.State == ItemNA || it.settled(st.now) {
			continue
		}
		if f.Kind != "" && def.Doc == f.Kind {
			return key
		}
		if it.State != ItemSubmitted {
			wanting = append(wanting, key)
		}
	}
	if f.Kind == "" && len(wanting) == 1 {
		return wanting[0]
	}
	return ""
}

// submit takes a file for an item after the checks that need no person.
func (st *step) submit(key string, f File, received time.Time) {
	it := st.c.Items[key]
	it.File, it.Evidence, it.ReceivedAt = &f, "file:"+f.SHA256, received.UTC().Truncate(time.Microsecond)
	it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Told = "", "", time.Time{}, false
	codes := CheckFile(f, st.p.Files)
	if slices.Contains(st.c.Refused, f.SHA256) {
		codes = append([]RejectCode{RejectDuplicate}, codes...)
	}
	if f.Elsewhere {
		st.warn("int.fraud_flag", map[string]any{"document": f.Attachment})
	}
	if len(codes) > 0 {
		st.c.Items[key] = it
		st.rejectItem(key, codes[0], System)
		return
	}
	it.State, it.Reject = ItemSubmitted, ""
	st.c.Items[key] = it
}

func (st *step) rejectItem(key string, code RejectCode, by agent.Role) {
	it := st.c.Items[key]
	it.State, it.Reject, it.Told = ItemRejected, code, false
	it.DecidedBy, it.DecidedAs, it.DecidedAt = st.e.Actor, by, st.now
	if by == System {
		it.DecidedBy = string(System)
	}
	if it.Source == FromDocument {
		it.Attempts++
		if it.File != nil {
			st.c.Refused = append(st.c.Refused, it.File.SHA256)
		}
	}
	st.c.Items[key] = it
}

// sawAnswer ends the reminders: the customer has answered.
func (st *step) sawAnswer() {
	for _, name := range st.m.States[st.c.State].Timers {
		if _, on := st.c.Timers[name]; !on {
			continue
		}
		switch st.m.Timers[name].Until {
		case "answer":
			st.stop(name)
		case "restart":
			st.restart(name)
		}
	}
	for i, r := range st.c.Requests {
		if r.State == "open" && len(st.e.Mail.Files) > 0 {
			st.c.Requests[i].State = "answered"
		}
	}
}

// keys are the item keys in a fixed order.
func (st *step) keys() []string { return st.m.itemKeys() }

// promote accepts statements whose sender is by now sure enough.
func (st *step) promote() {
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Source != FromStatement || it.State != ItemSubmitted || st.senderLevel(it) < def.Level {
			continue
		}
		it.State, it.DecidedBy, it.DecidedAs, it.DecidedAt = ItemSatisfied, it.From, Customer, st.now
		st.c.Items[key] = it
	}
	if lvl := st.mailLevel(st.c.Identity.From, st.c.Identity.Aligned); lvl > st.c.Identity.Level {
		st.c.Identity.Level = lvl
	}
}

func (st *step) mailLevel(from string, aligned bool) Level {
	switch {
	case !sameAddress(from, st.c.Account.Address):
		return A0
	case aligned:
		return A2
	}
	return A1
}

func (st *step) senderLevel(it Item) Level {
	l := st.mailLevel(it.From, it.Aligned)
	if l >= A2 && st.c.Identity.Level >= A3 {
		return st.c.Identity.Level
	}
	return l
}

// answer judges one answer to the challenge. Only the hash of the secret is compared, in constant time.
func (st *step) answer() (string, error) {
	a, ch := st.e.Answer, &st.c.Challenge
	if a == nil {
		return "", invalid("answer event without answer")
	}
	if !slices.Contains(st.p.Channels, a.Channel) {
		return "", forbidden("a challenge cannot be answered by %s", a.Channel)
	}
	if a.Channel == "email_reply" && (a.Quoted || !a.Outside || st.c.Risk != Low) {
		return "", nil // quoting our mail is no answer
	}
	if st.now.Before(st.c.Identity.LockedUntil) {
		return "", forbidden("too many wrong answers; try again after %s", st.c.Identity.LockedUntil.Format(time.RFC3339))
	}
	if ch.ID == "" || ch.Used || a.Challenge != ch.ID || !st.now.Before(ch.ExpiresAt) || ch.Bound != st.bound(ch.Purpose) {
		return "", ErrExpired
	}
	if a.MAC == "" || subtle.ConstantTimeCompare([]byte(a.MAC), []byte(ch.MAC)) != 1 {
		ch.Attempts++
		if ch.Attempts < maxAnswers {
			return "challenge_failed", nil
		}
		ch.Used = true
		st.c.Identity.LockedUntil = st.now.Add(24 * time.Hour)
		return "challenge_locked", nil
	}
	ch.Used = true
	if st.c.Identity.Level < A3 {
		st.c.Identity.Level = A3
	}
	st.c.Identity.ProvenAt = st.now
	return map[string]string{"identity": "challenge_ok", "reconfirm": "reconfirmed", "soft": "soft_accepted"}[ch.Purpose], nil
}

const (
	maxAnswers = 3
	maxIssues  = 3 // within 24 hours
)

// bound ties a challenge to ticket, action and account: an answer for one is no answer for another.
func (st *step) bound(purpose string) string {
	return fmt.Sprintf("%d|%s|%s|%s", st.c.Ticket, st.c.Procedure, purpose, st.c.Account.Ref)
}

// page takes a button pressed by the holder of a link that went to the registered address.
func (st *step) page() (string, error) {
	p := st.e.Page
	if p == nil {
		return "", invalid("page event without page")
	}
	if !slices.Contains([]string{"declare", "undo", "withdraw", "not_me", "soft_accept", "return"}, p.Action) {
		return "", invalid("page action %q is unknown", p.Action)
	}
	if p.Action == "declare" {
		return st.declare(p)
	}
	return "page." + p.Action, nil
}

// declare takes the statements ticked on the page. Consent counts only for the terms in force, and giving up a balance only
// when amount and currency are those that were found.
func (st *step) declare(p *Page) (string, error) {
	for _, key := range p.Items {
		def, ok := st.m.Items[key]
		if !ok || def.Source != FromStatement || def.Platform {
			return "", invalid("%q is not a statement of this procedure", key)
		}
		if def.Doc == "terms" && p.Terms != st.p.Terms.Hash {
			return "", conflict("the terms have changed: please read them again")
		}
		if def.Need == "dust" && !sameMoney(p.Amount, st.c.Dust) {
			return "", invalid("the amount and currency given up are not those of the account")
		}
		it := st.c.Items[key]
		if it.State == ItemNA && def.Need != "dust" && def.Need != "optional" {
			continue
		}
		it.State, it.Evidence, it.From, it.Aligned, it.ReceivedAt = ItemSubmitted, "page:"+st.e.ID, st.c.Account.Address, true, st.now
		if def.Doc == "terms" {
			it.Note = "terms " + st.p.Terms.Version + " sha256 " + st.p.Terms.Hash
		}
		if def.Need == "dust" {
			it.Note = moneyNote(st.c.Dust)
		}
		st.c.Items[key] = it
	}
	st.c.LastMail = st.now
	return "page.declare", nil
}

func sameMoney(a, b []Money) bool {
	if len(a) == 0 || len(a) != len(b) {
		return false
	}
	for _, m := range a {
		if !slices.ContainsFunc(b, func(o Money) bool { return o.Currency == m.Currency && sameAmount(o.Amount, m.Amount) }) {
			return false
		}
	}
	return true
}

func (st *step) itemSubmitted() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok {
		return "", invalid("procedure %s has no item %q", st.m.Name, st.e.Item)
	}
	if def.Source != FromDocument || st.e.File == nil {
		return "", invalid("%s is not a document", st.e.Item)
	}
	if st.c.Items[st.e.Item].State == ItemNA {
		return "", invalid("%s was not asked for", st.e.Item)
	}
	st.c.Unsorted = slices.DeleteFunc(st.c.Unsorted, func(f File) bool { return f.SHA256 == st.e.File.SHA256 })
	st.edited()
	st.submit(st.e.Item, *st.e.File, st.now)
	return "item", nil
}

// warn tells staff something whose words are all given.
func (st *step) warn(key string, vars map[string]any) {
	vars["ticket_no"], vars["brand"] = fmt.Sprint(st.c.Ticket), st.c.Brand
	st.fx = append(st.fx, Effect{Kind: Alert, Template: key, To: ToStaff, Vars: vars, Hidden: st.hidden})
}

// edited remembers who changed the evidence last: that person does not approve.
func (st *step) edited() { st.c.Editor = st.e.Actor }

func (st *step) itemDecided() (string, error) {
	e := st.e
	def, ok := st.m.Items[e.Item]
	if !ok {
		return "", invalid("procedure %s has no item %q", st.m.Name, e.Item)
	}
	if def.Hidden != (e.Role == agent.Compliance) {
		// The same words for an item that does not exist: who may not see it learns nothing.
		return "", invalid("procedure %s has no item %q", st.m.Name, e.Item)
	}
	if st.c.Items[e.Item].State == ItemNA {
		return "", invalid("%s does not apply to this case", e.Item)
	}
	switch def.Source {
	case FromDocument:
		return st.documentDecided(def)
	case FromAgent, FromSystem:
		return st.checkDecided(def)
	}
	return "", invalid("%s is a statement of the customer: nobody can make it for them", e.Item)
}

func (st *step) documentDecided(def ItemDef) (string, error) {
	e, it := st.e, st.c.Items[st.e.Item]
	if it.File == nil || it.State != ItemSubmitted {
		return "", invalid("no document waits for a decision under %s", e.Item)
	}
	st.edited()
	if !e.Accept {
		if !slices.Contains(RejectCodes(), e.Reject) {
			return "", invalid("reject code %q is unknown", e.Reject)
		}
		st.rejectItem(e.Item, e.Reject, e.Role)
		return "item", nil
	}
	if e.Form == nil {
		return "", invalid("accepting %s needs what was read off it", e.Item)
	}
	if codes := JudgeForm(def.Doc, *e.Form, it.ReceivedAt, st.cal.Zone, st.p.Files); len(codes) > 0 {
		return "", invalid("%s cannot be accepted: %s", e.Item, joinCodes(codes))
	}
	it.State, it.Reject, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Told = ItemSatisfied, "", e.Actor, e.Role, st.now, false
	it.ExpiresAt = st.p.Files.Valid.From(st.now, st.cal)
	it.Note = strings.TrimSpace(e.Form.Kind + " " + e.Form.Issuer + " " + e.Form.Last4)
	st.c.Items[e.Item] = it
	return "item", nil
}

// checkDecided is a person's check, or a person standing in for an account system that is not connected: never without
// evidence.
func (st *step) checkDecided(def ItemDef) (string, error) {
	e, it := st.e, st.c.Items[st.e.Item]
	if def.Platform {
		return "", forbidden("%s is reported by the platform only", e.Item)
	}
	if strings.TrimSpace(e.Evidence) == "" {
		return "", invalid("%s needs evidence: what was looked at, and where", e.Item)
	}
	if !def.Hidden {
		st.edited()
	}
	st.hidden = def.Hidden
	it.State, it.Evidence, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Note = ItemSatisfied, e.Evidence, e.Actor, e.Role, st.now, e.Reason
	outcome := Pass
	if !e.Accept {
		it.State, outcome = ItemRejected, Block
	}
	st.c.Items[e.Item] = it
	if def.Check != "" {
		st.c.Checks[def.Check] = Check{Outcome: outcome, Blockers: blockersFor(outcome, def.Check), At: st.now, TriedAt: st.now}
	}
	if def.Hidden {
		return "cleared", nil
	}
	return "item", nil
}

func blockersFor(o Outcome, check string) []Blocker {
	if o == Pass {
		return nil
	}
	return []Blocker{{Code: check}}
}

// itemWaived lets an item go. What a senior waives still needs the approver who sees it; what identifies the customer or is
// read from the account is never waived.
func (st *step) itemWaived() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok || def.Hidden {
		return "", invalid("procedure %s has no item %q", st.m.Name, st.e.Item)
	}
	if def.Waive == "" {
		return "", forbidden("%s cannot be waived", st.e.Item)
	}
	if def.Waive == "approver" && st.e.Role != agent.Approver {
		return "", forbidden("%s can be waived by an approver only", st.e.Item)
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	it := st.c.Items[st.e.Item]
	if it.State == ItemNA || it.settled(st.now) {
		return "", invalid("%s is settled or does not apply", st.e.Item)
	}
	st.edited()
	it.State, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Note = ItemWaived, st.e.Actor, st.e.Role, st.now, st.e.Reason
	st.c.Items[st.e.Item] = it
	return "item", nil
}

// platformDone is a password, code or factor the platform itself has verified, in its own pages.
func (st *step) platformDone() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok || !def.Platform {
		return "", invalid("%q is not an item the platform reports", st.e.Item)
	}
	it := st.c.Items[st.e.Item]
	it.State, it.Evidence, it.DecidedBy, it.DecidedAs, it.DecidedAt = ItemSatisfied, st.e.Evidence, st.e.Actor, System, st.now
	if !st.e.Accept {
		it.State = ItemRejected
	}
	st.c.Items[st.e.Item] = it
	return "item", nil
}

// finding is a diagnosis. When the account system says "hidden", there is a reason that must not be told: it is kept for
// compliance, and everybody else reads "review", which people find as well.
func (st *step) finding() (string, error) {
	e := &st.e
	if e.Code == "" {
		return "", invalid("a finding needs a code")
	}
	if isStaff(e.Role) {
		if e.Code == "hidden" {
			return "", invalid("finding %q is unknown", e.Code)
		}
		if strings.TrimSpace(e.Evidence) == "" {
			return "", invalid("a finding needs evidence: what was looked at, and where")
		}
		st.edited()
	}
	if e.Code == "hidden" {
		e.Code, st.c.HiddenBar = "review", true
	}
	st.c.Finding = Finding{Code: e.Code, By: e.Actor, At: st.now, Evidence: e.Evidence}
	st.c.Findings[e.Code]++
	return "finding", nil
}

// classified moves a case to another procedure. Case and clocks go on; what both checklists know stays.
func (st *step) classified() (string, error) {
	if st.set.machines[st.c.Profile][st.e.Code] == nil {
		return "", invalid("there is no procedure %q", st.e.Code)
	}
	s := st.m.States[st.c.State]
	if s.Final || s.Acts || st.c.Approval != nil || st.c.Refusal != nil {
		return "", invalid("the category cannot change in state %q", st.c.State)
	}
	st.stopAll()
	for _, kind := range st.m.Clocks {
		st.endClock(kind)
	}
	st.c.Recommendation, st.c.Finding, st.c.Confidence = nil, Finding{}, 1
	if err := st.into(st.e.Code); err != nil {
		return "", err
	}
	st.from, st.c.State = st.c.State, st.m.Initial
	return "classified", nil
}

func (st *step) riskSet() (string, error) {
	r := Risk(st.e.Code)
	if !slices.Contains([]Risk{Low, Medium, High}, r) {
		return "", invalid("risk %q is none of low, medium, high", st.e.Code)
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	if r == st.c.Risk {
		return "", nil
	}
	st.c.Risk = r
	st.set.checklist(&st.c)
	st.edited()
	return "risk", nil
}

func (st *step) recommend() (string, error) {
	if slices.Contains(st.c.Excluded, st.e.Actor) {
		return "", forbidden("%s refused this request before: somebody else reviews it", st.e.Actor)
	}
	if st.c.Complaint.Open() && st.c.Complaint.About == st.e.Actor {
		return "", forbidden("the complaint is about %s", st.e.Actor)
	}
	if by := st.waivedBy(st.e.Actor); by != "" {
		return "", forbidden("%s waived %s: somebody else recommends", st.e.Actor, by)
	}
	if st.e.Code == "" && len(st.m.Codes) > 0 {
		st.e.Code = st.m.Codes[0]
	}
	if st.e.Code != "" && !slices.Contains(st.m.Codes, st.e.Code) {
		return "", invalid("%q cannot be recommended here", st.e.Code)
	}
	if err := st.needWords(st.e.Code); err != nil {
		return "", err
	}
	st.c.Recommendation = &Decision{By: st.e.Actor, As: st.e.Role, At: st.now, Action: st.m.Action, Code: st.e.Code, Reason: st.e.Reason, Evidence: st.c.Evidence()}
	return "recommend", nil
}

// needWords makes sure, while the person who decides is there to be asked, that the mail which follows will be complete.
func (st *step) needWords(code string) error {
	for _, name := range st.m.Needs[code] {
		if strings.TrimSpace(st.c.Words[name]) == "" {
			return invalid("the letter needs the words %q", name)
		}
	}
	return nil
}

// waivedBy names an item the person waived.
func (st *step) waivedBy(who string) string {
	for _, key := range st.keys() {
		if it := st.c.Items[key]; it.State == ItemWaived && it.DecidedBy == who {
			return key
		}
	}
	return ""
}

// approve is the second pair of eyes, on exactly the evidence the recommendation was made on.
func (st *step) approve() (string, error) {
	rec := st.c.Recommendation
	if rec == nil {
		rec = st.c.Refusal
	}
	who := st.e.Actor
	switch {
	case rec == nil:
		return "", invalid("nothing waits for approval")
	case rec.By == who:
		return "", forbidden("%s recommended this: somebody else approves", who)
	case st.c.Editor == who:
		return "", forbidden("%s changed the evidence last: somebody else approves", who)
	case st.waivedBy(who) != "":
		return "", forbidden("%s waived %s: somebody else approves", who, st.waivedBy(who))
	case st.e.Evidence != "" && st.e.Evidence != st.c.Evidence(), rec.Evidence != st.c.Evidence():
		return "", conflict("the evidence has changed since")
	}
	st.c.Approval = &Decision{By: who, As: st.e.Role, At: st.now, Action: rec.Action, Code: rec.Code, Reason: st.e.Reason, Evidence: rec.Evidence}
	return "approve", nil
}

// RefusalCodes lists the reasons for which a request can be refused. legal_obligation has one fixed, neutral wording.
func RefusalCodes() []string {
	return []string{"docs_insufficient", "identity_not_confirmed", "balance_not_zero", "pending_transactions", "dispute_open", "debt_open",
		"legal_obligation", "not_account_holder"}
}

func (st *step) refuse() (string, error) {
	e := st.e
	if !slices.Contains(RefusalCodes(), e.Code) {
		return "", invalid("refusal code %q is unknown", e.Code)
	}
	if e.Role == agent.Compliance && e.Code != "legal_obligation" {
		return "", forbidden("compliance refuses by legal_obligation only")
	}
	if slices.Contains(st.c.Excluded, e.Actor) {
		return "", forbidden("%s refused this request before: somebody else reviews it", e.Actor)
	}
	if err := st.needWords("refuse"); err != nil {
		return "", err
	}
	st.c.Recommendation, st.c.Approval = nil, nil
	st.c.Refusal = &Decision{By: e.Actor, As: e.Role, At: st.now, Code: e.Code, Reason: e.Reason}
	st.c.Refusal.Evidence = st.c.Evidence() // the code is part of it
	return "refuse", nil
}

func (st *step) ask() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	for _, key := range st.e.Items {
		def, ok := st.m.Items[key]
		if !ok || def.Source != FromDocument {
			return "", invalid("%q is not a document of this procedure", key)
		}
		it := st.c.Items[key]
		if it.State == ItemSubmitted {
			return "", invalid("%s waits for a decision", key)
		}
		it.State, it.Reject, it.Note = ItemOpen, "", st.e.Reason
		st.c.Items[key] = it
	}
	if len(st.e.Items) == 0 {
		return "", invalid("ask needs at least one document")
	}
	st.edited()
	return "ask", nil
}

// timerDue ignores a timer that was stopped or moved meanwhile.
func (st *step) timerDue() (string, error) {
	t, on := st.c.Timers[st.e.Timer]
	if !on || st.now.Before(t.Due) {
		return "", nil
	}
	delete(st.c.Timers, st.e.Timer)
	if rest, isClock := strings.CutPrefix(st.e.Timer, "clock."); isClock {
		kind, percent, _ := strings.Cut(rest, ".")
		var mark int
		fmt.Sscan(percent, &mark)
		if !st.mark(kind, mark) {
			return "", nil
		}
		return "clock." + kind, nil
	}
	return "timer." + st.e.Timer, nil
}

// activity during an open request. A login alone is excused when we had asked for it; nothing else is.
func (st *step) activity() (string, error) {
	a := st.e.Activity
	if a == nil || a.Kind == "" {
		return "", invalid("activity event without activity")
	}
	if !st.m.States[st.c.State].Activity || a.At.Before(st.c.OpenedAt) {
		return "activity_noted", nil
	}
	if a.Kind == "login" && (st.p.Login == "note" || st.p.Login == "ignore_invited" && !a.At.After(st.c.InvitedUntil)) {
		return "activity_noted", nil
	}
	st.c.Activity = clonePtr(a)
	st.c.Recommendation, st.c.Approval = nil, nil
	return "activity", nil
}

func (st *step) holdSet() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	if st.c.Hold != nil {
		return "", invalid("the ticket is on hold")
	}
	st.hidden = true
	st.c.Hold = &Hold{By: st.e.Actor, At: st.now, Reason: st.e.Reason}
	st.warn("int.hold_set", map[string]any{"hold": st.c.Ticket})
	return "hold_set", nil
}

func (st *step) holdReleased() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	if st.c.Hold == nil && !st.c.HiddenBar {
		return "", invalid("the ticket is not on hold")
	}
	st.hidden = true
	st.c.Hold, st.c.HiddenBar = nil, false
	return "hold_released", nil
}

// executed is the account system's word, or a person's with evidence, on the one change that was ordered.
func (st *step) executed() (string, error) {
	x := &st.c.Execution
	if x.Key == "" || st.e.Key != x.Key || x.State != "ordered" {
		return "", nil
	}
	if !slices.Contains([]string{"ok", "retry", "error", "unknown"}, st.e.Code) {
		return "", invalid("result %q is none of ok, retry, error, unknown", st.e.Code)
	}
	if isStaff(st.e.Role) && strings.TrimSpace(st.e.Evidence) == "" {
		return "", invalid("a result needs evidence: what was done, and where")
	}
	st.result = st.e.Code
	if st.e.Code == "ok" {
		x.State, x.DoneAt = "done", st.now
	}
	return "executed", nil
}

func (st *step) bounced() (string, error) {
	for _, name := range st.m.States[st.c.State].Timers {
		if st.m.Timers[name].Until == "answer" {
			st.stop(name)
		}
	}
	if slices.Contains(st.m.Checks, "contacts") {
		st.setCheck("contacts", Check{Outcome: Block, Blockers: []Blocker{{Code: "contact"}}, At: st.now, TriedAt: st.now})
	}
	st.warn("int.sla_breach", map[string]any{"clock": "bounced", "due": st.now.In(st.cal.Zone)})
	return "bounced", nil
}

func (st *step) complaint() (string, error) {
	k := &st.c.Complaint
	if st.e.Kind == ComplaintYes {
		if k.Open() {
			return "", invalid("the complaint is open")
		}
		if k.ReceivedAt.IsZero() {
			k.ReceivedAt = st.c.OpenedAt
		}
		k.Confirmed, k.By, k.About, k.Removed, k.Ended = st.now, st.e.Actor, st.e.Code, time.Time{}, time.Time{}
		return "complaint", nil
	}
	if !k.Open() {
		return "", invalid("there is no open complaint")
	}
	if k.About != "" && k.About == st.e.Actor {
		return "", forbidden("the complaint is about %s", st.e.Actor)
	}
	if st.e.Kind == ComplaintDone {
		return "complaint_done", nil
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	if k.By == st.e.Actor {
		return "", forbidden("%s confirmed the complaint: somebody else removes it", st.e.Actor)
	}
	k.Removed = st.now
	st.endClock("complaint")
	return "complaint_no", nil
}
