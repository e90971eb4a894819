package demo

import (
	"fmt"
	"strings"
	"time"
)

// returned is the report (RFC 3464) with which a post office gives a mail back that it cannot deliver.
func returned(to, envelopeFrom string, original []byte) []byte {
	head, _, _ := strings.Cut(string(original), "\r\n\r\n")
	return fmt.Appendf(nil, strings.ReplaceAll(`From: Mail Delivery System <mailer-daemon@post.example>
To: <%[1]s>
Subject: Undelivered Mail Returned to Sender
Date: %[2]s
Message-ID: <%[3]d.return@post.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

The mail system could not deliver your message to <%[4]s>: the mailbox does not exist.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; post.example

Final-Recipient: rfc822; %[4]s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--b1
Content-Type: text/rfc822-headers

%[5]s
--b1--
`, "\n", "\r\n"), envelopeFrom, time.Now().Format(time.RFC1123Z), time.Now().UnixNano(), to, head)
}
