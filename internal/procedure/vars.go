package procedure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// vars gives a template the values it names: text, lists of texts, records, whole numbers, flags, and times in the zone of the
// customer's jurisdiction. Links are added by the caller, who makes them.
func (st *step) vars(def templateDef) (map[string]any, error) {
	out := map[string]any{"ticket_no": fmt.Sprint(st.c.Ticket), "brand": st.c.Brand}
	for _, name := range def.Vars {
		name, optional := strings.CutSuffix(name, "?")
		v := st.value(def.Key, name)
		if v == nil && !optional {
			return nil, invalid("the mail %s needs %s", def.Key, name)
		}
		if v != nil {
			out[name] = v
		}
	}
	return out, nil
}

// value of a variable in a template; nil when there is none. What a person wrote for the mail comes first.
func (st *step) value(key, name string) any {
	if w := st.c.Words[name]; w != "" {
		return st.written(key, name, w)
	}
	if t, isTime := st.moment(key, name); isTime {
		if t.IsZero() {
			return nil
		}
		return t.In(st.cal.Zone)
	}
	if v := st.ofDocuments(key, name); v != nil {
		return v
	}
	if v := st.ofProfile(name); v != nil {
		return v
	}
	return st.ofCase(key, name)
}

// written is a person's text; where the mail has a list, one line is one entry, and a day is a day.
func (st *step) written(key, name, w string) any {
	switch name {
	case "scope", "remaining", "basis", "action", "next", "form", "steps", "how":
		return strings.FieldsFunc(w, func(r rune) bool { return r == '\n' })
	case "date", "until", "new_due":
		if t, ok := parseDay(w); ok {
			y, m, d := t.Date()
			return time.Date(y, m, d, 0, 0, 0, 0, st.cal.Zone)
		}
		return nil
	}
	return w
}

func (st *step) moment(key, name string) (time.Time, bool) {
	switch name {
	case "due":
		return st.due(key), true
	case "close_date":
		return st.c.Timers["silence"].Due, true
	case "until":
		if key == "closure.cooling_off" {
			return st.c.CoolingUntil, true
		}
		return st.c.Timers["undo"].Due, true
	case "expires":
		if key == "closure.consent" || key == "privacy.access_delivery" {
			return Span{14, "d"}.From(st.now, st.cal), true
		}
		return st.c.Challenge.ExpiresAt, true
	case "retry_after":
		return st.c.Identity.LockedUntil, true
	case "time":
		if key == "closure.activity" && st.c.Activity != nil {
			return st.c.Activity.At, true
		}
		return st.now, true
	case "closed_at":
		if t := firstSet(st.c.Execution.DoneAt, st.c.Execution.At); !t.IsZero() {
			return t, true
		}
		return st.now, true
	case "date":
		return st.now, true
	case "reopen_until":
		return Span{30, "d"}.From(st.now, st.cal), true
	case "final_due", "new_due":
		return st.clockDue("complaint"), true
	case "deadline":
		if key == "complaint.final" {
			return time.Time{}, false
		}
		return st.clockDue("transaction"), true
	}
	return time.Time{}, false
}

