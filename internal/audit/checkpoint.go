package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint commits to the first Size events: whoever keeps a signed one can tell later whether any of them was changed or
// removed. Its text is that of C2SP tlog-checkpoint: origin, size and root, a line each.
type Checkpoint struct {
	Origin string // name of the key that signs
	Size   int64
	Root   tlog.Hash
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// Sign returns the checkpoint as a signed note, ending with a newline. The signer's name becomes the origin.
func Sign(size int64, root tlog.Hash, signer note.Signer) (string, error) {
	c := Checkpoint{Origin: signer.Name(), Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint of %d events: %w", size, err)
	}
	return string(signed), nil
}

// OpenCheckpoint checks the signature of a signed checkpoint and returns what it says.
func OpenCheckpoint(signed []byte, verifier note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	return parseCheckpoint(n.Text)
}

// ReadCheckpoint returns what a signed checkpoint says without looking at its signature.
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	text, _, found := strings.Cut(string(signed), "\n\n")
	if !found {
		return Checkpoint{}, fmt.Errorf("checkpoint: no signature")
	}
	return parseCheckpoint(text + "\n")
}

func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("checkpoint: want three lines: origin, size, root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("checkpoint: bad size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: bad root: %w", err)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// SplitCheckpoints cuts a file of signed checkpoints, one after another, into single ones. Blank lines between them do no
// harm. What is no checkpoint comes out as it is and fails when it is opened.
func SplitCheckpoints(file []byte) [][]byte {
	var list [][]byte
	file = bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n"))
	for file = bytes.TrimLeft(file, "\n"); len(file) > 0; file = bytes.TrimLeft(file, "\n") {
		n := endOfNote(file)
		list = append(list, file[:n])
		file = file[n:]
	}
	return list
}

// endOfNote finds where the signature lines after the first blank line end. They begin with an em dash.
func endOfNote(file []byte) int {
	at := bytes.Index(file, []byte("\n\n"))
	if at < 0 {
		return len(file)
	}
	for at += 2; bytes.HasPrefix(file[at:], []byte("— ")); {
		line := bytes.IndexByte(file[at:], '\n')
		if line < 0 {
			return len(file)
		}
		at += line + 1
	}
	return at
}

// VerifierKey derives the text of the public key from that of the private key, both as note.GenerateKey makes them.
func VerifierKey(signerKey string) (string, error) {
	signer, err := note.NewSigner(signerKey)
	if err != nil {
		return "", fmt.Errorf("signing key: %w", err) // says nothing of the key itself
	}
	parts := strings.SplitN(signerKey, "+", 5) // PRIVATE+KEY+name+hash+base64; the name has no plus, base64 may
	secret, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(secret) != 1+ed25519.SeedSize { // one byte names the algorithm
		return "", fmt.Errorf("signing key: not an Ed25519 key")
	}
	public := ed25519.NewKeyFromSeed(secret[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(signer.Name(), public)
}
