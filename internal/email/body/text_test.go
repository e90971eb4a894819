package body

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// hiddenCases each show "seen" and hide "SECRET".
var hiddenCases = []string{
	`seen<span style="display:none">SECRET</span>`,
	`seen<span style="DISPLAY : NONE !important">SECRET</span>`,
	`seen<span style="display:/**/none">SECRET</span>`,
	`seen<span style="d\69splay:none">SECRET</span>`,
	`seen<span style="display:none"><b>SECRET</b></span>`,
	`seen<div style="visibility:hidden">SECRET</div>`,
	`<div style="visibility:hidden">SECRET<span style="visibility:visible">seen</span></div>`,
	`seen<span style="font-size:0">SECRET</span>`,
	`seen<span style="font-size:0px;line-height:0">SECRET</span>`,
	`seen<span style="font-size:1px">SECRET</span>`,
	`seen<span style="font:0/0 a">SECRET</span>`,
	`seen<span style="font-size:.01em">SECRET</span>`,
	`<div style="font-size:0">SECRET<span style="font-size:14px">seen</span></div>`,
	`seen<font color="#FFFFFF">SECRET</font>`,
	`seen<font color=white>SECRET</font>`,
	`seen<span style="color:#fff">SECRET</span>`,
	`seen<span style="color:rgb(255, 255, 255)">SECRET</span>`,
	`seen<span style="color:rgba(254,254,254,1)">SECRET</span>`,
	`seen<span style="color:transparent">SECRET</span>`,
	`<table bgcolor="#003366"><td><font color=white>seen</font><font color="#003366">SECRET</font></td></table>`,
	`<div style="background:#222;color:#eee">seen<span style="color:#222222">SECRET</span></div>`,
	`<body bgcolor=black text=black>SECRET<font color=white>seen</font></body>`,
	`seen<div style="opacity:0">SECRET</div>`,
	`seen<div style="opacity:0.01">SECRET</div>`,
	`seen<div style="opacity:50%"><div style="opacity:.1">SECRET</div></div>`,
	`seen<div hidden>SECRET</div>`,
	`seen<div hidden="until-found">SECRET</div>`,
	`seen<div style="position:absolute;left:-9999px">SECRET</div>`,
	`seen<div style="position:fixed;top:-2000px">SECRET</div>`,
	`seen<div style="text-indent:-9999px">SECRET</div>`,
	`seen<div style="margin-left:-100em">SECRET</div>`,
	`seen<div style="max-height:0;overflow:hidden">SECRET</div>`,
	`seen<div style="height:0px;width:0px;overflow:hidden;">SECRET</div>`,
	`seen<div style="mso-hide:all">SECRET</div>`,
	`seen<div style="position:absolute;clip:rect(0 0 0 0)">SECRET</div>`,
	`seen<div style="clip-path: inset(50%)">SECRET</div>`,
	`seen<div style="transform:scale(0)">SECRET</div>`,
	`<style>.pre{display:none}</style>seen<div class="pre">SECRET</div>`,
	`<style type="text/css">@import "x"; @media print{.a{display:block}} #pre , td.x{ display : none }</style>seen<div id=pre>SECRET</div>`,
	`<style>/* .x */ div.x{font-size:0;color:red}</style>seen<div class="y x">SECRET</div>`,
	`seen<template>SECRET</template>`,
	`seen<noscript>SECRET</noscript>`,
	`seen<dialog>SECRET</dialog>`,
	`seen<svg><text>SECRET</text></svg>`,
	`<div style="display:none;max-height:0px;overflow:hidden">SECRET &#847; &zwnj; &nbsp; &#8199; &shy;</div><p>seen</p>`,
	strings.Repeat("<div>", 300) + `seen<span style="display:none">SECRET</span>`,
	`<p style="display:none">SECRET<p>seen`,
}

func TestT7_6_HiddenTextIsReportedApart(t *testing.T) {
	for _, src := range hiddenCases {
		text, hidden := TextFromHTML(src)
		if text != "seen" {
			t.Errorf("%.200q: text %q", src, text)
		}
		if !strings.Contains(strings.Join(hidden, " "), "SECRET") {
			t.Errorf("%.200q: hidden %q", src, hidden)
		}
	}
}

