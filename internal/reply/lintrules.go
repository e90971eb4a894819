package reply

import (
	"regexp"
	"strings"
	"sync"
)

// lintRule finds one kind of fault in one spelling of the text. Several rules share a name.
type lintRule struct {
	name         string
	view         int
	find         *finder
	except       *finder                        // where one of these stands, the rule finds nothing
	unless       func(text string, m span) bool // the sentence around the match makes it harmless
	zh, en       string                         // what to do instead
	always       bool                           // blocks in every text
	confidential bool                           // blocks under Options.Strict
	configurable bool                           // the configuration may say it
	templateOnly bool                           // not looked for in a person's text
}

func (r lintRule) hint(lang string) string {
	if lang == Chinese {
		return r.zh
	}
	return r.en
}

func (r lintRule) match(text string) []span {
	var out []span
	for _, m := range r.find.all(text) {
		if r.unless == nil || !r.unless(text, m) {
			out = append(out, m)
		}
	}
	return out
}

var lintRules = sync.OnceValue(func() []lintRule {
	var out []lintRule
	for _, group := range [][]lintRule{confidentialRules(), secretRules(), linkRules(), manners(), promises()} {
		out = append(out, group...)
	}
	return out
})

func confidentialRules() []lintRule {
	base := lintRule{name: "confidential", confidential: true,
		zh: "不得向客户提及或否认任何报告、核查或机关。可改为：“您的申请正在处理中，完成后我们会邮件通知您。”",
		en: `Neither mention nor deny reports, checks or authorities. Say: "We are processing your request and will write to you when this is finished."`}
	return []lintRule{
		base.with(letters, anyOf(`洗(?:黑)?钱`, `反洗`, `可疑`, `调查`, `冻结令`, `风控`, `公安`, `司法`, `警方`, `警察`, `报警`, `报案`,
			`经侦`, `网警`, `检察`, `法院(?:冻结|查封|协查|通知|命令)`, `黑名单`, `灰名单`, `观察名单`, `被标记`, `标记为(?:异常|高风险|风险)`,
			`高风险(?:客户|用户|账户|名单|交易)`, `制裁`, `反恐`, `恐怖(?:融资|主义|分子)`, `反欺?诈`, `涉案`, `涉嫌`, `涉诈`, `涉赌`, `立案`,
			`刑事`, `人民银行`, `央行`, `人行`, `金融情报`, `(?:监控|监测)(?:预警|警报|命中|系统)`, `预警`, `大额交易报告`,
			`上报(?:给)?(?:监管|央行|有关|主管|上级)`, `向(?:监管|有关|主管|执法)(?:机关|部门|机构|单位)(?:报告|上报|举报|反映)`, `有权机关`,
			`执法(?:机关|部门|机构)`, `协查`, `合规(?:部|团队|审查|调查|冻结|扣留|原因|案件|人员)`, `异常交易`, `交易异常`),
			anyOf(`协调查[询看阅找]`, `强调查`, `满意度调查`, `问卷调查`, `办公安`, `公司法`, `认可疑`, `[客本个他商每]人行`, `人行[道李为]`,
				`中央行`, `确立案`, `成立案`, `建立案`)),
		base.with(letters, anyOf(`suspicio`, `investigat`, `moneylaunder`, `blacklist`, `watchlist`, `lawenforcement`, `terroris`, `fincen`,
			`monitoringalert`, `suspectedof`), nil),
		base.with(words, wordsOf(`suspicious\w*`, `investigat\w*`, `suspects?`, `suspected`, `laundering`, `launder(?:ed|s)?`, `flagg(?:ed|ing)`, `aml`, `ctf`, `cft`, `sars?`,
			`strs?`, `fiu`, `police`, `pboc`, `nca`, `ofac`, `interpol`, `europol`, `national crime agency`, `law[- ]enforcement`,
			`sanction(?:s|ed|ing)?`, `anti-?fraud`, `fraud(?:ulent)?[- ](?:teams?|checks?|reviews?|systems?|alerts?|analysis|departments?|screening|prevention|activity|case)`,
			`court orders?`, `freezing orders?`, `tip(?:ped|ping)?[- ]off`, `watch[- ]lists?`, `black[- ]list(?:s|ed|ing)?`, `grey[- ]?list\w*`,
			`high[- ]risk (?:customers?|accounts?|transactions?|users?)`,
			`compliance (?:holds?|teams?|reviews?|checks?|departments?|cases?|alerts?|officers?|reasons?|screening)`,
			`risk (?:teams?|alerts?|engine|scores?|control|flags?|department)`,
			`report(?:ed|ing)? (?:\w+ ){0,4}to the (?:authorit|regulator|government)\w*`, `criminal\w*`,
			`(?:unusual|abnormal|irregular) (?:activity|transactions?|behaviou?r)`, `monitoring (?:alerts?|systems?|hits?)`),
			wordsOf(`if you suspect`)),
		base.with(words, wordsOf(`xi ?qian`, `fan ?xi ?qian`, `xi ?hei ?qian`, `diao ?cha`, `gong ?an(?: ?ju)?`, `ke ?yi ?jiao ?yi`, `feng ?kong`,
			`hei ?ming ?dan`, `dong ?jie ?ling`, `si ?fa ?(?:ji ?guan|dong ?jie)`, `jing ?fang`, `jing ?zhen`), nil),
		{name: "singled-out", view: dense, confidential: true, find: anyOf(`(?:与|和|跟)(?:其他|别的|一般|普通)(?:客户|用户|账户|人)不(?:同|一样)`,
			`您的(?:情况|账户|案件)(?:比较|很|非常)?(?:特殊|不一般|敏感)`, `唯独您`, `只有您的账户`),
			zh: "不要说这件事与别人的不同。", en: "Do not say that this case is unlike others."},
		{name: "singled-out", view: words, confidential: true, find: wordsOf(`your (?:case|account|situation) is (?:very |quite |rather )?(?:special|different|unusual|sensitive|not normal)`,
			`(?:unlike|different from) (?:the )?other (?:customers|users|accounts|cases)`),
			zh: "不要说这件事与别人的不同。", en: "Do not say that this case is unlike others."},
	}
}

