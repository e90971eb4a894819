package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postdesk/config"
	"postdesk/internal/desk"
	"postdesk/internal/mailbox"
	"postdesk/internal/ticket"
)

type mailboxCommand struct {
	Status    mailboxStatus    `cmd:"" help:"State, cursor and counts of every mailbox."`
	Reconcile mailboxReconcile `cmd:"" help:"Compare server and database: list every UID that has no outcome."`
}

type mailboxStatus struct {
	JSON bool `help:"For machines." name:"json"`
}

func (m *mailboxStatus) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		views, err := d.Mailboxes(ctx)
		if err != nil {
			return err
		}
		if m.JSON {
			return printJSON(std.out, views)
		}
		rows := make([][]string, len(views))
		for i, v := range views {
			n := v.Counts
			rows[i] = []string{
				v.Name, v.Address, v.State, ago(v.LastSuccessAt), fmt.Sprint(v.UIDValidity), fmt.Sprint(v.LastUID),
				fmt.Sprint(n[ticket.Ticketed]), fmt.Sprint(n[ticket.Quarantined]), fmt.Sprint(n[ticket.Duplicate]), fmt.Sprint(n[ticket.FailedFetch]), short(v.LastError, 80),
			}
		}
		return table(std.out, []string{"NAME", "ADDRESS", "STATE", "LAST SUCCESS", "UIDVALIDITY", "LAST UID", "TICKETED", "QUARANTINED", "DUPLICATE", "FAILED", "LAST ERROR"}, rows)
	})
}

type mailboxReconcile struct {
	JSON bool   `help:"For machines." name:"json"`
	Name string `arg:"" optional:"" help:"Only this mailbox."`
}

func (m *mailboxReconcile) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		reports, err := reconcile(ctx, d, m.Name, std)
		if err != nil {
			return err
		}
		if m.JSON {
			err = printJSON(std.out, reports)
		} else {
			printReconciled(std, reports)
		}
		for _, r := range reports {
			if len(r.Undecided) > 0 {
				return errors.Join(err, fmt.Errorf("mailbox %s: %d messages have no outcome", r.Mailbox, len(r.Undecided)))
			}
		}
		return err
	})
}

func reconcile(ctx context.Context, d *desk.Desk, name string, std streams) ([]mailbox.Report, error) {
	boxes := d.Settings.Mailboxes
	if name != "" {
		m, err := d.Settings.Mailbox(name)
		if err != nil {
			return nil, err
		}
		boxes = []config.Mailbox{m}
	}
	reports := []mailbox.Report{}
	for _, m := range boxes {
		cfg, err := pollerConfig(d.Settings, m)
		if err != nil {
			return nil, err
		}
		if err := d.KnowMailbox(ctx, m.Name); err != nil {
			return nil, err
		}
		r, err := mailbox.New(cfg, d.Ledger(), nil, quiet(std)).Reconcile(ctx)
		if err != nil {
			return nil, fmt.Errorf("mailbox %s: %w", m.Name, err)
		}
		reports = append(reports, r)
	}
	return reports, nil
}

func printReconciled(std streams, reports []mailbox.Report) {
	for _, r := range reports {
		fmt.Fprintf(std.out, "%s (%s, UIDVALIDITY %d): %d messages on the server, %d with an outcome, %d older than the start policy, %d without\n",
			r.Mailbox, r.Folder, r.UIDValidity, r.Messages, r.Decided, r.LeftOut, len(r.Undecided))
		if len(r.Undecided) > 0 {
			fmt.Fprintln(std.out, "  UIDs without an outcome:", ranges(r.Undecided))
		}
	}
}

// ranges writes ascending numbers the way IMAP does: 1,4:9,12.
func ranges(numbers []uint32) string {
	var parts []string
	for i := 0; i < len(numbers); i++ {
		first := numbers[i]
		for i+1 < len(numbers) && numbers[i+1] == numbers[i]+1 {
			i++
		}
		part := fmt.Sprint(first)
		if numbers[i] != first {
			part += fmt.Sprintf(":%d", numbers[i])
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}
