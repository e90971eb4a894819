package procedure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// actionNames lists what a move can do, with the kind of argument.
func actionNames() map[string]string {
	return map[string]string{
		"send":             "template",      // a mail
		"reply":            "template span", // a mail, unless the same went out within the period
		"challenge":        "purpose template",
		"check":            "",       // look into the account: all checks of the machine
		"request":          "",       // open or renew the document request with what is missing
		"restart":          "timer",  // start a timer anew
		"stop":             "timer",  //
		"clock":            "clock",  // start, from receipt
		"end_clock":        "clock",  //
		"extend":           "clock",  // use the longer period
		"execute":          "action", // order the change of the account
		"retry":            "",       // repeat the order with the same key
		"alert":            "alert",
		"invite":           "", // we asked for something in the app: a login within a day answers us
		"told":             "", // the customer has been told of every document decision
		"exclude":          "", // who refused does not decide again
		"clear":            "", // drop recommendation, approval and refusal
		"settle":           "item",
		"open_new":         "", // the mail begins a new ticket
		"finish_complaint": "",
	}
}

func (st *step) do(a Action) error {
	first, rest, _ := strings.Cut(a.Arg, " ")
	switch a.Verb {
	case "send":
		return st.send(a.Arg, "")
	case "reply":
		return st.reply(first, rest)
	case "challenge":
		return st.issue(first, rest)
	case "check":
		st.fx = append(st.fx, Effect{Kind: RunChecks, Checks: slices.Clone(st.m.Checks)})
	case "request":
		st.request()
	case "restart":
		st.restart(a.Arg)
	case "stop":
		st.stop(a.Arg)
	case "clock":
		return st.startClock(a.Arg, st.clockStart(a.Arg))
	case "end_clock":
		st.endClock(a.Arg)
	case "extend":
		return st.extendClock(a.Arg)
	case "execute":
		st.execute(a.Arg)
	case "retry":
		st.order()
	case "alert":
		return st.alert(a.Arg, nil)
	case "invite":
		st.c.InvitedUntil = st.now.Add(24 * time.Hour)
	case "told":
		st.told()
	case "exclude":
		st.exclude()
	case "clear":
		st.c.Recommendation, st.c.Approval, st.c.Refusal, st.c.Activity = nil, nil, nil, nil
	case "settle":
		st.settleItem(a.Arg)
	case "open_new":
		st.fx = append(st.fx, Effect{Kind: NewTicket})
	case "finish_complaint":
		st.c.Complaint.Ended = st.now
		st.endClock("complaint")
	default:
		return fmt.Errorf("unknown action")
	}
	return nil
}

// clockStart is the receipt: of the complaint, or of the request itself.
func (st *step) clockStart(kind string) time.Time {
	if kind == "complaint" && !st.c.Complaint.ReceivedAt.IsZero() {
		return st.c.Complaint.ReceivedAt
	}
	return st.c.OpenedAt
}

// send queues a mail. One for the registered address is left out while no account is known: there is nowhere safe to send it.
func (st *step) send(key, challenge string) error {
	def, ok := templateNamed(key)
	if !ok {
		return fmt.Errorf("unknown template")
	}
	if def.To == ToRegistered && st.c.Account.Address == "" {
		return nil
	}
	vars, err := st.vars(def)
	if err != nil {
		return err
	}
	last := st.c.Sent[key]
	st.c.Sent[key] = Sending{At: st.now, Count: last.Count + 1}
	fx := Effect{Kind: Send, Template: key, To: def.To, Address: st.address(def.To), Vars: vars, Page: def.Page, Challenge: challenge,
		Key: fmt.Sprintf("%d/%s/%d", st.c.Ticket, key, last.Count+1)}
	if challenge != "" {
		fx.Expires = st.c.Challenge.ExpiresAt
	}
	st.fx = append(st.fx, fx)
	return nil
}

// address is where a mail goes. Whoever is not known is answered where they wrote from; from an answered challenge on everything
// goes to the registered address, also when somebody else's mail opened the ticket.
func (st *step) address(to Recipient) string {
	switch {
	case st.stranger && to == ToCustomer:
		return st.e.Mail.From
	case to == ToRegistered || st.c.Identity.Level >= A3 && st.c.Account.Address != "":
		return st.c.Account.Address
	}
	return st.c.Identity.From
}

