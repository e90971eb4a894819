// Package mailtest starts mail servers for tests: the real Dovecot and Postfix in a temporary directory on loopback, and
// scripted IMAP and SMTP servers that truncate, stall, lie and drop.
//
// A test that needs a server which is not installed is skipped with the name of the Debian package, or fails when
// POSTDESK_REQUIRE_SERVERS=1. Every server ends with its test.
package mailtest

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// need returns the path of a program, or skips the test.
func need(t testing.TB, debian string, places ...string) string {
	t.Helper()
	for _, place := range places {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	missing(t, places[0]+" is missing: apt-get install "+debian)
	return ""
}

// missing skips the test, or fails it where servers are required.
func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("POSTDESK_REQUIRE_SERVERS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// freePort returns a TCP port of loopback that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
