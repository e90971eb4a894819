package email

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func testTokens(t testing.TB, first byte, ids ...int) *Tokens {
	t.Helper()
	if len(ids) == 0 {
		ids = []int{1}
	}
	var keys []Key
	for i, id := range ids {
		keys = append(keys, Key{ID: id, Secret: bytes.Repeat([]byte{first + byte(i)}, 32)})
	}
	tokens, err := NewTokens(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

const rcpt = "Li.Lei@example.com"

func TestT2_1_EveryFlippedBitIsRejected(t *testing.T) {
	tokens := testTokens(t, 1)
	addr, err := tokens.ReplyAddress("support@okpay.example", 17, rcpt)
	if err != nil {
		t.Fatal(err)
	}
	local, domain, _ := strings.Cut(addr, "@")
	token := strings.TrimPrefix(local, "support+t.")
	raw, err := encoding.DecodeString(token)
	if err != nil || len(token) != tokenChars || len(local) > 64 {
		t.Fatal(addr, err)
	}
	for bit := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		if ref, ok := tokens.FindAddress("support+t." + encoding.EncodeToString(flipped) + "@" + domain); ok {
			t.Errorf("bit %d: accepted as %+v", bit, ref)
		}
	}
	for _, form := range []string{addr, strings.ToUpper(addr), strings.ToUpper(token[:7])} {
		ref, ok := tokens.FindAddress(form)
		if ok != strings.Contains(form, "@") || ok && ref.Ticket != 17 {
			t.Errorf("%s: %+v %v", form, ref, ok)
		}
	}
}

func TestTokensOfOnePurposeAreWorthlessForAnother(t *testing.T) {
	tokens := testTokens(t, 1)
	reply, _ := tokens.ReplyAddress("support@okpay.example", 17, rcpt)
	bounce, _ := tokens.BounceAddress("support@okpay.example", 18, rcpt)
	id := tokens.MessageID("okpay.example", 19, rcpt)
	if ref, ok := tokens.FindAddress(strings.Replace(reply, "+t.", "+b.", 1)); ok {
		t.Errorf("reply as bounce: %+v", ref)
	}
	if ref, ok := tokens.FindAddress(bounce); !ok || ref.Delivery != 18 || ref.Ticket != 0 {
		t.Errorf("bounce: %+v %v", ref, ok)
	}
	if ref, ok := tokens.FindID(id); !ok || ref.Delivery != 19 || ref.Purpose != ForMessage {
		t.Errorf("message id: %+v %v", ref, ok)
	}
	if ref, ok := tokens.FindAddress("support+t." + id[3:3+tokenChars] + "@okpay.example"); ok {
		t.Errorf("message id as reply: %+v", ref)
	}
	if ref, _ := tokens.FindAddress(reply); !tokens.IssuedTo(ref, "li.lei@EXAMPLE.com") || tokens.IssuedTo(ref, "han@example.com") || tokens.IssuedTo(Ref{}, rcpt) {
		t.Error("the recipient is not told apart")
	}
}

func TestTokensOfAnOlderKeyGoOnWorking(t *testing.T) {
	old, err := testTokens(t, 1, 1).ReplyAddress("support@okpay.example", 17, rcpt)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := NewTokens(Key{2, bytes.Repeat([]byte{9}, 32)}, Key{1, bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if ref, ok := rotated.FindAddress(old); !ok || !rotated.IssuedTo(ref, rcpt) {
		t.Errorf("%+v %v", ref, ok)
	}
	if _, ok := testTokens(t, 9, 2).FindAddress(old); ok {
		t.Error("accepted without its key")
	}
}

func TestNoRoomForATokenIsAnError(t *testing.T) {
	tokens := testTokens(t, 1)
	if _, err := tokens.ReplyAddress(strings.Repeat("a", 21)+"@okpay.example", 1<<40-1, rcpt); err != nil {
		t.Error(err)
	}
	if _, err := tokens.ReplyAddress(strings.Repeat("a", 22)+"@okpay.example", 1, rcpt); !errors.Is(err, ErrLocalPart) {
		t.Error(err)
	}
	for _, keys := range [][]Key{nil, {{16, make([]byte, 32)}}, {{1, []byte("short")}}} {
		if _, err := NewTokens(keys...); err == nil {
			t.Errorf("%v accepted", keys)
		}
	}
}

func TestFindPrefersTheAddressThenTheNewestReference(t *testing.T) {
	tokens := testTokens(t, 1)
	reply, _ := tokens.ReplyAddress("support@okpay.example", 17, rcpt)
	bounce, _ := tokens.BounceAddress("support@okpay.example", 20, rcpt)
	first, last := tokens.MessageID("okpay.example", 18, rcpt), tokens.MessageID("okpay.example", 19, rcpt)
	cases := []struct {
		header string
		want   Ref
	}{
		{"To: " + reply + "\nReferences: <" + first + ">\n", Ref{Ticket: 17}},
		{"To: x@example.com\nDelivered-To: " + strings.ToUpper(reply) + "\n", Ref{Ticket: 17}},
		{"Delivered-To: " + bounce + "\n", Ref{Delivery: 20}},
		{"References: <" + first + "> <" + last + "> <other@example.com>\n", Ref{Delivery: 19}},
		{"In-Reply-To: " + first + "\nReferences: <" + last + ">\n", Ref{Delivery: 18}},
		{"Subject: " + reply + "\n", Ref{}},
	}
	for _, c := range cases {
		ref := tokens.Find(Parse([]byte("From: a@example.com\n" + c.header + "\nhello\n")))
		if ref.Ticket != c.want.Ticket || ref.Delivery != c.want.Delivery {
			t.Errorf("%q: %+v", c.header, ref)
		}
	}
}

func TestT3_7_ForgedBounceRefersToNothing(t *testing.T) {
	tokens := testTokens(t, 1)
	forged := strings.ReplaceAll(dsnFor("pd."+strings.Repeat("a", 40)+".bbbbbbbb@okpay.example"), "DELIVERED", "support+b."+strings.Repeat("a", 40)+"@okpay.example")
	if m := Parse([]byte(forged)); m.Kind != Bounced || tokens.Find(m) != (Ref{}) {
		t.Errorf("%s %+v", m.Kind, tokens.Find(m))
	}
	real := strings.ReplaceAll(dsnFor(tokens.MessageID("okpay.example", 7, rcpt)), "DELIVERED", "support@okpay.example")
	if ref := tokens.Find(Parse([]byte(real))); ref.Delivery != 7 {
		t.Errorf("%+v", ref)
	}
}

func dsnFor(id string) string {
	return "Return-Path: <>\nDelivered-To: DELIVERED\nFrom: MAILER-DAEMON@example.com\nSubject: Undelivered\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n" +
		"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; li.lei@example.com\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <" + id + ">\n\nhi\n--b--\n"
}

func FuzzToken(f *testing.F) {
	tokens := testTokens(f, 1)
	addr, _ := tokens.ReplyAddress("support@okpay.example", 17, rcpt)
	f.Add(addr)
	f.Add(tokens.MessageID("okpay.example", 1, rcpt))
	f.Add(tokens.Loop("okpay"))
	f.Fuzz(func(t *testing.T, s string) {
		tokens.FindID(s)
		tokens.ownMark(s)
		if ref, ok := tokens.FindAddress(s); ok && !strings.EqualFold(tagOf(s), tagOf(addr)) {
			t.Fatalf("%q accepted as %+v", s, ref)
		}
	})
}

// tagOf is what follows the plus of an address.
func tagOf(addr string) string {
	local, _ := cutLast(addr, '@')
	return local[strings.LastIndexByte(local, '+')+1:]
}
