package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"postdesk/internal/desk"
	"postdesk/internal/ticket"
)

type rulesBacktest struct {
	Rules string `help:"Folder of lexicon and rules to try; without it the configured one." type:"existingdir" placeholder:"DIR"`
	JSON  bool   `help:"For machines: every mail whose category would change." name:"json"`
}

// Run classifies the stored mails anew and prints what would change. It changes nothing.
func (r *rulesBacktest) Run(ctx context.Context, c *commands, std streams) error {
	set, err := c.loadRules(r.Rules)
	if err != nil {
		return err
	}
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		changed := []desk.Replayed{}
		total, better, worse := 0, 0, 0
		err := d.Backtest(ctx, set, func(m desk.Replayed) error {
			total++
			if m.Changed() {
				changed = append(changed, m)
			}
			if m.Corrected != "" && m.Changed() {
				better += one(m.Now == m.Corrected)
				worse += one(m.Then == m.Corrected)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if r.JSON {
			return printJSON(std.out, changed)
		}
		rows := make([][]string, len(changed))
		for i, m := range changed {
			rows[i] = []string{
				fmt.Sprint(m.Ticket), fmt.Sprintf("%s %.2f", m.Then, m.ThenSure), fmt.Sprintf("%s %.2f", m.Now, m.NowSure), string(m.Corrected), short(strings.Join(m.RulesTexts, ", "), 60),
			}
		}
		if len(rows) > 0 {
			if err := table(std.out, []string{"TICKET", "THEN", "NOW", "A PERSON SAID", "WORDS THAT DECIDE NOW"}, rows); err != nil {
				return err
			}
		}
		fmt.Fprintf(std.out, "%d mails: %d would be filed elsewhere; of those that a person corrected, %d become right and %d wrong. Nothing was changed.\n", total, len(changed), better, worse)
		return nil
	})
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

type rulesReport struct {
	JSON bool `help:"For machines." name:"json"`
}

// Run shows where people's corrections agree with the rules and where they do not.
func (r *rulesReport) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		a, err := d.Report(ctx)
		if err != nil {
			return err
		}
		if r.JSON {
			return printJSON(std.out, a)
		}
		return printAgreement(std, a)
	})
}

func printAgreement(std streams, a desk.Agreement) error {
	fmt.Fprintf(std.out, "%d tickets, %d confirmed and %d corrected by people\n\n", a.Tickets, a.Confirmed, a.Corrected)
	var rows [][]string
	for _, c := range ticket.Categories() {
		if n := a.Categories[c]; n != nil {
			rows = append(rows, []string{string(c), fmt.Sprint(n.Said), share(n.Right, n.Said), share(n.Right, n.Meant)})
		}
	}
	if err := table(std.out, []string{"CATEGORY", "FILED", "PRECISION", "RECALL"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(std.out)
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(a.Rules)) {
		n := a.Rules[name]
		rows = append(rows, []string{name, fmt.Sprint(n.Said), share(n.Right, n.Said)})
	}
	if err := table(std.out, []string{"RULE", "HELD", "PRECISION"}, rows); err != nil {
		return err
	}
	for _, m := range a.Missed {
		fmt.Fprintf(std.out, "\nticket %d was filed as %s and is %s: %s\n  words no rule looked at: %s\n", m.Ticket, m.Said, m.Meant, short(m.Subject, 80), strings.Join(m.Terms, ", "))
	}
	return nil
}

func share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%3.0f %%", 100*float64(part)/float64(whole))
}
