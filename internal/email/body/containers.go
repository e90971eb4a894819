package body

import "strings"

type container int

const (
	containerNone      container = iota
	containerRuled               // a header block of the earlier mail follows: Outlook and its kin
	containerQuote               // all of it is an earlier mail
	containerSignature           // all of it is a signature
)

// containerKind knows the elements in which mail programs keep the earlier mail and the signature, by class, id or
// name. Prefixes that other programs add when they quote such mail ("x_", "ecx") are ignored.
func containerKind(e *element) container {
	if k := namedContainer(e.tag); k != containerNone {
		return k
	}
	if e.attr["data-marker"] == "__QUOTED_TEXT__" {
		return containerQuote
	}
	if id := e.attr["id"]; id != "" {
		if k := namedContainer(id); k != containerNone {
			return k
		}
	}
	n := 0
	for class := range strings.FieldsSeq(e.attr["class"]) {
		if n++; n > 16 {
			break
		}
		if k := namedContainer(class); k != containerNone {
			return k
		}
	}
	return containerNone
}

func namedContainer(name string) container {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(strings.TrimPrefix(name, "x_"), "ecx")
	switch name {
	case "divrplyfwdmsg", "outlookmessageheader", "ms-outlook-mobile-reference-message",
		"mail-editor-reference-message-container", "olk_src_body_section":
		return containerRuled
	case "yahoo_quoted", "includetail", "ntes-mailmaster-quote", "isreplycontent", "isforwardcontent",
		"mail_android_quote", "zmail_extra", "tutanota_quote", "qmail_quote", "xmail_quote":
		return containerQuote
	case "gmail_signature", "moz-signature", "protonmail_signature_block", "ms-outlook-mobile-signature", "signature",
		"composer_signature", "tutanota_signature", "xm-signature", "xmail-signature", "ntes-mailmaster-signature",
		"mail_signature", "applemailsignature", "spark_signature":
		return containerSignature
	}
	switch {
	case strings.HasPrefix(name, "yahoo_quoted"):
		return containerQuote
	case strings.HasPrefix(name, "foxdiv"):
		return containerRuled
	}
	return containerNone
}

// markRegions gives the lines of quoting containers a "> " unless their own header lines already tell, and puts the
// signature separator before signatures that end the writer's text.
func (w *textWriter) markRegions() {
	texts := make([]string, len(w.lines))
	for i, l := range w.lines {
		texts[i] = strings.Repeat("> ", l.quote) + l.text
	}
	marked := make(map[int]bool)
	done := 0 // regions end in ascending order; inner ones first
	for _, r := range w.regions {
		if r.signature {
			if w.endsText(texts, r) {
				marked[r.start] = true
			}
			continue
		}
		if r.start >= done && findHistory(texts, r.start, r.end) < 0 {
			for i := r.start; i < r.end; i++ {
				w.lines[i].quote = max(w.lines[i].quote, 1)
			}
		}
		done = max(done, r.end)
	}
	w.putSeparators(marked)
}

// endsText reports a signature after which nothing follows but history.
func (w *textWriter) endsText(texts []string, r region) bool {
	first, above := nextText(texts, r.start), r.start-1
	for above >= 0 && blank(texts[above]) {
		above--
	}
	if first >= r.end || isSeparatorLine(texts[first]) || above >= 0 && isSeparatorLine(texts[above]) || w.lines[first].quote > 0 {
		return false // it has a separator of its own, or belongs to an earlier mail
	}
	for i := r.end; i < len(texts); i++ {
		if !blank(texts[i]) {
			return strings.HasPrefix(texts[i], ">") || findHistory(texts, i, min(i+8, len(texts))) == i
		}
	}
	return true
}

func (w *textWriter) putSeparators(at map[int]bool) {
	if len(at) == 0 {
		return
	}
	var out []textLine
	for i, l := range w.lines {
		if at[i] {
			out = append(out, textLine{text: "--"})
		}
		out = append(out, l)
	}
	w.lines = out
}
