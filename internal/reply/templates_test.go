package reply_test

import (
	"html"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postdesk/internal/reply"
	"postdesk/internal/ticket"
)

// Who may receive each mail: one that says something about an account goes to the registered address only.
func recipients() map[string]reply.Recipient {
	out := map[string]reply.Recipient{}
	for to, keys := range map[reply.Recipient]string{
		reply.ToCustomer: `ack.received ack.duplicate ack.outside_hours triage.clarify intake.unreadable intake.attachment_blocked intake.wrong_channel intake.language
			intake.too_large identity.failed identity.expired identity.use_registered security.secret_received security.phishing_report security.phishing_advice
			security.unauthorised_tx security.agency_warning docs.request docs.received docs.accepted_partial docs.rejected docs.all_accepted docs.reminder_1 docs.reminder_2
			docs.reminder_final docs.manual closure.guide closure.self_service closure.declare_zero closure.blocked closure.dust closure.cooling_off closure.under_review
			closure.progress closure.no_fast_track closure.refused closure.refused_neutral closure.expired closure.post soft.offer locked.guide
			locked.not_unlocked payment.guide payment.info_request payment.cause payment.incident withdrawal.guide withdrawal.info_request withdrawal.payee_change_refused
			restriction.guide restriction.application neutral.under_review complaint.ack complaint.holding complaint.final complaint.forward ops.resolved ops.reopened
			ops.survey ops.bounced_notice agent.reply`,
		reply.ToRegistered: `identity.challenge identity.challenge_resend security.other_address security.not_me security.freeze_done closure.consent closure.activity
			closure.withdrawn closure.undo_window closure.final closure.certificate closure.final_copy closure.late_redemption soft.confirm reactivation.request reactivation.done
			reactivation.refused locked.verify locked.unlocked withdrawal.status withdrawal.paid withdrawal.returned restriction.lifted restriction.partly restriction.upheld
			privacy.ack privacy.extended privacy.erasure_done privacy.erasure_refused privacy.access_delivery`,
		reply.ToInternal: `int.approval_needed int.sla_breach int.hold_set int.outbox_uncertain int.intake_poison int.fraud_flag int.complaint_due int.retention_due`,
	} {
		for _, key := range strings.Fields(keys) {
			out[key] = to
		}
	}
	return out
}

func TestEveryMailExistsAndGoesToWhomItMay(t *testing.T) {
	s := load(t)
	want := recipients()
	if got := s.Keys(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("keys %v", got)
	}
	for key, to := range want {
		if tmpl, ok := s.Template(key); !ok || tmpl.To != to {
			t.Errorf("%s goes to %q, not %q", key, tmpl.To, to)
		}
	}
}

// each calls fn with every mail in both languages, with everything optional and with nothing optional.
func each(t *testing.T, fn func(t *testing.T, tmpl reply.Template, lang string, r reply.Rendered)) {
	t.Helper()
	s := load(t)
	for _, key := range s.Keys() {
		tmpl, _ := s.Template(key)
		for _, lang := range reply.Languages() {
			full, err := s.Sample(key, lang)
			if err != nil {
				t.Fatal(err)
			}
			least := maps.Clone(full)
			for _, v := range append(reply.Common(), tmpl.Variables...) {
				if v.Optional {
					delete(least, v.Name)
				}
			}
			for name, data := range map[string]map[string]any{"full": full, "least": least} {
				r, err := s.Render(key, lang, data)
				if err != nil {
					t.Fatal(err)
				}
				t.Run(key+"/"+lang+"/"+name, func(t *testing.T) { fn(t, tmpl, lang, r) })
			}
		}
	}
}

func TestEveryMailCarriesTheTicketNumber(t *testing.T) {
	each(t, func(t *testing.T, _ reply.Template, _ string, r reply.Rendered) {
		if !strings.HasSuffix(r.Subject, " [#10423]") || !strings.Contains(r.Text, "10423") || !strings.Contains(r.HTML, "10423") {
			t.Errorf("subject %q\n%s", r.Subject, r.Text)
		}
	})
}

func TestEveryMailToACustomerAsksForAReplyAndNeverForSecrets(t *testing.T) {
	wants := map[string][]string{
		"zh-CN": {"回复本邮件", "请勿", "密码、短信验证码、完整卡号、CVV 安全码、私钥或助记词。我们的工作人员不会向您索要这些信息。"},
		"en":    {"reply to this mail", "passwords, SMS codes, full card numbers, CVV codes, private keys or recovery phrases by email. Our staff will not ask you for them."},
	}
	each(t, func(t *testing.T, tmpl reply.Template, lang string, r reply.Rendered) {
		for _, want := range wants[lang] {
			if tmpl.To != reply.ToInternal && !strings.Contains(r.Text, want) {
				t.Errorf("no %q in\n%s", want, r.Text)
			}
		}
	})
}

