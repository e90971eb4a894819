package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postdesk/config"
)

type initCommand struct {
	Dir string `help:"Folder to write into." default:"." type:"path"`
}

// Run writes what is missing and says what is already there; it never overwrites.
func (c *initCommand) Run(std streams) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	keys, err := config.NewKeyring("postdesk")
	if err != nil {
		return err
	}
	file, keyFile := filepath.Join(c.Dir, "postdesk.yaml"), filepath.Join(c.Dir, "postdesk.keys")
	err = errors.Join(
		created(std, file, config.WriteExample(file)),
		created(std, keyFile, config.WriteKeyFile(keyFile, keys)))
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nNext: edit %s, then\n  postdesk --config %s doctor\n  postdesk --config %s serve\n", file, file, file)
	return nil
}

func created(std streams, file string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		fmt.Fprintln(std.out, "kept   ", file)
		return nil
	case err != nil:
		return fmt.Errorf("write %s: %w", file, err)
	}
	fmt.Fprintln(std.out, "written", file)
	return nil
}
