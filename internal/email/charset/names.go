package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Name returns the canonical name of a charset label: lower-case, freed of quotes, blanks and a language suffix, with aliases
// resolved to the superset that is decoded (gb2312 and gbk to gb18030, iso-8859-1 to windows-1252, ks_c_5601-1987 to euc-kr).
// It is "" for an empty or unknown label.
func Name(label string) string {
	switch label {
	case "utf-8", "UTF-8":
		return "utf-8"
	case "us-ascii":
		return "us-ascii"
	case "":
		return ""
	}
	clean := tidy(label)
	if name, ok := aliases[clean]; ok {
		return name
	}
	if name, ok := aliases[strings.TrimPrefix(clean, "x-")]; ok {
		return name
	}
	if enc, err := htmlindex.Get(clean); err == nil {
		if name, err := htmlindex.Name(enc); err == nil && name != "replacement" && name != "x-user-defined" {
			return name
		}
	}
	if enc, err := ianaindex.MIME.Encoding(clean); err == nil && enc != nil {
		return clean
	}
	return ""
}

func tidy(label string) string {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"'`;,=<>"))
	label, _, _ = strings.Cut(label, "*")
	label = strings.TrimPrefix(label, "charset=")
	label = strings.Trim(label, " \t\"';")
	return strings.ReplaceAll(label, " ", "-")
}

