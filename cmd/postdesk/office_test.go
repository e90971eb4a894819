package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postdesk/internal/mailtest"
)

// binary builds the program once for all tests of this process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "postdesk-bin-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "postdesk")
	if out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// office is a real program with its configuration, in a folder of its own.
type office struct {
	t    testing.TB
	bin  string
	dir  string
	file string // configuration

	services []*serving
}

const (
	supportUser    = "support"
	supportAddress = "support@okpay.example"
)

// openOffice writes configuration and keys. more is added to the configuration.
func openOffice(t testing.TB, url string, imap *mailtest.Server, smtpHost string, smtpPort int, more string) *office {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, bin: bin, dir: t.TempDir()}
	o.file = filepath.Join(o.dir, "postdesk.yaml")
	o.run("init", "--dir", o.dir)
	if strings.HasPrefix(url, "sqlite:") {
		url = "sqlite:postdesk.db"
	}
	text := fmt.Sprintf(`database: {url: "%s"}
brands: [{id: okpay, name: OKPay, languages: [zh-Hans, en], jurisdiction: EU, domains: [okpay.example]}]
mailboxes:
  - name: support
    brand: okpay
    address: %s
    imap: {host: 127.0.0.1, port: %d, tls: none, username: %s, password: "%s", start: all, poll: 1s}
smtp: {host: %s, port: %d, tls: none}
authenticity: {resolver: "off"}
%s`, url, supportAddress, imap.Port, supportUser, imap.Password, smtpHost, smtpPort, more)
	if err := os.WriteFile(o.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.run("migrate")
	return o
}

