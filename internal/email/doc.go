// Package email reads any mail, broken or hostile, and writes correct ones.
//
// Parse never fails and never panics: it returns what a person would read in the mail and a list of stable problem codes that
// tell what was repaired, guessed or left out. It works within fixed bounds and never changes the raw bytes. Compose renders an
// outgoing mail once, to the bytes that are stored and sent. Tokens signs and recognises the addresses and message ids by which
// an answer or a bounce finds its way back.
//
// The package looks only at the mail itself. Who may act on a ticket, whether a sender is authentic and what happens to a mail are
// decided elsewhere.
package email
