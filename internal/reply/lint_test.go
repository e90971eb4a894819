package reply_test

import (
	"strings"
	"testing"

	"postdesk/internal/reply"
)

// Each text must draw a remark of the rule on exactly the words that are wrong.
func TestLintRemarksOn(t *testing.T) {
	tests := []struct{ rule, lang, text, words string }{
		{"confidential", "zh", "您的账户涉及洗钱，正在核实。", "洗钱"},
		{"confidential", "zh", "您的帳戶涉及洗錢，正在核實。", "洗錢"},
		{"confidential", "zh", "这与洗 钱 有关。", "洗 钱"},
		{"confidential", "zh", "这与洗*钱有关。", "洗*钱"},
		{"confidential", "zh", "这与洗.黑.钱有关。", "洗.黑.钱"},
		{"confidential", "zh", "这与洗\u200b钱有关。", "洗\u200b钱"},
		{"confidential", "zh", "我们已提交可疑交易报告。", "可疑"},
		{"confidential", "zh", "帳戶正在接受調查。", "調查"},
		{"confidential", "zh", "目前没有任何调查。", "调查"},
		{"confidential", "zh", "系统风控命中，暂时不能提现。", "风控"},
		{"confidential", "zh", "这是公安机关的要求。", "公安"},
		{"confidential", "zh", "收到司法冻结令。", "司法"},
		{"confidential", "zh", "您在黑名單里。", "黑名單"},
		{"confidential", "zh", "您的账户被标记了。", "被标记"},
		{"confidential", "zh", "我们须上报央行。", "上报央行"},
		{"confidential", "zh", "因为 xi qian 的原因。", "xi qian"},
		{"confidential", "zh", "因为 xǐqián 的原因。", "xǐqián"},
		{"confidential", "zh", "这是fanxiqian的要求。", "fanxiqian"},
		{"confidential", "en", "Your transaction looks suspicious to us.", "suspicious"},
		{"confidential", "en", "An INVESTIGATION is under way.", "INVESTIGATION"},
		{"confidential", "en", "There is no investigation.", "investigation"},
		{"confidential", "en", "We filed a SAR.", "SAR"},
		{"confidential", "en", "Your account was flagged.", "flagged"},
		{"confidential", "en", "This is a money-laundering question.", "money-laundering"},
		{"confidential", "en", "This is ｍｏｎｅｙ ｌａｕｎｄｅｒｉｎｇ.", "ｍｏｎｅｙ ｌａｕｎｄｅｒｉｎｇ"},
		{"confidential", "en", "It was s.u.s.p.i.c.i.o.u.s to us.", "s.u.s.p.i.c.i.o"},
		{"confidential", "en", "It was s u s p i c i o u s to us.", "s u s p i c i o"},
		{"confidential", "en", "It was suspісіоus to us.", "suspісіоus"},
		{"confidential", "en", "We wait for the consent of the FIU.", "FIU"},
		{"confidential", "en", "The police asked us.", "police"},
		{"confidential", "en", "You are on a blacklist.", "blacklist"},
		{"confidential", "en", "Our AML team looks at it.", "AML"},
		{"confidential", "en", "It is with our compliance team.", "compliance team"},
		{"confidential", "en", "A monitoring alert was raised.", "monitoring alert"},
		{"confidential", "zh", "系統風 控攔截。", "風 控"},
		{"confidential", "zh", "交易可·疑。", "可·疑"},
		{"confidential", "zh", "这与洗\n钱有关。", "洗\n钱"},
		{"confidential", "zh", "反 洗 錢審查", "反 洗 錢"},
		{"confidential", "en", "ⓢⓤⓢⓟⓘⓒⓘⓞⓤⓢ activity", "ⓢⓤⓢⓟⓘⓒⓘⓞⓤⓢ"},
		{"confidential", "en", "This is sus\u00adpicious.", "sus\u00adpicious"},
		{"confidential", "en", "money\nlaundering", "money\nlaundering"},
		{"card-number", "en", "Your card 4111 1111 1111 1111 was charged.", "4111 1111 1111 1111"},
		{"card-number", "zh", "卡号６２２２０２１２３４５６７８９４", "６２２２０２１２３４５６７８９４"},
		{"singled-out", "zh", "您的情况比较特殊。", "您的情况比较特殊"},
		{"singled-out", "en", "Your case is different.", "Your case is different"},
		{"secret-asked", "zh", "请把短信验证码发给我们。", "把短信验证码发"},
		{"secret-asked", "zh", "请提供您的登录密码。", "提供您的登录密码"},
		{"secret-asked", "zh", "请回复助记词，我们帮您恢复。", "回复助记词"},
		{"secret-asked", "zh", "請提供完整卡號和CVV。", "提供完整卡號"},
		{"secret-asked", "en", "Please send us your password.", "send us your password"},
		{"secret-asked", "en", "Reply with the SMS code you received.", "Reply with the SMS code"},
		{"secret-asked", "en", "Tell us your seed phrase so that we can restore it.", "Tell us your seed phrase"},
		{"secret-asked", "en", "Please confirm the full card number and the CVV.", "confirm the full card number"},
		{"link", "en", "See https://bit.ly/3xyz for details.", "bit.ly"},
		{"link", "zh", "请打开 https://t.cn/A6abc 查看。", "t.cn"},
		{"link", "en", "Open https://okpay.example/?ref=jane now.", "https://okpay.example/?ref=jane"},
		{"link", "en", "Open http://okpay.example/login.", "http://okpay.example/login."},
		{"link", "zh", "填写邀请码可以获得奖励。", "邀请码"},
		{"emoji", "en", "Done 😀", "😀"},
		{"emoji", "zh", "好的~", "~"},
		{"exclamation", "en", "Thank you!! We are on it.", "!"},
		{"marketing", "zh", "限时优惠，不要错过。", "限时"},
		{"marketing", "zh", "请您再考虑一下。", "再考虑"},
		{"marketing", "en", "We are sorry to see you go.", "sorry to see you go"},
		{"marketing", "en", "Here is a special offer for you.", "special offer"},
		{"promise-time", "zh", "我们会在24小时内回复您。", "我们会在24小时内回复"},
		{"promise-time", "zh", "３个工作日内到账。", "３个工作日内到账"},
		{"promise-time", "en", "We will answer within 24 hours.", "We will answer within 24 hours"},
		{"promise-time", "en", "You will have the money in three days.", "You will have the money in three days"},
		{"promise-time", "en", "We will unlock it today.", "We will unlock it today"},
		{"promise-outcome", "zh", "我们保证解决。", "保证"},
		{"promise-outcome", "en", "We guarantee that it works.", "guarantee"},
		{"service-hours", "zh", "我们提供7×24小时服务。", "7×24小时服务"},
		{"service-hours", "en", "We are here 24/7.", "24/7"},
		{"blame", "zh", "您提交了错误的资料。", "您提交了错误"},
		{"blame", "zh", "您没有按要求操作。", "您没有按"},
		{"blame", "en", "You sent the wrong document.", "You sent the wrong"},
		{"blame", "en", "You should have read the terms.", "You should have"},
		{"threat", "zh", "逾期后果自负。", "后果自负"},
		{"threat", "en", "Otherwise we will close your account.", "Otherwise we will close"},
		{"informal", "zh", "你好，请查看。", "你"},
		{"unsafe-advice", "zh", "请先关闭双重验证。", "关闭双重验证"},
		{"unsafe-advice", "en", "Please turn off two-factor login.", "turn off two-factor"},
	}
	for _, tt := range tests {
		t.Run(tt.rule+"/"+tt.text, func(t *testing.T) {
			for _, r := range reply.Lint(tt.text, tt.lang, reply.Options{}) {
				if r.Rule == tt.rule && string([]rune(tt.text)[r.Start:r.End]) == tt.words {
					return
				}
			}
			t.Errorf("no %s on %q in %+v", tt.rule, tt.words, reply.Lint(tt.text, tt.lang, reply.Options{}))
		})
	}
}

