package main

import (
	"context"
	"fmt"

	"postdesk/internal/desk"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

type deliveryCommand struct {
	List   deliveryList   `cmd:"" help:"Outgoing mails and where they stand."`
	Retry  deliveryRetry  `cmd:"" help:"Make deliveries due now."`
	Cancel deliveryCancel `cmd:"" help:"Stop deliveries that were not handed over."`
}

type deliveryList struct {
	JSON   bool   `help:"For machines." name:"json"`
	State  string `help:"Only this state." enum:",queued,leased,sending,accepted,deferred,failed,uncertain,bounced,cancelled" default:""`
	Ticket int64  `help:"Only this ticket." placeholder:"N"`
	Limit  int    `help:"At most so many." placeholder:"N"`
	After  int64  `help:"Only ids above." placeholder:"ID"`
}

func (l *deliveryList) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		found, err := d.Store.Deliveries(ctx, store.DeliveryFilter{State: ticket.DeliveryState(l.State), Ticket: l.Ticket, Limit: l.Limit, After: l.After})
		if err != nil {
			return err
		}
		views, rows := []desk.DeliveryView{}, [][]string{}
		for _, x := range found {
			v := desk.DeliveryViewOf(x)
			views = append(views, v)
			next := ""
			if v.NextAttemptAt != nil {
				next = v.NextAttemptAt.Format("2006-01-02 15:04Z")
			}
			rows = append(rows, []string{fmt.Sprint(v.ID), fmt.Sprint(v.Ticket), v.Template, short(v.To, 40), string(v.State), fmt.Sprint(v.Attempts), next, short(v.LastResponse, 80)})
		}
		if l.JSON {
			return printJSON(std.out, views)
		}
		return table(std.out, []string{"ID", "TICKET", "TEMPLATE", "TO", "STATE", "TRIES", "NEXT", "THE SERVER'S WORDS"}, rows)
	})
}

type deliveryRetry struct {
	As     string  `help:"Agent who acts; without it the operator of this machine does." env:"POSTDESK_AS" placeholder:"AGENT"`
	Resend bool    `help:"Also send uncertain ones again: the customer may get them twice."`
	IDs    []int64 `arg:"" name:"id" help:"Ids in the list."`
}

func (r *deliveryRetry) Run(ctx context.Context, c *commands, std streams) error {
	return c.eachDelivery(ctx, std, r.IDs, "is due now", func(d *desk.Desk, id int64) error { return d.Retry(ctx, r.As, id, r.Resend) })
}

type deliveryCancel struct {
	As  string  `help:"Agent who acts; without it the operator of this machine does." env:"POSTDESK_AS" placeholder:"AGENT"`
	IDs []int64 `arg:"" name:"id" help:"Ids in the list."`
}

func (r *deliveryCancel) Run(ctx context.Context, c *commands, std streams) error {
	return c.eachDelivery(ctx, std, r.IDs, "cancelled", func(d *desk.Desk, id int64) error { return d.Cancel(ctx, r.As, id) })
}

func (c *commands) eachDelivery(ctx context.Context, std streams, ids []int64, done string, fn func(*desk.Desk, int64) error) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		for _, id := range ids {
			if err := fn(d, id); err != nil {
				return err
			}
			fmt.Fprintf(std.out, "delivery %d %s\n", id, done)
		}
		return nil
	})
}