// The whole mail, as it is sent, passes the same remarks as an agent's text.
func TestEveryRenderedMailPassesLint(t *testing.T) {
	each(t, func(t *testing.T, _ reply.Template, lang string, r reply.Rendered) {
		allowed := []string{"1 个工作日内", "within 1 business day", "5 至 15 个工作日", "5 to 15 business days", "+352 2600 0000"}
		for _, text := range []string{r.Subject, r.Text} {
			if remarks := reply.Lint(text, lang, reply.Options{Template: true, Allowed: allowed}); len(remarks) > 0 {
				t.Errorf("%+v in\n%s", remarks, text)
			}
		}
	})
}

var remote = regexp.MustCompile(`(?i)<(?:img|script|link|iframe|object|form|input|svg|video|audio)\b|\b(?:src|background|onclick|onload|style)=|url\(|@import|@font-face`)

func TestEveryMailIsAccessibleAndLoadsNothing(t *testing.T) {
	each(t, func(t *testing.T, _ reply.Template, lang string, r reply.Rendered) {
		for _, want := range []string{`<html lang="` + lang + `">`, `role="article" lang="` + lang + `"`, "<title>" + r.Subject + "</title>", `charset="utf-8"`, "width=device-width", "prefers-color-scheme: dark", "<main>"} {
			if !strings.Contains(html.UnescapeString(r.HTML), want) {
				t.Errorf("no %s", want)
			}
		}
		if bad := remote.FindString(r.HTML); bad != "" {
			t.Errorf("%s in the HTML", bad)
		}
	})
}

// WCAG 2.1, 1.4.3: at least 4.5 to 1 between words and what is behind them, in light and in dark.
func TestColoursHaveContrast(t *testing.T) {
	r, err := load(t).Preview("ack.received", "en")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, _ := strings.Cut(r.HTML, "prefers-color-scheme: dark")
	for name, css := range map[string]string{"light": light, "dark": dark} {
		behind := regexp.MustCompile(`background: (#\w{6})`).FindStringSubmatch(css)[1]
		colours := regexp.MustCompile(`[ ;{]color: (#\w{6})`).FindAllStringSubmatch(css, -1)
		if len(colours) != 3 {
			t.Fatalf("%s: %d colours of words", name, len(colours))
		}
		for _, c := range colours {
			if got := contrast(luminance(t, behind), luminance(t, c[1])); got < 4.5 {
				t.Errorf("%s: %s on %s is %.1f", name, c[1], behind, got)
			}
		}
	}
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift int) float64 {
		c := float64(n>>shift&0xFF) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

// An acknowledgement goes to an address nobody has checked yet: it must not carry words of the mail it answers.
func TestAcknowledgementsEchoNothing(t *testing.T) {
	s := load(t).WithBrand(okpay)
	for _, key := range s.Keys() {
		tmpl, _ := s.Template(key)
		if tmpl.Class != ticket.ClassAck {
			continue
		}
		for _, v := range tmpl.Variables {
			if v.Type == "text" || v.Type == "prose" || v.Type == "name" || v.Type == "records" {
				t.Errorf("%s prints %s, a %s", key, v.Name, v.Type)
			}
		}
		data, err := s.Sample(key, "en")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"subject", "text", "body", "from", "from_name", "name", "message", "quote"} {
			data[name] = "Buy pills at evil.example"
		}
		r, err := s.Render(key, "en", data)
		if err != nil || strings.Contains(r.Subject+r.Text+r.HTML, "evil") {
			t.Errorf("%s: %v\n%s", key, err, r.Text)
		}
	}
}

func TestTheFirstAnswersNeedNothingButTheNumber(t *testing.T) {
	s := load(t).WithBrand(okpay)
	for _, key := range strings.Fields("ack.received triage.clarify closure.guide locked.guide payment.guide withdrawal.guide restriction.guide intake.unreadable intake.too_large identity.use_registered ops.resolved ops.reopened") {
		for _, lang := range reply.Languages() {
			if _, err := s.Render(key, lang, map[string]any{"ticket_no": "17"}); err != nil {
				t.Error(err)
			}
		}
	}
}

