// Package authentic judges how far a mail's From address can be believed: by the trusted mail server's
// Authentication-Results, by DKIM signatures verified over the stored bytes, and by the sender domain's DMARC policy.
// It also points out what deceives the eye: names that pose as addresses or brands, look-alike and mixed-script
// domains. It never fails and needs no network of its own: DNS comes through the caller's Resolver. SPF is left out,
// because the client's address is not known of a mail that was fetched.
package authentic
