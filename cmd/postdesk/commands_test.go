package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

// commandLine runs postdesk in a folder of its own, with what it reads on stdin and more environment.
func commandLine(t *testing.T, dir, stdin string, env []string, args ...string) (out, errOut string, code int) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, bin: bin, dir: dir}
	cmd := o.command(args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), exitCode(err)
}

func TestCommand_InitNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, _, code := commandLine(t, dir, "", nil, "init"); code != 0 || strings.Count(out, "written") != 2 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	keys, err := os.ReadFile(filepath.Join(dir, "postdesk.keys"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "postdesk.keys")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "postdesk.yaml"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code := commandLine(t, dir, "", nil, "init", "--dir", dir); code != 0 || strings.Count(out, "kept") != 2 {
		t.Errorf("a second init: exit %d\n%s", code, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, "postdesk.keys"))
	text, err2 := os.ReadFile(filepath.Join(dir, "postdesk.yaml"))
	if err != nil || err2 != nil || string(after) != string(keys) || string(text) != "mine" {
		t.Errorf("init overwrote a file: %v %v", err, err2)
	}
}

func TestCommand_ExitCodes(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	for _, c := range []struct {
		args  string
		code  int
		words string // on stderr
	}{
		{"version", 0, ""},
		{"--help", 0, ""},
		{"frobnicate", 2, "frobnicate"},
		{"ticket show", 2, "number"},
		{"ticket show seven", 2, "seven"},
		{"ticket list --status hungry", 2, "hungry"},
		{"serve --only sleep", 2, "sleep"},
		{"mail inspect", 2, "file"},
		{"ticket show 7", 1, "ticket 7: not found"},
		{"ticket reply 7 --text hello", 1, "--as AGENT"},
		{"ticket reply 7 --text hello --as eve", 1, "postdesk agent add eve"},
		{"delivery retry 7", 1, "delivery 7: not found"},
		{"delivery cancel 7", 1, "delivery 7: not found"},
		{"quarantine show 7", 1, "7: not found"},
		{"agent add eve --role queen", 1, "queen"},
		{"agent disable eve", 1, "eve"},
		{"mail inspect --json no.eml", 1, "no.eml"},
		{"mail import no.eml", 1, "no.eml"},
		{"mail import --mailbox other postdesk.yaml", 1, "other"},
		{"--config no.yaml ticket list", 1, "no.yaml"},
	} {
		out, errOut, err := o.try(strings.Fields(c.args)...)
		if got := exitCode(err); got != c.code || !strings.Contains(errOut, c.words) || strings.Count(errOut, "\n") > 1 {
			t.Errorf("postdesk %s: exit %d, want %d and %q in one line on stderr\n%s%s", c.args, got, c.code, c.words, out, errOut)
		}
	}
}

func TestCommand_UnknownSettingNamesFileAndLine(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	o.edit("authenticity:", "authentisity:")
	text, err := os.ReadFile(o.file)
	if err != nil {
		t.Fatal(err)
	}
	line := 1 + strings.Count(string(text[:strings.Index(string(text), "authentisity")]), "\n")
	o.refused(1, fmt.Sprintf("postdesk.yaml:%d: ", line), "ticket", "list")
	o.refused(1, "authentisity", "serve")
}

func TestCommand_InspectAnything(t *testing.T) {
	t.Parallel()
	keys := []string{"message_id", "from", "from_name", "sender", "reply_to", "to", "cc", "subject", "date", "in_reply_to", "references", "kind",
		"auto_submitted", "is_bounce", "bounce", "language", "text", "new_text", "html", "attachments", "problems", "sha256"}
	for _, input := range []string{"", "\n", "\x00\xff\xfe", "no header at all", strings.Repeat("(", 10_000), string(letterTo(supportAddress, 1))} {
		out, errOut, code := commandLine(t, t.TempDir(), input, nil, "mail", "inspect", "--json", "-")
		if code != 0 || errOut != "" {
			t.Errorf("%.20q: exit %d %s", input, code, errOut)
		}
		object := map[string]any{}
		if err := json.Unmarshal([]byte(out), &object); err != nil {
			t.Fatalf("%.20q: %v\n%s", input, err, out)
		}
		has(t, "mail inspect", object, keys...)
		if strings.HasPrefix(input, "From") != (len(object["problems"].([]any)) == 0) {
			t.Errorf("%.20q: problems %v", input, object["problems"])
		}
	}
}

// has compares the keys of an object with those that scripts count on.
func has(t *testing.T, what string, object map[string]any, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if _, ok := object[k]; !ok {
			t.Errorf("%s has no %q: %v", what, k, object)
		}
	}
}

