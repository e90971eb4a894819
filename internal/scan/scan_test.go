package scan_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"postdesk/internal/scan"
)

// eicar is the harmless file that every scanner calls infected, in two halves so that no scanner objects to this source.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-` + `STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)

// clamd starts a real daemon with a database of one signature, which needs little memory.
func clamd(t *testing.T) scan.Clamd {
	t.Helper()
	bin, err := exec.LookPath("/usr/sbin/clamd")
	if err != nil {
		if os.Getenv("POSTDESK_REQUIRE_SERVERS") == "1" {
			t.Fatal("clamd is missing: apt-get install clamav-daemon")
		}
		t.Skip("clamd is missing: apt-get install clamav-daemon")
	}
	dir, err := os.MkdirTemp("", "clamd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// The file's MD5 and size, in the form of a ClamAV hash database.
	write(t, filepath.Join(dir, "eicar.hdb"), "44d88612fea8a8f36de82e1278abb02f:68:Test.EICAR\n")
	socket := filepath.Join(dir, "s")
	conf := filepath.Join(dir, "clamd.conf")
	write(t, conf, fmt.Sprintf("LocalSocket %s\nDatabaseDirectory %s\nForeground yes\nStreamMaxLength 1M\nTemporaryDirectory %s\nLogFile %s\n", socket, dir, dir, filepath.Join(dir, "log")))
	cmd := exec.Command(bin, "--config-file", conf)
	giveAway(t, dir, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	c := scan.Clamd{Address: "unix:" + socket}
	for deadline := time.Now().Add(time.Minute); c.Ping(t.Context()) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("clamd did not start: %s", log)
		}
	}
	return c
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// giveAway lets the daemon run as nobody where the test is root: it refuses to write as root otherwise.
func giveAway(t *testing.T, dir string, cmd *exec.Cmd) {
	t.Helper()
	nobody, err := user.Lookup("nobody")
	if os.Getuid() != 0 || err != nil {
		return
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	if err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	}); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func TestScan(t *testing.T) {
	c := clamd(t)
	for name, tc := range map[string]struct {
		file []byte
		want scan.Verdict
	}{
		"the test virus":           {eicar, scan.Infected},
		"a picture":                {bytes.Repeat([]byte{0xff, 0xd8, 1}, 100_000), scan.Clean},
		"an empty file":            {nil, scan.Clean},
		"over the daemon's limits": {make([]byte, 3<<20), scan.Unscanned},
	} {
		t.Run(name, func(t *testing.T) {
			v, words, err := c.Scan(t.Context(), tc.file)
			if err != nil || v != tc.want {
				t.Errorf("%s (%q), %v", v, words, err)
			}
		})
	}
}

func TestScanWithoutAnAnswerIsUnscanned(t *testing.T) {
	for name, answer := range map[string]string{"hangs up": "", "talks nonsense": "what?\x00", "never answers": "hold"} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if answer == "hold" {
					io.Copy(io.Discard, conn)
					return
				}
				io.CopyN(io.Discard, conn, 20)
				io.WriteString(conn, answer)
			}()
			v, _, err := scan.Clamd{Address: ln.Addr().String(), Timeout: 300 * time.Millisecond}.Scan(t.Context(), []byte("file"))
			if v != scan.Unscanned || answer != "what?\x00" && err == nil {
				t.Errorf("%s, %v", v, err)
			}
		})
	}
	if v, _, err := (scan.Clamd{}).Scan(context.Background(), eicar); v != scan.Unscanned || err != nil {
		t.Errorf("without a daemon: %s, %v", v, err)
	}
}
