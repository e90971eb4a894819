package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads the file (none when the name is empty), lays the environment over it and validates the whole. Errors name the
// file and the line, or the field, and what to do. Relative paths inside the file are relative to the file.
func Load(file string, environ []string) (*Config, error) {
	c := Defaults()
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w (postdesk init writes one)", err)
		}
		if err := Parse(&c, file, b); err != nil {
			return nil, err
		}
		c.resolve(filepath.Dir(file))
	}
	if err := overlay(&c, environ); err != nil {
		return nil, err
	}
	for i := range c.Mailboxes {
		mailboxDefaults(&c.Mailboxes[i])
	}
	if err := c.Validate(); err != nil {
		if file != "" {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return nil, err
	}
	return &c, nil
}

// Parse lays one YAML document over c. An unknown key is an error that names the file and the line.
func Parse(c *Config, name string, doc []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return yamlError(name, err)
	}
	return nil
}

var (
	unknownField = regexp.MustCompile(`line (\d+): field (\S+) not found in type \S+`)
	yamlLine     = regexp.MustCompile(`line (\d+): (.*)`)
)

func yamlError(name string, err error) error {
	text := err.Error()
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: unknown key %q: check its spelling and its indentation", name, m[1], m[2])
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: %s", name, m[1], m[2])
	}
	return fmt.Errorf("%s: %w", name, err)
}

// resolve makes the paths of a configuration file relative to the file itself, not to where the program was started.
func (c *Config) resolve(dir string) {
	at := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if path, ok := strings.CutPrefix(c.Database.URL, "sqlite:"); ok && !strings.HasPrefix(path, ":") {
		at(&path)
		c.Database.URL = "sqlite:" + path
	}
	for _, p := range []*string{&c.Keys.File, &c.Rules.Dir, &c.Rules.Shadow, &c.Database.PasswordFile, &c.SMTP.PasswordFile, &c.SMTP.CAFile, &c.Account.SecretFile} {
		at(p)
	}
	if c.Audit.CheckpointFile != "none" {
		at(&c.Audit.CheckpointFile)
	}
	for i := range c.Mailboxes {
		m := &c.Mailboxes[i].IMAP
		for _, p := range []*string{&m.PasswordFile, &m.CAFile, &m.OAuth2.ClientSecretFile, &m.OAuth2.RefreshTokenFile} {
			at(p)
		}
	}
}

// overlay sets fields from POSTDESK_<PATH>, the path in capitals with underscores: POSTDESK_SMTP_PASSWORD_FILE,
// POSTDESK_MAILBOXES_0_IMAP_HOST. A variable that names nothing is a warning, since other programs may share the prefix.
func overlay(c *Config, environ []string) error {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		path, ok := strings.CutPrefix(name, "POSTDESK_")
		if !ok || path == "CONFIG" || path == "CORPUS" || strings.HasPrefix(path, "TEST_") || strings.HasPrefix(path, "REQUIRE_") {
			continue
		}
		found, err := setPath(reflect.ValueOf(c).Elem(), path, value)
		if err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
		if !found {
			c.Warnings = append(c.Warnings, fmt.Sprintf("environment variable %s sets nothing: no such setting", name))
		}
	}
	return nil
}

func setPath(v reflect.Value, path, value string) (bool, error) {
	switch {
	case path == "":
		return true, setValue(v, value)
	case v.Kind() == reflect.Struct:
		return setField(v, path, value)
	case v.Kind() == reflect.Slice:
		return setElement(v, path, value)
	}
	return false, nil
}

func setField(v reflect.Value, path, value string) (bool, error) {
	for i := range v.NumField() {
		key := strings.ToUpper(strings.NewReplacer("-", "_").Replace(v.Type().Field(i).Tag.Get("yaml")))
		rest, ok := strings.CutPrefix(path, key)
		if !ok || key == "" || key == "_" || rest != "" && rest[0] != '_' {
			continue
		}
		if found, err := setPath(v.Field(i), strings.TrimPrefix(rest, "_"), value); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func setElement(v reflect.Value, path, value string) (bool, error) {
	index, rest, _ := strings.Cut(path, "_")
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i > v.Len() || i > 999 {
		return false, nil
	}
	if i == v.Len() { // one more than there are: a mailbox may be described by the environment alone
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	}
	return setPath(v.Index(i), rest, value)
}

func setValue(v reflect.Value, value string) error {
	p := reflect.New(v.Type())
	node := yaml.Node{Kind: yaml.ScalarNode, Value: value, Line: 1}
	if v.Kind() == reflect.Slice {
		node = yaml.Node{Kind: yaml.SequenceNode}
		for item := range strings.SplitSeq(value, ",") {
			node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(item)})
		}
	}
	if v.Kind() == reflect.String {
		p.Elem().SetString(value)
	} else if err := node.Decode(p.Interface()); err != nil {
		return err
	}
	v.Set(p.Elem())
	return nil
}
