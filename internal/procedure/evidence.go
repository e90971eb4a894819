package procedure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Evidence is the hash of everything a decision rests on and everybody who may decide can see: the account, the sender's
// identity, the checklist with its proofs, the results of the checks (not their times), the diagnosis and a refusal. What is
// for compliance only is left out: it is judged again, by itself, when the account is about to be changed.
func (c Case) Evidence() string {
	type line struct {
		State  ItemState  `json:"s"`
		Proof  string     `json:"p,omitzero"`
		Reject RejectCode `json:"r,omitzero"`
		By     string     `json:"b,omitzero"`
		Note   string     `json:"n,omitzero"`
	}
	type result struct {
		Outcome  Outcome   `json:"o"`
		Blockers []Blocker `json:"b,omitzero"`
	}
	lines := map[string]line{}
	for key, it := range c.Items {
		if !it.Hidden {
			lines[key] = line{it.State, it.Evidence, it.Reject, it.DecidedBy, it.Note}
		}
	}
	results := map[string]result{}
	for name, k := range c.Checks {
		results[name] = result{k.Outcome, k.Blockers}
	}
	code := ""
	if c.Refusal != nil {
		code = c.Refusal.Code
	}
	b, err := json.Marshal([]any{c.Procedure, c.Account.Ref, c.Account.Address, c.Identity.Level, c.Identity.ProvenAt, c.Risk, lines, results,
		c.Finding.Code, c.Finding.Evidence, code, c.Dust, c.Words})
	if err != nil {
		panic(err) // plain data only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
