// Package scan asks a clamd whether files are infected. It keeps no state and trusts no answer it does not understand: what
// was not plainly called clean is not clean.
package scan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Verdict is what is known of a file. Only a Clean one may be shown or counted.
type Verdict string

const (
	Clean     Verdict = "clean"
	Infected  Verdict = "infected"
	Unscanned Verdict = "unscanned" // no scanner, or it did not answer
)

// Clamd is a client of a ClamAV daemon. The zero value has no daemon: every file stays Unscanned.
type Clamd struct {
	Address string        // host:port, or unix:/path
	Timeout time.Duration // of one file; default 30 s
}

const (
	defaultTimeout = 30 * time.Second
	chunk          = 64 << 10
	maxAnswer      = 4 << 10
)

// Scan streams one file to the daemon (its INSTREAM command) and returns the verdict with the daemon's words. An error means
// that the daemon could not be asked; the verdict is Unscanned then.
func (c Clamd) Scan(ctx context.Context, file []byte) (v Verdict, words string, err error) {
	if c.Address == "" {
		return Unscanned, "", nil
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := dial(ctx, c.Address)
	if err != nil {
		return Unscanned, "", fmt.Errorf("clamd: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	// The daemon answers and hangs up when a file is over its limit, while it is still being sent: read the answer anyway.
	sendErr := send(conn, file)
	answer, err := bufio.NewReader(io.LimitReader(conn, maxAnswer)).ReadString(0)
	words = strings.TrimPrefix(strings.TrimRight(answer, "\x00\n"), "stream: ")
	if words == "" {
		return Unscanned, "", fmt.Errorf("clamd: %w", errors.Join(sendErr, err))
	}
	return verdict(words), words, nil
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return d.DialContext(ctx, "unix", path)
	}
	return d.DialContext(ctx, "tcp", address)
}

func send(w io.Writer, file []byte) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	for len(file) > 0 {
		part := file[:min(len(file), chunk)]
		file = file[len(part):]
		if _, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(part))), part...)); err != nil {
			return err
		}
	}
	_, err := w.Write([]byte{0, 0, 0, 0})
	return err
}

func verdict(words string) Verdict {
	switch {
	case words == "OK":
		return Clean
	case strings.HasSuffix(words, " FOUND"):
		return Infected
	}
	return Unscanned // "INSTREAM size limit exceeded. ERROR" and the like
}

// Ping asks the daemon whether it is there.
func (c Clamd) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	conn, err := dial(ctx, c.Address)
	if err != nil {
		return fmt.Errorf("clamd: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := io.WriteString(conn, "zPING\x00"); err != nil {
		return fmt.Errorf("clamd: %w", err)
	}
	answer, err := bufio.NewReader(io.LimitReader(conn, maxAnswer)).ReadString(0)
	if answer != "PONG\x00" {
		return fmt.Errorf("clamd: answered %q: %w", answer, err)
	}
	return nil
}
