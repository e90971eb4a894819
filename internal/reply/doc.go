// Package reply turns a template key, a language and facts into the subject, the plain text and the HTML of a mail, and
// remarks on wording that must not reach a customer. It sends nothing and decides nothing.
//
// # One source for both parts
//
// A mail is written once per language, in a small markup, and both parts are made from it, so a reader of the plain part is
// told exactly what a reader of the HTML part is told. The markup has paragraphs, `## ` headings, `- ` lists, `1. ` lists,
// `**strong**` and `[label](address)`; a list item continues on lines indented by two spaces. A line that holds nothing but
// `{{if}}`, `{{else}}`, `{{range}}` or `{{end}}` leaves no trace in the mail. Of the template language only these, `.name`,
// `$.name`, `.`, `eq`, `and`, `or` and `not` are allowed.
//
// # Values are data
//
// While a template is expanded every value is represented by a token; the markup is parsed with the tokens in it, and the
// values take their place only when the parts are written, escaped for HTML. A value is therefore never read as template or as
// markup, and cannot open a paragraph, a list or a header field. A variable that is missing stops the mail.
//
// # Front matter
//
//	---
//	subject: "我们已收到您的来信 [#{{.ticket_no}}]"
//	to: customer            # customer (ticket address) | registered (only the address on file) | internal
//	class: ack              # ack | procedure | final | challenge | agent: how the outbox treats it
//	purpose: first answer to a person's first mail
//	variables:
//	  due: {type: time, sample: 2026-03-05T17:00:00+08:00}
//	  note: {type: text, optional: true, sample: …}
//	---
//
// The types are text, setting (text that comes from the configuration), name, number, time, day, url, code, prose (paragraphs
// written by a person), choice (one of `values`, for `eq` only), flag, list, and records (with `fields`; a field whose name ends
// in ? is optional).
package reply
