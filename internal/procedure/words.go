package procedure

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// challengeAction is what the challenge mail says was asked for.
func challengeAction(procedure string) string {
	switch procedure {
	case "closure", "closure_blocked":
		return "closure"
	case "soft_deactivation":
		return "deactivation"
	case "locked":
		return "unlock"
	case "restriction", "withdrawal", "reactivation", "erasure", "access":
		return procedure
	}
	return "other"
}

// blockerRecords tells the customer what stands in the way and what to do about it, once per kind and detail.
func (st *step) blockerRecords() []map[string]string {
	var out []map[string]string
	for _, b := range st.blockers() {
		name, how := blockerWords(b)
		if name.En == "" {
			continue
		}
		r := map[string]string{"name": name.In(st.c.Language), "how": how.In(st.c.Language)}
		if !slices.ContainsFunc(out, func(o map[string]string) bool { return maps.Equal(o, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// blockerWords names currencies and services, never amounts: who knows the balance is taken for the customer.
func blockerWords(b Blocker) (name, how Text) {
	switch b.Code {
	case "balance":
		ccy := strings.TrimSpace(b.Detail)
		return Text{strings.TrimSpace("账户中仍有余额 " + ccy), strings.TrimSpace("There is still a balance " + ccy)},
			Text{"请将余额全部转出到您自己的银行账户或钱包。", "Please move all of it to your own bank account or wallet."}
	case "dust":
		return Text{"余额低于最低提现额", "A balance is below the smallest withdrawal"}, Text{"我们会另行说明处理办法。", "We will write to you about the options."}
	case "pending":
		return Text{"有未完成的交易", "A transaction is not finished"}, Text{"请等待交易完成，或在应用中取消。", "Please wait until it is finished, or cancel it in the app."}
	case "dispute", "disputes":
		return Text{"有未解决的争议", "A dispute is open"}, Text{"请先与我们了结争议；如需帮助，请回复本邮件。", "Please settle it with us first; reply to this mail if you need help."}
	case "debt", "debts":
		return Text{"有欠款或未付费用", "A debt or fee is not paid"}, Text{"请在应用中结清。", "Please pay it in the app."}
	case "link", "links":
		return Text{strings.TrimSpace("关联服务或授权仍在使用：" + b.Detail), strings.TrimSuffix(strings.TrimSpace("A linked service or authorisation is still on: "+b.Detail), ":")},
			Text{"请关闭该服务；如授权由交易所发起，请先在交易所解除。", "Please switch it off; if an exchange holds the authorisation, release it there first."}
	case "contact", "contacts":
		return Text{"注册邮箱或手机号无法使用", "The registered email address or phone number does not work"}, Text{"请在应用中更新，以便我们联系您。", "Please update it in the app so that we can reach you."}
	case "cooling":
		return Text{"账户近期有交易或资料变更", "There was a recent transaction or change of data"}, Text{"等待期结束后我们会继续办理，您无需操作。", "We go on when the waiting period is over; there is nothing you need to do."}
	case "restriction", "restrictions":
		return Text{"账户功能受到限制", "A function of the account is restricted"}, Text{"请按照您收到的通知办理解除限制。", "Please follow the notice you received to have the restriction lifted."}
	}
	return Text{}, Text{}
}

func dustWords(ways []string) []Text {
	all := map[string]Text{
		"manual_payout":  {"我们将余额免费汇至您本人的银行账户。", "We pay the balance to your own bank account without a fee."},
		"fee_waiver":     {"我们免收提现费并取消最低额限制，您自行提现。", "We lift the minimum and the fee so that you can withdraw it yourself."},
		"written_waiver": {"您在确认页面上书面放弃这笔余额，写明金额和币种。", "You give up this balance in writing on the confirmation page, naming amount and currency."},
		"donate":         {"您将余额捐赠给我们列出的慈善机构。", "You give the balance to a charity on our list."},
	}
	var out []Text
	for _, w := range ways {
		out = append(out, all[w])
	}
	return out
}

type refusal struct {
	reason Text
	next   []Text
}

func refusalWords(code string) refusal {
	again := Text{"准备好后请回复本邮件，我们会重新审核。", "Reply to this mail when you are ready and we will review it again."}
	switch code {
	case "docs_insufficient":
		return refusal{Text{"我们收到的资料不足以确认您的身份。", "The documents we received are not enough to confirm your identity."},
			[]Text{{"请重新拍摄所需资料，四角完整，文字清晰。", "Please take new photos of the documents, with all four corners and every word readable."}, again}}
	case "identity_not_confirmed":
		return refusal{Text{"我们无法确认申请人就是账户持有人。", "We could not confirm that the request comes from the account holder."},
			[]Text{{"请从注册邮箱来信，并打开我们发送的确认链接。", "Please write from your registered address and open the confirmation link we send."}, again}}
	case "balance_not_zero":
		return refusal{Text{"账户中仍有余额。", "There is still a balance in the account."}, []Text{{"请将所有币种的余额转出。", "Please move out the balance of every currency."}, again}}
	case "pending_transactions":
		return refusal{Text{"账户中有未完成的交易。", "A transaction of the account is not finished."}, []Text{{"请等待交易完成，或将其取消。", "Please wait until it is finished, or cancel it."}, again}}
	case "dispute_open":
		return refusal{Text{"账户有未解决的争议。", "A dispute about the account is open."}, []Text{{"请先与我们了结争议。", "Please settle it with us first."}, again}}
	case "debt_open":
		return refusal{Text{"账户有欠款或未付费用。", "A debt or fee of the account is not paid."}, []Text{{"请先结清欠款。", "Please pay what is owed."}, again}}
	case "not_account_holder":
		return refusal{Text{"只有账户持有人本人可以提出申请。", "Only the account holder can make this request."}, []Text{{"请由账户持有人从注册邮箱来信。", "Please let the account holder write from the registered address."}}}
	}
	return refusal{Text{"根据适用的法律和服务条款，我们目前无法完成您的申请。", "Under the law and our terms we cannot complete your request at this time."}, nil}
}

type cause struct {
	cause Text
	todo  []Text
}

func causeWords(code string) cause {
	switch code {
	case "balance":
		return cause{Text{"余额低于支付金额与手续费之和。", "The balance is lower than the amount plus the fee."},
			[]Text{{"请充值后重试，或改用其他支付方式。", "Please top up and pay again, or pay in another way."}}}
	case "network":
		return cause{Text{"支付过程中网络连接中断。", "The network connection was lost during the payment."},
			[]Text{{"请检查网络，并先查看交易记录，确认没有扣款后再重试。", "Please check your network, look at your transaction list to be sure nothing was charged, and try again."}}}
	case "merchant":
		return cause{Text{"商户的收款接口没有接受这笔支付。", "The shop's payment interface did not accept the payment."},
			[]Text{{"请向商户确认该支付方式是否可用。", "Please ask the shop whether this way of paying works."}, {"也可以改用其他支付方式。", "Or pay in another way."}}}
	case "limits":
		return cause{Text{"支付金额超过账户当前的限额。", "The amount is above the present limit of the account."},
			[]Text{{"请减少金额，或在应用的限额页面查看说明。", "Please pay a smaller amount, or see the limits page in the app."}}}
	}
	return cause{}
}

// withdrawalStatus is the status a verified customer is told for a finding.
func withdrawalStatus(finding string) string {
	switch finding {
	case "processing", "late":
		return "processing"
	case "below_min", "limit", "payee_mismatch":
		return "customer_action"
	case "paid", "wrong_address":
		return "sent"
	case "returned", "failed":
		return "returned"
	case "cancelled":
		return "cancelled"
	}
	return ""
}

// withdrawalNote is one sentence on what the customer can do.
func withdrawalNote(finding string) Text {
	switch finding {
	case "below_min":
		return Text{"提现金额低于最低提现额，请增加金额后重新申请。", "The amount is below the smallest withdrawal. Please ask for a larger amount."}
	case "limit":
		return Text{"提现金额超过账户当前的限额，请减少金额后重新申请。", "The amount is above the present limit of the account. Please ask for a smaller amount."}
	case "payee_mismatch":
		return Text{"收款账户与您的资料不一致，请在个人中心核对并更正。", "The receiving account does not agree with your details. Please check and correct it in your personal area."}
	case "wrong_address":
		return Text{"转账已在链上确认，无法撤回；请联系收款地址的所有人或其服务商。", "The transfer is confirmed on the chain and cannot be taken back. Please contact the owner of the receiving address or their provider."}
	}
	return Text{}
}

func redemptionSteps() []Text {
	return []Text{
		{"请从本邮箱回复，写明您本人名下的收款银行账户或钱包。", "Reply to this mail from this address and name a bank account or wallet of your own."},
		{"如我们请您补充资料，请一并发送。", "Send the documents we ask for, if any."},
	}
}

func reactivationSteps() []Text {
	return []Text{
		{"请打开我们发送的确认链接，确认是您本人提出的申请。", "Open the confirmation link we send you, to show that the request is yours."},
		{"请发送所列资料。", "Send the documents that are listed."},
		{"请等待审核结果，我们会通过邮件通知您。", "Wait until our check is finished. We will write to you."},
	}
}
