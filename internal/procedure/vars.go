package procedure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// vars gives a template the values it names. A value that does not exist is left out: a template that needs it is not sent
// with a hole, its rendering fails.
func (st *step) vars(def templateDef) map[string]any {
	out := map[string]any{"ticket_no": fmt.Sprint(st.c.Ticket), "brand": st.c.Brand}
	for _, name := range def.Vars {
		if v := st.value(name); v != nil {
			out[name] = v
		}
	}
	return out
}

// value of a variable: text, list of texts, list of records, time in the customer's zone, or number.
func (st *step) value(name string) any {
	switch name {
	case "due", "until", "expires", "time", "closed_at", "close_date", "deadline", "final_due", "max_due", "new_due", "locked_until", "reopen_until":
		if t := st.moment(name); !t.IsZero() {
			return t.In(st.cal.Zone)
		}
		return nil
	case "items", "missing":
		return st.itemRecords(st.wanting())
	case "ok":
		return st.titles(st.docsIn(ItemSatisfied))
	case "rejected":
		return st.rejectedRecords()
	case "attempts_left":
		return st.attemptsLeft()
	case "blockers":
		return st.blockerWords()
	case "reopen_days":
		return max(1, st.p.Settings["reopen"].N)
	}
	return st.fact(name)
}

func (st *step) moment(name string) time.Time {
	switch name {
	case "due":
		return st.requestDue()
	case "close_date":
		return st.c.Timers["silence"].Due
	case "until":
		if t := st.c.Timers["undo"].Due; !t.IsZero() {
			return t
		}
		return st.c.CoolingUntil
	case "expires":
		return st.c.Challenge.ExpiresAt
	case "locked_until":
		return st.c.Identity.LockedUntil
	case "time":
		if st.c.Activity != nil {
			return st.c.Activity.At
		}
		return st.now
	case "closed_at":
		return st.c.Execution.DoneAt
	case "reopen_until":
		return Span{30, "d"}.From(st.now, st.cal)
	case "final_due", "max_due", "new_due":
		return st.clockDue("complaint", name)
	case "deadline":
		return st.clockDue("transaction", name)
	}
	return time.Time{}
}

func (st *step) requestDue() time.Time {
	for _, r := range st.c.Requests {
		if r.State == "open" || r.State == "answered" {
			return r.DueAt
		}
	}
	for _, kind := range st.m.Clocks {
		if i := st.clock(kind); i >= 0 && st.c.Clocks[i].open() {
			return st.c.Clocks[i].Due
		}
	}
	return time.Time{}
}

func (st *step) clockDue(kind, name string) time.Time {
	i := st.clock(kind)
	if i < 0 {
		return time.Time{}
	}
	if name == "max_due" {
		j := st.set.jurisdictions[st.c.Jurisdiction]
		return j.Clocks[kind+"_max"].From(st.c.Clocks[i].Start, j.calendar)
	}
	return st.c.Clocks[i].Due
}

func (st *step) title(key string) string { return st.m.Items[key].Title.In(st.c.Language) }

func (st *step) titles(keys []string) []string {
	var out []string
	for _, key := range keys {
		out = append(out, st.title(key))
	}
	return out
}

func (st *step) docsIn(state ItemState) []string {
	var out []string
	for _, key := range st.keys() {
		if st.m.Items[key].Source == FromDocument && st.c.Items[key].State == state {
			out = append(out, key)
		}
	}
	return out
}

// itemRecords describes documents for the customer: what, why and how.
func (st *step) itemRecords(keys []string) []map[string]string {
	var out []map[string]string
	for _, key := range keys {
		def := st.m.Items[key]
		out = append(out, map[string]string{"title": st.title(key), "why": def.Why.In(st.c.Language), "how": def.How.In(st.c.Language)})
	}
	return out
}

func (st *step) rejectedRecords() []map[string]string {
	var out []map[string]string
	for _, key := range st.docsIn(ItemRejected) {
		code := st.c.Items[key].Reject
		out = append(out, map[string]string{"title": st.title(key), "reason": code.Reason(st.c.Language), "how": code.Hint(st.c.Language)})
	}
	return out
}

func (st *step) attemptsLeft() int {
	left := st.p.Files.MaxAttempts
	for _, key := range st.docsIn(ItemRejected) {
		left = min(left, st.p.Files.MaxAttempts-st.c.Items[key].Attempts)
	}
	return max(0, left)
}

// blockerWords tells the customer what to do about each thing in the way, once per kind and detail.
func (st *step) blockerWords() []string {
	var out []string
	for _, b := range st.blockers() {
		w := blockerText(b).In(st.c.Language)
		if w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func blockerText(b Blocker) Text {
	switch b.Code {
	case "balance":
		return Text{fmt.Sprintf("请将 %s 余额全部转出到您自己的银行账户或钱包。", b.Detail), fmt.Sprintf("Move the whole %s balance to your own bank account or wallet.", b.Detail)}
	case "dust":
		return Text{"余额低于最低提现额，我们会另行说明处理办法。", "Your balance is below the smallest withdrawal; we explain the options separately."}
	case "pending", "pending_transactions":
		return Text{"请等待未完成的交易结束，或将其取消。", "Wait until every open transaction is finished, or cancel it."}
	case "dispute", "disputes":
		return Text{"请先与客服了结未解决的争议。", "Settle the open dispute with our support first."}
	case "debt", "debts":
		return Text{"请先结清欠款和未付费用。", "Pay what is still owed, including fees."}
	case "link", "links":
		return Text{strings.TrimSpace("请解除关联服务或授权：" + b.Detail), strings.TrimSpace("Remove the linked service or authorisation: " + b.Detail)}
	case "contact", "contacts":
		return Text{"请在应用内更新可用的注册邮箱和手机号。", "Update your registered email address and phone number in the app so that we can reach you."}
	case "cooling":
		return Text{"账户近期有交易或资料变更，需要等待一段时间。", "There was a recent transaction or change of data, so a waiting period applies."}
	case "restriction", "restrictions":
		return Text{"请先办理解除账户限制。", "Have the restriction of the account lifted first."}
	}
	return Text{}
}

// fact gives the remaining variables.
func (st *step) fact(name string) any {
	lang := st.c.Language
	switch name {
	case "category_hint", "activity":
		return st.word(name)
	case "action":
		return st.m.Subject.In(lang)
	}
	return nil
}

func (st *step) word(name string) any {
	if name == "activity" && st.c.Activity != nil {
		return st.c.Activity.Kind
	}
	if name == "category_hint" && st.m.Category != "" {
		return st.m.Category
	}
	return nil
}
