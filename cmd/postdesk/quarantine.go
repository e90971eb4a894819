package main

import (
	"context"
	"errors"
	"fmt"

	"postdesk/internal/desk"
	"postdesk/internal/email"
	"postdesk/internal/store"
)

type quarantineCommand struct {
	List    quarantineList    `cmd:"" help:"Mails that could not be processed or whose sender may not act on the ticket."`
	Show    quarantineShow    `cmd:"" help:"Show one of them."`
	Release quarantineRelease `cmd:"" help:"Let one out."`
}

type quarantineList struct {
	JSON  bool  `help:"For machines." name:"json"`
	All   bool  `help:"Also those that were released."`
	Limit int   `help:"At most so many." placeholder:"N"`
	After int64 `help:"Only ids above." placeholder:"ID"`
}

func (q *quarantineList) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		f := store.HeldFilter{State: "held", After: q.After, Limit: q.Limit}
		if q.All {
			f.State = ""
		}
		held, err := d.Store.HeldList(ctx, f)
		if err != nil {
			return err
		}
		views, rows := []desk.HeldView{}, [][]string{}
		for _, h := range held {
			v := desk.HeldViewOf(h)
			views = append(views, v)
			rows = append(rows, []string{fmt.Sprint(v.ID), v.At.Format("2006-01-02 15:04Z"), v.Mailbox, fmt.Sprint(v.Ticket), short(v.From, 40), short(v.Subject, 40), short(v.Reason, 60)})
		}
		if q.JSON {
			return printJSON(std.out, views)
		}
		return table(std.out, []string{"ID", "AT", "MAILBOX", "TICKET", "FROM", "SUBJECT", "REASON"}, rows)
	})
}

type quarantineShow struct {
	JSON bool  `help:"For machines." name:"json"`
	ID   int64 `arg:"" help:"Id in the list."`
}

func (q *quarantineShow) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		h, err := d.Store.Held(ctx, q.ID)
		if err != nil {
			return err
		}
		if q.JSON {
			return printJSON(std.out, desk.HeldViewOf(h))
		}
		fmt.Fprintf(std.out, "quarantine %d  %s\nreason    %s\nticket    %d\n", h.ID, h.State, short(h.Reason, 200), h.TicketID)
		if h.RawSHA256 == "" {
			return nil
		}
		raw, err := d.Store.Original(ctx, h.RawSHA256)
		if err != nil {
			return err
		}
		in := email.Inspect(raw)
		in.Subject, _ = email.Mask(in.Subject)
		in.Text, _ = email.Mask(in.Text)
		return printInspection(std.out, in)
	})
}

type quarantineRelease struct {
	As string `help:"Agent who acts." env:"POSTDESK_AS" placeholder:"AGENT"`
	ID int64  `arg:"" help:"Id in the list."`
}

func (q *quarantineRelease) Run(ctx context.Context, c *commands, std streams) error {
	d, err := c.openDesk(ctx, quiet(std), makeDesk)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Release(ctx, q.As, q.ID), d.Store.Close()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "quarantine %d released\n", q.ID)
	return nil
}
