package reply

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMarkupInBothParts(t *testing.T) {
	values := []value{{typeText, "<b>&"}, {typeURL, "https://okpay.example/x"}, {typeProse, "one\ntwo\n\nthree"}}
	tests := []struct{ name, src, text, html string }{
		{"a paragraph of two lines", "one\ntwo", "one two", "<p>one two</p>\n"},
		{"Chinese lines join without a blank", "一句话，\n接着说。", "一句话，接着说。", "<p>一句话，接着说。</p>\n"},
		{"two paragraphs", "one\n\n\ntwo\n", "one\n\ntwo", "<p>one</p>\n<p>two</p>\n"},
		{"a heading", "## Words\n\none", "Words\n\none", "<h2>Words</h2>\n<p>one</p>\n"},
		{"a list with a long item", "- one\n  more\n- two", "- one more\n- two", "<ul>\n<li>one more</li>\n<li>two</li>\n</ul>\n"},
		{"numbers count by themselves", "1. one\n1. two\n7. three", "1. one\n2. two\n3. three", "<ol>\n<li>one</li>\n<li>two</li>\n<li>three</li>\n</ol>\n"},
		{"strong words", "a **b** c", "a b c", "<p>a <strong>b</strong> c</p>\n"},
		{"a value", "a \uE0000\uE001", "a <b>&", "<p>a &lt;b&gt;&amp;</p>\n"},
		{"a value in strong words", "**\uE0000\uE001**", "<b>&", "<p><strong>&lt;b&gt;&amp;</strong></p>\n"},
		{"an address", "see \uE0001\uE001。", "see https://okpay.example/x 。", "<p>see <a href=\"https://okpay.example/x\">https://okpay.example/x</a> 。</p>\n"},
		{"a link", "[the page](\uE0001\uE001)", "the page: https://okpay.example/x", "<p><a href=\"https://okpay.example/x\">the page: https://okpay.example/x</a></p>\n"},
		{"a link with a literal address", "[x](https://okpay.example/?a=1&b=2)", "x: https://okpay.example/?a=1&b=2", "<p><a href=\"https://okpay.example/?a=1&amp;b=2\">x: https://okpay.example/?a=1&amp;b=2</a></p>\n"},
		{"brackets that are no link", "[#17] and [x] (y)", "[#17] and [x] (y)", "<p>[#17] and [x] (y)</p>\n"},
		{"prose", "\uE0002\uE001", "one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>\n"},
		{"a single star", "5 * 3", "5 * 3", "<p>5 * 3</p>\n"},
		{"a year at the start of a line", "2026. A year", "2026. A year", "<p>2026. A year</p>\n"},
	}
	for _, tt := range tests {
		blocks, err := parseMarkup(tt.src, len(values))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		p := page{blocks, values}
		if diff := cmp.Diff(tt.text+"\n--\n"+tt.html, p.text()+"\n--\n"+p.html()); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestMarkupRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"a\n\n**b":                             "line 3: ** is opened and not closed",
		"a ****":                               "nothing between",
		"[a](https://okpay.example":            "[label]( is opened and not closed",
		"[a](ftp://okpay.example)":             "not an https address",
		"[a](javascript:x)":                    "not an https address",
		"[a](//okpay.example)":                 "not an https address",
		"\uE0009\uE001":                        "broken value token",
		"\uE000":                               "broken value token",
		"[a](\uE0000\uE001x)":                  "one value or one literal",
		"\uE002x\uE003a":                       "broken line mark",
		"a\n- b":                               "line 2: a list needs a blank line",
		"- a\n1. b":                            "a list needs a blank line",
		"a\n## b":                              "a heading needs a blank line",
		"\uE00241\uE003a\n\uE00242\uE003- b\n": "line 42: a list needs a blank line",
	} {
		if _, err := parseMarkup(src, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", src, err)
		}
	}
}

var (
	allowedTag = regexp.MustCompile(`</?(?:p|h2|ul|ol|li|strong|a)>|<br>|<a href="https?://[^"<>]*">`)
	blanks     = regexp.MustCompile(`\s+`)
)

// Whatever the markup holds: the HTML has only the tags of the writer, and says what the text says.
func FuzzMarkup(f *testing.F) {
	f.Add("one **two** [three](\uE0001\uE001)\n\n- a\n  b\n\n1. c", "<x>", "y\n\nz")
	f.Add("## a\n\n\uE0002\uE001\n\n\uE0020\uE003b \uE0000\uE001", "**", "- ")
	f.Add("[a](https://b.example/?c=\"d\") <script>", "{{.}}", "")
	f.Fuzz(func(t *testing.T, src, text, prose string) {
		if !utf8.ValidString(src) || len(src) > 4096 { // a template file is short, and load refuses other bytes
			return
		}
		clean, _ := cleanText(text)
		long, _ := cleanProse(prose)
		values := []value{{typeText, clean}, {typeURL, "https://okpay.example/x"}, {typeProse, long}}
		blocks, err := parseMarkup(src, len(values))
		if err != nil {
			return
		}
		p := page{blocks, values}
		rest := allowedTag.ReplaceAllString(p.html(), "")
		if strings.ContainsAny(rest, "<>\"") {
			t.Fatalf("%q leaves %q", src, rest)
		}
		got := blanks.ReplaceAllString(html.UnescapeString(rest), "")
		want := blanks.ReplaceAllString(p.withoutMarks(), "")
		if got != want {
			t.Fatalf("%q: HTML says %q, text says %q", src, got, want)
		}
	})
}

// withoutMarks is the text without the marks of list items.
func (p page) withoutMarks() string {
	var b strings.Builder
	for _, bl := range p.blocks {
		for _, item := range bl.items {
			b.WriteString(p.inlineText(item) + "\n")
		}
	}
	return b.String()
}
