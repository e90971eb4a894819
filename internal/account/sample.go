package account

import "time"

// Samples are believable accounts for the demonstration, as they stand at the moment now. Names, numbers and addresses are
// invented; the addresses end in .example, which no network delivers to.
func Samples(now time.Time) []Holder {
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	least := map[string]string{"EUR": "10.00", "USD": "10.00", "USDT": "10", "CNY": "50.00"}
	return []Holder{
		{Ref: "OK-20418873", Address: "lin.xiaoyu@mail.example", Name: "林晓雨", Country: "CN", Opened: ago(1290), Minimum: least,
			Balances: []Money{{"EUR", "0.00"}, {"CNY", "0.00"}}, Last: Last{Login: ago(3), Transaction: ago(41), Credential: ago(400)}},
		{Ref: "OK-30155240", Address: "maria.keller@post.example", Name: "Maria Keller", Country: "DE", Opened: ago(860), Minimum: least,
			Balances: []Money{{"EUR", "126.40"}, {"USD", "3.15"}}, Links: []Link{{"lk-1", "BookCrate", "subscription"}},
			Last: Last{Login: ago(1), Transaction: ago(12), Credential: ago(500)}},
		{Ref: "OK-18840027", Address: "chen.wei@mail.example", Name: "陈伟", Country: "CN", Opened: ago(2010), Minimum: least,
			Balances: []Money{{"EUR", "0.37"}}, Last: Last{Login: ago(9), Transaction: ago(95)}},
		{Ref: "OK-44102936", Address: "james.okoro@post.example", Name: "James Okoro", Country: "GB", Opened: ago(310), Minimum: least, Status: Locked,
			Balances: []Money{{"GBP", "58.20"}}, Last: Last{Login: ago(2), Transaction: ago(6)}},
		{Ref: "OK-27790115", Address: "sofia.marino@post.example", Name: "Sofia Marino", Country: "IT", Opened: ago(700), Minimum: least, Status: Restricted,
			Balances: []Money{{"EUR", "940.00"}}, Restrictions: []Restriction{{Reason: "identity document has expired"}}, Last: Last{Login: ago(1), Transaction: ago(20)}},
		{Ref: "OK-35561208", Address: "wang.fang@mail.example", Name: "王芳", Country: "CN", Opened: ago(520), Minimum: least,
			Balances: []Money{{"USDT", "6.5"}}, Pending: []Pending{{"wd-88213", "withdrawal"}}, Last: Last{Login: ago(1), Transaction: ago(1)}},
		{Ref: "TP-10077431", Address: "zhao.min@mail.example", Name: "赵敏", Country: "CN", Opened: ago(3100), Minimum: map[string]string{"CNY": "0.10"}, ClosedAs: NeedsActivation,
			Balances: []Money{{"CNY", "0.00"}}, Links: []Link{{"qp", "快捷支付", "quick_payment"}}, Last: Last{Login: ago(14), Transaction: ago(60)}},
		{Ref: "CX-90031182", Address: "lucas.meyer@post.example", Name: "Lucas Meyer", Country: "AT", Opened: ago(410), Minimum: map[string]string{"BTC": "0.0005", "EUR": "10.00"},
			Balances: []Money{{"BTC", "0.00000000"}, {"EUR", "0.00"}}, Links: []Link{{"api-1", "trading key", "api_key"}}, Last: Last{Login: ago(5), Transaction: ago(33)}},
	}
}