func TestCommand_ClassifyAnswersInOrder(t *testing.T) {
	t.Parallel()
	in := `{"id":"b","from":"a@b.example","subject":"Please close my account","body":"Please close my account OK-4711 permanently.","attachments":[],"more":1}
{"id":"a","subject":"提现一直没到账","body":"我前天提现的 100 USDT 到现在还没有到账","attachments":[{"filename":"id.jpg","content_type":"image/jpeg"}]}

{"id":"c"}
`
	out, errOut, code := commandLine(t, t.TempDir(), in, nil, "rules", "classify", "--jsonl")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != 0 || len(lines) != 3 {
		t.Fatalf("exit %d, %d lines\n%s%s", code, len(lines), out, errOut)
	}
	for i, id := range []string{"b", "a", "c"} {
		object := map[string]any{}
		if err := json.Unmarshal([]byte(lines[i]), &object); err != nil {
			t.Fatal(err)
		}
		has(t, "rules classify", object, "id", "category", "confidence", "secondary", "language", "matched", "facts", "provided")
		if want := []map[string]any{{"account_id": "OK-4711"}, {"amount": "100 USDT"}, {}}[i]; fmt.Sprint(object["facts"]) != fmt.Sprint(want) {
			t.Errorf("line %d: facts %v, want %v", i+1, object["facts"], want)
		}
		if object["id"] != id || !slices.Contains(ticket.Categories(), ticket.Category(object["category"].(string))) {
			t.Errorf("line %d: %v", i+1, object)
		}
		for _, m := range object["matched"].([]any) {
			has(t, "matched", m.(map[string]any), "rule", "text", "start", "end")
		}
	}
	_, errOut, code = commandLine(t, t.TempDir(), "{\"id\":\"a\"}\nnot JSON\n", nil, "rules", "classify", "--jsonl")
	if code != 1 || !strings.Contains(errOut, "line 2") {
		t.Errorf("a line that is no JSON: exit %d %s", code, errOut)
	}
}

// TestCommand_Verbs works tickets as people and scripts do.
func TestCommand_Verbs(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	o.takeIn(1, 2, 3, 5) // 5 brings a file
	o.run("agent", "add", "Anna", "--full-name", "Anna Berg", "--role", "senior")
	o.run("agent", "add", "audrey", "--role", "auditor")
	o.run("agent", "add", "old")
	o.run("agent", "disable", "old")

	o.run("ticket", "assign", "1", "anna", "--as", "anna")
	o.refused(1, "old", "ticket", "assign", "1", "old", "--as", "anna")
	o.run("ticket", "note", "1", "--as", "anna", "--text", "Called her: it is really her wish.")
	o.refused(1, "audrey", "ticket", "reply", "1", "--as", "audrey", "--text", "Hello")
	o.refused(1, "old", "ticket", "reply", "1", "--as", "old", "--text", "Hello")
	o.refused(1, "empty", "ticket", "reply", "1", "--as", "anna")
	o.run("ticket", "reply", "1", "--as", "anna", "--text", "Dear customer, we have begun.")
	v := read[desk.TicketView](o, "ticket", "show", "1")
	last := v.Messages[len(v.Messages)-1]
	if v.Assignee != "anna" || v.Status != ticket.Waiting || last.Direction != ticket.Out || last.Author != "anna" || !strings.Contains(last.Text, "we have begun") || last.Delivery.State != ticket.Queued {
		t.Errorf("after a reply: %s %s %+v", v.Assignee, v.Status, last)
	}
	for _, m := range v.Messages {
		if m.Direction == ticket.Out && strings.Contains(m.Text, "Called her") {
			t.Error("a note was sent")
		}
	}
	o.run("ticket", "close", "1", "--as", "anna", "--reason", "done")
	o.refused(1, "ticket 1 is closed already", "ticket", "close", "1", "--as", "anna")
	if got := o.run("ticket", "list", "--status", "closed"); strings.Count(got, "\n") != 2 {
		t.Errorf("ticket list --status closed prints\n%s", got)
	}
	o.run("ticket", "reopen", "1", "--as", "anna")
	o.refused(1, "open already", "ticket", "reopen", "1", "--as", "anna")

	o.run("delivery", "cancel", "2")
	o.refused(1, "cancelled", "delivery", "cancel", "2")
	o.refused(1, "cancelled", "delivery", "retry", "2")

	contractShapes(t, o)
	paging(t, o)
	o.wholeRecord()
}

