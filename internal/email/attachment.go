package email

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Attachment is one file of a mail.
type Attachment struct {
	Filename    string // made safe for display, never empty, never a path
	GivenName   string // as the mail says, decoded; "" if it names none
	ContentType string // as declared, lower-case, without parameters
	Sniffed     string // media type by content, without parameters; "application/octet-stream" if it looks like nothing
	Size        int64  // bytes after decoding
	SHA256      string // of the decoded bytes, hex
	Inline      bool   // part of the text: it has a content id and is not called an attachment
	ContentID   string // without angle brackets
	Disposition string // "attachment", "inline" or ""
	Damaged     bool   // the transfer encoding was broken: some of the content is lost

	data []byte
}

// Bytes returns the decoded content. The caller must not change it.
func (a *Attachment) Bytes() []byte { return a.data }

// ImageSize returns the width and height of an image in pixels from its header, without decoding it. ok is false for what is no
// JPEG, PNG, GIF, WebP, BMP or HEIC file.
func (a *Attachment) ImageSize() (width, height int, ok bool) { return imageSize(a.data) }

// sniff returns the media type that the content looks like.
func sniff(b []byte) string {
	media, _, _ := strings.Cut(mimetype.Detect(b).String(), ";")
	return media
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