// What good support writers write, near to what is forbidden.
func TestLintLeavesAlone(t *testing.T) {
	texts := map[string][]string{
		"zh": {
			"您的申请正在处理中，完成后我们会邮件通知您。",
			"根据适用的法律和服务条款，我们目前无法完成您的申请。",
			"请勿在邮件中发送密码、短信验证码或完整卡号。",
			"我们不会向您索要密码或验证码。",
			"请在官方页面修改密码，并开启双重验证。",
			"我们会协调查询，请稍候。",
			"这里要强调查看余额的方法。",
			"客服办公安排有调整。",
			"资料无法辨认，请重新拍摄。",
			"请在 2026年3月5日 17:00（UTC+8）之前回复。",
			"请提供最近3个月内开具的账单。",
			"链接在72小时内有效。",
			"请在24小时内点击链接。",
			"如果您忘记密码，请在登录页重置。",
			"我们会发送密码重置链接到注册邮箱。",
			"请告诉我们是否更换过密码或手机号。",
			"收款账户的最后4位是 7788。",
			"请不要关闭双重验证。",
			"账户受限时，部分操作无法使用。",
			"商户需要先缴纳保证金，与本账户无关。",
			"请您回复交易编号、金额和时间。",
			"款项已退回您的账户，请查收。",
			"这是迷你钱包的说明。",
			"请确认余额为零且没有欠款。",
			"很抱歉，我们的系统出现了故障。",
			"请先取消待处理的提现。",
		},
		"en": {
			"We are processing your request and will write to you when this is finished.",
			"Under the law and our terms we cannot complete your request at this time.",
			"Please never send passwords, SMS codes or card numbers by email.",
			"Our staff will not ask you for your password.",
			"Please change your password on the official website.",
			"We will send you a password reset link.",
			"Have you recently changed your phone number, email or password?",
			"Please tell us the last four digits of your card number.",
			"Please reply by 5 March 2026, 17:00 (UTC+1).",
			"Please send a bill issued in the last 3 months.",
			"The link is valid for 72 hours.",
			"Please confirm within 72 hours.",
			"The payment was returned to your account on 4 March 2026.",
			"Please send the transaction ID, the amount and the time.",
			"The picture cannot be read. Please take a new one.",
			"We are sorry: our system had a problem.",
			"If you suspect that somebody knows your password, change it.",
			"Please do not turn off two-factor login.",
			"We cannot guarantee the exchange rate.",
			"Thank you for your patience.",
			"The straight way is to use the app.",
			"Your string of letters is the account ID.",
			"Open https://okpay.example/help in your browser.",
			"Thank you! The document is fine.",
			"Your transaction 4111111111111112 was returned, and so was 20260302123456789.",
			"You can withdraw the rest of your balance first.",
		},
	}
	for lang, list := range texts {
		for _, text := range list {
			if got := reply.Lint(text, lang, reply.Options{}); len(got) != 0 {
				t.Errorf("%q: %+v", text, got)
			}
		}
	}
}