// contractShapes compares the JSON of the lists with what scripts count on.
func contractShapes(t *testing.T, o *office) {
	short := []string{"number", "category", "confidence", "status", "stage", "brand", "customer", "subject", "language", "assignee", "created_at", "updated_at", "due_at"}
	list := read[[]map[string]any](o, "ticket", "list")
	has(t, "ticket list", list[0], short...)
	for _, k := range []string{"messages", "checklist", "documents", "events"} {
		if _, ok := list[0][k]; ok {
			t.Errorf("ticket list without --full has %q", k)
		}
	}
	full := read[[]map[string]any](o, "ticket", "list", "--full")
	one := read[map[string]any](o, "ticket", "show", "4")
	for _, object := range []map[string]any{full[3], one} {
		has(t, "ticket", object, append(short, "messages", "checklist", "documents", "events")...)
		has(t, "customer", object["customer"].(map[string]any), "address", "name")
		first := object["messages"].([]any)[0].(map[string]any)
		has(t, "message", first, "id", "direction", "kind", "from", "to", "subject", "message_id", "text", "template", "attachments", "raw_sha256")
		has(t, "attachment", first["attachments"].([]any)[0].(map[string]any), "filename", "content_type", "size", "sha256", "inline")
		sent := object["messages"].([]any)[1].(map[string]any)
		has(t, "delivery of a message", sent["delivery"].(map[string]any), "state", "attempts", "last_response")
		has(t, "event", object["events"].([]any)[0].(map[string]any), "seq", "at", "actor", "kind", "data")
	}
	has(t, "delivery list", read[[]map[string]any](o, "delivery", "list")[0], "id", "ticket", "template", "to", "message_id", "state", "attempts", "next_attempt_at", "last_response")
	box := read[[]map[string]any](o, "mailbox", "status")[0]
	has(t, "mailbox status", box, "name", "address", "state", "uidvalidity", "last_uid", "last_success_at", "last_error", "counts")
	has(t, "counts", box["counts"].(map[string]any), "ticketed", "quarantined", "duplicate", "failed")
	has(t, "audit log", read[[]map[string]any](o, "audit", "log", "--ticket", "1")[0], "seq", "at", "actor", "kind", "ticket", "data")
	has(t, "audit verify", read[map[string]any](o, "audit", "verify"), "ok", "events", "originals", "tree_size", "checkpoint", "failures")
	agents := read[[]map[string]any](o, "agent", "list")
	if _, told := agents[0]["password"]; told || len(agents) != 3 {
		t.Errorf("agent list: %v", agents)
	}
	if got := o.run("quarantine", "list", "--json"); strings.TrimSpace(got) != "[]" {
		t.Errorf("an empty list is printed as %s", got)
	}
}

func paging(t *testing.T, o *office) {
	for _, c := range []struct{ list, id string }{{"ticket", "number"}, {"delivery", "id"}, {"audit", "seq"}} {
		verb := map[string]string{"audit": "log"}[c.list]
		if verb == "" {
			verb = "list"
		}
		whole := read[[]map[string]any](o, c.list, verb)
		var paged []map[string]any
		for after := "0"; ; {
			page := read[[]map[string]any](o, c.list, verb, "--limit", "3", "--after", after)
			paged = append(paged, page...)
			if len(page) < 3 || len(paged) > 9 {
				break
			}
			after = fmt.Sprint(int64(page[2][c.id].(float64)))
		}
		n := min(len(whole), len(paged))
		if a, b := fmt.Sprint(whole[:n]), fmt.Sprint(paged[:n]); a != b || n < 4 {
			t.Errorf("%s %s in pages differs from the whole:\n%s\n%s", c.list, verb, a, b)
		}
	}
}

func TestCommand_AgentPassword(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	env := []string{"POSTDESK_CONFIG=" + o.file}
	o.run("agent", "add", "boss", "--role", "admin")
	if out, errOut, code := commandLine(t, o.dir, "a long and secret word\n", env, "agent", "add", "anna", "--password", "--as", "boss"); code != 0 || strings.Contains(out+errOut, "secret") {
		t.Errorf("exit %d %s%s", code, out, errOut)
	}
	if _, errOut, code := commandLine(t, o.dir, "short\n", env, "agent", "password", "anna"); code != 1 || !strings.Contains(errOut, "10 characters") {
		t.Errorf("a short password: exit %d %s", code, errOut)
	}
	if _, errOut, code := commandLine(t, o.dir, "\n", env, "agent", "password", "anna"); code != 1 || !strings.Contains(errOut, "empty") {
		t.Errorf("an empty password: exit %d %s", code, errOut)
	}
	if out, errOut, code := commandLine(t, o.dir, "another long word\n", env, "agent", "password", "anna"); code != 0 {
		t.Errorf("exit %d %s%s", code, out, errOut)
	}
	o.refused(1, "anna", "agent", "add", "eve", "--as", "anna") // an agent is no administrator
	if log := o.run("audit", "log"); strings.Contains(log, "argon2") || strings.Contains(log, "secret") {
		t.Errorf("the record tells a password:\n%s", log)
	}
	o.wholeRecord()
}

