// Package config holds the settings of postdesk: one typed struct with its defaults, read from YAML, overlaid by the
// environment, validated, and then handed in parts to their owners. Nobody looks a setting up by name later.
package config

import (
	"fmt"
	"net/url"
	"time"
)

// Config is everything an operator can set. Build it with Load, which applies Defaults.
type Config struct {
	Database     Database     `yaml:"database"`
	Listen       string       `yaml:"listen"`   // address of the web desk
	Instance     string       `yaml:"instance"` // name in our loop header; default: first brand's id
	Brands       []Brand      `yaml:"brands"`
	Mailboxes    []Mailbox    `yaml:"mailboxes"`
	SMTP         SMTP         `yaml:"smtp"`
	Rules        Rules        `yaml:"rules"`
	Account      Account      `yaml:"account"`
	Keys         Keys         `yaml:"keys"`
	Outbox       Outbox       `yaml:"outbox"`
	Automatic    Automatic    `yaml:"automatic"`
	Authenticity Authenticity `yaml:"authenticity"`
	Intake       Intake       `yaml:"intake"`
	Audit        Audit        `yaml:"audit"`

	// Warnings are remarks that do not stop the program, e.g. an environment variable that sets nothing.
	Warnings []string `yaml:"-"`
}

// Database names the store: "sqlite:postdesk.db" or "postgres://user@host/db".
type Database struct {
	URL          string `yaml:"url"`
	Password     string `yaml:"password"` // put into a postgres URL that has none
	PasswordFile string `yaml:"password_file"`
}

// Brand is one legal face towards customers.
type Brand struct {
	ID           string    `yaml:"id"`
	Name         string    `yaml:"name"`
	Languages    []string  `yaml:"languages"` // BCP 47, the first is used when a customer's cannot be told
	Jurisdiction string    `yaml:"jurisdiction"`
	Domains      []string  `yaml:"domains"` // official domains; the first is used in our Message-IDs
	Procedures   string    `yaml:"procedures"`
	SLAText      Localised `yaml:"sla_text"` // said in acknowledgements only when set: templates promise nothing by themselves
	SupportPhone string    `yaml:"support_phone"`
	ComplaintURL string    `yaml:"complaint_url"`
	HelpURL      string    `yaml:"help_url"`
}

// Localised is one text in the two languages of the templates.
type Localised struct {
	ZhCN string `yaml:"zh-CN"`
	En   string `yaml:"en"`
}

// Mailbox is one watched folder and the address customers write to.
type Mailbox struct {
	Name        string `yaml:"name"`
	Brand       string `yaml:"brand"`
	Address     string `yaml:"address"`
	PlusAddress *bool  `yaml:"plus_address"` // default true: replies go to support+t.<token>@; false where the server refuses such addresses
	Junk        bool   `yaml:"junk"`         // a second source for replies that were filed as junk: never acknowledged
	IMAP        IMAP   `yaml:"imap"`
}

// Plus reports whether reply tokens may travel in the local part of the address.
func (m Mailbox) Plus() bool { return m.PlusAddress == nil || *m.PlusAddress }

// IMAP says how to reach a mailbox.
type IMAP struct {
	Host         string   `yaml:"host"`
	Port         int      `yaml:"port"`
	TLS          string   `yaml:"tls"` // implicit | starttls | none
	Insecure     bool     `yaml:"insecure"`
	CAFile       string   `yaml:"ca_file"`
	Username     string   `yaml:"username"`
	Password     string   `yaml:"password"`
	PasswordFile string   `yaml:"password_file"`
	OAuth2       OAuth2   `yaml:"oauth2"`
	Folder       string   `yaml:"folder"`
	Start        string   `yaml:"start"` // from_now | all | 2026-01-31
	Done         string   `yaml:"done"`  // keyword | move:<folder> | none
	Poll         Duration `yaml:"poll"`
	MaxSize      Size     `yaml:"max_size"`
}

