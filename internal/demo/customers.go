package demo

import "time"

// Customer is somebody who writes to the desk, and what they answer when it asks.
type Customer struct {
	Name, Address string
	Chinese       bool
	After         time.Duration // since the start of the demo
	Subject, Text string
	Files         []File
	Header        map[string]string // of programs that write
	Answers       []Answer          // one for each mail of the desk, in order
}

// Answer is one reply to a mail of the desk.
type Answer struct {
	After time.Duration
	Text  string
	Files []File
}

// File is an attachment by name; its content is drawn when it is sent.
type File struct{ Name string }

// Support is the address that customers of the demo write to, and Brand its owner.
const (
	Support = "support@okpay.example"
	Brand   = "okpay"
)

// Gone is a domain whose post office returns everything: somebody mistyped an address once.
const Gone = "gone.example"

// Customers are the people of the demo. They write over the first minute.
func Customers() []Customer {
	s := time.Second
	return []Customer{
		{Name: "林晓雨", Address: "linxiaoyu@qq.com", Chinese: true, After: 0, Subject: "提现一直没到账",
			Text:    "你好，\n\n我前天下午提现了 500 USDT 到自己的钱包，页面显示“处理中”，到现在一直没有到账。麻烦帮我查一下，谢谢。\n\n林晓雨",
			Answers: []Answer{{6 * s, "你好，交易编号是 WD20261120-88173，金额 500 USDT，提交时间 11 月 20 日 15:42。截图见附件。", []File{{"提现记录截图.png"}}}}},
		{Name: "Maria Keller", Address: "maria.keller@gmail.com", After: 4 * s, Subject: "Please close my account",
			Text:    "Hello,\n\nplease close my OKPay account permanently. My account ID is OK-204417. I no longer use it since I moved to another provider.\n\nKind regards\nMaria Keller",
			Answers: []Answer{{8 * s, "I request the permanent closure of my account, account ID OK-204417. All balances are zero and I owe nothing. I have downloaded my statements and removed the link to my web shop.", nil}}},
		{Name: "王强", Address: "wangqiang1987@163.com", Chinese: true, After: 8 * s, Subject: "账户被锁定",
			Text:    "客服您好：\n今天早上我输错了几次密码，现在登录提示“账户已锁定”，找回密码的邮件也收不到。请问怎么解锁？\n用户名 wangqiang87",
			Answers: []Answer{{7 * s, "好的，我刚才在垃圾邮件里找到了通知邮件，已经按步骤操作，还是进不去。", nil}}},
		{Name: "James Carter", Address: "james.carter@outlook.com", After: 13 * s, Subject: "Card payment declined twice",
			Text:    "Hi,\n\nI tried to pay 89.90 EUR to Nordic Outdoor this morning and the payment failed both times with \"transaction declined\". There is enough money on my balance. What is going on?\n\nJames",
			Answers: []Answer{{6 * s, "Sure. Transaction ID PAY-7733-19020, 22 November, around 9:15, merchant Nordic Outdoor, 89.90 EUR.", nil}}},
		{Name: "陳美玲", Address: "meiling.chen@yahoo.com.tw", Chinese: true, After: 18 * s, Subject: "帳戶功能受到限制",
			Text:    "您好，我可以登入，但是從昨天開始帳戶顯示「部分功能受限」，不能轉帳也不能收款，請問要怎麼解除限制？",
			Answers: []Answer{{9 * s, "附上通知信的截圖，請協助處理，謝謝。", []File{{"通知截圖.png"}}}}},
		{Name: "Emily Novak", Address: "emily.novak@proton.me", After: 23 * s, Subject: "lost my phone, can't log in",
			Text: "Hello, my phone was stolen and the authenticator app was on it. I cannot get into my account any more because it asks for the 6-digit code. How can I get back in?"},
		{Name: "张伟", Address: "zhangwei_2001@126.com", Chinese: true, After: 27 * s, Subject: "申请永久注销账户",
			Text:    "请求永久注销账户，账户ID为 OK-778120。原因：不再使用。余额已清零，没有欠款。证件照片和手持日期自拍见附件。",
			Files:   []File{{"身份证正面.jpg"}, {"身份证反面.jpg"}, {"手持自拍.jpg"}},
			Answers: []Answer{{8 * s, "已确认余额为零，无任何欠款，交易记录已保存，关联的商户已解绑。", nil}}},
		{Name: "Daniel Ferreira", Address: "d.ferreira@uol.com.br", After: 32 * s, Subject: "Withdrawal pending for 9 days!!",
			Text: "My withdrawal WD-55120 of 1,250.00 EUR has been \"under review\" for nine days. If this is not fixed this week I will close my account and take my business elsewhere."},
		{Name: "账户解冻专家", Address: "vip888@unfreeze.example", Chinese: true, After: 36 * s, Subject: "专业代办账户解冻 注销 提现",
			Text: "专业团队，代办各大平台账户解冻、注销、提现，不成功不收费！加微信 jd88888 咨询，长期合作有优惠。"},
		{Name: "Sofia Rossi", Address: "sofia.rossi@libero.it", After: 40 * s, Subject: "Thank you",
			Text: "Just wanted to say thanks, the payment arrived this morning and everything is fine now. Have a nice day!"},
		{Name: "Out of office", Address: "hr@nordic-outdoor.example", After: 44 * s, Subject: "Automatic reply: your invoice",
			Text: "I am out of the office until 1 December and will answer then.", Header: map[string]string{"Auto-Submitted": "auto-replied"}},
		{Name: "Peter Wong", Address: "peter.wong@" + Gone, After: 48 * s, Subject: "cannot top up",
			Text: "I sent 200 USDT on chain to my deposit address yesterday and it was not credited. Hash 0x8c1f0e5a2b7d4c6f9e3a1b5d7f2c4e6a8b0d2f4c6e8a1b3d5f7092b4d6f8a0c2."},
		{Name: "李娜", Address: "lina@foxmail.com", Chinese: true, After: 53 * s, Subject: "支付失败但是扣款了",
			Text: "刚才在便利店扫码付款 36.5 元，提示支付失败，但是余额被扣了，商家说没收到。订单号 20261122093311007。请尽快处理！"},
	}
}