// TestCommand_Quarantine looks at a mail that could not be attributed safely, and lets it out.
func TestCommand_Quarantine(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	o.takeIn(1)
	answer := read[desk.TicketView](o, "ticket", "show", "1").Messages[1]
	stranger := letter("stranger@evil.example", "Re: close", "I am her lawyer.", "In-Reply-To: <"+answer.MessageID+">")
	file := filepath.Join(o.dir, "stranger.eml")
	if err := os.WriteFile(file, stranger, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := o.run("mail", "import", file); out != "0 new, 0 duplicate, 1 quarantined\n" {
		t.Errorf("mail import prints %q", out)
	}
	held := read[[]map[string]any](o, "quarantine", "list")
	has(t, "quarantine list", held[0], "id", "mailbox", "uid", "reason", "from", "subject", "message_id", "raw_sha256", "ticket", "at")
	if shown := o.run("quarantine", "show", "1"); !strings.Contains(shown, "I am her lawyer.") || !strings.Contains(shown, "stranger@evil.example") {
		t.Errorf("quarantine show prints\n%s", shown)
	}
	o.run("agent", "add", "anna", "--role", "senior")
	o.refused(1, "--as AGENT", "quarantine", "release", "1")
	o.run("quarantine", "release", "1", "--as", "anna")
	o.refused(1, "released already", "quarantine", "release", "1", "--as", "anna")
	if left := read[[]desk.HeldView](o, "quarantine", "list"); len(left) != 0 {
		t.Errorf("still in quarantine: %+v", left)
	}
	if all := read[[]desk.HeldView](o, "quarantine", "list", "--all"); len(all) != 1 || all[0].State != "released" {
		t.Errorf("quarantine list --all: %+v", all)
	}
	o.wholeRecord()
}

// TestCommand_Doctor tries good settings, and then breaks one after another.
func TestCommand_Doctor(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	failing := func() (names []string) {
		out, errOut, err := o.try("doctor", "--json", "--timeout", "30s")
		var list []finding
		if jsonErr := json.Unmarshal([]byte(out), &list); jsonErr != nil {
			t.Fatalf("%v\n%s%s", jsonErr, out, errOut)
		}
		for _, f := range list {
			if !f.OK {
				names = append(names, f.Check)
			}
			if !f.OK && f.Do == "" {
				t.Errorf("doctor does not say what to do about %+v", f)
			}
		}
		if code := exitCode(err); code == 0 != (len(names) == 0) {
			t.Errorf("exit %d with %v failing", code, names)
		}
		return names
	}
	if bad := failing(); len(bad) > 0 {
		t.Errorf("good settings: %v\n%s", bad, o.run("doctor"))
	}
	for _, c := range []struct{ check, old, new string }{
		{"mailbox support", imap.Password, "wrong"},
		{"smtp", fmt.Sprintf("port: %d, tls: none}\n", sink.Port), "port: 1, tls: none}\n"},
		{"database", "sqlite:postdesk.db", "sqlite:none/postdesk.db"},
		{"keys", "authenticity:", "keys: {file: none.keys}\nauthenticity:"},
		{"rules", "authenticity:", "rules: {dir: none}\nauthenticity:"},
		{"configuration", "authenticity:", "authentisity:"},
	} {
		o.edit(c.old, c.new)
		if bad := failing(); !slices.Contains(bad, c.check) || len(bad) > 2 {
			t.Errorf("with %q for %q doctor finds %v", c.new, c.old, bad)
		}
		o.edit(c.new, c.old)
	}
}

func TestCommand_DemoOnce(t *testing.T) {
	t.Parallel()
	out, errOut, code := commandLine(t, t.TempDir(), "", nil, "demo", "--once")
	if code != 0 || !strings.Contains(out, "\nTickets\n") || !strings.Contains(out, "\nSent\n") || strings.Count(out, "  accepted") < 8 {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	for _, category := range ticket.Categories() {
		if !strings.Contains(out, "  "+string(category)+" ") {
			t.Errorf("no ticket of the demo is %s\n%s", category, out)
		}
	}
}
