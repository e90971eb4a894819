package email

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// processorTime is what this process has used so far: unlike the clock, it does not depend on what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}

// TestHostileShapesAreReadInTime holds every shape that makes a careless reader look at the same bytes again and again to the two
// seconds that a mail may take.
func TestHostileShapesAreReadInTime(t *testing.T) {
	const field = maxFieldBytes - 100
	fill := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	header := func(name, value string) string { return name + ": " + value + "\nSubject: s\n\nhi\n" }
	multi := "Content-Type: multipart/mixed; boundary=b\n\n"
	cases := map[string]string{
		"open comments":            header("To", fill("(", field)),
		"open comments and more":   header("To", fill("(a ", field)),
		"escaped quotes":           header("To", `"`+fill(`\"`, field)),
		"open brackets":            header("To", fill("<", field)),
		"open quotes":              header("To", fill(`" `, field)),
		"brackets and quotes":      header("To", fill(`"<,`, field)),
		"dots":                     header("To", fill(". ", field)),
		"unclosed encoded words":   "Subject: " + fill("=?a?Q?x", field) + " \n\nhi\n",
		"encoded words in a list":  header("To", fill("=?a?Q?x", field)+" "),
		"blanks":                   header("To", "a"+fill(" ", field)+"b"),
		"blanks and folds":         header("To", fill("a \n ", field)),
		"many ids without bracket": header("References", fill("a ", field)),
		"hyphens in a date":        header("Date", fill("-", field)),
		"colons in a date":         header("Date", fill("1:", field)),
		"quotes in a parameter":    header("Content-Type", `text/plain; name="`+fill(`"`, field)),
		"the same parameter":       header("Content-Type", "text/plain; "+fill("a=1;", field)),
		"semicolons":               header("Content-Type", "text/plain"+fill(";", field)),
		"continuations":            header("Content-Disposition", "attachment; "+fill("filename*1=a;", field)),
		"lines without colon":      "From: a@example.com\nbad\n" + fill(" a\n", field) + "\nhi\n",
		"delimiters in one line":   multi + fill("--b", 4<<20),
		"delimiters after CR":      multi + fill("\r--b", 4<<20),
		"longer delimiters":        multi + fill("--bb\n", 4<<20),
		"begin lines":              "\n" + fill("begin 644 x\n", 4<<20),
		"begin lines with data":    "\n" + fill("begin 644 x\n#0V%T\n", 4<<20),
		"equals signs":             "Content-Transfer-Encoding: quoted-printable\n\n" + fill("=", 4<<20),
		"broken base64":            "Content-Transfer-Encoding: base64\n\n" + fill("a*", 4<<20),
		"escape characters":        "\n" + fill("\x1b$B", 1<<20),
		"eight bit":                "\n" + fill("\xd7\xa2\xff ", 1<<20),
		"plus signs":               "Content-Type: text/plain; charset=utf-7\n\n" + fill("+A", 1<<20),
		"parts with long headers":  multi + fill("--b\n"+fill("X: (\"<=?\n", 20000)+"\nx\n", 4<<20),
	}
	for name, raw := range cases {
		before := processorTime(t)
		m := Parse([]byte("From: a@example.com\n" + raw))
		if took := processorTime(t) - before; took > 2*time.Second {
			t.Errorf("%s: %v", name, took)
		} else if testing.Verbose() {
			t.Logf("%-26s %8v %v", name, took.Round(time.Millisecond), m.Problems)
		}
	}
}
