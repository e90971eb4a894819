package mailtest

import (
	"errors"
	"io"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
)

func TestSMTPScript(t *testing.T) {
	for name, c := range map[string]struct {
		stage string
		reply SMTPReply
		code  int  // of the error; 0: the connection ended, or no error
		lost  bool // the connection ended
		kept  int
	}{
		"friendly":         {StageNOOP, SMTPReply{}, 0, false, 1},
		"4xx to RCPT":      {StageRCPT, SMTPReply{Lines: []string{"451-4.7.1 greylisted", "451 4.7.1 come again"}}, 451, false, 0},
		"5xx to MAIL":      {StageMAIL, SMTPReply{Lines: []string{"550 5.7.1 no"}}, 550, false, 0},
		"5xx to the dot":   {StageDOT, SMTPReply{Lines: []string{"554 5.7.1 spam"}}, 554, false, 0},
		"421 and goodbye":  {StageDATA, SMTPReply{Lines: []string{"421 4.3.2 going down"}, After: true}, 421, false, 0},
		"drop before DATA": {StageDATA, SMTPReply{Before: true}, 0, true, 0},
		"drop before 250":  {StageDOT, SMTPReply{Before: true}, 0, true, 1},
		"drop after 250":   {StageDOT, SMTPReply{After: true}, 0, false, 1},
		"slow words":       {StageDOT, SMTPReply{Lines: []string{"250-2.0.0 first", "250 2.0.0 second"}, Trickle: 1}, 0, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := SMTPScript(t, SMTPBehaviour{c.stage: SMTPOnce(1, c.reply)})
			err := submit(s.Addr(), "Subject: dots\r\n\r\n.one\r\n..two\r\n")
			var answer *textproto.Error
			switch {
			case c.code != 0 && (!errors.As(err, &answer) || answer.Code != c.code):
				t.Errorf("error %v, want code %d", err, c.code)
			case c.lost && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
				t.Errorf("error %v, want the end of the connection", err)
			case c.code == 0 && !c.lost && err != nil:
				t.Errorf("error %v", err)
			}
			got := s.Messages()
			if len(got) != c.kept {
				t.Fatalf("%d messages kept, want %d", len(got), c.kept)
			}
			for _, m := range got {
				if string(m.Data) != "Subject: dots\r\n\r\n.one\r\n..two\r\n" || m.From != "a@example.com" || strings.Join(m.To, ",") != "b@example.com" {
					t.Errorf("kept %+v", m)
				}
			}
		})
	}
}

// submit sends one message and does not say goodbye.
func submit(addr, text string) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Mail("a@example.com"); err != nil {
		return err
	}
	if err := c.Rcpt("b@example.com"); err != nil {
		return err
	}
	return write(c, text)
}