func (r lintRule) with(view int, find, except *finder) lintRule {
	r.view, r.find, r.except = view, find, except
	return r
}

func secretRules() []lintRule {
	base := lintRule{name: "secret-asked", always: true,
		zh: "任何情况下都不得通过邮件索要密码、验证码、完整卡号、私钥或助记词。请让客户在官方页面内操作。",
		en: "Never ask for passwords, codes, full card numbers, keys or recovery phrases by email. Send the customer to the official page."}
	zhSecret := `(?:密码|口令|验证码|校验码|动态码|cvv|cvc|安全码|完整(?:的)?(?:银行)?卡号|全部卡号|助记词|私钥|恢复短语|pin码|安全问题(?:的)?答案|密保答案)`
	enSecret := `(?:passwords?|passcodes?|pin(?: codes?| numbers?)?|cvv2?(?: codes?)?|cvc2?|security codes?|(?:full |complete |entire |whole )?card numbers?|sms codes?|verification codes?|` +
		`one-time (?:codes?|passwords?)|otps?|2fa codes?|authenticator codes?|seed (?:phrases?|words)|recovery (?:phrases?|words)|private keys?|mnemonics?(?: phrase)?|` +
		`answers? to (?:your|the) security questions?)\b`
	zhAsk := base.with(dense, after([]string{"提供", "发送", "发给", "发来", "发到", "告知", "告诉", "回复", "提交", "写明", "写上", "填写", "附上", "附带", "出示", "需要您的", "报一下", "念给"},
		`[^。!?;\n]{0,24}?`+zhSecret), anyOf(`最后[4四]位`))
	zhAsk.unless = harmlessChinese
	zhGive := base.with(dense, anyOf(`(?:把|将)[^。!?;\n,，]{0,12}?`+zhSecret+`[^。!?;\n,，]{0,12}?(?:发|告|给|回复|提供|写|附|报)`), nil)
	zhGive.unless = harmlessChinese
	enAsk := base.with(words, after([]string{"send", "give", "tell", "provide", "share", "reply", "email us", "email me", "email your", "e-mail us", "e-mail your", "write", "include", "attach",
		"state", "confirm", "submit", "forward", "need your", "require your", "let us know", "let us have"}, `\b[^.!?;\n]{0,60}?\b`+enSecret), anyOf(`last (?:four|4)`))
	enAsk.unless = harmlessEnglish
	return []lintRule{zhAsk, zhGive, enAsk}
}

