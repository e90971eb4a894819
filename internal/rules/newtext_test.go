package rules_test

import (
	"regexp"
	"strings"
)

var quoteStart = regexp.MustCompile(`(?m)^(On .{10,80} wrote:|.*写道：|.*寫道：|-{2,} ?(原始邮件|回复的原邮件).*|-{5,}Original Message-{5,}|发件人[：:].*|From: .*|Von: .*|_{10,}|Le .* a écrit :|.*<.*@.*>:)\s*$`)

func newText(body string) string {
	if strings.Contains(body, "Forwarded message") || strings.Contains(body, "转发邮件信息") || strings.Contains(body, "Inviato:") {
		return body
	}
	lines := strings.Split(body, "\n")
	var keep []string
	quoted := false
	for _, l := range lines {
		if strings.HasPrefix(l, ">") {
			quoted = true
			continue
		}
		keep = append(keep, l)
	}
	text := strings.Join(keep, "\n")
	if m := quoteStart.FindStringIndex(text); m != nil && !quoted {
		text = text[:m[0]]
	}
	return text
}
