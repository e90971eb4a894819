package config

import (
	"embed"
	"io/fs"
	"os"
)

//go:embed all:rules all:procedures all:calendars postdesk.example.yaml
var files embed.FS

// RuleFiles is the directory of lexicon and rules: the operator's, or the built-in one when dir is empty.
func RuleFiles(dir string) fs.FS {
	if dir != "" {
		return os.DirFS(dir)
	}
	return sub("rules")
}

// ProcedureFiles is the built-in set of procedures.
func ProcedureFiles() fs.FS { return sub("procedures") }

// CalendarFiles is the built-in set of business-day calendars.
func CalendarFiles() fs.FS { return sub("calendars") }

// Example is the commented configuration that `postdesk init` writes.
func Example() []byte {
	b, err := files.ReadFile("postdesk.example.yaml")
	if err != nil {
		panic(err) // embedded at build time
	}
	return b
}

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // embedded at build time
	}
	return f
}
