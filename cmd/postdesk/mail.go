package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"postdesk/internal/desk"
	"postdesk/internal/email"
)

type mailCommand struct {
	Inspect mailInspect `cmd:"" help:"Parse one raw mail (- for stdin)."`
	Import  mailImport  `cmd:"" help:"Take in .eml, mbox and Maildir files; may be broken off and repeated."`
}

type mailInspect struct {
	JSON bool   `help:"For machines." name:"json"`
	File string `arg:"" help:"Raw mail, or - for stdin."`
}

func (m *mailInspect) Run(std streams) error {
	raw, err := readFile(m.File, std.in)
	if err != nil {
		return err
	}
	in := email.Inspect(raw)
	if m.JSON {
		return printJSON(std.out, in)
	}
	return printInspection(std.out, in)
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

func printInspection(w io.Writer, in email.Inspection) error {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-10s %s\n", name, short(value, 200))
		}
	}
	line("from", strings.TrimSpace(in.FromName+" <"+in.From+">"))
	line("to", strings.Join(in.To, ", "))
	line("cc", strings.Join(in.Cc, ", "))
	line("subject", in.Subject)
	line("date", in.Date)
	line("id", in.MessageID)
	line("kind", string(in.Kind))
	line("language", in.Language)
	for _, a := range in.Attachments {
		line("file", fmt.Sprintf("%s  %s  %d bytes", a.Filename, a.ContentType, a.Size))
	}
	line("problems", strings.Join(in.Problems, ", "))
	fmt.Fprintln(w)
	return printText(w, in.Text)
}

type mailImport struct {
	Mailbox string   `help:"Mailbox that the mails count for; may be left out when there is only one." placeholder:"NAME"`
	JSON    bool     `help:"For machines." name:"json"`
	Files   []string `arg:"" name:"file" help:".eml files, mbox files, Maildir or other folders."`
}

// How many mails are handed over at once, and how many bytes: the batch is in memory.
const (
	importBatch = 100
	importBytes = 32 << 20
)

func (m *mailImport) Run(ctx context.Context, c *commands, std streams) error {
	d, err := c.openDesk(ctx, quiet(std), makeDesk)
	if err != nil {
		return err
	}
	files, skipped, total, err := mailFiles(m.Files)
	if err != nil {
		return errors.Join(err, d.Store.Close())
	}
	n, err := importFiles(ctx, d, m.Mailbox, files, bar(total, std))
	if err := errors.Join(err, d.Store.Close()); err != nil {
		return fmt.Errorf("%w (imported so far: %d new, %d duplicate, %d quarantined; repeat the command to go on)", err, n.New, n.Duplicate, n.Quarantined)
	}
	if m.JSON {
		return printJSON(std.out, map[string]int{"new": n.New, "duplicate": n.Duplicate, "quarantined": n.Quarantined, "skipped": skipped})
	}
	fmt.Fprintf(std.out, "%d new, %d duplicate, %d quarantined\n", n.New, n.Duplicate, n.Quarantined)
	if skipped > 0 {
		fmt.Fprintf(std.out, "files in the folders that are no mails, left alone: %d\n", skipped)
	}
	return nil
}

// bar shows progress on a terminal, and nothing elsewhere.
func bar(total int64, std streams) *progressbar.ProgressBar {
	f, ok := std.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progressbar.DefaultBytesSilent(total)
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(std.err), progressbar.OptionShowBytes(true), progressbar.OptionShowCount(),
		progressbar.OptionSetDescription("importing"), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
}

func importFiles(ctx context.Context, d *desk.Desk, mailbox string, files []string, bar *progressbar.ProgressBar) (n desk.Imported, err error) {
	var batch []desk.FileMail
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		part, err := d.Import(ctx, mailbox, batch)
		n.New, n.Duplicate, n.Quarantined = n.New+part.New, n.Duplicate+part.Duplicate, n.Quarantined+part.Quarantined
		for _, m := range batch {
			bar.Add(len(m.Raw))
		}
		batch, size = nil, 0
		return err
	}
	for _, file := range files {
		err := eachMail(file, func(m desk.FileMail) error {
			batch, size = append(batch, m), size+len(m.Raw)
			if len(batch) < importBatch && size < importBytes {
				return nil
			}
			return flush()
		})
		if err != nil {
			return n, fmt.Errorf("%s: %w", file, err)
		}
	}
	return n, flush()
}

// mailFiles lists the files behind the arguments, in order: a folder (a Maildir, too) stands for the mails in it. What lies in
// a folder and is plainly no mail, an index or a key file perhaps, is skipped.
func mailFiles(args []string) (files []string, skipped int, total int64, err error) {
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				if err == nil && e.Name() == "tmp" && path != arg { // a Maildir's mails in writing
					return fs.SkipDir
				}
				return err
			}
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || path != arg && strings.HasPrefix(e.Name(), ".") {
				return err
			}
			if path != arg {
				if mail, err := isMail(path); err != nil || !mail {
					skipped++
					return err
				}
			}
			files, total = append(files, path), total+info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, 0, err
		}
	}
	slices.Sort(files)
	return slices.Compact(files), skipped, total, nil
}

// isMail knows a mail by its place, by its name, or by a header with a field that hardly any mail goes without.
func isMail(path string) (bool, error) {
	if dir := filepath.Base(filepath.Dir(path)); dir == "cur" || dir == "new" || strings.EqualFold(filepath.Ext(path), ".eml") {
		return true, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 64<<10))
	head = bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n"))
	if end := bytes.Index(head, []byte("\n\n")); end >= 0 {
		head = head[:end]
	}
	return bytes.IndexByte(head, 0) < 0 && mailField.Match(head), err
}

var mailField = regexp.MustCompile(`(?i)^From |(?im)^(received|return-path|message-id|from|subject):`)

// eachMail reads a file as one mail, or as many when it is an mbox (RFC 4155).
func eachMail(file string, fn func(desk.FileMail) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(f, 64<<10)
	if head, _ := r.Peek(5); string(head) == "From " {
		return eachInMbox(r, info.ModTime(), fn)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return fn(desk.FileMail{Raw: raw, Received: receivedAt(raw, info.ModTime())})
}

func eachInMbox(r *bufio.Reader, modified time.Time, fn func(desk.FileMail) error) error {
	var raw bytes.Buffer
	flush := func() error {
		if raw.Len() == 0 {
			return nil
		}
		b := bytes.Clone(bytes.TrimSuffix(raw.Bytes(), []byte("\n")))
		raw.Reset()
		return fn(desk.FileMail{Raw: b, Received: receivedAt(b, modified)})
	}
	blank := true
	for {
		line, err := r.ReadBytes('\n')
		if blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := flush(); err != nil {
				return err
			}
			line = nil
		}
		raw.Write(unquoteFrom(line))
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if err == io.EOF {
			return flush()
		}
		if err != nil {
			return err
		}
	}
}

// unquoteFrom undoes the ">From " of mbox files.
func unquoteFrom(line []byte) []byte {
	rest := bytes.TrimLeft(line, ">")
	if len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From ")) {
		return line[1:]
	}
	return line
}

// receivedAt is when the mail arrived: what the topmost Received field says, or else the file's own time.
func receivedAt(raw []byte, modified time.Time) time.Time {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return modified.UTC()
	}
	trace := m.Header.Get("Received")
	t, err := netmail.ParseDate(strings.TrimSpace(trace[strings.LastIndexByte(trace, ';')+1:]))
	if err != nil || t.After(time.Now()) {
		return modified.UTC()
	}
	return t.UTC()
}
