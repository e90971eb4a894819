package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "postdesk.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoad(t *testing.T) {
	t.Run("the example is valid and is what the defaults say", func(t *testing.T) {
		c, err := Load(write(t, string(Example())), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := Defaults()
		if c.Automatic != d.Automatic || c.Intake != d.Intake || c.Outbox.GiveUp != d.Outbox.GiveUp || len(c.Outbox.Retry) != len(d.Outbox.Retry) {
			t.Errorf("the example differs from the defaults: %+v", c)
		}
		if m := c.Mailboxes[0]; m.IMAP.Poll.D() != time.Minute || m.IMAP.MaxSize != 50<<20 || !m.Plus() {
			t.Errorf("mailbox defaults: %+v", m)
		}
	})
	t.Run("relative paths are relative to the file", func(t *testing.T) {
		file := write(t, "keys: {file: k}\n")
		c, err := Load(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(filepath.Dir(file), "k"); c.Keys.File != want {
			t.Errorf("keys.file = %s, want %s", c.Keys.File, want)
		}
	})
	t.Run("the environment overrides, by path", func(t *testing.T) {
		c, err := Load(write(t, string(Example())), []string{
			"POSTDESK_DATABASE_URL=postgres://u@h/d", "POSTDESK_DATABASE_PASSWORD=s", "POSTDESK_MAILBOXES_0_IMAP_MAX_SIZE=1MiB",
			"POSTDESK_OUTBOX_RETRY=1m,2d", "POSTDESK_NONSENSE=1", "POSTDESK_AUTOMATIC_PER_TICKET_PER_DAY=3",
		})
		if err != nil {
			t.Fatal(err)
		}
		if url, _ := c.DatabaseURL(); url != "postgres://u:s@h/d" {
			t.Errorf("database = %s", url)
		}
		if c.Mailboxes[0].IMAP.MaxSize != 1<<20 || len(c.Outbox.Retry) != 2 || c.Outbox.Retry[1].D() != 48*time.Hour || c.Automatic.PerTicketPerDay != 3 {
			t.Errorf("overlay: %+v", c)
		}
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "POSTDESK_NONSENSE") {
			t.Errorf("warnings = %q", c.Warnings)
		}
	})
	t.Run("a secret comes from its file, without the line end", func(t *testing.T) {
		pw, err := Secret("unused", write(t, "pa ss\r\n"))
		if err != nil || pw != "pa ss" {
			t.Errorf("secret = %q, %v", pw, err)
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	mailbox := "brands: [{id: b, name: B, domains: [b.example]}]\nmailboxes:\n  - name: m\n    brand: b\n    address: %s\n    imap: {host: %s, username: u%s}\n"
	with := func(address, host, more string) string {
		return strings.NewReplacer("address: %s", "address: "+address, "host: %s", "host: "+host, "u%s", "u"+more).Replace(mailbox)
	}
	for name, tc := range map[string]struct{ yaml, want string }{
		"an unknown key, with its line":        {"listen: x\nmailboxs: []\n", `postdesk.yaml:2: unknown key "mailboxs"`},
		"a wrong duration, with its line":      {"outbox:\n  give_up: soon\n", `postdesk.yaml:2: "soon" is not a duration`},
		"broken YAML, with its line":           {"listen: [\n", "postdesk.yaml:"},
		"another database":                     {"database: {url: mysql://x}\n", "database.url"},
		"plain text to another machine":        {with("s@b.example", "mail.example", ", tls: none"), "mailboxes[0].imap.tls: none would send the password in the clear"},
		"an address too long for the token":    {with("a-very-long-support-address@b.example", "127.0.0.1", ""), "leave room for the reply token"},
		"a wrong start":                        {with("s@b.example", "127.0.0.1", ", start: yesterday"), "mailboxes[0].imap.start"},
		"an unknown brand":                     {"mailboxes: [{name: m, brand: x, address: a@b.example, imap: {host: h, username: u}}]\n", `"x" is not among the brands`},
		"reading from where mails are put":     {with("s@b.example", "127.0.0.1", ", folder: Done, done: 'move:Done'"), "moves its processed mails"},
		"something that is not a mail address": {with("'B <s@b.example>'", "127.0.0.1", ""), "is not a bare mail address"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, tc.yaml), nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want it to contain %q", err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Example())
	f.Add([]byte("mailboxes: [{imap: {poll: 1s}}]"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c := Defaults()
		if Parse(&c, "x.yaml", doc) == nil {
			_ = c.Validate()
		}
	})
}