// OAuth2 is the refresh-token grant of RFC 6749 §6, used as XOAUTH2.
type OAuth2 struct {
	TokenURL         string `yaml:"token_url"`
	ClientID         string `yaml:"client_id"`
	ClientSecret     string `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file"`
	RefreshToken     string `yaml:"refresh_token"`
	RefreshTokenFile string `yaml:"refresh_token_file"` // rewritten when the server rotates the token
	Scope            string `yaml:"scope"`
}

// SMTP says how to submit mail.
type SMTP struct {
	Host         string   `yaml:"host"`
	Port         int      `yaml:"port"`
	TLS          string   `yaml:"tls"`
	Insecure     bool     `yaml:"insecure"`
	CAFile       string   `yaml:"ca_file"`
	HELO         string   `yaml:"helo"`
	Username     string   `yaml:"username"`
	Password     string   `yaml:"password"`
	PasswordFile string   `yaml:"password_file"`
	Connections  int      `yaml:"connections"`
	Timeout      Duration `yaml:"timeout"` // of a whole transaction; RFC 5321 §4.5.3.2 allows the server ten minutes for the last reply
}

// Rules names a directory of lexicon and rules; empty means the built-in set.
type Rules struct {
	Dir       string  `yaml:"dir"`
	Shadow    string  `yaml:"shadow"`    // a second set that runs beside the live one without effect: where it differs, the record says so
	Threshold float64 `yaml:"threshold"` // below it a person decides and no category template is sent
}

// Account names the adapter to the platform's account system.
type Account struct {
	Adapter    string `yaml:"adapter"` // manual | http
	URL        string `yaml:"url"`
	Secret     string `yaml:"secret"`
	SecretFile string `yaml:"secret_file"`
}

// Keys names the key file that init writes: signing, tokens, encryption.
type Keys struct {
	File string `yaml:"file"`
}

// Outbox sets how deliveries are retried and throttled.
type Outbox struct {
	Retry           []Duration `yaml:"retry"`
	GiveUp          Duration   `yaml:"give_up"`
	PerDomain       int        `yaml:"per_domain"`        // connections at once to one recipient domain
	PerDomainMinute int        `yaml:"per_domain_minute"` // messages a minute to one domain; 0 = no limit
}

// Automatic caps everything that no person wrote (RFC 3834 §2: an automatic responder must not flood).
type Automatic struct {
	AcksPerTicketPerDay int      `yaml:"acks_per_ticket_per_day"`
	PerTicketPerDay     int      `yaml:"per_ticket_per_day"`
	PerAddressPerDay    int      `yaml:"per_address_per_day"`
	PerDomainPerHour    int      `yaml:"per_domain_per_hour"`
	PublicDomains       string   `yaml:"public_domains"`         // "default", or a comma-separated list: the domain cap does not apply to them
	NewTicketsPerHour   int      `yaml:"new_tickets_per_hour"`   // of one sender; more are joined to the newest one without an acknowledgement
	BreakerPer10Min     int      `yaml:"breaker_per_10_minutes"` // the least rate at which the global breaker may act
	BreakerFactor       float64  `yaml:"breaker_factor"`         // times the usual rate of the last day
	MaxAge              Duration `yaml:"max_age"`                // mails older than this get no automatic answer (first import of an old mailbox)
}

// Authenticity says whom to believe about senders.
type Authenticity struct {
	TrustedAuthserv []string `yaml:"trusted_authserv"` // empty: Authentication-Results are ignored and DKIM is verified here
	Resolver        string   `yaml:"resolver"`         // host:port of a DNS server; "off" for none; empty: the system's
}

// Intake bounds what one mail may cost.
type Intake struct {
	Batch int    `yaml:"batch"`
	Clamd string `yaml:"clamd"` // address of clamd (host:port or unix:/path); empty: attachments are not scanned
}

// Audit says where signed checkpoints are kept besides the database.
type Audit struct {
	CheckpointFile string   `yaml:"checkpoint_file"`
	Interval       Duration `yaml:"interval"`
}

