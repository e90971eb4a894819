package main

import (
	"context"
	"errors"
	"fmt"
)

type migrateCommand struct{}

func (migrateCommand) Run(ctx context.Context, c *commands, std streams) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	st, err := openStore(ctx, s, quiet(std))
	if err != nil {
		return err
	}
	from, to, err := st.Migrate(ctx)
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	if from == to {
		fmt.Fprintf(std.out, "schema is up to date (version %d)\n", to)
		return nil
	}
	fmt.Fprintf(std.out, "schema brought from version %d to %d\n", from, to)
	return nil
}
