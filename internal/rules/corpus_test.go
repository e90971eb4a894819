package rules_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"postdesk/internal/rules"
	"postdesk/internal/ticket"
)

// mail is one line of the labelled files.
type mail struct {
	ID          string
	Lang        string
	From        string
	Subject     string
	Body        string
	Attachments []rules.Attachment
	Category    ticket.Category
	Secondary   []ticket.Category
	Difficulty  string
	Provided    []string
	Facts       struct {
		AccountID string `json:"account_id"`
		Amount    string
		TxID      string
	}
	Tags   []string
	Source string
	Kind   string
}

func readMails(t testing.TB, path string) []mail {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var mails []mail
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var m mail
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatalf("%s:%d: %v", path, n, err)
		}
		mails = append(mails, m)
	}
	return mails
}

func load(t testing.TB) *rules.Set {
	t.Helper()
	set, err := rules.Load(os.DirFS("../../config/rules"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func classify(set *rules.Set, mails []mail) []rules.Case {
	cases := make([]rules.Case, len(mails))
	for i, m := range mails {
		cases[i] = rules.Case{
			ID: m.ID, Language: m.Lang, Difficulty: m.Difficulty, Want: m.Category, Secondary: m.Secondary, Provided: m.Provided,
			AccountID: m.Facts.AccountID, Amount: m.Facts.Amount, TxID: m.Facts.TxID,
			Got: set.Classify(m.facts()),
		}
	}
	return cases
}

func (m mail) facts() rules.Facts {
	return rules.Facts{From: m.From, Subject: m.Subject, Body: newText(m.Subject, m.Body), Attachments: m.Attachments, Kind: m.Kind}
}

// split puts every third mail, by id, aside: it is measured and never tuned on.
func split(mails []mail) (tune, aside []mail) {
	for i, m := range mails {
		if i%3 == 2 {
			aside = append(aside, m)
		} else {
			tune = append(tune, m)
		}
	}
	return tune, aside
}

func corpus(t testing.TB, name string) []mail {
	dir := os.Getenv("POSTDESK_CORPUS")
	if dir == "" {
		t.Skip("POSTDESK_CORPUS is not set")
	}
	return readMails(t, filepath.Join(dir, name))
}

func show(t *testing.T, title string, report rules.Report) {
	t.Logf("%s", title)
	report.WriteTo(logWriter{t})
}

type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("\n%s", p)
	return len(p), nil
}

func TestCorpus(t *testing.T) {
	set := load(t)
	tune, aside := split(corpus(t, "dev.jsonl"))
	report := rules.Score(classify(set, tune))
	show(t, "tuned on", report)
	printWrong(report)
	if report.Accuracy() < 0.95 {
		t.Errorf("accuracy %.3f", report.Accuracy())
	}
	if os.Getenv("POSTDESK_ASIDE") != "" {
		show(t, "kept aside", rules.Score(classify(set, aside)))
	}
}

func TestBanking77(t *testing.T) {
	set := load(t)
	report := rules.Score(classify(set, corpus(t, "banking77_train.jsonl")))
	show(t, "banking77_train", report)
	if report.Accuracy() < 0.9 {
		t.Errorf("accuracy %.3f", report.Accuracy())
	}
}

func ownMails(t testing.TB) []mail {
	t.Helper()
	files, err := filepath.Glob("../../testdata/rules/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no labelled mails", err)
	}
	var mails []mail
	for _, f := range files {
		mails = append(mails, readMails(t, f)...)
	}
	return mails
}

func TestOwnMailsAreFiledRight(t *testing.T) {
	report := rules.Score(classify(load(t), ownMails(t)))
	show(t, "own mails", report)
	printWrong(report)
	if report.Total < 400 || report.Accuracy() < 0.95 || report.MacroF1() < 0.95 || report.FalseClosure > 0 {
		t.Errorf("%d mails, accuracy %.3f, macro-F1 %.3f, false closures %d", report.Total, report.Accuracy(), report.MacroF1(), report.FalseClosure)
	}
}

func TestExamplesInTheRules(t *testing.T) {
	for _, f := range load(t).Test() {
		t.Error(f.Error())
	}
}

// printWrong lists the mails filed wrong where POSTDESK_WRONG asks for it.
func printWrong(report rules.Report) {
	if os.Getenv("POSTDESK_WRONG") == "" {
		return
	}
	for _, c := range report.Wrong {
		fmt.Printf("%s want %s got %s (%.2f) %v\n", c.ID, c.Want, c.Got.Category, c.Got.Confidence, c.Got.Scores)
	}
}
