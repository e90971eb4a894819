package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"postdesk/config"
	"postdesk/internal/mailbox"
	"postdesk/internal/outbox"
	"postdesk/internal/reply"
	"postdesk/internal/rules"
	"postdesk/internal/scan"
	"postdesk/templates"
)

type doctorCommand struct {
	JSON    bool          `help:"For machines." name:"json"`
	Timeout time.Duration `help:"Longest wait for one server." default:"20s"`
}

// finding is what one check saw.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	What  string `json:"what"`           // what was seen
	Do    string `json:"do,omitempty"`   // what to do about it
	Warn  bool   `json:"warn,omitempty"` // works, but less well
}

func (d *doctorCommand) Run(ctx context.Context, c *commands, std streams) error {
	findings := d.examine(ctx, c, std)
	failed := 0
	for _, f := range findings {
		if !f.OK {
			failed++
		}
	}
	if d.JSON {
		if err := printJSON(std.out, findings); err != nil {
			return err
		}
	} else {
		printFindings(std, findings)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(findings))
	}
	return nil
}

func printFindings(std streams, findings []finding) {
	for _, f := range findings {
		mark := "ok  "
		switch {
		case !f.OK:
			mark = "FAIL"
		case f.Warn:
			mark = "warn"
		}
		fmt.Fprintf(std.out, "%s  %-22s %s\n", mark, f.Check, f.What)
		if f.Do != "" {
			fmt.Fprintf(std.out, "      %-22s → %s\n", "", f.Do)
		}
	}
}

// examine tries everything, each by itself, so that one failure does not hide the next.
func (d *doctorCommand) examine(ctx context.Context, c *commands, std streams) []finding {
	s, err := c.configured()
	if err != nil {
		return []finding{{Check: "configuration", What: err.Error(), Do: "correct the file; postdesk init writes a commented one"}}
	}
	list := []finding{{Check: "configuration", OK: true, What: fmt.Sprintf("%d brands, %d mailboxes", len(s.Brands), len(s.Mailboxes))}}
	for _, w := range s.Warnings {
		list = append(list, finding{Check: "environment", OK: true, Warn: true, What: w})
	}
	list = append(list, checkKeys(s), checkTemplates(), checkRules(s), checkClock(), d.checkDatabase(ctx, s, std))
	if f, ok := checkWriteRights(s); ok {
		list = append(list, f)
	}
	if s.Intake.Clamd != "" {
		err := scan.Clamd{Address: s.Intake.Clamd}.Ping(ctx)
		list = append(list, result("clamd", s.Intake.Clamd, err, "check intake.clamd and that clamd runs; without it attachments stay unscanned and are not shown"))
	}
	for _, m := range s.Mailboxes {
		list = append(list, d.checkMailbox(ctx, s, m, std)...)
	}
	return append(list, d.checkSMTP(ctx, s))
}

func result(check, good string, err error, do string) finding {
	if err != nil {
		return finding{Check: check, What: err.Error(), Do: do}
	}
	return finding{Check: check, OK: true, What: good}
}

func checkKeys(s *config.Config) finding {
	_, err := config.LoadKeys(s.Keys.File)
	return result("keys", s.Keys.File, err, "postdesk init writes a key file; keep a copy in a safe place")
}

func checkTemplates() finding {
	set, err := reply.Load(templates.FS())
	if err == nil {
		err = set.Verify()
	}
	if err != nil {
		return result("templates", "", err, "")
	}
	return result("templates", fmt.Sprintf("%d in two languages", len(set.Keys())), nil, "")
}

func checkRules(s *config.Config) finding {
	set, err := rules.Load(config.RuleFiles(s.Rules.Dir))
	if err != nil {
		return result("rules", "", err, "correct the file named; postdesk rules test runs the examples")
	}
	if failures := set.Test(); len(failures) > 0 {
		return result("rules", "", fmt.Errorf("%d examples are not treated as their rules say", len(failures)), "postdesk rules test shows them")
	}
	return result("rules", "loaded, all examples hold", nil, "")
}

// checkClock looks for a clock that is plainly wrong: every deadline counts from it.
func checkClock() finding {
	now := time.Now().UTC()
	f := finding{Check: "clock", OK: now.Year() >= 2025 && now.Year() < 2100, What: now.Format(time.RFC3339)}
	if !f.OK {
		f.Do = "set the system clock (NTP): every deadline counts from it"
	}
	return f
}

func (d *doctorCommand) checkDatabase(ctx context.Context, s *config.Config, std streams) finding {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	st, err := openStore(ctx, s, quiet(std))
	if err != nil {
		return result("database", "", err, "check database.url, rights and that the server runs; postdesk migrate makes the schema")
	}
	defer st.Close()
	if _, err := st.Mailboxes(ctx); err != nil {
		return finding{Check: "database", What: err.Error(), Do: "postdesk migrate"}
	}
	return finding{Check: "database", OK: true, What: "opened, schema up to date"}
}

// checkWriteRights tries the folder of the SQLite file: SQLite writes its journal beside it.
func checkWriteRights(s *config.Config) (finding, bool) {
	path := s.Database.Path()
	if path == "" {
		return finding{}, false
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".postdesk-doctor-*")
	if err == nil {
		f.Close()
		err = os.Remove(f.Name())
	}
	return result("write rights", dir, err, "let the user that runs postdesk write into the folder of the database"), true
}

func (d *doctorCommand) checkMailbox(ctx context.Context, s *config.Config, m config.Mailbox, std streams) []finding {
	check := "mailbox " + m.Name
	cfg, err := pollerConfig(s, m)
	if err != nil {
		return []finding{result(check, "", err, "")}
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	seen, err := mailbox.New(cfg, nil, nil, quiet(std)).Check(ctx)
	if err != nil {
		return []finding{result(check, "", err, fmt.Sprintf("check mailboxes: %s: imap host, port, tls, username and password (%s:%d, %s)", m.Name, m.IMAP.Host, m.IMAP.Port, m.IMAP.TLS))}
	}
	list := []finding{{Check: check, OK: true, What: fmt.Sprintf("logged in, %d messages, UIDVALIDITY %d, %s", seen.Messages, seen.UIDValidity, useful(seen.Capabilities))}}
	for _, w := range seen.Warnings {
		list = append(list, finding{Check: check, OK: true, Warn: true, What: w})
	}
	return list
}

func useful(capabilities []string) string {
	var have []string
	for _, c := range capabilities {
		switch c {
		case "IDLE", "MOVE", "UIDPLUS", "CONDSTORE", "ID":
			have = append(have, c)
		}
	}
	return strings.Join(have, " ")
}

func (d *doctorCommand) checkSMTP(ctx context.Context, s *config.Config) finding {
	if s.SMTP.Host == "" {
		return finding{Check: "smtp", What: "smtp.host is empty: no answer can be sent", Do: "set smtp.host, port, tls, username and password_file"}
	}
	cfg, err := senderConfig(s)
	if err != nil {
		return result("smtp", "", err, "")
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	seen, err := outbox.Check(ctx, cfg)
	if err != nil {
		return result("smtp", "", err, fmt.Sprintf("check smtp: host, port, tls, username and password (%s:%d, %s)", s.SMTP.Host, s.SMTP.Port, s.SMTP.TLS))
	}
	what := seen.Address
	if seen.TLS != "" {
		what += ", " + seen.TLS
	}
	if seen.LoggedIn {
		what += ", logged in"
	}
	return finding{Check: "smtp", OK: true, What: what + ", " + strings.Join(seen.Extensions, " ")}
}
