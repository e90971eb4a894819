package procedure

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// shippedFiles copies the procedures as they are shipped, so that a test can break one.
func shippedFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	root := os.DirFS("../../config/procedures")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		out[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lineOf(text []byte, part string) int {
	i := bytes.Index(text, []byte(part))
	return 1 + bytes.Count(text[:max(0, i)], []byte("\n"))
}

// Each change is a mistake somebody could make in a file. The error has to name the file, the line and what is wrong.
func TestMistakesInFilesAreFoundAtLoad(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, new string
		at             string // the text on the line the error must name; "" when it is about the whole procedure
		want           string
	}{
		"unknown key":                   {"closure.yaml", "clocks: [closure]", "clock: [closure]", "clock: [closure]", `unknown key "clock"`},
		"unknown condition":             {"closure.yaml", "when: [checks_pass, items(info)]", "when: [checks_fine]", "[checks_fine]", `condition "checks_fine" is unknown`},
		"unknown item":                  {"locked.yaml", "item(lk.2fa)]", "item(lk.3fa)]", "item(lk.3fa)]", `"lk.3fa" is unknown`},
		"unknown mail":                  {"closure.yaml", "send closure.under_review", "send closure.review", "send closure.review", `no known template`},
		"staff mail to a customer":      {"closure.yaml", "send closure.under_review", "send int.hold_set", "send int.hold_set", `no known template`},
		"unknown state":                 {"locked.yaml", "to: factor_pending}", "to: nowhere}", "to: nowhere}", `state "nowhere" is unknown`},
		"unknown event":                 {"other.yaml", "on: advance", "on: done", "on: done", `event "done" is unknown`},
		"unknown timer":                 {"other.yaml", "timers: [first_reply]}", "timers: [first]}", "", `unknown timer "first"`},
		"bad period":                    {"other.yaml", "{after: 1bd}", "{after: soon}", "{after: soon}", `period "soon"`},
		"unknown fragment":              {"other.yaml", "include: [base]", "include: [bases]", "", `unknown fragment "bases"`},
		"one language only":             {"other.yaml", "title: {zh: 其他问题, en: Other questions}", "title: {en: Other questions}", "title: {en:", "a text needs zh and en"},
		"a wait without an end":         {"other.yaml", "  - {from: [waiting], on: timer.waiting_end, to: resolved, do: [send ops.resolved]}\n", "", "", "can wait for ever"},
		"a wait that may not end":       {"other.yaml", "on: timer.waiting_end, to: resolved", "on: timer.waiting_end, when: [confident], to: resolved", "", "can wait for ever"},
		"a state nobody reaches":        {"other.yaml", "states:\n", "states:\n  attic: {status: open, timers: [first_reply]}\n", "", "state attic (line "},
		"a refusal in silence":          {"fragments/decision.yaml", "to: refused, do: [send @refused_neutral]", "to: refused", "on: auto, when: [code(legal_obligation), approved]", "nobody is refused in silence"},
		"execution without two people":  {"fragments/execution.yaml", "two_people, ", "", "to: executing", "without the condition two_people"},
		"execution without identity":    {"fragments/execution.yaml", "when: [identity, items(all)", "when: [items(all)", "to: executing", "without the condition identity"},
		"execution despite a hold":      {"fragments/execution.yaml", "two_people, no_hold, ", "two_people, ", "to: executing", "without the condition no_hold"},
		"execution on stale checks":     {"fragments/execution.yaml", "cleared, fresh, ", "cleared, ", "to: executing", "without the condition fresh"},
		"execution with open items":     {"fragments/execution.yaml", "items(all)", "items(info)", "to: executing", "without the condition items(all)"},
		"execution on a mail":           {"fragments/execution.yaml", "{from: [final_checks], on: check, when: [identity", "{from: [final_checks], on: mail, when: [identity", "on: mail, when: [identity", "only a fresh look"},
		"execute elsewhere":             {"closure.yaml", "send closure.under_review]", "send closure.under_review, execute close]", "execute close", "does not enter a guarded state"},
		"a hold that tells":             {"fragments/decision.yaml", "when: [by(approver), identity, items(visible)]", "when: [by(approver), no_hold]", "when: [by(approver), no_hold]", "would tell what is hidden"},
		"a release that is seen":        {"fragments/execution.yaml", "on: hold_released, do: [check]", "on: hold_released, do: [send @progress]", "on: hold_released", "could be seen"},
		"facts to anybody":              {"withdrawal.yaml", "when: [confident], to: collect, do: [send withdrawal.guide", "when: [confident], to: collect, do: [send withdrawal.status", "send withdrawal.status", "the sender may be anybody"},
		"a move never taken":            {"other.yaml", "  - {from: [waiting], on: mail, to: with_agent}\n", "  - {from: [waiting], on: mail, to: with_agent}\n  - {from: [waiting], on: mail, to: resolved}\n", "on: mail, to: resolved}", "is never taken"},
		"a document nobody describes":   {"brands/e-money.yaml", "high: [notice, identity", "high: [notice, passport", "", `no item of the procedure is for "passport"`},
		"an amount in words":            {"brands/e-money.yaml", `EUR: "10.00"`, `EUR: "ten"`, `EUR: "ten"`, "is not an amount"},
		"two procedures for a category": {"complaint.yaml", "procedure: complaint\n", "procedure: complaint\ncategory: closure\n", "", "belongs to procedure"},
		"an unknown calendar":           {"jurisdictions.yaml", "calendar: UK", "calendar: FR", "", `calendar "FR" is unknown`},
		"a clock without a period":      {"jurisdictions.yaml", "clocks: {closure: 15bd, complaint: 15d, ", "clocks: {complaint: 15d, ", "", `no period for the clock "closure"`},
		"not YAML":                      {"other.yaml", "procedure: other", "procedure: [other", "", "other.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			files := shippedFiles(t)
			old := files[c.file].Data
			broken := bytes.Replace(old, []byte(c.old), []byte(c.new), 1)
			if bytes.Equal(old, broken) {
				t.Fatalf("%s has no %q to break", c.file, c.old)
			}
			files[c.file] = &fstest.MapFile{Data: broken}
			_, err := Load(files, os.DirFS("../../config/calendars"))
			if err == nil {
				t.Fatal("loaded")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the error does not say %q:\n%v", c.want, err)
			}
			if at := c.file + ":" + itoa(lineOf(broken, c.at)) + ":"; c.at != "" && !strings.Contains(err.Error(), at) {
				t.Errorf("the error does not name %s\n%v", at, err)
			}
		})
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func TestClosingThatAsksForMoreThanOpeningDidIsRemarked(t *testing.T) {
	if s := load(t); len(s.Warnings) != 0 {
		t.Errorf("the shipped profiles: %v", s.Warnings)
	}
	files := shippedFiles(t)
	b := bytes.Replace(files["brands/e-money.yaml"].Data, []byte("onboarding: [identity, address, selfie]"), []byte("onboarding: [identity]"), 1)
	files["brands/e-money.yaml"] = &fstest.MapFile{Data: b}
	s, err := Load(files, os.DirFS("../../config/calendars"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) != 2 || !strings.Contains(s.Warnings[0], "address") {
		t.Errorf("remarks %v", s.Warnings)
	}
}

func TestVersionChangesWithTheFiles(t *testing.T) {
	files := shippedFiles(t)
	files["other.yaml"] = &fstest.MapFile{Data: append(files["other.yaml"].Data, "# more\n"...)}
	s, err := Load(files, os.DirFS("../../config/calendars"))
	if err != nil || s.Version == load(t).Version {
		t.Errorf("version %v, %v", s, err)
	}
}

func TestEveryCategoryOfTheRulesHasAProcedure(t *testing.T) {
	s := load(t)
	for category, want := range map[string]string{"closure": "closure", "locked_account": "locked", "payment_failure": "payment_failure", "withdrawal": "withdrawal",
		"restriction": "restriction", "other": "other", "no such": "other"} {
		for _, p := range s.Profiles() {
			if got := s.ForCategory(p, category); got != want {
				t.Errorf("%s with %s: %s", category, p, got)
			}
		}
	}
}

func TestEveryRejectAndRefusalHasWordsInBothLanguages(t *testing.T) {
	for _, c := range RejectCodes() {
		for _, lang := range []string{"zh-Hans", "en"} {
			if c.Reason(lang) == "" || c.Hint(lang) == "" {
				t.Errorf("%s has no words in %s", c, lang)
			}
		}
	}
	if RejectEdited.Reason("en") != RejectUnreadable.Reason("en") || RejectEdited.Reason("zh") != RejectUnreadable.Reason("zh") {
		t.Error("a doubt about honesty reaches the customer")
	}
	for _, code := range RefusalCodes() {
		if w := refusalWords(code); w.reason.Zh == "" || w.reason.En == "" {
			t.Errorf("%s has no words", code)
		}
	}
}

func TestGraph(t *testing.T) {
	s := load(t)
	for _, format := range []string{"mermaid", "dot"} {
		var b bytes.Buffer
		if err := s.Graph(&b, "e-money", "closure", format); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "closure."+format)
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s differs from %s", format, golden)
		}
	}
	if s.Graph(&bytes.Buffer{}, "e-money", "closure", "png") == nil || s.Graph(&bytes.Buffer{}, "e-money", "nothing", "dot") == nil {
		t.Error("an unknown format or procedure was drawn")
	}
}

func FuzzLoadProcedure(f *testing.F) {
	files := shippedFiles(f)
	f.Add(string(files["other.yaml"].Data))
	f.Add(string(files["closure.yaml"].Data))
	f.Add("procedure: [x\n")
	f.Add("moves: [{from: , on: }]\nitems: {a: }\nstates: 1\n")
	cals := calendars(f)
	f.Fuzz(func(t *testing.T, text string) {
		one := fstest.MapFS{"other.yaml": {Data: []byte(text)}}
		for _, name := range []string{"jurisdictions.yaml", "brands/e-money.yaml", "fragments/base.yaml", "fragments/stop.yaml"} {
			one[name] = files[name]
		}
		src, err := readAll(one, cals)
		if err != nil {
			return
		}
		s := &Set{Version: src.version, machines: map[string]map[string]*Machine{}, profiles: src.profiles, jurisdictions: src.jurisdictions, calendars: cals}
		if s.merge(src) == nil && s.check() == nil && s.Machine("e-money", "other") == nil {
			t.Error("loaded without a machine")
		}
	})
}
