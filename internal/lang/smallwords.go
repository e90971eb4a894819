package lang

import "strings"

const (
	maxWord   = 24
	languages = len(tags)
)

// tags are the languages in Latin script; where two score the same the one
// that comes first is taken.
var tags = [...]string{"en", "es", "fr", "de", "it", "pt", "id", "ms", "vi", "tr", "nl", "pl", "ro", "cs", "sv"}

type vote struct{ lang, weight int }

// wordTable gives the languages a small word or a letter speaks for.
type wordTable struct {
	small   map[string][]vote
	letters map[rune][]vote
}

func readSmallWords() *wordTable {
	t := &wordTable{small: make(map[string][]vote), letters: make(map[rune][]vote)}
	for lang, tag := range tags {
		seen := make(map[string]bool)
		for _, word := range strings.Fields(FoldString(words[tag])) {
			if !seen[word] {
				seen[word] = true
				t.small[word] = append(t.small[word], vote{lang, 4})
			}
		}
		for _, r := range ownLetters[tag] {
			t.letters[r] = append(t.letters[r], vote{lang, 3})
		}
	}
	// A word that many languages share says little about each of them.
	for word, votes := range t.small {
		for i := range votes {
			votes[i].weight = max(1, 4-len(votes)+1)
		}
		t.small[word] = votes
	}
	return t
}

var ownLetters = map[string]string{
	"es": "ñ¿¡", "fr": "èêçœûîëùàâ", "de": "ßäöü", "it": "òùìàè", "pt": "ãõçâê", "vi": "ơưăđạảấầậắằặẹẽếềệểịỉĩọỏốồộổớờợởụủũứừựửỳỵỷỹ",
	"tr": "ığş", "pl": "łąęśżźćń", "ro": "țșăşţ", "cs": "řěůčž", "sv": "åäö",
}

var words = map[string]string{
	"en": `the and is are was were be been have has had do does did i my me we our you your it its this that these those to of in on at for from with without
		by as an a not no can cannot can't dont don't please hello hi dear thanks thank regards would could should will if but so because when what why how
		there here am im i'm any some all more than then now still just about into out up get got account since after before which who or please help want need`,
	"es": `el la los las un una unos de del al que y en es son era fue ser ha he han hay por para con sin no mi mis me se su sus tu lo le les nos yo pero como
		cuando donde porque si ya muy mas esta este esto estoy tengo puedo quiero necesito hola gracias saludos cuenta ayuda favor desde hasta buenas buenos dias tardes
		ustedes usted pueden todo nada hace cual qué o también`,
	"fr": `le la les un une des du de et est sont etait etre a ai as ont je tu il elle nous vous ils mon ma mes votre vos notre ce cette ces que qui ne pas plus pour
		par avec sans sur dans en au aux mais ou donc comme quand si bonjour merci cordialement compte depuis suis peux veux voudrais j'ai c'est n'est toujours
		bonsoir salut madame monsieur svp aussi tout fait`,
	"de": `der die das den dem des ein eine einen einem einer und ist sind war waren sein habe hat haben hatte ich mein meine meinen meinem meiner mich mir wir unser uns
		sie ihr ihre ihnen es nicht kein keine auf in im an am zu zum zur von vom mit ohne fur bei nach aus uber bitte danke hallo guten tag gruss grusse konto seit
		kann kannst konnen mochte will wurde werden wird wenn aber oder wie was warum noch schon nur dass weil als auch immer wieder jetzt mal`,
	"it": `il lo la i gli le un uno una di del della dei delle dello degli da dal dalla in nel nella su sul sulla con per tra e ed che chi non mi ci si ho ha hanno
		sono sei era e' mio mia miei mie vostro vostra vostri questo questa ma anche come quando dove perche piu gia molto conto buongiorno salve grazie saluti
		posso voglio vorrei buonasera ciao cosa stato fatto ancora sempre alla al ai`,
	"pt": `o a os as um uma uns de do da dos das no na nos nas ao e em que nao sim por para com sem se meu minha meus minhas seu sua voce voces eu ele ela nos
		mas como quando onde porque ja mais muito esta este isso isto estou tenho posso quero preciso ola oi obrigado obrigada conta ajuda desde ate pelo pela
		bom dia boa tarde noite gostaria pra foi ser sao tem`,
	"id": `yang dan di ke dari ini itu untuk dengan tidak bisa saya aku kami anda akun sudah belum ada adalah karena pada oleh juga akan kalau jika tapi tetapi atau mohon
		tolong terima kasih bagaimana kenapa mengapa uang rekening masih lagi sama nya gak nggak ga tak apa kak min pak bu selamat siang pagi malam sore hari mau
		ingin dapat telah sejak kemarin halo dong`,
	"ms": `yang dan di ke dari ini itu untuk dengan tidak boleh saya kami anda akaun sudah telah belum ada adalah kerana pada oleh juga akan jika tetapi atau mohon
		tolong terima kasih bagaimana kenapa mengapa wang masih lagi apa encik puan selamat hari mahu ingin dapat sejak semalam nak tak awak sila minta`,
	"vi": `toi minh cua va la khong co duoc cho tai khoan voi trong nay do nhung cac mot da dang se bi vi nen nhu the nao sao xin chao cam on em anh chi ban giup
		tien roi van chua thi ma khi tu den hay lam ra vao nhan nguoi ngay muon`,
	"tr": `bir ve bu da de ile icin ne var yok ben benim bana beni biz siz size sizin o ama ancak cok daha gibi kadar sonra once hesap hesabim hesabima hesabimi hesabimin
		merhaba tesekkurler lutfen degil mi mu neden nasil olarak oldu olan istiyorum ediyorum yardim selam iyi gunler para hala artik hic ki`,
	"nl": `de het een en van in is zijn was ik mijn mij me wij ons u uw je jullie niet geen op aan te voor met zonder bij naar uit over graag bedankt hallo rekening
		kan kunt kunnen wil wordt worden als maar of hoe wat waarom nog al dat die dit deze heb heeft hebben sinds`,
	"pl": `i w z na do nie jest sa sie to ze moje moj moja mnie mi my prosze dziekuje dzien dobry konto konta od po za przez dla jak co kiedy gdzie dlaczego czy ale
		lub juz tylko mam moge chce byl bylo zostalo`,
	"ro": `si in la de nu este sunt cu pe din pentru un o contul meu mea va rog multumesc buna ziua am ai are au ca sa se mai dar sau cum cand de ce imi mi`,
	"cs": `a v na je se ze to si s z do pro jsem muj moje ucet prosim dekuji dobry den nemohu jak kdy proc ale nebo uz jen mi me mne ktery jsou byl bylo`,
	"sv": `och i att det som en pa ar av for med inte till den har jag mitt min mig ni er om men hur nar varfor kan vill konto tack hej snalla eller sa fran`,
}