var (
	zhClauseStart = regexp.MustCompile(`(?s).*(?:[。!?;\n,，:]|但是|不过|而是|然后)`)
	zhNegated     = regexp.MustCompile(`不|勿|别|无需|无须|从未|禁止|避免|谨防`)
	zhElsewhere   = regexp.MustCompile(`更换|修改|更改|改过|重置|重设|设置|设定|忘记|是否|如何|官方(?:网站|页面|应用|渠道)|应用内|页面内|遮|涂|不要|请勿|不会|向您|给您|系统会|平台会`)
	enClauseStart = regexp.MustCompile(`(?s).*(?:[.!?;\n,:]|\b(?:but|instead|then)\b)`)
	enNegated     = regexp.MustCompile(`\b(?:never|not|don't|doesn't|won't|can't|cannot|no|nobody|without|avoid)\b`)
	enElsewhere   = regexp.MustCompile(`\b(?:chang(?:e|ed|ing)|reset|forg[eo]t(?:ten)?|whether|how to|if you|official (?:page|website|app)|cover|never|not|(?:send|give|tell|email) you)\b`)
)

// harmlessChinese: the request is a negative one, or is about something that is done with the secret elsewhere.
func harmlessChinese(text string, m span) bool {
	clause := clauseBefore(zhClauseStart, text[:m.start])
	return zhNegated.MatchString(clause) || zhElsewhere.MatchString(clause+text[m.start:m.end]+firstRunes(text[m.end:], 4))
}

func harmlessEnglish(text string, m span) bool {
	clause := clauseBefore(enClauseStart, text[:m.start])
	return enNegated.MatchString(clause) || enElsewhere.MatchString(clause+text[m.start:m.end]+firstRunes(text[m.end:], 10))
}

// clauseBefore is what stands between the start of the clause and the end of s.
func clauseBefore(start *regexp.Regexp, s string) string {
	s = lastRunes(s, 120)
	return s[len(start.FindString(s)):]
}

func firstRunes(s string, n int) string {
	runes := []rune(s[:min(len(s), 4*n)])
	return string(runes[:min(n, len(runes))])
}

// lastRunes is the end of s, at most n code points.
func lastRunes(s string, n int) string {
	runes := []rune(s[max(0, len(s)-4*n):])
	return string(runes[max(0, len(runes)-n):])
}

func linkRules() []lintRule {
	base := lintRule{name: "link", always: true, zh: "只使用官方域名的 https 完整链接，不要用短链接或推广链接。",
		en: "Use full https addresses of the official domain only, no shortened or referral links."}
	return []lintRule{
		base.with(words, wordsOf(`(?:bit\.ly|t\.cn|t\.co|t\.ly|tinyurl\.com|goo\.gl|is\.gd|ow\.ly|buff\.ly|cutt\.ly|rebrand\.ly|rb\.gy|shorturl\.at|s\.id|v\.gd|tiny\.cc|`+
			`dwz\.cn|url\.cn|suo\.im|sina\.lt|mrw\.so|u\.nu|6du\.in|985\.so|lnkd\.in|shorte\.st|adf\.ly|bl\.ink|soo\.gd)`), nil),
		base.with(words, anyOf(`https?://\S*[?&](?:ref|refer|referral|invite|invitation|aff|affiliate|promo|utm_\w+|inviter|channel_code)=\S*`), nil),
		base.with(words, anyOf(`http://\S+`), anyOf(`http://(?:localhost|127\.0\.0\.1)`)),
		base.with(letters, anyOf(`邀请码`, `推荐码`, `推广码`, `返佣`), nil),
		base.with(words, wordsOf(`referral (?:codes?|links?)`, `(?:invite|invitation|promo) codes?`), nil),
	}
}

