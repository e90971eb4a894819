package reply_test

import (
	"fmt"
	"strings"
	"testing"

	"postdesk/internal/reply"
)

// The first answers give the guidance a customer needs; a rewording must not lose a point of it.
func TestGuidesGiveTheirGuidance(t *testing.T) {
	s := load(t).WithBrand(okpay)
	tests := []struct{ key, point, zh, en string }{
		{"locked.guide", "R39 causes", "多次输错密码，或出于安全保护", "several wrong passwords, or to protect it"},
		{"locked.guide", "R40 the notice first", "查看注册邮箱", "notice in the mailbox you registered"},
		{"locked.guide", "R41 identity on the page", "安全问题核实身份", "security questions"},
		{"locked.guide", "R41 never by mail", "不要写在邮件里", "not by email"},
		{"locked.guide", "R42 what to tell support", "从什么时候开始无法登录", "since when you cannot log in"},
		{"locked.guide", "R43 afterwards", "立即修改密码（不要与其他网站相同），并开启双重验证", "switch on two-factor login"},
		{"payment.guide", "R44 causes", "余额不足、网络问题、商户的收款接口故障", "a balance that is too low, the network, or the payment system of the shop"},
		{"payment.guide", "R45 balance", "请先充值，或换一种付款方式", "top up or pay in another way"},
		{"payment.guide", "R46 network", "检查网络", "Check your connection"},
		{"payment.guide", "R47 merchant", "询问商户是否支持这种付款方式", "Ask the shop whether it accepts"},
		{"payment.guide", "R48 several failures", "多次尝试仍然失败", "If it fails again, reply"},
		{"withdrawal.guide", "R49 conditions", "达到最低提现额，没有超过额度", "not below the minimum, is within your limits"},
		{"withdrawal.guide", "R50 exact details", "尤其是收款账户", "above all the account that receives the money"},
		{"withdrawal.guide", "R51 review and result", "需要经过审核，款项会付到您填写的账户", "reviewed and then paid to the account you named"},
		{"withdrawal.guide", "R52 status", "在个人中心查看状态", "watch the status in your personal area"},
		{"restriction.guide", "R53 what it means", "部分操作会暂时无法使用", "some functions do not work"},
		{"restriction.guide", "R54 the notice", "消息中心的通知", "message centre"},
		{"restriction.guide", "R55 identity as told", "按通知的要求完成身份验证", "Confirm your identity as the notice tells you"},
		{"restriction.guide", "R56 application", "希望解除限制的理由", "why you ask us to lift the restriction"},
		{"restriction.guide", "R57 wait and follow up", "等待审核结果", "wait for our decision"},
		{"closure.guide", "R2 every currency", "所有币种的余额（包括零头和少量加密货币）", "every currency, including small amounts and crypto"},
		{"closure.guide", "R3 where to", "您的银行账户，或转到您的其他钱包", "your bank account or another wallet of yours"},
		{"closure.guide", "R4 minimum and fee", "最低提现额和手续费", "minimum amount and the fee"},
		{"closure.guide", "R5 nothing unfinished", "“已完成”或“已取消”", `"completed" or "cancelled"`},
		{"closure.guide", "R6 disputes first", "未解决的争议", "open dispute"},
		{"closure.guide", "R7 keep the records", "下载并保存交易记录、充值和提现记录、账单", "deposit and withdrawal records, statements and documents"},
		{"closure.guide", "R9 permanent closure with the account", "请求永久注销账户，账户 ID 为", "permanent closure of my account, account ID"},
		{"closure.guide", "R10 a reason is optional", "注销原因可写可不写", "you do not have to"},
		{"closure.guide", "R11 identity", "核实申请由您本人提出", "to be sure that the request is yours"},
		{"closure.guide", "R12 zero balance and no debts", "余额为零且没有欠款", "all balances are zero and that you owe nothing"},
		{"closure.guide", "R15 stay reachable", "保持注册邮箱和手机号可用", "registered email address and phone number working"},
		{"closure.guide", "R16 do not use the account", "不要再登录或交易", "do not log in or trade"},
		{"closure.guide", "R17 formal confirmation", "正式确认信", "formal confirmation"},
		{"closure.guide", "R18 login ends", "登录方式永久停用", "login stop working for good"},
		{"closure.guide", "R19 history ends", "无法再查看历史记录", "no longer see your history"},
		{"closure.guide", "R20 coming back", "须重新注册", "register again"},
		{"closure.guide", "R21 third parties", "绑定本账户的商店、游戏", "Shops, games and other services"},
		{"closure.guide", "R28 what is kept", "法律要求我们保留的资料", "What the law tells us to keep"},
		{"closure.guide", "R30 exchanges release first", "请在交易所一侧解除", "remove these at the exchange"},
		{"closure.guide", "R38 no third parties", "代办注销", "people who offer to close accounts"},
		{"closure.guide", "R23 the official address", "登录前请核对网址", "check the address before you log in"},
		{"closure.guide", "R60 one ticket", "发一封邮件就够了", "One mail about the same matter is enough"},
		{"closure.guide", "another way for those who cannot", "我们会安排其他办法", "we will find another way"},
	}
	for _, tt := range tests {
		for lang, want := range map[string]string{"zh": tt.zh, "en": tt.en} {
			r, err := s.Render(tt.key, lang, map[string]any{"ticket_no": "17"})
			if err != nil || !strings.Contains(r.Text, want) {
				t.Errorf("%s %s: %s: no %q %v", tt.key, lang, tt.point, want, err)
			}
		}
	}
}

func ExampleSet_Render() {
	set, err := builtin()
	if err != nil {
		panic(err)
	}
	set = set.WithBrand(reply.Brand{Name: "OKPay"})
	mail, err := set.Render("neutral.under_review", "en-GB", map[string]any{"ticket_no": "10423"})
	if err != nil {
		panic(err)
	}
	fmt.Println(mail.Subject)
	fmt.Println(strings.Split(mail.Text, "\n\n")[2])
	// Output:
	// Your request is being processed [#10423]
	// We are processing your request and will write to you when this is finished.
}

func ExampleLint() {
	text := "We will answer within 24 hours."
	for _, r := range reply.Lint(text, "en", reply.Options{}) {
		fmt.Printf("%s (%s): %q\n", r.Rule, r.Severity, string([]rune(text)[r.Start:r.End]))
	}
	// Output:
	// promise-time (warn): "We will answer within 24 hours"
}