var aliases = map[string]string{
	"utf8": "utf-8", "utf-8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "utf_8": "utf-8", "utf-8-mac": "utf-8", "al32utf8": "utf-8",
	"us-ascii": "us-ascii", "ascii": "us-ascii", "usascii": "us-ascii", "ansi_x3.4-1968": "us-ascii", "ansi_x3.4-1986": "us-ascii", "iso646-us": "us-ascii",
	"iso_646.irv:1991": "us-ascii", "646": "us-ascii", "7bit": "us-ascii", "us": "us-ascii", "cp367": "us-ascii", "ibm367": "us-ascii", "csascii": "us-ascii",
	"utf-7": "utf-7", "utf7": "utf-7", "unicode-1-1-utf-7": "utf-7", "csunicode11utf7": "utf-7",
	"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "gb-18030": "gb18030", "gb18030-2000": "gb18030", "gb_2312": "gb18030", "gb_2312-80": "gb18030",
	"gb2312-80": "gb18030", "csgb2312": "gb18030", "csiso58gb231280": "gb18030", "iso-ir-58": "gb18030", "chinese": "gb18030", "cp936": "gb18030", "ms936": "gb18030",
	"windows-936": "gb18030", "cn-gb": "gb18030", "euc-cn": "gb18030", "euccn": "gb18030", "gb": "gb18030", "936": "gb18030", "zh_cn.euc": "gb18030", "134": "gb18030",
	"hz": "hz-gb-2312", "hz-gb-2312": "hz-gb-2312", "hzgb2312": "hz-gb-2312",
	"big5": "big5", "big-5": "big5", "big5-hkscs": "big5", "big5hkscs": "big5", "cn-big5": "big5", "csbig5": "big5", "cp950": "big5", "ms950": "big5", "windows-950": "big5",
	"950": "big5", "136": "big5", "zh_tw.big5": "big5", "big5-eten": "big5",
	"shift_jis": "shift_jis", "shift-jis": "shift_jis", "shiftjis": "shift_jis", "sjis": "shift_jis", "ms_kanji": "shift_jis", "cp932": "shift_jis", "ms932": "shift_jis",
	"windows-31j": "shift_jis", "windows-932": "shift_jis", "932": "shift_jis", "128": "shift_jis", "csshiftjis": "shift_jis", "sjis-win": "shift_jis",
	"euc-jp": "euc-jp", "eucjp": "euc-jp", "ujis": "euc-jp", "eucjp-win": "euc-jp", "eucjp-ms": "euc-jp", "cp51932": "euc-jp",
	"iso-2022-jp": "iso-2022-jp", "iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-3": "iso-2022-jp", "iso-2022-jp-ms": "iso-2022-jp",
	"cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp", "cp50222": "iso-2022-jp", "jis": "iso-2022-jp", "csiso2022jp": "iso-2022-jp", "iso2022jp": "iso-2022-jp",
	"iso-2022-kr": "iso-2022-kr", "csiso2022kr": "iso-2022-kr", "iso-2022-cn": "iso-2022-cn", "iso-2022-cn-ext": "iso-2022-cn",
	"euc-kr": "euc-kr", "euckr": "euc-kr", "ks_c_5601-1987": "euc-kr", "ks_c_5601-1989": "euc-kr", "ks_c_5601": "euc-kr", "ks-c-5601": "euc-kr", "ksc5601": "euc-kr",
	"ks-c-5601-1987": "euc-kr", "ksc_5601": "euc-kr", "kseuckr": "euc-kr", "korean": "euc-kr", "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr",
	"windows-949": "euc-kr", "949": "euc-kr", "129": "euc-kr", "johab": "euc-kr",
	"iso-8859-1": "windows-1252", "iso8859-1": "windows-1252", "iso_8859-1": "windows-1252", "8859-1": "windows-1252", "8859_1": "windows-1252", "latin1": "windows-1252",
	"latin-1": "windows-1252", "iso-8859": "windows-1252", "cp1252": "windows-1252", "cp-1252": "windows-1252", "windows1252": "windows-1252", "win-1252": "windows-1252",
	"windows-1252": "windows-1252", "ansi": "windows-1252", "iso-latin-1": "windows-1252", "ibm819": "windows-1252", "8859": "windows-1252", "iso88591": "windows-1252",
	"iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-8859-6-i": "iso-8859-6", "iso-8859-6-e": "iso-8859-6", "iso-8859-9-windows": "windows-1254",
	"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1253": "windows-1253", "cp1254": "windows-1254", "cp1255": "windows-1255", "cp1256": "windows-1256",
	"cp1257": "windows-1257", "cp1258": "windows-1258", "win-1251": "windows-1251", "win1251": "windows-1251", "windows1251": "windows-1251", "cp-1251": "windows-1251",
	"windows1250": "windows-1250", "windows1254": "windows-1254", "1251": "windows-1251", "1252": "windows-1252", "1250": "windows-1250",
	"koi8": "koi8-r", "koi8r": "koi8-r", "koi8-r": "koi8-r", "cskoi8r": "koi8-r", "koi8-ru": "koi8-u", "tis-620": "windows-874", "tis620": "windows-874", "cp874": "windows-874",
	"cp437": "ibm437", "cp850": "ibm850", "cp852": "ibm852", "cp855": "ibm855", "cp858": "ibm00858", "cp862": "ibm862", "cp865": "ibm865", "cp-850": "ibm850", "cp866": "ibm866",
	"ibm437": "ibm437", "ibm850": "ibm850", "437": "ibm437", "850": "ibm850", "ebcdic-cp-us": "ibm037", "cp037": "ibm037", "mac": "macintosh", "macroman": "macintosh", "mac-roman": "macintosh",
	"utf-16": "utf-16", "utf16": "utf-16", "unicode": "utf-16", "ucs-2": "utf-16", "iso-10646-ucs-2": "utf-16", "utf-16le": "utf-16le", "utf-16be": "utf-16be", "utf16le": "utf-16le",
	"utf-32": "utf-32", "utf-32le": "utf-32le", "utf-32be": "utf-32be", "utf32": "utf-32", "ucs-4": "utf-32",
}

// lookup returns the decoder's encoding for a canonical name, or nil.
func lookup(name string) encoding.Encoding {
	switch name {
	case "utf-8":
		return unicode.UTF8
	case "gb18030":
		return simplifiedchinese.GB18030
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312
	case "big5":
		return traditionalchinese.Big5
	case "shift_jis":
		return japanese.ShiftJIS
	case "euc-jp":
		return japanese.EUCJP
	case "iso-2022-jp":
		return japanese.ISO2022JP
	case "euc-kr":
		return korean.EUCKR
	case "windows-1252":
		return charmap.Windows1252
	case "utf-16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "utf-32":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	case "", "us-ascii":
		return nil
	}
	if enc, err := htmlindex.Get(name); err == nil {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil {
		return enc
	}
	return nil
}
