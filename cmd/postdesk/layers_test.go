package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says what each package may import of this module, besides what the packages named may themselves import, and which
// other modules it may import directly. A package that is not in the table may not exist.
var layers = map[string]struct{ ours, modules string }{
	"config": {"", "go.yaml.in/yaml/v3 golang.org/x/mod"},

	"internal/ticket": {"", ""},
	"internal/agent":  {"", ""},
	"internal/audit":  {"", "golang.org/x/mod"},
	"internal/lang":   {"", "golang.org/x/text"},

	"internal/email":           {"internal/ticket internal/lang internal/email/body internal/email/charset internal/email/authentic", "github.com/emersion/go-message github.com/wneessen/go-mail golang.org/x/net golang.org/x/text github.com/gabriel-vasile/mimetype"},
	"internal/email/charset":   {"", "golang.org/x/text"},
	"internal/email/body":      {"internal/lang", "golang.org/x/net golang.org/x/text"},
	"internal/email/authentic": {"", "github.com/emersion/go-msgauth golang.org/x/net golang.org/x/text"},
	"internal/rules":           {"internal/ticket internal/lang", "cel.dev/cel-go go.yaml.in/yaml/v3 golang.org/x/text"},
	"internal/procedure":       {"internal/ticket internal/agent", "go.yaml.in/yaml/v3"},
	"internal/account":         {"internal/ticket", ""},
	"internal/reply":           {"internal/ticket internal/lang templates", "go.yaml.in/yaml/v3 golang.org/x/text golang.org/x/net"},
	"internal/mailbox":         {"internal/ticket", "github.com/emersion/go-imap/v2 github.com/emersion/go-sasl"},
	"internal/outbox":          {"internal/ticket", "github.com/wneessen/go-mail golang.org/x/time golang.org/x/net"},
	"internal/scan":            {"", ""},
	"internal/store":           {"internal/ticket internal/agent internal/audit", "gorm.io github.com/mattn/go-sqlite3 github.com/jackc/pgx/v5 github.com/klauspost/compress golang.org/x/mod"},

	"internal/desk": {"config internal/ticket internal/agent internal/audit internal/lang internal/email internal/email/body internal/email/authentic internal/rules internal/procedure internal/reply internal/mailbox internal/outbox internal/account internal/scan internal/store templates",
		"golang.org/x/sync github.com/alexedwards/argon2id"},
	"internal/demo": {"internal/email internal/desk", "github.com/emersion/go-imap/v2 github.com/emersion/go-smtp github.com/wneessen/go-mail golang.org/x/sync"},

	"internal/mailtest":        {"", "github.com/emersion"},
	"internal/store/storetest": {"internal/store", "github.com/jackc/pgx/v5"},

	"templates":    {"", ""},
	"cmd/postdesk": {"*", "*"},
}

// TestLayers holds the table: the domain knows no library, the parts of a layer do not know one another, and only desk and
// what stands above it see the whole.
func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "postdesk/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		imports := strings.Fields(line)
		name := strings.TrimPrefix(imports[0], "postdesk/")
		may, known := layers[name]
		if !known {
			t.Errorf("package %s is not in the table of layers: say what it may import", name)
			continue
		}
		for _, path := range imports[1:] {
			if !allowed(may.ours, may.modules, path) {
				t.Errorf("%s may not import %s", name, path)
			}
		}
	}
}

func allowed(ours, modules, path string) bool {
	if own, ok := strings.CutPrefix(path, "postdesk/"); ok {
		return ours == "*" || slices.Contains(strings.Fields(ours), own)
	}
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	return modules == "*" || slices.ContainsFunc(strings.Fields(modules), func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") })
}
