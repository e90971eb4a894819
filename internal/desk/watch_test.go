package desk_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/fstest"

	"postdesk/internal/desk"
	"postdesk/internal/rules"
	"postdesk/internal/ticket"
)

func TestT6_21_SecretsAreHiddenAndTheCustomerIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{body: "提现没有到账。我的登录密码：Qw3rty!789，请帮我看看。"})
		v := r.ticket(1)
		if strings.Contains(v.Messages[0].Text, "Qw3rty") || !has(v.Flags, "secret:password") {
			t.Errorf("shown: %q, flags %v", v.Messages[0].Text, v.Flags)
		}
		raw, err := r.Store.Original(t.Context(), v.Messages[0].RawSHA256)
		if err != nil || !strings.Contains(string(raw), "Qw3rty!789") {
			t.Error("the original lost what was written")
		}
		r.receive(letter{header: "References: <m1@qq.com>\r\n", body: "我的登录密码：Qw3rty!789"})
		warnings := 0
		for _, d := range r.deliveries() {
			if d.Template == "security.secret_received" {
				warnings++
				if strings.Contains(r.sent(d).Text, "Qw3rty") {
					t.Error("the warning repeats the secret")
				}
			}
		}
		if warnings != 1 {
			t.Errorf("%d warnings", warnings)
		}
		r.whole()
	})
}

func TestTheSameFileFromAnotherCustomerIsFlagged(t *testing.T) {
	passport := base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff\xe0\x00\x10JFIF" + strings.Repeat("scan", 2000)))
	with := func(from string) letter {
		return letter{from: from, header: "X-File: 1\r\n", body: "请看附件"}
	}
	each(t, func(t *testing.T, r *room) {
		for _, from := range []string{"a@example.org", "a@example.org", "thief@example.net"} {
			m := r.mail(with(from))
			m.Raw = []byte(strings.Replace(string(m.Raw), "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
				"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", 1) +
				"\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=passport.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + passport + "\r\n--b--\r\n")
			r.take(m)
		}
		views := r.tickets()
		if has(views[1].Flags, "file_seen_in") || !has(views[2].Flags, "file_seen_in:1") {
			t.Errorf("same customer %v, other customer %v", views[1].Flags, views[2].Flags)
		}
		if a := views[2].Messages[0].Attachments; len(a) != 1 || a[0].Scan != "unscanned" || a[0].Sniffed != "image/jpeg" {
			t.Errorf("attachments %+v", a)
		}
	})
}

func TestRulesReportAndBacktestChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{}, letter{from: "b@example.org", subject: "Please close my account", body: "Please close my account permanently."})
		if err := r.Correct(t.Context(), "ann", 1, ticket.PaymentFailure); err != nil {
			t.Fatal(err)
		}
		a, err := r.Report(t.Context())
		if err != nil || a.Tickets != 2 || a.Corrected != 1 || len(a.Missed) != 1 || a.Missed[0].Meant != ticket.PaymentFailure {
			t.Errorf("%+v, %v", a, err)
		}
		before, seen := r.ticket(2), 0
		err = r.Backtest(t.Context(), r.Rules, func(m desk.Replayed) error {
			seen++
			if m.Changed() {
				t.Errorf("the same rules decide otherwise: %+v", m)
			}
			return nil
		})
		if err != nil || seen != 2 {
			t.Errorf("%d mails, %v", seen, err)
		}
		if after := r.ticket(2); !after.UpdatedAt.Equal(before.UpdatedAt) {
			t.Error("the backtest touched a ticket")
		}
	})
}

func TestShadowRulesHaveNoEffect(t *testing.T) {
	shadow, err := rules.Load(fstest.MapFS{"all.yaml": {Data: []byte("language: en\nconcepts:\n  ANY: {about: any mail}\nterms:\n  ANY: [USDT]\nrules:\n  - {id: all.closure, match: ANY, score: {closure: 9}}\ncalibration:\n  - {margin: 0, confidence: 0.5}\n  - {margin: 5, confidence: 0.9}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, r *room) {
		parts := r.Parts
		parts.Shadow = shadow
		r = &room{Desk: desk.New(parts), t: t, tokens: r.tokens}
		r.receive(letter{})
		v := r.ticket(1)
		if v.Category != ticket.Withdrawal {
			t.Errorf("filed as %s", v.Category)
		}
		said := false
		for _, e := range v.Events {
			said = said || e.Kind == "rules.shadow" && strings.Contains(string(e.Data), "closure")
		}
		if !said {
			t.Error("the record does not say where the shadow set differs")
		}
	})
}