func TestT7_6_InvisibleCharactersAreTakenOut(t *testing.T) {
	text, hidden := TextFromHTML("I do n\u200Bot con\u00ADsent\u202E.\u2060 ok\U000E0049\U000E0020\U000E0061\U000E0067\U000E0072\U000E0065\U000E0065")
	if text != "I do not consent. ok" {
		t.Errorf("text %q", text)
	}
	if !slices.Equal(hidden, []string{"I agree"}) {
		t.Errorf("hidden %q", hidden)
	}
}

func TestVisibleTextIsNotTakenForHidden(t *testing.T) {
	for _, src := range []string{
		`<p style="color:#333">seen</p>`, `<td bgcolor="#ffffff"><font color="#666">seen</font>`, `<div style="background-image:url(x);color:#fff">seen</div>`,
		`<div style="background:#036;color:white">seen</div>`, `<td background="x.gif"><font color=white>seen</font>`, `<div style="font-size:10px">seen</div>`,
		`<div style="overflow:hidden;height:20px">seen</div>`, `<div style="max-width:0">seen</div>`, `<div style="left:-9999px">seen</div>`, `<div style="margin:0;text-indent:-20px">seen</div>`,
		`<style>@media (max-width:600px){.m{display:none}}</style><div class=m>seen</div>`, `<style>.a .b{display:none}</style><div class=b>seen</div>`, `<div style="display:block">seen</div>`,
		`<div style="color:inherit">seen</div>`, `<div style="color:var(--x)">seen</div>`, `<font size="1">seen</font>`, `<div style="opacity:.9">seen</div>`, `<xmp>seen</xmp>`, `<plaintext>seen`, `<object>seen</object>`,
		`<svg><path d="M0 0"/><p>seen</p>`, `<textarea>seen</textarea>`, `<details>seen</details>`, `<div style="display:none"></div>seen`, `<span style="font-size:0"><span style="font-size:medium">seen</span></span>`,
	} {
		if text, hidden := TextFromHTML(src); text != "seen" || len(hidden) != 0 {
			t.Errorf("%q: text %q, hidden %q", src, text, hidden)
		}
	}
}

