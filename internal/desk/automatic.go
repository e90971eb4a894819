package desk

import (
	"slices"
	"strings"
	"time"

	"postdesk/config"
)

// occasion is everything that decides whether an automatic mail may go out. It is the only gate: whatever part of the
// program wants to send without a person asks mayAnswer.
type occasion struct {
	Kind        string // of the mail that is answered; "" when a timer or a transition asks
	NoReply     bool   // the mail's own headers ask for silence
	Unknown     bool   // it has not exactly one usable sender
	Forged      bool   // its sender could not be authenticated, and the domain asks to refuse such mail
	Junk        bool   // it came from a junk folder
	To          string
	OwnAddress  bool          // To is one of ours
	Dead        bool          // To is known to bounce
	Public      bool          // To's domain is a mail provider's: no cap on the domain
	Again       bool          // this step was sent on the ticket already
	Age         time.Duration // of the mail that is answered; 0 when a timer or a transition asks
	TicketDay   int           // automatic mails of the last 24 hours: on this ticket,
	AckDay      int           // acknowledgements among them,
	AddressDay  int           // to this address,
	DomainHour  int           // in the last hour to this domain,
	Total10Min  int           // in the last ten minutes altogether,
	UsualPer10M float64
	Ack         bool // what is asked for is an acknowledgement
}

// mayAnswer decides about one automatic mail: "" is yes, anything else is the reason why not. It follows RFC 3834 §2 (never
// answer automatic mail, never flood) and the caps of the configuration.
func mayAnswer(o occasion, caps config.Automatic) string {
	switch {
	case o.Kind != "" && o.Kind != "human":
		return "the mail is " + o.Kind
	case o.NoReply:
		return "the mail asks for no automatic answer"
	case o.Forged:
		return "the sender could not be authenticated and the domain asks to refuse such mail"
	case o.Unknown:
		return "the mail does not name one sender"
	case o.Junk:
		return "the mail was in the junk folder"
	case o.To == "" || !strings.Contains(o.To, "@"):
		return "there is no address to answer to"
	case o.OwnAddress:
		return "the address is one of ours"
	case o.Dead:
		return "the address is known to bounce"
	case o.Again:
		return "the same was sent on this ticket already"
	case caps.MaxAge > 0 && o.Age > caps.MaxAge.D():
		return "the mail is too old for an automatic answer"
	case o.Ack && o.AckDay >= caps.AcksPerTicketPerDay:
		return "the ticket had its acknowledgement of the day"
	case o.TicketDay >= caps.PerTicketPerDay:
		return "the ticket had its automatic mails of the day"
	case o.AddressDay >= caps.PerAddressPerDay:
		return "the address had its automatic mails of the day"
	case !o.Public && o.DomainHour >= caps.PerDomainPerHour:
		return "the domain had its automatic mails of the hour"
	case broken(o, caps):
		return "far more automatic mail than usual: stopped until it calms down"
	}
	return ""
}

// broken is the global breaker: a sudden multiple of the usual rate, and more than a desk would ever call usual.
func broken(o occasion, caps config.Automatic) bool {
	return caps.BreakerPer10Min > 0 && o.Total10Min >= caps.BreakerPer10Min && float64(o.Total10Min) > caps.BreakerFactor*o.UsualPer10M
}

// publicDomains are the mail providers that carry most customers; a cap per domain would silence the desk towards them.
func publicDomains(setting string) map[string]bool {
	names := slices.Collect(strings.SplitSeq(setting, ","))
	if setting == "default" || setting == "" {
		names = strings.Fields(defaultPublicDomains)
	}
	m := map[string]bool{}
	for _, n := range names {
		m[strings.ToLower(strings.TrimSpace(n))] = true
	}
	return m
}

const defaultPublicDomains = `
	qq.com foxmail.com vip.qq.com 163.com 126.com yeah.net vip.163.com sina.com sina.cn sohu.com 139.com 189.cn aliyun.com tom.com 21cn.com
	gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com aol.com
	proton.me protonmail.com tutanota.com fastmail.com zoho.com mail.com gmx.com
	gmx.de gmx.net web.de t-online.de freenet.de posteo.de mailbox.org orange.fr wanadoo.fr free.fr laposte.net sfr.fr
	yahoo.fr yahoo.de yahoo.es yahoo.it yahoo.co.uk yahoo.co.jp yahoo.com.hk yahoo.com.tw yahoo.com.br yahoo.co.id hotmail.com.tw hotmail.fr hotmail.es hotmail.it hotmail.de
	hotmail.co.uk live.fr live.co.uk outlook.fr outlook.es outlook.de outlook.jp outlook.com.br btinternet.com libero.it virgilio.it tiscali.it alice.it
	mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com rambler.ru ukr.net docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com
	naver.com daum.net hanmail.net nate.com kakao.com uol.com.br bol.com.br terra.com.br ig.com.br
	wp.pl o2.pl interia.pl onet.pl seznam.cz ziggo.nl kpnmail.nl telenet.be bluewin.ch`