func TestLintBlocksWhereItMust(t *testing.T) {
	tests := []struct {
		name, text string
		opts       reply.Options
		blocks     bool
	}{
		{"a word about a check warns an agent", "Your account is under investigation.", reply.Options{}, false},
		{"and blocks when the caller is strict", "Your account is under investigation.", reply.Options{Strict: true}, true},
		{"and in a template", "Your account is under investigation.", reply.Options{Template: true}, true},
		{"asking for a secret always blocks", "Please send us your password.", reply.Options{}, true},
		{"a threat always blocks", "逾期后果自负。", reply.Options{}, true},
		{"a shortened link always blocks", "https://bit.ly/x", reply.Options{}, true},
		{"a promise warns an agent", "We will answer within 24 hours.", reply.Options{}, false},
		{"strictness is about confidential words only", "We will answer within 24 hours.", reply.Options{Strict: true}, false},
		{"one exclamation mark blocks a template", "Thank you!", reply.Options{Template: true}, true},
		{"one exclamation mark is a person's own", "Thank you!", reply.Options{}, false},
	}
	for _, tt := range tests {
		if got := reply.Blocks(reply.Lint(tt.text, "en", tt.opts)); got != tt.blocks {
			t.Errorf("%s: blocks = %v", tt.name, got)
		}
	}
}

func TestLintAllowsWhatTheConfigurationPromises(t *testing.T) {
	text := "您会在 1 个工作日内收到回复，我们会在 3 小时内处理。"
	before := reply.Lint(text, "zh", reply.Options{})
	after := reply.Lint(text, "zh", reply.Options{Allowed: []string{"在 1 个工作日内"}})
	if len(before) != 2 || len(after) != 1 || !strings.Contains(string([]rune(text)[after[0].Start:after[0].End]), "3 小时内") {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestTheBrandsOwnPromisesAreAllowed(t *testing.T) {
	s := load(t).WithBrand(reply.Brand{Name: "OKPay", SLAText: map[string]string{"en": "within 2 hours"}})
	if got := s.Lint("You will hear from us within 2 hours.", "en", false); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := s.Lint("You will hear from us within 3 hours. The police know.", "en", true); len(got) != 2 || !reply.Blocks(got) {
		t.Errorf("%+v", got)
	}
}

func TestLintHintsInTheLanguageOfTheText(t *testing.T) {
	zh, en := reply.Lint("你", "zh-Hant", reply.Options{}), reply.Lint("你", "en", reply.Options{})
	if zh[0].Hint != "请用“您”。" || en[0].Hint != "Use 您." {
		t.Errorf("hints %q and %q", zh[0].Hint, en[0].Hint)
	}
}

func FuzzLint(f *testing.F) {
	f.Add("洗 钱 suspісіоus 😀!! 请把密码发给我\r\n\r\n\xff")
	f.Add("İİ ﬁ½ é\u0301 \u202e")
	f.Fuzz(func(t *testing.T, text string) {
		n := len([]rune(text))
		last := 0
		for _, r := range reply.Lint(text, "zh", reply.Options{}) {
			if r.Start < last || r.Start > r.End || r.End > n || r.Rule == "" || r.Hint == "" || r.Severity == "" {
				t.Fatalf("remark %+v of a text of %d characters", r, n)
			}
			last = r.Start
		}
	})
}
