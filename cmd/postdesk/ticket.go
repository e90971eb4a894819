package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"postdesk/internal/desk"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

type ticketCommand struct {
	List    ticketList    `cmd:"" help:"List tickets."`
	Show    ticketShow    `cmd:"" help:"Show one ticket with everything."`
	Reply   ticketReply   `cmd:"" help:"Answer the customer."`
	Note    ticketNote    `cmd:"" help:"Leave a remark for colleagues."`
	Assign  ticketAssign  `cmd:"" help:"Give a ticket to an agent."`
	Correct ticketCorrect `cmd:"" help:"Set the category."`
	Close   ticketClose   `cmd:"" help:"Close a ticket."`
	Reopen  ticketReopen  `cmd:"" help:"Reopen a closed ticket."`
}

// acting is what every verb of a person takes.
type acting struct {
	As   string `help:"Agent who acts." env:"POSTDESK_AS" placeholder:"AGENT"`
	JSON bool   `help:"For machines: prints the ticket as it then stands." name:"json"`
}

// withDesk opens a desk that reads no mail, runs fn and closes the store.
func (c *commands) withDesk(ctx context.Context, std streams, fn func(d *desk.Desk) error) error {
	d, err := c.openDesk(ctx, quiet(std), makeClerk)
	if err != nil {
		return err
	}
	return errors.Join(fn(d), d.Store.Close())
}

// verb runs one verb on one ticket and says what was done.
func (a acting) verb(ctx context.Context, c *commands, std streams, number int64, done string, fn func(d *desk.Desk) error) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		if err := fn(d); err != nil {
			return err
		}
		if !a.JSON {
			fmt.Fprintf(std.out, "ticket %d %s\n", number, done)
			return nil
		}
		v, err := d.Ticket(ctx, number)
		if err != nil {
			return err
		}
		return printJSON(std.out, v)
	})
}

type ticketList struct {
	JSON     bool   `help:"For machines." name:"json"`
	Full     bool   `help:"With messages, checklist, documents and events (JSON)."`
	Status   string `help:"Only this status." enum:",open,waiting,closed,merged,spam" default:""`
	Category string `help:"Only this category." enum:",locked_account,payment_failure,withdrawal,restriction,closure,other" default:""`
	Assignee string `help:"Only tickets of this agent." placeholder:"AGENT"`
	Limit    int    `help:"At most so many." placeholder:"N"`
	After    int64  `help:"Only numbers above." placeholder:"ID"`
}

func (l *ticketList) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		f := store.Filter{Status: ticket.Status(l.Status), Category: ticket.Category(l.Category), Assignee: l.Assignee, Limit: l.Limit, After: l.After}
		views, err := d.Tickets(ctx, f, l.Full)
		if err != nil {
			return err
		}
		if l.JSON {
			return printJSON(std.out, views)
		}
		return printTickets(std.out, views)
	})
}

func printTickets(w io.Writer, views []desk.TicketView) error {
	rows := make([][]string, len(views))
	for i, t := range views {
		rows[i] = []string{
			fmt.Sprint(t.Number), string(t.Status), string(t.Category), fmt.Sprintf("%.2f", t.Confidence), t.Language,
			short(t.Customer.Address, 32), short(t.Subject, 48), t.Assignee, strings.Join(t.Flags, " "),
		}
	}
	return table(w, []string{"NO", "STATUS", "CATEGORY", "CONF", "LANG", "CUSTOMER", "SUBJECT", "ASSIGNEE", "FLAGS"}, rows)
}

type ticketShow struct {
	JSON   bool  `help:"For machines." name:"json"`
	Number int64 `arg:"" help:"Ticket number."`
}

func (s *ticketShow) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		v, err := d.Ticket(ctx, s.Number)
		if err != nil {
			return err
		}
		if s.JSON {
			return printJSON(std.out, v)
		}
		return printTicket(std.out, v)
	})
}

func printTicket(w io.Writer, t desk.TicketView) error {
	fmt.Fprintf(w, "ticket %d  %s  %s (%.2f)  %s  %s\n", t.Number, t.Status, t.Category, t.Confidence, t.Stage, t.Language)
	fmt.Fprintf(w, "customer  %s <%s>  brand %s\n", short(t.Customer.Name, 60), short(t.Customer.Address, 80), t.Brand)
	fmt.Fprintf(w, "subject   %s\n", short(t.Subject, 120))
	if len(t.Flags) > 0 {
		fmt.Fprintf(w, "flags     %s\n", strings.Join(t.Flags, " "))
	}
	for _, m := range t.Messages {
		printMessage(w, m)
	}
	fmt.Fprintln(w, "\nevents")
	for _, e := range t.Events {
		fmt.Fprintf(w, "  %s  %-10s %-22s %s\n", e.At.Format("2006-01-02 15:04:05Z"), e.Actor, e.Kind, short(string(e.Data), 110))
	}
	return nil
}

