package rules

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"postdesk/internal/ticket"
)

// Case is one mail with what is right for it, as a person labelled it.
type Case struct {
	ID         string
	Language   string
	Difficulty string
	Want       ticket.Category
	Secondary  []ticket.Category
	AccountID  string
	Amount     string
	TxID       string
	Provided   []string
	Got        Decision
}

// Report is how a rule set does on labelled mails.
type Report struct {
	Total, Right int
	ByCategory   map[ticket.Category]Tally
	ByLanguage   map[string]Tally
	ByDifficulty map[string]Tally
	Confusion    map[[2]ticket.Category]int // wanted, got
	Bins         []Bin
	Facts        map[string]Tally // account_id, amount, txid
	Provided     map[string]Tally
	SecondaryTo  Tally
	FalseClosure int // filed as closure, confident or not, and not one
	NotClosure   int
	Misfiled     int // wrong although confident enough to be answered without a person
	Wrong        []Case
}

// Tally counts true and false positives and false negatives; for languages and difficulties Hit and Miss only.
type Tally struct{ Hit, False, Miss int }

// Precision, Recall and F1 of a tally; 0 where there is nothing to divide by.
func (t Tally) Precision() float64 { return ratio(t.Hit, t.Hit+t.False) }
func (t Tally) Recall() float64    { return ratio(t.Hit, t.Hit+t.Miss) }
func (t Tally) F1() float64        { return ratio(2*t.Hit, 2*t.Hit+t.False+t.Miss) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Bin is one step of the calibration table: decisions that claimed a confidence in it, and how many were right.
type Bin struct {
	From, To     float64
	Count, Right int
	Claimed      float64 // sum of the confidences
}

// Score compares decisions with labels.
func Score(cases []Case) Report {
	r := Report{
		ByCategory: make(map[ticket.Category]Tally), ByLanguage: make(map[string]Tally), ByDifficulty: make(map[string]Tally),
		Confusion: make(map[[2]ticket.Category]int), Facts: make(map[string]Tally), Provided: make(map[string]Tally),
	}
	for i := range 10 {
		r.Bins = append(r.Bins, Bin{From: float64(i) / 10, To: float64(i+1) / 10})
	}
	for _, c := range cases {
		r.add(c)
	}
	return r
}

func (r *Report) add(c Case) {
	got, right := c.Got.Category, c.Got.Category == c.Want
	r.Total++
	r.Confusion[[2]ticket.Category{c.Want, got}]++
	bump(r.ByCategory, c.Want, right, !right, false)
	if !right {
		bump(r.ByCategory, got, false, false, true)
		r.Wrong = append(r.Wrong, c)
	} else {
		r.Right++
	}
	bump(r.ByLanguage, c.Language, right, !right, false)
	bump(r.ByDifficulty, c.Difficulty, right, !right, false)
	b := &r.Bins[min(9, int(c.Got.Confidence*10))]
	b.Count, b.Claimed = b.Count+1, b.Claimed+c.Got.Confidence
	if right {
		b.Right++
	}
	if c.Want != ticket.Closure {
		r.NotClosure++
		if got == ticket.Closure {
			r.FalseClosure++
		}
	}
	if !right && !c.Got.Hold() {
		r.Misfiled++
	}
	r.addFacts(c)
}

func bump[K comparable](m map[K]Tally, k K, hit, miss, wrong bool) {
	t := m[k]
	t.Hit += one(hit)
	t.Miss += one(miss)
	t.False += one(wrong)
	m[k] = t
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *Report) addFacts(c Case) {
	for _, f := range []struct{ name, want, got string }{
		{"account_id", c.AccountID, c.Got.Facts.AccountID.Text}, {"amount", c.Amount, c.Got.Facts.Amount.Text}, {"txid", c.TxID, c.Got.Facts.TxID.Text},
	} {
		bump(r.Facts, f.name, f.want != "" && f.want == f.got, f.want != "" && f.want != f.got, f.got != "" && f.want != f.got)
	}
	got := make([]string, len(c.Got.Provided))
	for i, p := range c.Got.Provided {
		got[i] = p.Name
	}
	for _, name := range closingItems {
		w, g := slices.Contains(c.Provided, name), slices.Contains(got, name)
		bump(r.Provided, name, w && g, w && !g, g && !w)
	}
	for _, cat := range ticket.Categories() {
		w, g := slices.Contains(c.Secondary, cat), slices.Contains(c.Got.Secondary, cat)
		r.SecondaryTo.Hit += one(w && g)
		r.SecondaryTo.Miss += one(w && !g)
		r.SecondaryTo.False += one(g && !w)
	}
}

// Accuracy is the share of mails filed right.
func (r Report) Accuracy() float64 { return ratio(r.Right, r.Total) }

// MacroF1 is the mean F1 of the categories that occur.
func (r Report) MacroF1() float64 {
	sum, n := 0.0, 0
	for _, c := range ticket.Categories() {
		if t := r.ByCategory[c]; t.Hit+t.Miss > 0 {
			sum, n = sum+t.F1(), n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// WriteTo prints the report as tables.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "mails %d  accuracy %.1f%%  macro-F1 %.3f  misfiled %.1f%%  false closure %.1f%%\n", r.Total, 100*r.Accuracy(), r.MacroF1(),
		100*ratio(r.Misfiled, r.Total), 100*ratio(r.FalseClosure, r.NotClosure))
	fmt.Fprintf(&b, "%-16s %6s %9s %7s %6s\n", "category", "mails", "precision", "recall", "F1")
	for _, c := range ticket.Categories() {
		t := r.ByCategory[c]
		fmt.Fprintf(&b, "%-16s %6d %9.3f %7.3f %6.3f\n", c, t.Hit+t.Miss, t.Precision(), t.Recall(), t.F1())
	}
	writeShares(&b, "language", r.ByLanguage)
	writeShares(&b, "difficulty", r.ByDifficulty)
	r.writeConfusion(&b)
	fmt.Fprintf(&b, "confidence  mails  claimed  right\n")
	for _, bin := range r.Bins {
		if bin.Count > 0 {
			fmt.Fprintf(&b, "%.1f–%.1f     %5d    %.2f    %.2f\n", bin.From, bin.To, bin.Count, bin.Claimed/float64(bin.Count), ratio(bin.Right, bin.Count))
		}
	}
	writeExtraction(&b, "fact", r.Facts)
	writeExtraction(&b, "provided", r.Provided)
	writeExtraction(&b, "secondary", map[string]Tally{"all": r.SecondaryTo})
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func writeShares(b *strings.Builder, name string, m map[string]Tally) {
	fmt.Fprintf(b, "%-11s", name)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t := m[k]
		fmt.Fprintf(b, " %s %d/%d", cmp.Or(k, "–"), t.Hit, t.Hit+t.Miss)
	}
	b.WriteByte('\n')
}

func (r Report) writeConfusion(b *strings.Builder) {
	fmt.Fprintf(b, "%-16s", "want \\ got")
	for _, c := range ticket.Categories() {
		fmt.Fprintf(b, " %8.8s", c)
	}
	b.WriteByte('\n')
	for _, want := range ticket.Categories() {
		fmt.Fprintf(b, "%-16s", want)
		for _, got := range ticket.Categories() {
			fmt.Fprintf(b, " %8d", r.Confusion[[2]ticket.Category{want, got}])
		}
		b.WriteByte('\n')
	}
}

func writeExtraction(b *strings.Builder, title string, m map[string]Tally) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t := m[k]
		fmt.Fprintf(b, "%s %-24s wanted %3d  precision %.3f  recall %.3f\n", title, k, t.Hit+t.Miss, t.Precision(), t.Recall())
	}
}
