// Package templates holds the mails the desk sends, as files that a support team can read and change without reading Go.
//
//   - mail/<key>.<language>.md: one mail; front matter with subject, recipient and variables, then the words
//   - layout/<kind>.<language>.md: what stands above and below every mail to that kind of recipient
//   - layout/page.txt, layout/page.html: the frame around the words of the plain and the HTML part
//   - phrases/<group>.yaml: sentences chosen by a code, such as why a document could not be accepted
//
// Package reply says how they are written; its Load and Verify find what is wrong with them.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed mail layout phrases
var files embed.FS

// FS returns the built-in templates in the form reply.Load reads.
func FS() fs.FS { return files }