func TestReadableText(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"paragraphs", `<p>one</p><p>two<br>three</p>`, "one\n\ntwo\nthree"},
		{"divs", `<div>one</div><div>two</div><div><br></div><div>three</div>`, "one\ntwo\n\nthree"},
		{"white space", "<p>  a \n\t b&nbsp;&nbsp;c </p>", "a b c"},
		{"inline", `a<b>b</b>c <i> d</i>`, "abc d"},
		{"bullets", `<ul><li>one</li><li>two<ul><li>in</li></ul></li></ul>after`, "- one\n- two\n- in\n\nafter"},
		{"numbers", `<ol start=3><li>a<li>b</ol>`, "3. a\n4. b"},
		{"table", `<table><tr><th>Name</th><th>Sum</th></tr><tr><td><p>Li</p></td><td><p>500</p></td></tr></table>`, "Name\tSum\nLi\t500"},
		{"layout table", `<table><tr><td><p>one</p><p>two</p></td></tr></table>`, "one\n\ntwo"},
		{"headings", `<h1>T</h1>text`, "T\n\ntext"},
		{"pre", "<pre>a  b\n  c</pre>", "a  b\n  c"},
		{"link", `<a href="https://a.example/x">here</a>`, "here <https://a.example/x>"},
		{"link that says it", `<a href="https://a.example/">https://a.example</a> <a href="mailto:a@b.example">a@b.example</a>`, "https://a.example a@b.example"},
		{"link that lies", `<a href="https://evil.example/">https://bank.example</a>`, "https://bank.example <https://evil.example/>"},
		{"script link", `<a href="javascript:x()">here</a>`, "here"},
		{"image", `<img src=x alt="A  cat">b<img src=y alt="">`, "[A cat]b"},
		{"rule", `a<hr>b`, "a\n" + ruler + "\nb"},
		{"entities", `&lt;b&gt; &amp;amp; &euro; &#x4f60;`, "<b> &amp; € 你"},
		{"comments", `a<!-- x --><![if !mso]>b<![endif]><!--[if mso]>c<![endif]-->`, "ab"},
		{"head", `<html><head><title>T</title><style>p{}</style><script>x</script></head><body>b</body></html>`, "b"},
		{"blockquote", `a<blockquote type="cite"><p>q</p><blockquote>r</blockquote></blockquote>b`, "a\n\n> q\n>\n> > r\n\nb"},
		{"indent", `<blockquote style="margin:0 0 0 40px;border:none;padding:0px">mine</blockquote>`, "mine"},
		{"empty", ``, ""},
		{"no tags", "just\ntext", "just text"},
		{"unclosed", `<p>a<b>b<div>c`, "ab\n\nc"},
		{"ruby and unknown", `<x-y>a</x-y><o:p>&nbsp;</o:p>b`, "a b"},
	}
	for _, tt := range tests {
		if got, _ := TextFromHTML(tt.src); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHugeDocumentsGiveTextInTime(t *testing.T) {
	for name, src := range hugeDocuments() {
		text, _ := TextFromHTML(src)
		if strings.Contains(src, "text") && !strings.Contains(text, "text") {
			t.Errorf("%s: the text is lost", name)
		}
		if len(text) > 40*len(src)+1000 {
			t.Errorf("%s: %d bytes became %d", name, len(src), len(text))
		}
	}
}

// The golden files hold the HTML of mail programs, the text made of it and the parts of that text.
func TestTextGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/html/*.html")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".html"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, hidden := TextFromHTML(string(b))
			p := Split(text)
			covered(t, text, p)
			if !strings.Contains(p.New, "MINE") || strings.Contains(p.New, "THEIRS") {
				t.Errorf("new text %q\nof %q", p.New, text)
			}
			golden(t, strings.TrimSuffix(file, ".html")+".golden", text+"\n=== new\n"+p.New+"\n=== signature\n"+p.Signature+"\n=== hidden\n"+strings.Join(hidden, "\n")+"\n")
			checkSafe(t, file, Sanitise(string(b), nil))
		})
	}
}

func TestFlowed(t *testing.T) {
	tests := []struct {
		name, text string
		delsp      bool
		want       string
	}{
		{"soft breaks", "This is \none line.\nThis is another.\n", false, "This is one line.\nThis is another."},
		{"delsp", "你好 \n世界\n", true, "你好世界"},
		{"delsp keeps a word's blank", "a  \nb\n", true, "a b"},
		{"stuffing", " From here\n > no quote\n  indented\n", false, "From here\n> no quote\n indented"},
		{"quotes", "> a \n> b\n>> c \n>> d\ne\n", false, "> a b\n>> c d\ne"},
		{"depth ends a paragraph", "> a \nb\n", false, "> a \nb"},
		{"signature", "a \n-- \nLi\n", false, "a \n-- \nLi"},
		{"quoted signature", "> a\n> -- \n> b\n", false, "> a\n> -- \n> b"},
		{"empty lines", "a\n\n\nb\n", false, "a\n\n\nb"},
		{"CRLF", "a \r\nb\r\n", false, "a b"},
		{"open end", "a \n", false, "a "},
		{"blank line flows", "a \n \nb", false, "a \nb"},
		{"nothing", "", false, ""},
	}
	for _, tt := range tests {
		if got := Flowed(tt.text, tt.delsp); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzFlowed(f *testing.F) {
	f.Add("a \n> b \n>> c\n-- \nd", true)
	f.Add("\r\r\n \n", false)
	f.Fuzz(func(t *testing.T, text string, delsp bool) {
		out := Flowed(text, delsp)
		letters := func(s string) string {
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune("> \r\n", r) {
					return -1
				}
				return r
			}, s)
		}
		if utf8.ValidString(text) && letters(out) != letters(text) {
			t.Errorf("%q became %q", text, out)
		}
	})
}

func FuzzTextFromHTML(f *testing.F) {
	for _, s := range hiddenCases {
		f.Add(s)
	}
	for _, s := range attacks {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		text, hidden := TextFromHTML(src)
		if utf8.ValidString(src) && !utf8.ValidString(text+strings.Join(hidden, "")) {
			t.Error("valid HTML gave invalid text")
		}
		for _, r := range text {
			if isBidi(r) || isControl(r) {
				t.Errorf("%q holds %U", text, r)
			}
		}
		covered(t, text, Split(text))
	})
}