func manners() []lintRule {
	return append(toneChinese(), toneEnglish()...)
}

func toneChinese() []lintRule {
	return []lintRule{
		{name: "informal", view: dense, find: anyOf(`[你妳]`), except: anyOf(`迷你`), zh: "请用“您”。", en: "Use 您."},
		{name: "informal", view: dense, find: anyOf(`(?:^|[,。!?])亲(?:爱的)?(?:[,~!]|用户)`, `宝子`, `小可爱`), zh: "请用正式的称呼。", en: "Use a formal address."},
		{name: "blame", view: dense, find: anyOf(`您(?:提交|填写|提供|输入|操作|上传|发送|使用)(?:了|的)?[^,。!?;]{0,6}?(?:错误|不对|不正确|有误|失误|不实|虚假)`,
			`您(?:填|输|写|弄|搞|操作|提交|发|传|选|看)错`, `您(?:没有|未|没)(?:按|遵守|阅读|看清|看懂|仔细|认真|提供|及时|听|配合)`,
			`您(?:自己)?的(?:错误|失误|疏忽|过错|过失)`, `(?:由于|因为)您[^,。!?;]{0,6}?(?:原因|失误|疏忽|错误|不当|粗心)`, `是您(?:自己|的错|造成|导致|没)`,
			`您(?:应该|早该|本该|本应|当初)`, `您忘(?:记)?了`, `(?:已经|早就|早已)[^,。!?;]{0,4}?(?:告诉|说|讲|通知|提醒)(?:过|您)`, `显然`, `您怎么`, `您自己(?:的)?(?:责任|负责|去)`,
			`粗心`, `不看清楚`), zh: "只说明情况和下一步，不责怪客户，例如“资料无法辨认”。", en: "State the fact and the next step without blame."},
		{name: "threat", view: dense, always: true, find: anyOf(`后果自负`, `承担(?:一切|全部|法律|相应|由此)[^,。!?;]{0,6}?(?:后果|责任|损失)`, `追究[^,。!?;]{0,8}?责任`,
			`起诉您`, `法律(?:手段|途径解决您)`, `最后(?:一次)?警告`, `否则[^。!?;]{0,12}?(?:注销|封|关闭|没收|删除|起诉|处罚|扣除|终止|冻结|拉黑)`, `封号`, `没收`, `拉黑`,
			`别怪我们`), zh: "不要使用威胁的口气，写明期限和之后还能做什么。", en: "No threats. Say what happens and what can still be done."},
		{name: "marketing", view: dense, find: anyOf(`限时`, `优惠活动`, `(?:专享|专属)(?:优惠|福利|礼)`, `独家`, `福利`, `好消息`, `超值`, `抢购`, `(?:推荐|邀请)好友`, `再考虑`, `考虑留下`, `挽留`,
			`舍不得`, `不要离开`, `留下来`, `(?:期待|欢迎)您(?:再次|的)?(?:光临|回来|归来)`, `厚爱`, `重磅`, `立即体验`, `升级(?:会员|vip)`, `行业领先`, `最好的服务`), except: anyOf(`[受有]限时`),
			zh: "不作宣传，不挽留客户。", en: "No marketing, no pressure to stay."},
		{name: "unsafe-advice", view: dense, find: anyOf(`(?:关闭|解除|取消|移除|解绑|停用)[^,。!?;]{0,6}?(?:双重验证|双重认证|两步验证|二次验证|2fa|绑定手机|手机绑定)`,
			`(?:换成|改成|更换为)[^,。!?;]{0,6}?(?:不用|废弃|临时)的?邮箱`), except: anyOf(`请勿(?:关闭|解除|取消|移除|解绑|停用)`, `不(?:要|会|能|得|需要?)(?:关闭|解除|取消|移除|解绑|停用)`),
			zh: "不要建议客户去掉双重验证或停用邮箱。", en: "Never advise to remove two-factor login or to give up the mailbox."},
	}
}

