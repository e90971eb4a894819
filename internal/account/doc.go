// Package account reaches the platform's account system: what the desk asks of it, and three ways to answer: an HTTP service, a
// person who looks it up and says where, and an in-memory ledger for the demonstration. It keeps no state of a ticket and
// decides nothing.
//
// # Unknown is not a pass
//
// Every answer carries Known. A time-out, a lost connection, an answer that is malformed, too large, too old or about another
// account is not known, whatever it says. A caller that needs a fact has nothing until the fact is known; nothing is guessed and
// no older answer is kept here.
//
// # Changing an account
//
// Close, Deactivate and Perform carry an idempotency key that is the same for every repetition of one decision. An adapter may
// send it any number of times; the account changes once. An outcome that is not Done says nothing about the account: the status
// is read afterwards in any case.
//
// # The HTTP service
//
// openapi.yaml beside this file is the contract. Every request is signed: X-Postdesk-Timestamp holds Unix seconds and
// X-Postdesk-Signature holds "v1=" and the hex HMAC-SHA256, under the shared secret, of method, path with query, timestamp, the
// idempotency key (empty when there is none) and the hex SHA-256 of the body, joined by newlines. The activity webhook that the platform calls is signed the same way.
package account
