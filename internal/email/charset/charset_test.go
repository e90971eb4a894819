package charset

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	hans = "您好，我想注销我的账户，请把余额退回到我的银行卡。"
	hant = "您好，我想註銷我的帳戶，請把餘額退回到我的銀行卡。"
	kana = "アカウントを閉鎖したいのですが、手続きを教えてください。"
	hang = "안녕하세요, 제 계좌를 폐쇄하고 싶습니다. 확인 부탁드립니다."
	cyrl = "Здравствуйте, прошу закрыть мой счёт и вернуть остаток на карту."
	latn = "Grüße, bitte schließen Sie mein Konto und überweisen Sie den Rest — 25 €."
)

// TestT6_11_OneSentenceInManyEncodingsUnderManyLabels checks the ladder: whatever the label says, the text comes out.
func TestT6_11_OneSentenceInManyEncodingsUnderManyLabels(t *testing.T) {
	cases := []struct {
		name  string
		text  string
		enc   encoding.Encoding
		right []string
	}{
		{"utf-8 zh", hans, unicode.UTF8, []string{"utf-8", "UTF8", `"utf-8"`, "gbk", "big5"}},
		{"utf-8 de", latn, unicode.UTF8, []string{"utf-8", "windows-1251"}},
		{"gb18030", hans, simplifiedchinese.GB18030, []string{"gb18030", "gb2312", "GBK", "x-gbk", "cp936", "ms936", "csGB2312", "utf-8"}},
		{"hz", hans, simplifiedchinese.HZGB2312, []string{"hz-gb-2312"}},
		{"big5", hant, traditionalchinese.Big5, []string{"big5", "136", "cp950", "utf-8"}},
		{"shift_jis", kana, japanese.ShiftJIS, []string{"shift_jis", "x-sjis", "cp932", "windows-31j", "utf-8"}},
		{"euc-jp", kana, japanese.EUCJP, []string{"euc-jp", "utf-8"}},
		{"iso-2022-jp", kana, japanese.ISO2022JP, []string{"iso-2022-jp", "utf-8", "iso-8859-1"}},
		{"euc-kr", hang, korean.EUCKR, []string{"euc-kr", "ks_c_5601-1987", "cp949", "utf-8"}},
		{"windows-1251", cyrl, charmap.Windows1251, []string{"windows-1251", "cp1251", "utf-8"}},
		{"koi8-r", cyrl, charmap.KOI8R, []string{"koi8-r", "utf-8"}},
		{"windows-1252", latn, charmap.Windows1252, []string{"windows-1252", "iso-8859-1", "utf-8"}},
	}
	wrong := []string{"", "us-ascii", "unknown-8bit", "x-unknown", "default", "iso-8859-1"}
	for _, c := range cases {
		raw, err := c.enc.NewEncoder().Bytes([]byte(c.text))
		if err != nil {
			t.Fatal(c.name, err)
		}
		labels := c.right
		if c.name != "hz" {
			labels = append(labels, wrong...)
		}
		for _, label := range labels {
			if got, conf := Decode(raw, label); got != c.text || conf == Damaged {
				t.Errorf("%s labelled %q: %q (%d)", c.name, label, got, conf)
			}
		}
	}
}

func TestGB2312LabelCoversFourByteCharacters(t *testing.T) {
	raw, _ := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("注销㐂账户"))
	if got, conf := Decode(raw, "gb2312"); got != "注销㐂账户" || conf != Declared {
		t.Errorf("%q %d", got, conf)
	}
}

func TestShortTextUnderItsOwnLabelIsTrusted(t *testing.T) {
	for label, raw := range map[string]string{"gb2312": "\xc4\xe3\xba\xc3", "big5": "\xa7\x41\xa6\x6e"} {
		if got, conf := Decode([]byte(raw), label); got != "你好" || conf != Declared {
			t.Errorf("%s: %q %d", label, got, conf)
		}
	}
}

func TestUnusualEncodings(t *testing.T) {
	cases := []struct{ raw, label, want string }{
		{"Hi Mom -+Jjo--!", "utf-7", "Hi Mom -☺-!"},
		{"A+ImIDkQ.", "unicode-1-1-utf-7", "A≢Α."},
		{"1 +- 1", "utf-7", "1 + 1"},
		{"\xff\xfe\x60\x4f\x7d\x59", "", "你好"},
		{"\xef\xbb\xbfabc", "us-ascii", "abc"},
		{"\x1b$)C\x0eGQ1[\x0f abc", "", "한글 abc"},
		{"50 \x80", "iso-8859-1", "50 €"},
		{"plain", "no-such-charset", "plain"},
		{"caf\xe9", "iso-8859-1", "café"},
		{"na\xefve r\xe9sum\xe9", "", "naïve résumé"},
	}
	for _, c := range cases {
		if got, _ := Decode([]byte(c.raw), c.label); got != c.want {
			t.Errorf("%q as %s: %q, want %q", c.raw, c.label, got, c.want)
		}
	}
}

func TestCutUTF8KeepsTheRest(t *testing.T) {
	raw := []byte(hans)
	got, conf := Decode(raw[:len(raw)-1], "utf-8")
	if conf != Damaged || got[:30] != hans[:30] {
		t.Errorf("%q %d", got, conf)
	}
}

func FuzzDecode(f *testing.F) {
	for _, label := range []string{"", "gb2312", "utf-7", "iso-2022-jp", "big5", "utf-16", "koi8-r", "x-unknown", "utf-32"} {
		f.Add([]byte(hans), label)
		f.Add([]byte("\x1b$B$\"\x1b(B +AGE- \xc4\xe3"), label)
	}
	f.Fuzz(func(t *testing.T, b []byte, label string) {
		if got, _ := Decode(b, label); !utf8.ValidString(got) {
			t.Fatalf("invalid UTF-8 from %q as %q: %q", b, label, got)
		}
	})
}
