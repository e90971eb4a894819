package procedure

import (
	"maps"
	"slices"

	"postdesk/internal/agent"
)

// View returns the case as a role may see it. Without the compliance role (or the auditor's) there is no hold, no item for
// compliance and no trace of how many hidden transitions there were; everything else is the same, byte for
// byte, as on a case that was never held.
func (s *Set) View(c Case, role agent.Role) Case {
	if role == agent.Compliance || role == agent.Auditor {
		return c
	}
	c = c.clone()
	c.Hold, c.HiddenBar, c.Steps, c.Seen = nil, false, c.Visible, nil
	maps.DeleteFunc(c.Items, func(_ string, it Item) bool { return it.Hidden })
	return c
}

// Visible filters effects down to those that a role without access to hidden matters may learn of.
func Visible(fx []Effect) []Effect {
	return slices.DeleteFunc(slices.Clone(fx), func(e Effect) bool { return e.Hidden })
}