// Defaults is the configuration before anything is read.
func Defaults() Config {
	return Config{
		Database: Database{URL: "sqlite:postdesk.db"},
		Listen:   "127.0.0.1:8080",
		SMTP:     SMTP{Port: 587, TLS: "starttls", Connections: 4, Timeout: Duration(12 * time.Minute)},
		Rules:    Rules{Threshold: 0.75},
		Account:  Account{Adapter: "manual"},
		Keys:     Keys{File: "postdesk.keys"},
		Outbox: Outbox{
			Retry:     []Duration{5 * minute, 10 * minute, 20 * minute, 40 * minute, 90 * minute, 180 * minute, 360 * minute, 720 * minute},
			GiveUp:    Duration(5 * 24 * time.Hour),
			PerDomain: 2,
		},
		Automatic: Automatic{
			AcksPerTicketPerDay: 1, PerTicketPerDay: 10, PerAddressPerDay: 20, PerDomainPerHour: 200, PublicDomains: "default",
			NewTicketsPerHour: 10, BreakerPer10Min: 20_000, BreakerFactor: 10, MaxAge: Duration(72 * time.Hour),
		},
		Intake: Intake{Batch: 200},
		Audit:  Audit{Interval: Duration(time.Second)},
	}
}

const minute = Duration(time.Minute)

func mailboxDefaults(m *Mailbox) {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&m.IMAP.TLS, "implicit")
	set(&m.IMAP.Folder, "INBOX")
	set(&m.IMAP.Start, "from_now")
	set(&m.IMAP.Done, "keyword")
	if m.IMAP.Port == 0 {
		m.IMAP.Port = map[string]int{"implicit": 993}[m.IMAP.TLS]
		if m.IMAP.Port == 0 {
			m.IMAP.Port = 143
		}
	}
	if m.IMAP.Poll == 0 {
		m.IMAP.Poll = minute
	}
	if m.IMAP.MaxSize == 0 {
		m.IMAP.MaxSize = 50 << 20
	}
}

// Brand returns the brand of that id.
func (c *Config) Brand(id string) (Brand, error) {
	for _, b := range c.Brands {
		if b.ID == id {
			return b, nil
		}
	}
	return Brand{}, fmt.Errorf("brand %q is not configured", id)
}

// Mailbox returns the mailbox of that name; an empty name means the only one.
func (c *Config) Mailbox(name string) (Mailbox, error) {
	if name == "" && len(c.Mailboxes) == 1 {
		return c.Mailboxes[0], nil
	}
	for _, m := range c.Mailboxes {
		if m.Name == name {
			return m, nil
		}
	}
	if name == "" {
		return Mailbox{}, fmt.Errorf("there are %d mailboxes: name one with --mailbox", len(c.Mailboxes))
	}
	return Mailbox{}, fmt.Errorf("mailbox %q is not configured", name)
}

// DatabaseURL is the URL with the password of the settings filled in.
func (c *Config) DatabaseURL() (string, error) {
	if c.Database.Password == "" && c.Database.PasswordFile == "" {
		return c.Database.URL, nil
	}
	u, err := url.Parse(c.Database.URL)
	if err != nil {
		return "", fmt.Errorf("database.url: %w", err)
	}
	pw, err := Secret(c.Database.Password, c.Database.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("database.password_file: %w", err)
	}
	if u.User != nil {
		u.User = url.UserPassword(u.User.Username(), pw)
	}
	return u.String(), nil
}

// CheckpointFile is where signed checkpoints are kept outside the database: the configured file, or one beside a SQLite
// database. "none" keeps none.
func (c *Config) CheckpointFile() string {
	switch path := c.Database.Path(); {
	case c.Audit.CheckpointFile == "none":
		return ""
	case c.Audit.CheckpointFile == "" && path != "":
		return path + ".checkpoints"
	}
	return c.Audit.CheckpointFile
}
