package rules_test

import "postdesk/internal/email/body"

// newText is what Classify is given of a mail: the writer's own new text, with a forwarded mail where it counts.
func newText(subject, text string) string { return body.SplitMail(subject, text).Counted() }
