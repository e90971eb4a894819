package mailtest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// process is a server program with its children in a process group of its own.
type process struct {
	name string
	path string
	args []string
	cmd  *exec.Cmd
	log  string // file that tells why it did not start
}

func (p *process) start(t testing.TB, greets int) {
	t.Helper()
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, err := os.OpenFile(p.log+".out", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	if err := awaitGreeting(greets); err != nil {
		p.signal(syscall.SIGKILL)
		p.wait()
		t.Fatalf("%s does not answer: %v\n%s", p.name, err, p.words())
	}
}

// words are what the server wrote into its logs.
func (p *process) words() string {
	var b strings.Builder
	for _, file := range []string{p.log, p.log + ".out"} {
		text, err := os.ReadFile(file)
		if err == nil {
			b.Write(text)
		}
	}
	return b.String()
}

// signal reaches the program and all its children.
func (p *process) signal(s syscall.Signal) {
	if p.cmd != nil {
		syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

func (p *process) wait() {
	if p.cmd != nil {
		p.cmd.Wait()
		p.cmd = nil
	}
}

// end asks the program to end its children and itself, and kills it if it does not.
func (p *process) end() {
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGCONT)
	p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(5*time.Second, func() { p.signal(syscall.SIGKILL) })
	p.cmd.Wait()
	late.Stop()
	p.signal(syscall.SIGKILL) // children that stayed
	p.cmd = nil
}

// kill ends the program and its children at once.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	p.wait()
}

// awaitGreeting waits until a server on a port of loopback says its first line.
func awaitGreeting(port int) error {
	var err error
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if err = greeting(port); err == nil {
			return nil
		}
	}
	return err
}

func greeting(port int) error {
	conn, err := net.DialTimeout("tcp", addr(port), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "* OK") && !strings.HasPrefix(line, "220") {
		err = fmt.Errorf("greeting %q", line)
	}
	return err
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// workDir makes a directory with a short name, because socket paths must fit 108 octets.
func workDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func fill(t testing.TB, file, text string, data any) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := template.Must(template.New(filepath.Base(file)).Parse(text)).Execute(f, data); err != nil {
		t.Fatal(err)
	}
}

// account returns a user of the system by name.
func account(t testing.TB, name string) (u *user.User, uid, gid int) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		missing(t, "the system user "+name+" is missing: "+err.Error())
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	return u, uid, gid
}
