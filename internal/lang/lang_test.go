package lang_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"postdesk/internal/lang"
)

func TestDetect(t *testing.T) {
	cases := []struct{ want, text string }{
		{"zh-Hans", "我的账户登录不了，请帮忙处理一下"},
		{"zh-Hant", "我的帳戶無法登入，請協助處理"},
		{"zh-Hans", "我的 account 被 locked 了，login 不进去，请尽快处理"},
		{"zh-Hans", "你好"},
		{"en", "please close my account"},
		{"en", "I can't log in any more"},
		{"es", "No puedo entrar en mi cuenta desde ayer"},
		{"fr", "Bonjour, je n'arrive plus à me connecter à mon compte"},
		{"de", "Ich komme nicht mehr in mein Konto"},
		{"it", "Non riesco più ad accedere al mio conto"},
		{"pt", "Não consigo acessar a minha conta"},
		{"ru", "Не могу войти в аккаунт"},
		{"uk", "Не можу увійти в свій обліковий запис, допоможіть"},
		{"ja", "ログインできません。助けてください"},
		{"ja", "口座解約希望の件、手続方法を教えて下さい"},
		{"ko", "계정에 로그인할 수 없습니다"},
		{"vi", "Tôi không đăng nhập được vào tài khoản"},
		{"vi", "toi khong dang nhap duoc tai khoan cua minh"},
		{"id", "Saya tidak bisa masuk ke akun saya"},
		{"ms", "Saya tidak boleh log masuk ke akaun saya kerana wang saya"},
		{"tr", "Hesabıma giriş yapamıyorum, lütfen yardım edin"},
		{"ar", "لا أستطيع الدخول إلى حسابي"},
		{"fa", "نمی\u200cتوانم وارد حساب کاربری خود شوم"},
		{"th", "เข้าสู่ระบบไม่ได้ค่ะ"},
		{"nl", "Ik kan niet meer inloggen op mijn rekening"},
		{"pl", "Nie mogę się zalogować na moje konto"},
		{"he", "אני לא מצליח להתחבר"},
		{"und", ""},
		{"und", "12345 https://example.com/ 0xabc"},
	}
	for _, c := range cases {
		if got := lang.Detect(c.text); got != c.want {
			t.Errorf("Detect(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	cases := []struct{ in, want string }{
		{"Close MY Account", "close my account"},
		{"ＡＢＣ１２３", "abc123"},
		{"帳戶無法登錄", "帐户无法登录"},
		{"Não consigo ACESSÁ-LO", "nao consigo acessa-lo"},
		{"Na\u0303o", "nao"},
		{"Không đăng nhập được", "khong dang nhap duoc"},
		{"HESABIMI kapatın İptal", "hesabimi kapatin iptal"},
		{"Straße", "strasse"},
		{"ｶﾞｯｺｳ", "ガッコウ"},
		{"ё Ёлка й", "е елка й"},
		{"إلى الحسابَ", "الي الحساب"},
		{"can’t", "can't"},
		{"a\u200bb\u00adc", "abc"},
		{"ﬁne", "fine"},
		{"한글", "한글"},
		{"\u1112\u1161\u11ab", "한"},
	}
	for _, c := range cases {
		if got := lang.Fold(c.in).Text; got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSpanLeadsBackToTheSource(t *testing.T) {
	cases := []struct{ source, folded, want string }{
		{"Ünï: Straße 帳戶 ok", "strasse", "Straße"},
		{"Ünï: Straße 帳戶 ok", "帐户", "帳戶"},
		{"Ünï: Straße 帳戶 OK", "ok", "OK"},
		{"a\u200bＦＯＯ bar", "foo", "ＦＯＯ"},
		{"Na\u0303o posso", "nao", "Na\u0303o"},
	}
	for _, c := range cases {
		f := lang.Fold(c.source)
		at := strings.Index(f.Text, c.folded)
		if at < 0 {
			t.Fatalf("%q not in %q", c.folded, f.Text)
		}
		start, end := f.Span(at, at+len(c.folded))
		if got := c.source[start:end]; got != c.want {
			t.Errorf("Span of %q in %q = %q, want %q", c.folded, c.source, got, c.want)
		}
	}
}

func TestTerms(t *testing.T) {
	got := lang.Terms("Close 帳戶 mon compte, Close!")
	want := []string{"close", "帐", "户", "帐户", "mon", "compte"}
	if !slices.Equal(got, want) {
		t.Errorf("Terms = %q, want %q", got, want)
	}
}

func TestTermsOfAPartAreAmongTheTermsOfTheWhole(t *testing.T) {
	whole := lang.Terms("请问如何注销我的账户？my account AB-12 ログインできない")
	for _, part := range []string{"注销我的", "账户", "account", "12", "ログイン"} {
		for _, term := range lang.Terms(part) {
			if !slices.Contains(whole, term) {
				t.Errorf("term %q of %q is not among %q", term, part, whole)
			}
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "abc", "帳戶", "Na\u0303o", "\xff\xfe", "ﬁ\u0301x", "ｶﾞ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := lang.Fold(s)
		if !utf8.ValidString(folded.Text) {
			t.Fatalf("Fold(%q) is not UTF-8: %q", s, folded.Text)
		}
		last := 0
		for i := 0; i <= len(folded.Text); i++ {
			start, end := folded.Span(i, len(folded.Text))
			if start < last || end != len(s) || start > end {
				t.Fatalf("Span(%d) of %q = %d, %d after %d", i, s, start, end, last)
			}
			last = start
		}
		lang.Detect(s)
		lang.Terms(s)
	})
}

func BenchmarkFold(b *testing.B) {
	text := strings.Repeat("Dear team, I can’t log in. 我的帳戶無法登入。 Não consigo. ", 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		lang.Fold(text)
	}
}
func BenchmarkDetect(b *testing.B) {
	text := strings.Repeat("Dear team, I can’t log in. 我的帳戶無法登入。 Não consigo. ", 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		lang.Detect(text)
	}
}

func TestDetectSurvivesLettersWhoseSmallFormLiesFarAway(t *testing.T) {
	for r := rune(0); r < 0x3000; r++ {
		lang.Detect("abc " + string(r) + string(r) + " def")
	}
}
