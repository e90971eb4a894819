package email

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func show(list []Address) string {
	var out []string
	for _, a := range list {
		out = append(out, a.Name+"<"+a.Addr+">")
	}
	return strings.Join(out, " ")
}

func TestAddresses(t *testing.T) {
	cases := []struct{ raw, want string }{
		{"a@example.com", "<a@example.com>"},
		{"<a@example.com>", "<a@example.com>"},
		{"Li Lei <a@example.com>", "Li Lei<a@example.com>"},
		{`"Lei, Li" <a@example.com>, b@example.com`, "Lei, Li<a@example.com> <b@example.com>"},
		{"a@example.com (Li Lei)", "Li Lei<a@example.com>"},
		{"Pete(A wonderful \\) chap) <pete(his account)@silly.test(his host)>", "Pete<pete@silly.test>"},
		{"=?utf-8?B?5p2O6Zu3?= <a@example.com>", "李雷<a@example.com>"},
		{`"=?utf-8?B?5p2O6Zu3?=" <a@example.com>`, "李雷<a@example.com>"},
		{"=?utf-8?Q?Lei,_Li?= <a@example.com>", "Lei, Li<a@example.com>"},
		{"=?utf-8?Q?a=40evil.example?= <a@example.com>", "a@evil.example<a@example.com>"},
		{gbk("李雷先生") + " <a@example.com>", "李雷先生<a@example.com>"},
		{"group: a@example.com, B <b@example.com>;", "<a@example.com> B<b@example.com>"},
		{"undisclosed-recipients:;", ""},
		{"<@relay.example,@other.example:a@example.com>", "<a@example.com>"},
		{"a@example.com; b@example.com", "<a@example.com> <b@example.com>"},
		{"a@example.com b@example.com", "<a@example.com> <b@example.com>"},
		{"Bob <a@example.com> Ann <b@example.com>", "Bob<a@example.com> Ann<b@example.com>"},
		{"bad one, <a@example.com>", "bad one<> <a@example.com>"},
		{"victim@bank.example <evil@x.example>", "victim@bank.example<evil@x.example>"},
		{`"support@bank.example" <evil@x.example>`, "support@bank.example<evil@x.example>"},
		{`"john doe"@example.com`, `<"john doe"@example.com>`},
		{`"john.doe"@example.com`, "<john.doe@example.com>"},
		{"john . doe @ example . com", "<john.doe@example.com>"},
		{"<one two@example.com>", "<two@example.com>"},
		{`"unclosed <a@example.com>`, "unclosed<a@example.com>"},
		{"Li <a@example.com", "Li<a@example.com>"},
		{"<<a@example.com>>", "<a@example.com>"},
		{"mailto:a@example.com", "<a@example.com>"},
		{"<mailto:a@example.com>", "<a@example.com>"},
		{"MAILER-DAEMON", "<MAILER-DAEMON>"},
		{"用户@例子.公司", "<用户@例子.公司>"},
		{"'Li' <a@example.com>", "Li<a@example.com>"},
		{`"Li \"Lei\"" <a@example.com>`, `Li "Lei"<a@example.com>`},
		{"a@example.com.", "<a@example.com>"},
		{"", ""},
		{",,;", ""},
	}
	for _, c := range cases {
		if got := show(ParseAddresses(c.raw, "")); got != c.want {
			t.Errorf("%q: %s, want %s", c.raw, got, c.want)
		}
	}
}

// TestEncodedWordNeverBecomesAnAddress: what an encoded word decodes to is a name, whoever it names.
func TestEncodedWordNeverBecomesAnAddress(t *testing.T) {
	hidden := []string{
		"=?utf-8?Q?victim=40bank.example?=",
		"=?utf-8?Q?=3Cvictim=40bank.example=3E?=",
		"=?utf-8?B?IlZpY3RpbSIgPHZpY3RpbUBiYW5rLmV4YW1wbGU+LA==?= <evil@x.example>",
		"=?utf-8?Q?Victim_=3Cvictim=40bank.example=3E,?= <evil@x.example>",
		"=?utf-8?Q?victim=40bank.example=0D=0ACc:_?= <evil@x.example>",
		"<=?utf-8?Q?victim=40bank.example?=>",
		`"=?utf-8?Q?=22_=3Cvictim=40bank.example=3E?=" <evil@x.example>`,
	}
	for _, raw := range hidden {
		m := Parse([]byte("From: " + raw + "\nTo: " + raw + "\nReply-To: " + raw + "\n\nhi\n"))
		for _, a := range append(append([]string{m.From}, m.To...), m.ReplyTo...) {
			if strings.Contains(a, "victim@") {
				t.Errorf("%q: %q", raw, a)
			}
		}
		if strings.Contains(raw, "evil") && m.From != "evil@x.example" {
			t.Errorf("%q: from %q", raw, m.From)
		}
	}
}