func toneEnglish() []lintRule {
	wrong := `(?:the |a |an |some )?(?:wrong|incorrect|invalid|bad|false|fake|mistaken)`
	return []lintRule{
		{name: "blame", view: words, find: wordsOf(`your (?:own )?(?:mistake|fault|error|negligence|failure|carelessness)`, `you (?:have |had )?(?:failed|neglected|forgot|forgotten)`,
			`you (?:should|ought to|could) have`, `you (?:did not|didn't|have not|haven't|never) (?:follow\w*|read|provide\w*|sen[dt]|give|given|bother\w*|listen\w*|compl(?:y|ied)|include\w*|pay attention|check\w*)`,
			`you (?:have )?(?:gave|given|provided|sent|entered|submitted|typed|uploaded|used|chose|chosen) (?:us )?`+wrong,
			`as (?:i|we) (?:have )?(?:already )?(?:said|told|explained|mentioned|stated)`, `obviously`, `(?:we|i) (?:have )?(?:already )?told you`, `you are (?:wrong|mistaken|to blame|responsible for this)`,
			`careless(?:ly|ness)?`), zh: "只说明情况和下一步，不责怪客户。", en: "State the fact and the next step without blame."},
		{name: "threat", view: words, always: true, find: wordsOf(`or else`, `legal action`, `we will sue`, `(?:take|bring) you to court`, `face (?:the |serious )?consequences`, `at your own risk`,
			`(?:final|last) warning`, `(?:otherwise|or) (?:we|your account) (?:will|shall|must) (?:be )?(?:clos|delet|block|terminat|seiz|forfeit|ban|cancel|suspend)\w*`, `forfeit(?:ed|s)?`, `prosecut\w*`),
			zh: "不要使用威胁的口气。", en: "No threats. Say what happens and what can still be done."},
		{name: "marketing", view: words, find: wordsOf(`limited[- ]time`, `special offers?`, `exclusive(?:ly)?`, `discounts?`, `bonus(?:es)?`, `promotions?`, `best[- ]in[- ]class`, `world[- ]class`, `don't miss`, `act now`,
			`refer a friend`, `invite (?:your )?friends`, `before you go`, `(?:sorry|sad|hate) to see you (?:go|leave)`, `please stay`, `stay with us`, `reconsider`, `think again`,
			`sure you want to leave`, `upgrade (?:now|today)`, `great news`, `excit(?:ed|ing)`, `amazing`, `awesome`, `valued customer`), zh: "不作宣传，不挽留客户。", en: "No marketing, no pressure to stay."},
		{name: "unsafe-advice", view: words, find: wordsOf(`(?:turn off|switch off|disable|remove|deactivate)\b[^.!?;\n]{0,20}?\b(?:2fa|two-factor|two-step|second factor|authenticator)`),
			except: wordsOf(`(?:not|never|don't) (?:turn off|switch off|disable|remove|deactivate)`),
			zh:     "不要建议客户去掉双重验证。", en: "Never advise to remove two-factor login."},
	}
}

func promises() []lintRule {
	return append(timePromises(), otherPromises()...)
}