// reply sends unless the same mail went out within the period: asking every hour gets one answer.
func (st *step) reply(key, period string) error {
	span, err := ParseSpan(period)
	if last, sent := st.c.Sent[key]; err == nil && sent && st.now.Before(span.From(last.At, st.cal)) {
		return nil
	}
	return st.send(key, "")
}

// issue takes the fresh challenge of the event and mails it to the registered address only. Nothing is sent while the account
// is unknown, after three in a day, or while answers are locked.
func (st *step) issue(purpose, template string) error {
	day := st.now.Add(-24 * time.Hour)
	st.c.Challenge.Issued = slices.DeleteFunc(st.c.Challenge.Issued, func(t time.Time) bool { return !t.After(day) })
	if st.c.Account.Address == "" || len(st.c.Challenge.Issued) >= maxIssues || st.now.Before(st.c.Identity.LockedUntil) {
		return nil
	}
	if st.e.Fresh.Challenge == "" || st.e.Fresh.MAC == "" {
		return ErrFresh
	}
	life, ok := st.p.Settings["challenge"]
	if !ok {
		life = Span{72, "h"}
	}
	st.c.Challenge = Challenge{ID: st.e.Fresh.Challenge, MAC: st.e.Fresh.MAC, Purpose: purpose, Bound: st.bound(purpose),
		ExpiresAt: life.From(st.now, st.cal), Issued: append(st.c.Challenge.Issued, st.now)}
	st.fx = append(st.fx, Effect{Kind: Issue, Challenge: st.c.Challenge.ID, Expires: st.c.Challenge.ExpiresAt, Action: purpose})
	return st.send(template, st.c.Challenge.ID)
}

// request keeps one open request: what is missing is asked for, what was accepted is not.
func (st *step) request() {
	items := st.wanting()
	i := slices.IndexFunc(st.c.Requests, func(r Request) bool { return r.State == "open" || r.State == "answered" })
	if len(items) == 0 {
		if i >= 0 {
			st.c.Requests[i].State = "complete"
		}
		return
	}
	due := Span{14, "d"}.From(st.now, st.cal)
	if i < 0 {
		st.c.Requests = append(st.c.Requests, Request{ID: fmt.Sprintf("%d-%d", st.c.Ticket, len(st.c.Requests)+1), Purpose: st.m.Name})
		i = len(st.c.Requests) - 1
	}
	r := &st.c.Requests[i]
	r.Items, r.State, r.AskedAt, r.DueAt = items, "open", st.now, due
	r.Attempts++
}

// execute orders the change once per approval: the key is new, and the same for every repetition.
func (st *step) execute(action string) {
	x := &st.c.Execution
	*x = Execution{Number: x.Number + 1, Action: action, State: "ordered", At: st.now}
	if action == "payout" {
		st.c.Facts["amount"] = moneyNote(nonZero(st.c.Balances)) // what the confirmation will say was paid
	}
	x.Key = fmt.Sprintf("%s-%d-%d", action, st.c.Ticket, x.Number)
	st.order()
}

func (st *step) order() {
	st.c.Execution.Attempts++
	st.fx = append(st.fx, Effect{Kind: Execute, Action: st.c.Execution.Action, Key: st.c.Execution.Key})
}

func (st *step) told() {
	for _, key := range st.keys() {
		if it := st.c.Items[key]; st.m.Items[key].Source == FromDocument {
			it.Told = true
			st.c.Items[key] = it
		}
	}
}

func (st *step) exclude() {
	by := st.c.Decided
	if r := st.c.Refusal; r != nil {
		by = r.By
	}
	if by != "" && !slices.Contains(st.c.Excluded, by) {
		st.c.Excluded = append(st.c.Excluded, by)
	}
	st.c.Refusal = nil
}

// settleItem marks an item of the last phase as done by the machine itself.
func (st *step) settleItem(key string) {
	it := st.c.Items[key]
	it.State, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Evidence = ItemSatisfied, string(System), System, st.now, st.c.Execution.Key
	st.c.Items[key] = it
}
