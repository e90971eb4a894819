package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"postdesk/config"
	"postdesk/internal/audit"
	"postdesk/internal/desk"
	"postdesk/internal/store"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check the whole record: tree, signatures, originals, rows. Exit 1 when anything is wrong."`
	Log    auditLog    `cmd:"" help:"Read the record."`
}

type auditVerify struct {
	JSON       bool     `help:"For machines." name:"json"`
	Checkpoint []string `help:"Checkpoints kept elsewhere, besides the configured file." type:"existingfile" placeholder:"FILE"`
}

func (a *auditVerify) Run(ctx context.Context, c *commands, std streams) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	opts, err := a.options(s)
	if err != nil {
		return err
	}
	st, err := openStore(ctx, s, quiet(std))
	if err != nil {
		return err
	}
	r, err := st.Verify(ctx, opts)
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	return a.print(std, r)
}

// options are the key to check signatures with and every checkpoint that was kept outside the database.
func (a *auditVerify) options(s *config.Config) (store.VerifyOptions, error) {
	keys, err := config.LoadKeys(s.Keys.File)
	if err != nil {
		return store.VerifyOptions{}, err
	}
	opts := store.VerifyOptions{VerifierKey: keys.AuditPublic}
	for i, file := range append([]string{s.CheckpointFile()}, a.Checkpoint...) {
		b, err := os.ReadFile(file)
		if i == 0 && (file == "" || errors.Is(err, fs.ErrNotExist)) {
			continue
		}
		if err != nil {
			return opts, fmt.Errorf("checkpoint file: %w", err)
		}
		opts.KeptCheckpoint = append(append(opts.KeptCheckpoint, b...), '\n')
	}
	return opts, nil
}

func (a *auditVerify) print(std streams, r store.Report) error {
	if a.JSON {
		if err := printJSON(std.out, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(std.out, "%d events, %d originals, %d rows, tree of %d\n", r.Events, r.Originals, r.Rows, r.TreeSize)
		for _, f := range r.Failures {
			fmt.Fprintf(std.out, "WRONG  %-10s %s\n", f.Kind, f.What)
		}
	}
	if !r.OK {
		return fmt.Errorf("the record is damaged: %d findings, the first: %s", len(r.Failures), r.Failures[0].What)
	}
	if !a.JSON {
		fmt.Fprintln(std.out, "the record is whole")
	}
	return nil
}

type auditLog struct {
	JSON   bool  `help:"For machines." name:"json"`
	Ticket int64 `help:"Only this ticket." placeholder:"N"`
	Limit  int   `help:"At most so many." placeholder:"N"`
	After  int64 `help:"Only events above this number." placeholder:"SEQ"`
}

func (a *auditLog) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		events, err := a.read(ctx, d)
		if err != nil {
			return err
		}
		views := []desk.EventView{}
		for _, e := range events {
			views = append(views, desk.EventViewOf(e))
		}
		if a.JSON {
			return printJSON(std.out, views)
		}
		for _, v := range views {
			fmt.Fprintf(std.out, "%6d  %s  %-10s %-22s %5d  %s\n", v.Seq, v.At.Format("2006-01-02 15:04:05Z"), v.Actor, v.Kind, v.Ticket, short(string(v.Data), 120))
		}
		return nil
	})
}

func (a *auditLog) read(ctx context.Context, d *desk.Desk) ([]audit.Event, error) {
	if a.Ticket == 0 {
		return d.Store.Events(ctx, a.After, a.Limit)
	}
	all, err := d.Store.EventsOf(ctx, a.Ticket)
	var events []audit.Event
	for _, e := range all {
		if e.Seq > a.After && (a.Limit == 0 || len(events) < a.Limit) {
			events = append(events, e)
		}
	}
	return events, err
}
