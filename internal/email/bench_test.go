package email

import (
	"encoding/base64"
	"strings"
	"testing"
)

// sevenKB is an ordinary mail of a customer: trace fields, plain text and HTML with quoted history.
func sevenKB() []byte {
	var b strings.Builder
	b.WriteString("Return-Path: <li@example.com>\r\nDelivered-To: support@okpay.example\r\n")
	for range 4 {
		b.WriteString("Received: from mx.example.com (mx.example.com [192.0.2.7])\r\n\tby mail.okpay.example (Postfix) with ESMTPS id 4F2C1A0\r\n\tfor <support@okpay.example>; Mon, 2 Feb 2026 10:11:12 +0800 (CST)\r\n")
	}
	b.WriteString("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;\r\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=" + strings.Repeat("abcdEFGH", 40) + "\r\n")
	b.WriteString("From: =?utf-8?B?5p2O6Zu3?= <li@example.com>\r\nTo: <support@okpay.example>\r\nSubject: =?utf-8?B?5oiR5oOz5rOo6ZSA6LSm5oi3?=\r\nDate: Mon, 2 Feb 2026 10:11:12 +0800\r\nMessage-ID: <abc@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n")
	text := strings.Repeat("您好，我想注销我的账户，请告诉我需要哪些材料。\n", 12) + "\n在 2026年2月1日 09:00，OKPay 客服 <support@okpay.example> 写道：\n> 您好\n> 请提供资料\n"
	html := "<html><body><div>" + strings.ReplaceAll(text, "\n", "<br>\n") + "</div></body></html>"
	for kind, body := range map[string]string{"plain": text, "html": html} {
		b.WriteString("--b1\r\nContent-Type: text/" + kind + "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + fold(base64.StdEncoding.EncodeToString([]byte(body))) + "\r\n")
	}
	b.WriteString("--b1--\r\n")
	return []byte(b.String())
}

func fold(s string) string {
	var out strings.Builder
	for ; len(s) > 76; s = s[76:] {
		out.WriteString(s[:76] + "\r\n")
	}
	return out.String() + s
}

func BenchmarkParse(b *testing.B) {
	raw := sevenKB()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(raw)
	}
}
