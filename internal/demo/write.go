package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime"
	netmail "net/mail"
	"net/smtp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// received is a mail of the desk as a customer's program shows it.
type received struct {
	id, subject, text, replyTo, references string
}

// mail makes the bytes of a customer's mail. answering is nil for the first one.
func (c Customer) mail(now time.Time, subject, text string, files []File, answering *received) ([]byte, string, error) {
	to := Support
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if answering != nil {
		to, subject = answering.replyTo, "Re: "+answering.subject
		if c.Chinese {
			subject = "回复：" + answering.subject
		}
		text = c.quote(text, answering)
		m.SetGenHeader(mail.HeaderInReplyTo, "<"+answering.id+">")
		m.SetGenHeader(mail.HeaderReferences, strings.TrimSpace(answering.references+" <"+answering.id+">"))
	}
	if err := m.FromFormat(c.Name, c.Address); err != nil {
		return nil, "", err
	}
	if err := m.To(to); err != nil {
		return nil, "", err
	}
	m.Subject(subject)
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(fmt.Sprintf("%d.%s", now.UnixNano(), c.Address))
	m.SetBodyString(mail.TypeTextPlain, text)
	for name, value := range c.Header {
		m.SetGenHeader(mail.Header(name), value)
	}
	for _, f := range files {
		if err := m.AttachReader(f.Name, bytes.NewReader(f.draw(c.Name))); err != nil {
			return nil, "", err
		}
	}
	var raw bytes.Buffer
	_, err := m.WriteTo(&raw)
	return raw.Bytes(), to, err
}

// quote puts the desk's mail under the answer as the customer's program would.
func (c Customer) quote(text string, r *received) string {
	if c.Chinese {
		return fmt.Sprintf("%s\n\n\n------------------ 原始邮件 ------------------\n发件人: \"OKPay\" <%s>;\n收件人: \"%s\" <%s>;\n主题: %s\n\n%s", text, Support, c.Name, c.Address, r.subject, r.text)
	}
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(r.text), "\n", "\n> ")
	return fmt.Sprintf("%s\n\nOn Sun, Nov 22, 2026 at 9:30 AM OKPay <%s> wrote:\n\n%s\n", text, Support, quoted)
}

// send hands a mail to the post office by SMTP, like any mail program.
func send(addr, from, to string, raw []byte) error {
	if err := smtp.SendMail(addr, nil, from, []string{to}, raw); err != nil {
		return fmt.Errorf("send as %s: %w", from, err)
	}
	return nil
}

// draw makes a picture of a sensible size, in the format of the file's name: a card with coloured bands, different for each
// customer and file, so that no two are the same file.
func (f File) draw(owner string) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 960, 640))
	seed := uint32(2166136261)
	for _, b := range []byte(owner + f.Name) {
		seed = (seed ^ uint32(b)) * 16777619
	}
	for y := range 640 {
		for x := range 960 {
			band := seed >> (uint(x/120+y/160) % 24)
			img.Set(x, y, color.RGBA{uint8(200 + band%56), uint8(180 + band/7%76), uint8(170 + band/49%86), 255})
		}
	}
	var b bytes.Buffer
	if strings.HasSuffix(f.Name, ".png") {
		png.Encode(&b, img) // a bytes.Buffer takes everything
	} else {
		jpeg.Encode(&b, img, nil)
	}
	return b.Bytes()
}

// readMail reads what a mail program shows of a mail of the desk.
func readMail(raw []byte, text func([]byte) string) (*received, error) {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read a mail of the desk: %w", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return nil, fmt.Errorf("subject of a mail of the desk: %w", err)
	}
	r := &received{
		id: strings.Trim(m.Header.Get("Message-ID"), "<>"), subject: subject, text: text(raw),
		replyTo: m.Header.Get("Reply-To"), references: m.Header.Get("References"),
	}
	for _, field := range []string{r.replyTo, m.Header.Get("From")} {
		if a, err := netmail.ParseAddress(field); err == nil {
			r.replyTo = a.Address
			break
		}
	}
	return r, nil
}