func printMessage(w io.Writer, m desk.MessageView) {
	arrow := map[ticket.Direction]string{ticket.In: "<<", ticket.Out: ">>", ticket.Note: "--"}[m.Direction]
	fmt.Fprintf(w, "\n%s %s  %s  %s", arrow, m.At.Format("2006-01-02 15:04Z"), m.Kind, short(m.From+m.Author, 80))
	if m.Auth != "" {
		fmt.Fprintf(w, "  sender %s", m.Auth)
	}
	if m.Trust == "external" {
		fmt.Fprint(w, "  IN QUARANTINE")
	}
	if m.Delivery != nil {
		fmt.Fprintf(w, "  %s %s", m.Delivery.State, short(m.Delivery.LastResponse, 80))
	}
	fmt.Fprintln(w)
	text := m.NewText
	if text == "" {
		text = m.Text
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		fmt.Fprintln(w, "   "+short(line, 400))
	}
	for _, a := range m.Attachments {
		fmt.Fprintf(w, "   [%s  %s  %d bytes]\n", short(a.Filename, 80), a.Sniffed, a.Size)
	}
}

type words struct {
	Text string `help:"The words; without it they are read from --file." placeholder:"TEXT"`
	File string `help:"File with the words, - for stdin." placeholder:"FILE"`
}

func (w words) read(stdin io.Reader) (string, error) {
	if w.Text != "" || w.File == "" {
		return w.Text, nil
	}
	b, err := readFile(w.File, stdin)
	return string(b), err
}

type ticketReply struct {
	acting `embed:""`
	words  `embed:""`
	Number int64 `arg:"" help:"Ticket number."`
}

func (r *ticketReply) Run(ctx context.Context, c *commands, std streams) error {
	text, err := r.read(std.in)
	if err != nil {
		return err
	}
	return r.verb(ctx, c, std, r.Number, "answered: the mail is queued", func(d *desk.Desk) error { return d.Reply(ctx, r.As, r.Number, text) })
}

type ticketNote struct {
	acting `embed:""`
	words  `embed:""`
	Number int64 `arg:"" help:"Ticket number."`
}

func (n *ticketNote) Run(ctx context.Context, c *commands, std streams) error {
	text, err := n.read(std.in)
	if err != nil {
		return err
	}
	return n.verb(ctx, c, std, n.Number, "noted", func(d *desk.Desk) error { return d.Note(ctx, n.As, n.Number, text) })
}

type ticketAssign struct {
	acting `embed:""`
	Number int64  `arg:"" help:"Ticket number."`
	To     string `arg:"" optional:"" help:"Agent who takes it; nobody when left out."`
}

func (a *ticketAssign) Run(ctx context.Context, c *commands, std streams) error {
	return a.verb(ctx, c, std, a.Number, "assigned", func(d *desk.Desk) error { return d.Assign(ctx, a.As, a.Number, a.To) })
}

type ticketCorrect struct {
	acting   `embed:""`
	Number   int64  `arg:"" help:"Ticket number."`
	Category string `arg:"" help:"locked_account, payment_failure, withdrawal, restriction, closure or other."`
}

func (r *ticketCorrect) Run(ctx context.Context, c *commands, std streams) error {
	return r.verb(ctx, c, std, r.Number, "corrected", func(d *desk.Desk) error { return d.Correct(ctx, r.As, r.Number, ticket.Category(r.Category)) })
}

type ticketClose struct {
	acting `embed:""`
	Number int64  `arg:"" help:"Ticket number."`
	Reason string `help:"Why; for the record."`
}

func (t *ticketClose) Run(ctx context.Context, c *commands, std streams) error {
	return t.verb(ctx, c, std, t.Number, "closed", func(d *desk.Desk) error { return d.Close(ctx, t.As, t.Number, t.Reason) })
}

type ticketReopen struct {
	acting `embed:""`
	Number int64  `arg:"" help:"Ticket number."`
	Reason string `help:"Why; for the record."`
}

func (t *ticketReopen) Run(ctx context.Context, c *commands, std streams) error {
	return t.verb(ctx, c, std, t.Number, "reopened", func(d *desk.Desk) error { return d.Reopen(ctx, t.As, t.Number, t.Reason) })
}