func firstSet(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// due of the open document request, or of the clock the mail is about.
func (st *step) due(key string) time.Time {
	switch key {
	case "privacy.ack", "privacy.extended":
		return st.clockDue("request")
	case "int.complaint_due":
		return st.clockDue("complaint")
	case "int.approval_needed":
		return Span{2, "bd"}.From(st.now, st.cal)
	case "int.sla_breach":
		return st.now
	}
	for _, r := range st.c.Requests {
		if r.State == "open" || r.State == "answered" {
			return r.DueAt
		}
	}
	if t, on := st.c.Timers["silence"]; on {
		return t.Due
	}
	return Span{14, "d"}.From(st.now, st.cal)
}

func (st *step) clockDue(kind string) time.Time {
	if i := st.clock(kind); i >= 0 {
		return st.c.Clocks[i].Due
	}
	return time.Time{}
}

func (st *step) title(key string) string { return st.m.Items[key].Title.In(st.c.Language) }

func (st *step) titles(keys []string) any {
	var out []string
	for _, key := range keys {
		out = append(out, st.title(key))
	}
	return listOrNil(out)
}

func listOrNil(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func recordsOrNil(list []map[string]string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (st *step) docsIn(states ...ItemState) []string {
	var out []string
	for _, key := range st.keys() {
		if st.m.Items[key].Source == FromDocument && slices.Contains(states, st.c.Items[key].State) {
			out = append(out, key)
		}
	}
	return out
}

// ofDocuments gives what is asked for, what came and what was not accepted.
func (st *step) ofDocuments(key, name string) any {
	switch name {
	case "items":
		switch key {
		case "docs.received":
			if files := st.docsIn(ItemSubmitted); len(files) > 0 {
				return st.titles(files)
			}
			return []string{Text{"您发送的文件", "The files you sent"}.In(st.c.Language)}
		case "docs.rejected":
			return st.rejectedRecords()
		}
		return st.itemRecords(st.wanting())
	case "missing", "docs":
		return st.titles(st.wanting())
	case "ok":
		return st.titles(st.docsIn(ItemSatisfied))
	case "why":
		if w := st.wanting(); len(w) > 0 && st.m.Items[w[0]].Why.En != "" {
			return st.m.Items[w[0]].Why.In(st.c.Language)
		}
	case "attempts_left":
		return st.attemptsLeft()
	}
	return nil
}

func (st *step) itemRecords(keys []string) any {
	var out []map[string]string
	for _, key := range keys {
		out = append(out, map[string]string{"name": st.title(key), "how": st.m.Items[key].How.In(st.c.Language)})
	}
	return recordsOrNil(out)
}

// rejectedRecords lists what has to be sent again and, because it is asked for in the same breath, what never came.
func (st *step) rejectedRecords() any {
	var out []map[string]string
	lang := st.c.Language
	for _, key := range st.docsIn(ItemRejected) {
		code := st.c.Items[key].Reject
		out = append(out, map[string]string{"name": st.title(key), "reason_text": code.Reason(lang), "how": code.Hint(lang)})
	}
	for _, key := range st.docsIn(ItemOpen) {
		out = append(out, map[string]string{"name": st.title(key), "reason_text": Text{"我们尚未收到。", "We have not received it yet."}.In(lang), "how": st.m.Items[key].How.In(lang)})
	}
	return recordsOrNil(out)
}

func (st *step) attemptsLeft() int {
	left := st.p.Files.MaxAttempts
	for _, key := range st.docsIn(ItemRejected) {
		left = min(left, st.p.Files.MaxAttempts-st.c.Items[key].Attempts)
	}
	return max(0, left)
}

// ofProfile gives what the brand's file says.
func (st *step) ofProfile(name string) any {
	p, j, lang := st.p, st.set.jurisdictions[st.c.Jurisdiction], st.c.Language
	switch name {
	case "official_domains":
		return listOrNil(p.Domains)
	case "paths":
		return texts(p.SelfPaths, lang)
	case "linked_services", "closed_services":
		return texts(p.Linked, lang)
	case "benefits":
		return texts(p.Benefits, lang)
	case "checklist":
		return texts(p.Guide, lang)
	case "consequences":
		return texts(p.Consequences, lang)
	case "disabled":
		return texts(p.Disabled, lang)
	case "hardening":
		return texts(p.Hardening, lang)
	case "limits":
		return listOrNil(p.limits(lang))
	case "retention", "kept":
		return keepRecords(p.Keeps, lang)
	case "terms_url":
		return wordOrNil(p.Terms.URL)
	case "version":
		return wordOrNil(p.Terms.Version)
	case "adr":
		return wordOrNil(p.ADR.In(lang))
	case "complaint":
		return wordOrNil(p.Complaint.In(lang))
	case "late_redemption":
		return wordOrNil(p.Redemption.In(lang))
	case "return":
		return wordOrNil(p.Return.In(lang))
	case "range_text":
		return wordOrNil(p.Range.In(lang))
	case "path", "official_path":
		return wordOrNil(p.Path.In(lang))
	case "activate_button":
		if slices.Contains(p.ClosedAs, "needs_activation") {
			return true
		}
		return nil
	case "authority":
		return wordOrNil(j.Authority.In(lang))
	case "court":
		return wordOrNil(j.Court.In(lang))
	}
	return nil
}

func wordOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func texts(list []Text, lang string) any {
	var out []string
	for _, t := range list {
		out = append(out, t.In(lang))
	}
	return listOrNil(out)
}

func keepRecords(list []Keep, lang string) any {
	var out []map[string]string
	for _, k := range list {
		out = append(out, map[string]string{"what": k.What.In(lang), "period": k.Period.In(lang), "basis": k.Basis.In(lang)})
	}
	return recordsOrNil(out)
}

// limits says what the smallest withdrawal is, per currency.
func (p *Profile) limits(lang string) []string {
	var out []string
	for _, ccy := range sortedKeys(p.Minimum) {
		out = append(out, Text{"最低提现额：" + p.Minimum[ccy] + " " + ccy + "。", "Smallest withdrawal: " + p.Minimum[ccy] + " " + ccy + "."}.In(lang))
	}
	return out
}

// ofCase gives the rest: what this case is about.
func (st *step) ofCase(key, name string) any {
	lang := st.c.Language
	switch name {
	case "category_hint":
		if st.c.State != "triage" {
			return wordOrNil(st.m.Category)
		}
	case "main_ticket":
		return wordOrNil(st.e.Code)
	case "action":
		if key == "payment.cause" {
			return texts(causeWords(st.c.Finding.Code).todo, lang)
		}
		if st.c.Challenge.Purpose == "soft" {
			return "deactivation"
		}
		return challengeAction(st.c.Procedure)
	case "cause":
		return wordOrNil(causeWords(st.c.Finding.Code).cause.In(lang))
	case "reopen_days":
		return max(1, st.p.Settings["reopen"].N)
	case "kind":
		return st.kindOf(key)
	case "case", "ref":
		return map[string]string{"case": "S-", "ref": "C-"}[name] + fmt.Sprint(st.c.Ticket)
	case "blockers":
		return recordsOrNil(st.blockerRecords())
	case "amount":
		if key == "closure.dust" {
			return wordOrNil(moneyNote(st.c.Dust))
		}
		if key == "closure.late_redemption" {
			return wordOrNil(moneyNote(nonZero(st.c.Balances)))
		}
		return wordOrNil(st.c.Facts["amount"])
	case "options":
		return texts(dustWords(st.p.DustWays), lang)
	case "reason":
		return st.withdrawReason()
	case "account_last4":
		return wordOrNil(last4(st.c.Account.Ref))
	case "balances":
		return listOrNil(st.zeroBalances())
	case "reason_text":
		return st.reasonText(key)
	case "next":
		return texts(refusalWords(st.decisionCode()).next, lang)
	case "offer_soft":
		if st.set.Level(st.c, st.now) == A4 && st.decisionCode() != "legal_obligation" {
			return true
		}
	case "fields":
		return listOrNil(st.missingFields())
	case "status":
		return wordOrNil(withdrawalStatus(st.c.Finding.Code))
	case "tx", "reference":
		return wordOrNil(st.c.Facts["txid"])
	case "note":
		return wordOrNil(withdrawalNote(st.c.Finding.Code).In(lang))
	case "how":
		return texts(redemptionSteps(), lang)
	case "steps":
		return texts(reactivationSteps(), lang)
	case "holding_rule":
		return st.holdingRule()
	case "stage":
		return st.c.Procedure + "/" + st.c.State
	case "clock":
		return st.c.Procedure + "/" + st.c.State
	case "hold", "document":
		return st.number(name)
	}
	return nil
}

func (st *step) number(name string) int64 {
	if name == "document" && st.e.File != nil {
		return st.e.File.Attachment
	}
	if name == "document" && st.e.Mail != nil {
		for _, f := range st.e.Mail.Files {
			if f.Elsewhere {
				return f.Attachment
			}
		}
	}
	return st.c.Ticket
}

// kindOf tells what was sent that should not have been, or what a person asked about their data.
func (st *step) kindOf(key string) any {
	if key == "privacy.ack" {
		return st.c.Procedure
	}
	for _, f := range st.e.Mail.Flags {
		if kind, ok := strings.CutPrefix(f, "secret:"); ok && slices.Contains([]string{"password", "sms_code", "card", "seed_phrase"}, kind) {
			return kind
		}
	}
	return "other"
}

func (st *step) withdrawReason() string {
	switch {
	case st.e.Kind == TimerDue && st.c.Activity != nil:
		return "activity"
	case st.e.Kind == TimerDue:
		return "timeout"
	}
	return "customer"
}

func last4(ref string) string {
	r := []rune(ref)
	return string(r[max(0, len(r)-4):])
}

// zeroBalances lists the currencies of the account with the zero that was read; what was given up in writing is zero now.
func (st *step) zeroBalances() []string {
	var out []string
	for _, m := range st.c.Balances {
		if sign(m.Amount) != 0 {
			m.Amount = "0"
		}
		out = append(out, m.String())
	}
	return out
}

func (st *step) reasonText(key string) any {
	if strings.HasPrefix(key, "closure.") {
		return wordOrNil(refusalWords(st.decisionCode()).reason.In(st.c.Language))
	}
	return nil
}

// missingFields lists what is needed about a transaction and was not found in the mails.
func (st *step) missingFields() []string {
	var out []string
	for _, key := range st.keys() {
		def := st.m.Items[key]
		if fact, ok := strings.CutPrefix(def.Provided, "fact:"); ok && st.c.Facts[fact] == "" {
			out = append(out, st.title(key))
		}
	}
	return out
}

func (st *step) holdingRule() any {
	j := st.set.jurisdictions[st.c.Jurisdiction]
	i := st.clock("complaint")
	if i < 0 {
		return nil
	}
	due := j.Clocks["complaint_max"].From(st.c.Clocks[i].Start, j.calendar).In(st.cal.Zone)
	return Text{
		"如因特殊情况无法按期答复，我们会提前说明原因，并最迟于" + due.Format("2006年1月2日") + "作出最终答复。",
		"If we cannot answer by then for exceptional reasons, we will write to you before that date, give the reasons, and send the final response no later than " + due.Format("2 January 2006") + ".",
	}.In(st.c.Language)
}