func timePromises() []lintRule {
	base := lintRule{name: "promise-time", configurable: true, zh: "不要承诺配置中没有的时间。", en: "Do not promise a time that is not configured."}
	zhLasting := `(?:\d+(?:[-~至到]\d+)?|[一二两三四五六七八九十几半数]+)个?(?:分钟|小时|工作日|自然日|天|日|周|星期|月)(?:之|以)?内`
	zhDone := `[^。!?;\n,]{0,12}?(?:回复|处理|解决|到账|完成|答复|联系您|解锁|解除|通知您|办结|退还|退回|审核)`
	zhBefore := base.with(dense, after([]string{"会", "将", "可", "能", "预计", "一般", "通常", "我们", "客服", "到账", "回复", "处理", "完成", "解决"},
		`[^。!?;\n,]{0,16}?`+zhLasting).needing("内"), nil)
	zhAfter := base.with(dense, anyOf(zhLasting+zhDone).needing("内"), nil)
	zhBefore.unless, zhAfter.unless = askedOfCustomer, askedOfCustomer

	enLasting := `(?:the next )?(?:\d+(?:[- ](?:to |-)?\d+)?|an?|one|two|three|four|five|six|seven|ten|a few|few|several|a couple of|twenty-four)` +
		` (?:business |working |calendar )?(?:minutes?|hours?|days?|weeks?|months?)\b`
	enWho := []string{"we", "i", "our team", "our support", "our colleagues", "our staff", "support", "someone", "a colleague", "the team", "you will", "you'll",
		"the money", "the amount", "the payment", "the refund", "the review", "the funds", "your money", "your funds", "your request", "your account", "your withdrawal",
		"your refund", "your payment", "your ticket"}
	return []lintRule{
		zhBefore, zhAfter,
		base.with(words, after(enWho, `\b[^.!?;\n]{0,60}?\b(?:within|in|in less than|in under) `+enLasting), wordsOf(`please [^.!?;\n]{0,60}within`, `in an? (?:minute|hour|day) or`)),
		base.with(words, after([]string{"we will", "we'll", "we shall", "i will", "i'll", "our team will", "you will", "you'll"},
			`\b[^.!?;\n]{0,50}?\b(?:immediately|right away|instantly|today|tomorrow|tonight|by (?:monday|tuesday|wednesday|thursday|friday|the end of (?:the )?(?:day|week)|eod))\b`), nil),
		base.with(dense, after([]string{"马上", "立刻", "立即", "当天", "今天内", "今天之内", "明天前", "明天之前", "明天就", "明天会", "明天", "秒"},
			`(?:能|会|可以?|就|为您)?(?:到账|回复您|处理好|解决|办好|解锁|退回|退款)`), nil),
	}
}

// askedOfCustomer: a time the customer is given, or the age of a document, is no promise of ours.
func askedOfCustomer(text string, m span) bool {
	clause := clauseBefore(zhClauseStart, text[:m.start]) + text[m.start:m.end]
	rest := text[m.end:]
	return strings.Contains(clause, "请") || strings.HasPrefix(rest, "有效") || strings.HasPrefix(rest, "的") || strings.HasPrefix(rest, "开具")
}

func otherPromises() []lintRule {
	outcome := lintRule{name: "promise-outcome", zh: "不要承诺结果。", en: "Do not promise a result."}
	hours := lintRule{name: "service-hours", configurable: true, zh: "不要承诺配置中没有的服务时间。", en: "Do not promise hours that are not configured."}
	phone := lintRule{name: "phone", configurable: true, templateOnly: true, zh: "电话号码只能来自配置。", en: "A telephone number comes from the configuration only."}
	number := `[^\d\n。.]{0,12}\+?\d[\d -]{4,}\d`
	return []lintRule{
		outcome.with(dense, anyOf(`保证`, `一定(?:会|能|可以)`, `肯定(?:会|能|可以)`, `百分之?百`, `绝对(?:安全|没问题|可以|不会)`, `包在我`), anyOf(`保证金`, `保证书`, `不(?:能|会)?保证`)),
		outcome.with(words, anyOf(`100 ?%`), nil),
		outcome.with(words, wordsOf(`guarantee\w*`, `(?:i|we) promise`, `definitely`, `certainly will`, `will certainly`, `for sure`, `absolutely (?:safe|no problem)`),
			wordsOf(`(?:not|cannot|can't) (?:guarantee|promise)`)),
		hours.with(dense, anyOf(`24小时(?:客服|服务|在线|热线|不间断|全天)`, `(?:7|24|七)[x×*/乘](?:24|7|二十四)`, `全天候`, `全年无休`, `随时(?:为您|联系|服务|致电|拨打|恭候)`), nil),
		hours.with(words, wordsOf(`24 ?[/x×] ?7`, `7 ?[x×] ?24`, `around the clock`, `round the clock`, `24 hours a day`, `day (?:and|or) night`), nil),
		phone.with(words, after([]string{"电话", "热线", "致电", "拨打", "phone", "call", "tel"}, number), nil),
		phone.with(words, anyOf(`\+\d[\d -]{6,}\d`), nil),
	}
}
