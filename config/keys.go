package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/sumdb/note"
)

// Keyring is what the key file holds. It never prints.
type Keyring struct {
	Audit       string     `yaml:"audit"`        // signs checkpoints of the record (Ed25519, in the form of x/mod/sumdb/note)
	AuditPublic string     `yaml:"audit_public"` // verifies them: give it to whoever checks the record
	Tokens      []TokenKey `yaml:"tokens"`       // the first signs, all verify: put a new one first to rotate
	Vault       string     `yaml:"vault"`        // 32 bytes, base64: wraps the keys of stored documents
}

// TokenKey signs reply tokens and challenge links.
type TokenKey struct {
	ID     int    `yaml:"id"`     // 0…15, stands in the token
	Secret string `yaml:"secret"` // 32 bytes, base64
}

// String keeps the keys out of logs.
func (Keyring) String() string { return "keys(not shown)" }

// GoString keeps the keys out of %#v as well.
func (Keyring) GoString() string { return "keys(not shown)" }

// NewKeyring makes fresh keys; name is the origin that stands in checkpoints, e.g. "postdesk.okpay".
func NewKeyring(name string) (*Keyring, error) {
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, fmt.Errorf("generate the audit key: %w", err)
	}
	return &Keyring{Audit: private, AuditPublic: public, Tokens: []TokenKey{{ID: 1, Secret: random()}}, Vault: random()}, nil
}

func random() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand crashes the program instead
	return base64.StdEncoding.EncodeToString(b)
}

const keyFileHead = `# postdesk keys. Whoever has this file can sign reply links and checkpoints: mode 0600, a copy in a safe place, never in a repository.
`

// WriteKeyFile creates the file with mode 0600; it never overwrites (fs.ErrExist).
func WriteKeyFile(file string, k *Keyring) error {
	b, err := yaml.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	return writeNew(file, append([]byte(keyFileHead), b...), 0o600)
}

func writeNew(file string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// WriteExample creates the commented configuration; it never overwrites (fs.ErrExist).
func WriteExample(file string) error { return writeNew(file, Example(), 0o644) }

// LoadKeys reads and checks the key file. A file that others can read is refused.
func LoadKeys(file string) (*Keyring, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key file %s does not exist: postdesk init writes one", file)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	var k Keyring
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&k); err != nil {
		return nil, yamlError(file, err)
	}
	return &k, k.check(file)
}

func (k *Keyring) check(file string) error {
	if _, err := note.NewSigner(k.Audit); err != nil {
		return fmt.Errorf("%s: audit: not a signing key: %w", file, err)
	}
	if _, err := note.NewVerifier(k.AuditPublic); err != nil {
		return fmt.Errorf("%s: audit_public: not a verifier key: %w", file, err)
	}
	if len(k.Tokens) == 0 {
		return fmt.Errorf("%s: tokens: at least one key is needed", file)
	}
	for i, t := range k.Tokens {
		if b, err := t.Bytes(); err != nil || len(b) < 32 || t.ID < 0 || t.ID > 15 {
			return fmt.Errorf("%s: tokens[%d]: needs an id of 0…15 and a base64 secret of 32 bytes", file, i)
		}
	}
	return nil
}

// Bytes is the decoded secret.
func (t TokenKey) Bytes() ([]byte, error) { return base64.StdEncoding.DecodeString(t.Secret) }
