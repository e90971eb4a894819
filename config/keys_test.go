package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	k, err := NewKeyring("postdesk.test")
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteKeyFile(file, k); err != nil {
		t.Fatal(err)
	}
	t.Run("comes back as written", func(t *testing.T) {
		got, err := LoadKeys(file)
		if err != nil || got.Audit != k.Audit || got.Tokens[0] != k.Tokens[0] {
			t.Fatalf("%v, %v", got, err)
		}
	})
	t.Run("is never overwritten", func(t *testing.T) {
		if err := WriteKeyFile(file, k); !errors.Is(err, fs.ErrExist) {
			t.Errorf("second write: %v", err)
		}
	})
	t.Run("never prints", func(t *testing.T) {
		if s := fmt.Sprintf("%v %+v %#v %s", k, *k, k, *k); strings.Contains(s, k.Vault) || strings.Contains(s, k.Tokens[0].Secret) {
			t.Errorf("printed: %s", s)
		}
	})
	t.Run("is refused when others can read it", func(t *testing.T) {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a missing one says what to do", func(t *testing.T) {
		if _, err := LoadKeys(file + "x"); err == nil || !strings.Contains(err.Error(), "postdesk init") {
			t.Errorf("error %v", err)
		}
	})
}
