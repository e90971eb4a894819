package charset

import "sync"

// runeSet is a set of characters of the basic plane.
type runeSet [1024]uint64

func (s *runeSet) has(r rune) bool { return r >= 0 && r < 0x10000 && s[r>>6]&(1<<(r&63)) != 0 }

func (s *runeSet) add(text string) *runeSet {
	for _, r := range text {
		if r < 0x10000 {
			s[r>>6] |= 1 << (r & 63)
		}
	}
	return s
}

type knowledge struct {
	hans, hant, hangul, cyrillic runeSet // the characters that running text mostly consists of
	gbCommon, big5Common         runeSet // level one of GB 2312 (3,755 characters) and of Big5 (5,401)
}

// sets are computed once from the tables below; they never change.
var sets = sync.OnceValue(func() *knowledge {
	k := &knowledge{}
	k.hans.add(frequentHans)
	k.hant.add(frequentHant)
	k.hangul.add(frequentHangul)
	k.cyrillic.add("оеаинтсрвлкмдпу")
	k.gbCommon.add(block("gb18030", 0xb0, 0xd7, 0xa1))
	k.big5Common.add(block("big5", 0xa4, 0xc6, 0x40))
	return k
})

// block decodes every double-byte code of a set with a lead byte between first and last.
func block(name string, first, last, trail int) string {
	var codes []byte
	for lead := first; lead <= last; lead++ {
		for t := trail; t <= 0xfe; t++ {
			if t < 0x7f || t > 0xa0 {
				codes = append(codes, byte(lead), byte(t))
			}
		}
	}
	text, _ := strict(codes, name)
	return text
}

const frequentHans = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运" +
	"账户注销请您号密码登录提款充值转账到帐冻结客服身份证验证邮箱邮件附件银行卡支付退余额申请谢收付款失败限制关闭问题无法联系帮助核查单订订单用户办理麻烦尽快处理什么怎么没有已经需要希望钱币网站手机"

const frequentHant = "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運" +
	"帳戶註銷請您號密碼登錄登入提款充值轉賬到凍結客服身份證驗證郵箱郵件附件銀行卡支付退餘額申請謝收付款失敗限制關閉問題無法聯繫聯絡幫助核查單訂單用戶辦理麻煩盡快處理甚麼怎麼沒有已經需要希望錢幣網站手機"

const frequentHangul = "이다는에의가하고을를은로지기한리사도인어서나시자아대있해들과일스그게것으정수전라장보부주제상안구원여마신무동조오만성적비세거우선국공까면요니습합감계좌출금입문확송요청드립메와경연생위내중유화체결불가능폐쇄"
