package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
)

// Environment of the tests.
const (
	envServer   = "POSTDESK_TEST_POSTGRES"   // URL of a server to use instead of starting one; its user may create schemas
	envRequired = "POSTDESK_REQUIRE_SERVERS" // "1": a server that cannot be started fails the test instead of skipping it
)

// errNoServer says that this machine has no PostgreSQL programs.
var errNoServer = errors.New("no PostgreSQL server programs found; install them (Debian: apt install postgresql) or set " + envServer)

// server is the one PostgreSQL of this test process, started by the first test that needs it. Holding the command keeps its
// pipe open.
var server = sync.OnceValues(func() (postgres, error) {
	if given := os.Getenv(envServer); given != "" {
		return postgres{url: given}, nil
	}
	return startPostgres()
})

type postgres struct {
	url     string
	command *exec.Cmd
}

// schemas numbers the schemas of this process, so that tests never share one.
var schemas atomic.Int64

// PostgresURL returns the URL of an empty schema of its own, dropped at the end of the test. Without a server it skips the
// test and says what to install, or fails it when POSTDESK_REQUIRE_SERVERS=1.
func PostgresURL(t testing.TB) string {
	t.Helper()
	running, err := server()
	if errors.Is(err, errNoServer) && os.Getenv(envRequired) != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	base := running.url
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	admin(t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { admin(t, base, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

func admin(t testing.TB, base, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil { // t.Context has ended when cleanups run
		t.Fatalf("%s: %v", statement, err)
	}
}

// startPostgres makes a server in a new directory under /tmp, reachable by a Unix socket only. A shell stands between us and
// it that stops it and removes the directory when the pipe from this process closes, however this process ends.
func startPostgres() (p postgres, err error) {
	bin, err := findPostgres()
	if err != nil {
		return p, err
	}
	dir, err := os.MkdirTemp("/tmp", "postdesk-pg-") // socket paths must be short
	if err != nil {
		return p, err
	}
	defer func() {
		if p.command == nil {
			err = errors.Join(err, os.RemoveAll(dir)) // nobody else will
		}
	}()
	who, err := serverUser(dir)
	if err != nil {
		return p, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postdesk", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: who}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p.url = "postgres://postdesk@/postgres?host=" + url.QueryEscape(dir)
	if p.command, err = keepRunning(bin, dir, data, who); err != nil {
		return p, err
	}
	return p, awaitServer(p.url, filepath.Join(dir, "log"))
}

// supervise runs the server until its standard input ends. $1 server, $2 data, $3 directory.
const supervise = `
"$1" -D "$2" -k "$3" -c listen_addresses= -c fsync=off -c max_connections=200 >"$3/log" 2>&1 </dev/null &
server=$!
read -r end
kill -QUIT $server
wait $server
cd /
rm -rf "$3"
`

func keepRunning(bin, dir, data string, who *syscall.Credential) (*exec.Cmd, error) {
	cmd := exec.Command("/bin/sh", "-c", supervise, "sh", filepath.Join(bin, "postgres"), data, dir)
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: who, Setpgid: true}, dir // Setpgid: ^C must reach us only
	if _, err := cmd.StdinPipe(); err != nil {                                           // closed by the end of this process
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return cmd, nil
}

// findPostgres returns the directory of the newest server programs.
func findPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNoServer
	}
	return filepath.Dir(path), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 sorts last
	return n
}

// serverUser gives the directory to an unprivileged user when we are root, whom PostgreSQL refuses to serve.
func serverUser(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}

// awaitServer waits until the server answers.
func awaitServer(target, log string) error {
	db, err := sql.Open("pgx", target)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, bytes.TrimSpace(said))
		case <-retry.C:
		}
	}
}
