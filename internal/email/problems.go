package email

import "slices"

// problems is the list of what was repaired, guessed or left out: each code once, in order of discovery.
type problems []string

func (p *problems) note(code string) {
	if !slices.Contains(*p, code) {
		*p = append(*p, code)
	}
}

// Explain says in English what a code of Mail.Problems means; "" for an unknown code. Codes never change their meaning.
func Explain(code string) string { return meanings[code] }

var meanings = map[string]string{
	"alternative_differs":       "the plain and the HTML form say different things; the plain one is shown",
	"bare_cr":                   "lines end with bare carriage returns",
	"base64_damaged":            "base64 with foreign characters or cut off: some content is lost",
	"body_empty":                "there is neither text nor a file",
	"boundary_after_close":      "parts follow the end of the multipart; they were kept",
	"boundary_missing":          "a multipart names no boundary",
	"boundary_not_found":        "the boundary named does not occur; another was guessed, or the whole is text",
	"boundary_repeated":         "an inner and an outer multipart use the same boundary",
	"boundary_unclosed":         "a multipart has no end",
	"byte_order_mark":           "a byte order mark stands before the header",
	"charset_damaged":           "some bytes fit no character set and were replaced",
	"charset_guessed":           "the character set was missing or wrong; another fits",
	"content_type_bad":          "a content type could not be read",
	"date_absurd":               "the date lies before 1980 or in the future",
	"date_missing":              "there is no date",
	"date_unreadable":           "the date could not be read",
	"decoded_limit":             "more decoded content than is read",
	"depth_limit":               "more multiparts inside each other than are read",
	"encrypted":                 "encrypted: the text cannot be read here",
	"field_limit":               "a header field is longer than is read",
	"filename_changed":          "a file name was made safe",
	"filename_conflict":         "a file has two different names",
	"from_duplicate":            "there are several From fields",
	"from_missing":              "there is no From field",
	"from_multiple":             "From names several senders",
	"from_name_is_address":      "the sender's name looks like another address",
	"from_unreadable":           "From holds no usable address",
	"header_limit":              "the header is longer than is read",
	"header_line_bad":           "a header line is no field; it was skipped or joined to the one above",
	"header_missing":            "there is no header",
	"header_unterminated":       "no empty line ends the header",
	"hidden_text":               "the HTML holds text that a reader does not see",
	"leading_blank":             "the first header line is indented",
	"leading_blank_line":        "empty lines stand before the header",
	"mbox_from_line":            "a line of an mbox file stands before the header",
	"message_id_missing":        "there is no Message-ID",
	"message_incomplete":        "a part of a mail that was split up, or that lies elsewhere",
	"mime_field_duplicate":      "a MIME field is repeated; the first one counts",
	"mime_parameter_duplicate":  "a MIME parameter is repeated; the first one counts",
	"nul_bytes":                 "there are NUL bytes",
	"parts_limit":               "more parts than are read",
	"plain_text_trivial":        "the plain form says next to nothing; the HTML was read",
	"quoted_printable_damaged":  "quoted-printable with escapes that are none",
	"signed":                    "signed; the signature is not checked here",
	"text_limit":                "the text is longer than is kept",
	"tnef":                      "Outlook rich text (winmail.dat)",
	"tnef_damaged":              "Outlook rich text that cannot be read",
	"transfer_encoding_unknown": "unknown transfer encoding; the content was taken as it is",
	"unreadable":                "reading the mail failed altogether; the bytes are shown as text",
	"uuencoded":                 "a file stands uuencoded in the text",
	"yenc":                      "a file stands yEnc-encoded in the text and was left there",
}
