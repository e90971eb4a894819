package rules

import (
	"strings"
	"unicode/utf8"
)

// replyPrefixes mark a subject as taken over from an earlier mail, in the spelling after folding.
var replyPrefixes = []string{
	"re", "aw", "antw", "antwort", "sv", "vs", "ynt", "yan", "cevap", "odp", "rif", "r", "res", "resp", "rv", "rép", "rep",
	"回复", "回覆", "答复", "答覆", "返信", "回信", "답장", "회신", "trả lời", "tra loi", "bls", "balas", "отв", "ответ", "на", "رد", "الرد", "ตอบกลับ",
}

// forwardPrefixes mark a forwarded mail: its subject is the forwarded one's.
var forwardPrefixes = []string{
	"fw", "fwd", "wg", "tr", "i", "enc", "rv", "doorst", "vb", "ilt", "pd", "转发", "轉寄", "轉發", "转寄", "転送", "전달", "chuyển tiếp", "chuyen tiep", "trs", "terusan", "пересл", "пер", "إعادة توجيه",
}

// cutPrefixes takes reply and forward prefixes off a subject and reports what they were.
func cutPrefixes(subject string) (rest string, reply, forward bool) {
	rest = strings.TrimSpace(subject)
	for {
		i := strings.IndexAny(rest, ":：")
		if i <= 0 || i > 24 {
			return rest, reply, forward
		}
		word := strings.ToLower(strings.TrimRight(strings.TrimSpace(rest[:i]), "0123456789[]()* "))
		isReply, isForward := contains(replyPrefixes, word), contains(forwardPrefixes, word)
		if !isReply && !isForward {
			return rest, reply, forward
		}
		reply, forward = reply || isReply, forward || isForward
		_, size := utf8.DecodeRuneInString(rest[i:])
		rest = strings.TrimSpace(rest[i+size:])
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