// edit changes the configuration: every old must be there.
func (o *office) edit(oldNew ...string) {
	o.t.Helper()
	text, err := os.ReadFile(o.file)
	if err != nil {
		o.t.Fatal(err)
	}
	for i := 0; i < len(oldNew); i += 2 {
		if !bytes.Contains(text, []byte(oldNew[i])) {
			o.t.Fatalf("the configuration has no %q:\n%s", oldNew[i], text)
		}
		text = bytes.ReplaceAll(text, []byte(oldNew[i]), []byte(oldNew[i+1]))
	}
	if err := os.WriteFile(o.file, text, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// run runs one command to its end, which must be good, and returns what it printed.
func (o *office) run(args ...string) string {
	o.t.Helper()
	out, errOut, err := o.try(args...)
	if err != nil {
		o.t.Fatalf("postdesk %s: %v\n%s%s", strings.Join(args, " "), err, out, errOut)
	}
	return out
}

// try runs one command to its end.
func (o *office) try(args ...string) (out, errOut string, err error) {
	cmd := o.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

func (o *office) command(args ...string) *exec.Cmd {
	cmd := exec.Command(o.bin, args...)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "POSTDESK_CONFIG="+o.file)
	if len(args) > 0 && args[0] == "init" {
		cmd.Env = os.Environ()
	}
	return cmd
}

// read decodes what a command with --json prints.
func read[T any](o *office, args ...string) (v T) {
	o.t.Helper()
	out := o.run(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		o.t.Fatalf("postdesk %s: %v\n%.500s", strings.Join(args, " "), err, out)
	}
	return v
}

// serving is a running service.
type serving struct {
	o      *office
	cmd    *exec.Cmd
	log    *logText
	ended  chan struct{} // closed when the process is gone; err is set before
	err    error
	wanted bool // somebody ended it on purpose
}

// serve starts the service; it is killed at the end of the test if it still runs.
func (o *office) serve(args ...string) *serving {
	o.t.Helper()
	s := &serving{o: o, cmd: o.command(append([]string{"serve"}, args...)...), log: &logText{}, ended: make(chan struct{})}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	o.services = append(o.services, s)
	o.t.Cleanup(func() {
		s.kill()
		if o.t.Failed() {
			o.t.Logf("serve %s said:\n%s", strings.Join(args, " "), s.log)
		}
	})
	return s
}

// kill is kill -9.
func (s *serving) kill() {
	s.wanted = true
	s.cmd.Process.Kill()
	<-s.ended
}

// stop asks the service to end and waits for it.
func (s *serving) stop() {
	s.o.t.Helper()
	s.wanted = true
	s.cmd.Process.Signal(os.Interrupt)
	<-s.ended
	if s.err != nil {
		s.o.t.Fatalf("serve ended with %v\n%s", s.err, s.log)
	}
}

// died reports whether the service has ended by itself.
func (s *serving) died() bool {
	select {
	case <-s.ended:
		return !s.wanted
	default:
		return false
	}
}

// logText is what a service has written so far; it may be read while more is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logText) has(words string) bool { return strings.Contains(l.String(), words) }

const waitLimit = 4 * time.Minute

// until waits for something that must become true; the limit only ends a test that has failed, as does a service that died.
func (o *office) until(what string, ok func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(waitLimit); !ok(); time.Sleep(100 * time.Millisecond) {
		switch {
		case slices.ContainsFunc(o.services, (*serving).died):
			o.t.Fatalf("the service ended before this happened: %s\n%s", what, o.snapshot())
		case time.Now().After(deadline):
			o.t.Fatalf("never happened: %s\n%s", what, o.snapshot())
		}
	}
}

// snapshot is what the office shows to people, for the report of a failure.
func (o *office) snapshot() (text string) {
	for _, args := range [][]string{{"mailbox", "status"}, {"ticket", "list"}, {"delivery", "list"}, {"quarantine", "list"}, {"audit", "log"}} {
		out, errOut, _ := o.try(args...)
		lines := strings.SplitAfter(out+errOut, "\n")
		text += strings.Join(append(lines[:min(3, len(lines))], lines[min(len(lines), max(3, len(lines)-20)):]...), "")
	}
	return text
}

// letterTo is a believable customer mail; n makes sender, id and words its own. Every fifth one has a file of 20 KB.
func letterTo(address string, n int) []byte {
	topics := []struct{ subject, body string }{
		{"提现一直没到账", "你好，我前天提现的 %d USDT 到现在还没有到账，页面一直显示处理中，请帮忙查一下，谢谢。"},
		{"Please close my account", "Hello, please close my account permanently. My account ID is OK-%d. I no longer use it."},
		{"账户被锁定了", "客服您好，我的账户今天早上被锁定，登录时提示密码错误次数过多，用户名 user%d，请问怎样解锁？"},
		{"Payment failed twice", "Hi, my card payment of %d.90 EUR failed twice this morning although there is enough money. What can I do?"},
		{"账户功能受限", "您好，登录后看到账户部分功能受到限制，不能转账也不能收款，编号 %d，请问需要提供什么资料才能解除？"},
	}
	t := topics[n%len(topics)]
	from := fmt.Sprintf("customer%d@mail%d.example", n, n%97)
	head := fmt.Sprintf("From: Customer %d <%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d.%s>\r\nDate: %s\r\nMIME-Version: 1.0\r\n",
		n, from, address, encodeWord(t.subject), n, from, time.Now().UTC().Format(time.RFC1123Z))
	body := fmt.Sprintf(t.body, n) + "\r\n\r\n" + strings.Repeat("Filler that stands for what people write around it.\r\n", n%60)
	if n%5 != 0 {
		return []byte(head + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body)
	}
	return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body +
		"\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=scan.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + scanOf(n) + "\r\n--b--\r\n")
}

func encodeWord(s string) string { return "=?utf-8?B?" + base64Lines([]byte(s)) + "?=" }

// scanOf is 20 KB that look like a JPEG to a program that asks for the first bytes.
func scanOf(n int) string {
	b := make([]byte, 20<<10)
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	copy(b, "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	return base64Lines(b)
}

// exitCode is 0 for no error.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