// One state, one wording: nobody can tell from the words which procedure or reason stands behind a refusal.
func TestNeutralRefusalsSayTheSame(t *testing.T) {
	s := load(t).WithBrand(okpay)
	for _, lang := range reply.Languages() {
		a, err := s.Render("closure.refused_neutral", lang, map[string]any{"ticket_no": "17"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Render("locked.not_unlocked", lang, map[string]any{"ticket_no": "17"})
		if err != nil {
			t.Fatal(err)
		}
		if a.Text != b.Text {
			t.Errorf("%s\n%s", a.Text, b.Text)
		}
		p, err := s.Phrase("refusal", "legal_obligation", lang)
		if err != nil || !strings.Contains(a.Text, p.Text) || p.How != "" {
			t.Errorf("%v %+v", err, p)
		}
	}
}

func TestTheFinalConfirmationIsComplete(t *testing.T) {
	s := load(t)
	wants := map[string][]string{
		"zh-CN": {"OKPay", "10423", "尾号 7788", "2026年3月20日 18:02（UTC+8）永久注销", "由您本人申请", "0.00 EUR；0.00 USD；0.00000000 BTC；没有欠款", "快捷支付", "授权已全部终止", "换成其他付款方式",
			"不再能够查看", "保留账户关系结束后 5 年", "依据为支付机构的法定资料保存义务", "投诉", "纠纷调解", "不能重新启用", "重新注册", "款项退回", "不要按", "不会再要求您登录、付款或提供密码、验证码", "okpay.example"},
		"en": {"OKPay", "10423", "ending in 7788", "permanently closed on 20 March 2026, 18:02 (UTC+1)", "requested the closure yourself", "0.00 EUR; 0.00 USD; 0.00000000 BTC; no debts", "Quick payment",
			"permissions linked to the account have ended", "another way to pay", "no longer see the history", "kept for 5 years after the end", "because of the legal duty", "complaint", "Ombudsman",
			"cannot be opened again", "register anew", "arrives later", "do not press", "never ask you to log in, to pay, or for passwords or codes", "okpay.example"},
	}
	for lang, list := range wants {
		r, err := s.Preview("closure.final", lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range list {
			if !strings.Contains(r.Text, want) {
				t.Errorf("no %q in\n%s", want, r.Text)
			}
		}
		if strings.Contains(r.HTML, "<a ") || strings.Contains(r.Text, "://") {
			t.Errorf("a link in\n%s", r.Text)
		}
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	s := load(t)
	for group, codes := range map[string]string{
		"reject": `unreadable cropped expired too_old future_date wrong_type name_mismatch address_mismatch dob_mismatch missing_side selfie_date_wrong selfie_note_missing
			selfie_face_hidden screenshot edited_suspected encrypted_file unsupported_format too_large empty_file virus duplicate not_requested`,
		"refusal": "docs_insufficient identity_not_confirmed balance_not_zero pending_transactions dispute_open debt_open legal_obligation not_account_holder",
	} {
		want := strings.Fields(codes)
		slices.Sort(want)
		if got := s.Codes(group); !slices.Equal(got, want) {
			t.Errorf("%s: %v", group, got)
		}
		for _, code := range want {
			for _, lang := range []string{"zh-Hant", "en-GB"} {
				p, err := s.Phrase(group, code, lang)
				if err != nil || p.Text == "" || (p.How == "") != (code == "legal_obligation") {
					t.Errorf("%s/%s in %s: %v %+v", group, code, lang, err, p)
				}
			}
		}
	}
	if _, err := s.Phrase("reject", "forged", "en"); err == nil {
		t.Error("an unknown code has words")
	}
	for _, lang := range reply.Languages() {
		p, err := s.Phrase("reject", "edited_suspected", lang)
		if err != nil || regexp.MustCompile(`伪造|篡改|修改过|forge|fake|manipulat|tamper|doubt`).MatchString(p.Text+p.How) {
			t.Errorf("a doubt is told: %+v %v", p, err)
		}
	}
}

// Plain English: no sentence of a mail is longer than 32 words, and a Chinese one has at most 100 characters.
func TestSentencesAreShort(t *testing.T) {
	each(t, func(t *testing.T, _ reply.Template, lang string, r reply.Rendered) {
		for _, s := range regexp.MustCompile(`[.!?。！？:：]\s*|\n`).Split(r.Text, -1) {
			if lang == "en" && len(strings.Fields(s)) > 32 || lang == "zh-CN" && len([]rune(s)) > 100 {
				t.Errorf("%q", s)
			}
		}
	})
}