func TestT4_4_FromThatIsNotOneAddressIsTold(t *testing.T) {
	cases := []struct {
		from []string
		code string
		n    int
	}{
		{[]string{"a@example.com"}, "", 1},
		{[]string{"a@example.com", "b@example.com"}, "from_duplicate", 2},
		{[]string{"a@example.com, b@example.com"}, "from_multiple", 2},
		{[]string{"no address here"}, "from_unreadable", 1},
		{[]string{"a@b@example.com"}, "from_unreadable", 1},
		{nil, "from_missing", 0},
		{[]string{"<@relay.example:a@example.com>"}, "", 1},
		{[]string{"用户@例子.公司"}, "", 1},
	}
	for _, c := range cases {
		raw := "Subject: s\n"
		for _, f := range c.from {
			raw += "From: " + f + "\n"
		}
		m := Parse([]byte(raw + "\nhi\n"))
		if m.FromCount != c.n || c.code != "" && !problem(m, c.code) || c.code == "" && slices.ContainsFunc(m.Problems, func(p string) bool { return strings.HasPrefix(p, "from_") }) {
			t.Errorf("%q: %d %v", c.from, m.FromCount, m.Problems)
		}
		if c.code != "" && !m.NoReply {
			t.Errorf("%q may be answered", c.from)
		}
	}
}

func TestT4_5_NameThatPretendsToBeAnAddressIsTold(t *testing.T) {
	for raw, want := range map[string]bool{
		`"support@bank.example" <x@evil.example>`: true, "x@evil.example <x@evil.example>": false, "Li Lei <x@evil.example>": false, "@home <x@evil.example>": false,
	} {
		if m := Parse([]byte("From: " + raw + "\n\nhi\n")); problem(m, "from_name_is_address") != want {
			t.Errorf("%q: %v", raw, m.Problems)
		}
	}
	if m := Parse([]byte("From: =?utf-8?Q?OK=E2=80=AEyaP?= <x@evil.example>\n\nhi\n")); m.FromName != "OKyaP" {
		t.Errorf("%q", m.FromName)
	}
}

func TestT2_8_MessageIDs(t *testing.T) {
	cases := []struct {
		raw  string
		want []string
	}{
		{"<a@example.com>", []string{"a@example.com"}},
		{"<a@example.com> <b@example.com>", []string{"a@example.com", "b@example.com"}},
		{"<a@example.com>,<b@example.com>", []string{"a@example.com", "b@example.com"}},
		{"<a@example.com><b@example.com>", []string{"a@example.com", "b@example.com"}},
		{"<a@exam\r\n ple.com>", []string{"a@example.com"}},
		{"a@example.com", []string{"a@example.com"}},
		{"a@example.com b@example.com", []string{"a@example.com", "b@example.com"}},
		{"<a@example.com> <a@example.com>", []string{"a@example.com"}},
		{"<a@@example.com>", []string{"a@@example.com"}},
		{"<001$@x.y@example.com>", []string{"001$@x.y@example.com"}},
		{"<noat>", []string{"noat"}},
		{`Your message of "Tue" <a@example.com>`, []string{"a@example.com"}},
		{"<a@example.com", []string{"a@example.com"}},
		{"<>", nil}, {"", nil}, {"some words only", nil},
	}
	for _, c := range cases {
		m := Parse([]byte("From: x@example.com\nReferences: " + c.raw + "\n\nhi\n"))
		if !slices.Equal(m.References, c.want) {
			t.Errorf("%q: %q", c.raw, m.References)
		}
	}
	var many strings.Builder
	for i := range 100000 {
		fmt.Fprintf(&many, " <%d@example.com>", i)
	}
	m := Parse([]byte("From: x@example.com\nReferences:" + many.String() + "\n\nhi\n"))
	if len(m.References) > maxIDs || m.References[0] != "0@example.com" {
		t.Errorf("%d ids from %s", len(m.References), m.References[0])
	}
}

func TestAddressesAreCounted(t *testing.T) {
	raw := "From: x@example.com\nTo: " + strings.Repeat("a@example.com, ", 3000) + "b@example.com\n\nhi\n"
	if m := Parse([]byte(raw)); len(m.To) != maxAddresses {
		t.Errorf("%d", len(m.To))
	}
}

func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"=?utf-8?Q?a=40b?= <c@d>", `"a\"b" <c@d>, e (f) g@h; i:j@k;`, "<@a,@b:c@d>", "((((", `""""<<<>>>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range ParseAddresses(s, "") {
			if !utf8.ValidString(a.Name) || strings.ContainsAny(a.Name+a.Addr, "\r\n\x00") {
				t.Fatalf("%q: %+q", s, a)
			}
			if a.Valid() && strings.Contains(a.Addr, "@") && !strings.Contains(strings.ReplaceAll(s, " ", ""), "@") {
				t.Fatalf("%q: made up %q", s, a.Addr)
			}
		}
	})
}
