// Package body turns the body of a mail into what people and rules may read: plain text from HTML without what the
// reader could not see, the writer's own words apart from quoted history and signatures, format=flowed text as
// paragraphs, and HTML that is safe to show. It works on decoded text only: transfer encodings, charsets and MIME
// parts are the caller's business. Every function is pure, never fails, never panics, and takes time linear in its
// input.
package body
