package rules

import "postdesk/internal/ticket"

// provided lists the closing requirements that a closure mail meets, in the order in which they are asked for.
func (s *scratch) provided(d *Decision) {
	if d.Category != ticket.Closure {
		return
	}
	for _, name := range closingItems {
		if name == "account_id" {
			if d.Facts.AccountID.Text != "" {
				d.Provided = append(d.Provided, Item{name, []Span{d.Facts.AccountID}})
			}
			continue
		}
		for _, id := range s.firedList {
			if s.set.rules[id].item == name {
				d.Provided = append(d.Provided, Item{name, s.evidence(s.firedHit[id])})
				break
			}
		}
	}
}
