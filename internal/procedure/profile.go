package procedure

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"

	"go.yaml.in/yaml/v3"
)

// Profile is what differs between brands: documents by risk, periods, wording of facts, and changes to machines.
type Profile struct {
	Name         string
	File         string
	Line         int
	Title        Text
	Matrix       map[string]map[Risk][]string // procedure → risk → kinds of documents (and terms, pay_password, sms)
	Onboarding   []string                     // documents asked for when the account was opened
	Files        FileRules
	Settings     map[string]Span
	Minimum      map[string]string // smallest withdrawal by currency
	DustCap      map[string]string // most that may be given up in writing
	DustWays     []string          // manual_payout, fee_waiver, written_waiver, donate
	Login        string            // what a login means while a request is open: ignore_invited, reconfirm, note
	Channels     []string          // how a challenge may be answered: page, app, email_reply
	Domains      []string
	SelfPaths    []Text
	Linked       []Text
	Benefits     []Text
	Disabled     []Text // what soft deactivation switches off
	Hardening    []Text // what to do after unlocking, beside password and second factor
	Guide        []Text // brand's own lines of the closure guide
	Consequences []Text
	Keeps        []Keep // what is kept after closing
	Complaint    Text   // how to complain
	Redemption   Text   // how to claim money that arrives later
	Return       Text   // how to come back from deactivation
	Range        Text   // how long a review takes; said only when set
	Terms        Terms
	ADR          Text
	ClosedAs     []string // account states that mean closed
	Path         Text     // the official way into the app's support
	machines     map[string]part
}

// Keep is one kind of record that stays after closing: what, for how long, and on which duty.
type Keep struct{ What, Period, Basis Text }

// Terms is the closure agreement a customer consents to. Hash is over version, address and both texts: consent to other words is
// consent to something else.
type Terms struct {
	Version string
	Hash    string
	URL     string
	Text    Text
}

// Jurisdiction holds the statutory periods that hold for a customer.
type Jurisdiction struct {
	Name      string
	Calendar  string
	calendar  *Calendar
	Clocks    map[string]Span // period of each clock, from receipt
	Authority Text
	Court     Text
}

func (r *reader) profile(n *yaml.Node, name string) *Profile {
	f := r.fields(n, "profile", "title", "docs", "onboarding", "files", "settings", "minimum", "dust_cap", "dust_ways", "login", "channels",
		"domains", "self_service", "linked", "benefits", "disabled", "keeps", "hardening", "guide", "consequences", "complaint",
		"redemption", "return", "range", "terms", "adr", "closed_as", "path", "machines")
	p := &Profile{
		Name: name, File: r.file, Line: n.Line, Title: r.text(f["title"]), Matrix: map[string]map[Risk][]string{}, Onboarding: r.list(f["onboarding"]),
		Files: r.fileRules(f["files"]), Settings: r.spans(f["settings"]), Minimum: r.amounts(f["minimum"]), DustCap: r.amounts(f["dust_cap"]),
		DustWays: r.list(f["dust_ways"]), Login: r.oneOf(f["login"], "ignore_invited", "reconfirm", "note"), Channels: r.list(f["channels"]),
		Domains: r.list(f["domains"]), SelfPaths: r.texts(f["self_service"]), Linked: r.texts(f["linked"]), Benefits: r.texts(f["benefits"]),
		Disabled: r.texts(f["disabled"]), Keeps: r.keeps(f["keeps"]), Hardening: r.texts(f["hardening"]), Guide: r.texts(f["guide"]),
		Consequences: r.texts(f["consequences"]), Complaint: r.text(f["complaint"]), Redemption: r.text(f["redemption"]), Return: r.text(f["return"]),
		Range: r.text(f["range"]), Terms: r.terms(f["terms"]), ADR: r.text(f["adr"]),
		ClosedAs: r.list(f["closed_as"]), Path: r.text(f["path"]), machines: map[string]part{},
	}
	r.each(f["docs"], func(proc string, _, v *yaml.Node) {
		p.Matrix[proc] = map[Risk][]string{}
		r.each(v, func(risk string, k, docs *yaml.Node) {
			p.Matrix[proc][Risk(r.oneOf(k, "low", "medium", "high"))] = r.list(docs)
		})
	})
	r.each(f["machines"], func(proc string, _, v *yaml.Node) { p.machines[proc] = r.part(v, proc) })
	if len(p.Channels) == 0 || len(p.ClosedAs) == 0 {
		r.fail(n.Line, "a profile needs channels and closed_as")
	}
	return p
}

func (r *reader) terms(n *yaml.Node) Terms {
	if n == nil {
		return Terms{}
	}
	f := r.fields(n, "version", "url", "text")
	t := Terms{Version: r.str(f["version"]), URL: r.str(f["url"]), Text: r.text(f["text"])}
	if t.Version == "" || t.Text.En == "" {
		r.fail(n.Line, "terms need version and text")
	}
	sum := sha256.Sum256([]byte(t.Version + "\n" + t.URL + "\n" + t.Text.Zh + "\n" + t.Text.En))
	t.Hash = hex.EncodeToString(sum[:])
	return t
}

func (r *reader) keeps(n *yaml.Node) []Keep {
	var out []Keep
	for _, k := range nodes(n) {
		f := r.fields(k, "what", "period", "basis")
		out = append(out, Keep{r.text(f["what"]), r.text(f["period"]), r.text(f["basis"])})
	}
	return out
}

// amounts reads a mapping of currencies to amounts, which are strings in decimal notation.
func (r *reader) amounts(n *yaml.Node) map[string]string {
	out := r.words(n)
	for ccy, a := range out {
		if _, ok := new(big.Rat).SetString(a); !ok {
			r.fail(n.Line, "%s: %q is not an amount", ccy, a)
		}
	}
	return out
}

func (r *reader) jurisdictions(n *yaml.Node, into map[string]*Jurisdiction, cals map[string]*Calendar) {
	r.each(n, func(name string, k, v *yaml.Node) {
		f := r.fields(v, "calendar", "clocks", "authority", "court")
		j := &Jurisdiction{Name: name, Calendar: r.str(f["calendar"]), Clocks: r.spans(f["clocks"]), Authority: r.text(f["authority"]), Court: r.text(f["court"])}
		if j.calendar = cals[j.Calendar]; j.calendar == nil {
			r.fail(k.Line, "calendar %q is unknown", j.Calendar)
		}
		into[name] = j
	})
}
