package email

import (
	"reflect"
	"strings"
	"testing"
)

const seed = "legal winner thank year wave sausage worth useful legal winner thank yellow"

func TestT6_21_SecretsAreMasked(t *testing.T) {
	cases := []struct {
		text, want string
		kinds      []string
	}{
		{"My card 4111 1111 1111 1111 was charged", "My card ••••1111 was charged", []string{SecretCard}},
		{"卡号4111111111111111，请退款", "卡号••••1111，请退款", []string{SecretCard}},
		{"378282246310005", "••••0005", []string{SecretCard}},
		{"6222 0000 0000 0000 004", "••••0004", []string{SecretCard}},
		{"Abc12345 4111111111111111 2026", "Abc12345 ••••1111 2026", []string{SecretCard}},
		{"order 4111 1111 1111 1112", "order 4111 1111 1111 1112", nil},
		{"hash 0x4111111111111111ab", "hash 0x4111111111111111ab", nil},
		{"account 1234567890123452", "account 1234567890123452", nil},
		{"my words: " + seed + " ok", "my words: •••• ok", []string{SecretSeed}},
		{"1. legal 2. winner 3. thank\n4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. winner 11. thank 12. yellow", "1. ••••", []string{SecretSeed}},
		{"legal winner thank year wave sausage", "legal winner thank year wave sausage", nil},
		{"验证码是 482913，谢谢", "验证码是 ••••，谢谢", []string{SecretCode}},
		{"one time password 482913 please", "one time password •••• please", []string{SecretCode}},
		{"Your verification code: 123 456.", "Your verification code: ••••.", []string{SecretCode}},
		{"the code G-482913", "the code G-482913", nil},
		{"验证码收不到，手机尾号 1", "验证码收不到，手机尾号 1", nil},
		{"OTP 123456789012", "OTP 123456789012", nil},
		{"密码：Abc12345，谢谢", "密码：••••，谢谢", []string{SecretPassword}},
		{"my password is hunter2!", "my password is ••••", []string{SecretPassword}},
		{"password for my account: s3cret", "password for my account: ••••", []string{SecretPassword}},
		{"my password is wrong", "my password is wrong", nil},
		{"密码忘记了", "密码忘记了", nil},
		{"пароль: qwerty99", "пароль: ••••", []string{SecretPassword}},
		{"reset your password: https://okpay.example/r", "reset your password: https://okpay.example/r", nil},
		{"密码：Abc12345 卡号 4111111111111111", "密码：•••• 卡号 ••••1111", []string{SecretPassword, SecretCard}},
	}
	for _, c := range cases {
		got, kinds := Mask(c.text)
		if got != c.want || !reflect.DeepEqual(kinds, c.kinds) {
			t.Errorf("%q\n got %q %v\nwant %q %v", c.text, got, kinds, c.want, c.kinds)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("密码：Abc12345 4111111111111111 OTP 123456 " + seed)
	f.Fuzz(func(t *testing.T, s string) {
		out, kinds := Mask(s)
		if len(kinds) == 0 && out != s {
			t.Fatal("changed without a finding")
		}
		if strings.Contains(out, " 4111111111111111 ") {
			t.Fatal("card left")
		}
	})
}
