package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"postdesk/internal/agent"
	"postdesk/internal/desk"
)

type agentCommand struct {
	Add      agentAdd      `cmd:"" help:"Add an account."`
	List     agentList     `cmd:"" help:"List accounts."`
	Disable  agentDisable  `cmd:"" help:"End an account's rights."`
	Password agentPassword `cmd:"" help:"Set a password, read from stdin or asked for."`
}

type agentAdd struct {
	As       string `help:"Administrator who acts; without it the operator of this machine does." placeholder:"AGENT"`
	Role     string `help:"agent, senior, approver, compliance, auditor or admin." default:"agent"`
	FullName string `help:"Name that customers may read." placeholder:"NAME"`
	Password bool   `help:"Read a password from stdin or ask for it."`
	Name     string `arg:"" help:"Log-in name."`
}

func (a *agentAdd) Run(ctx context.Context, c *commands, std streams) error {
	password := ""
	if a.Password {
		var err error
		if password, err = askPassword(std); err != nil {
			return err
		}
	}
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		account := agent.Account{Name: a.Name, FullName: a.FullName, Role: agent.Role(a.Role)}
		if err := d.AddAgent(ctx, a.As, account, password); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s added as %s\n", strings.ToLower(a.Name), a.Role)
		return nil
	})
}

// askPassword reads one line, without echo on a terminal.
func askPassword(std streams) (string, error) {
	if f, ok := std.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(std.err, "password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(std.err)
		return string(b), err
	}
	line, err := bufio.NewReader(std.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type agentList struct {
	JSON bool `help:"For machines." name:"json"`
}

// agentView is an account as it is shown: never the password's hash.
type agentView struct {
	Name      string     `json:"name"`
	FullName  string     `json:"full_name"`
	Role      agent.Role `json:"role"`
	Disabled  bool       `json:"disabled"`
	CreatedAt time.Time  `json:"created_at"`
}

func (a *agentList) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		accounts, err := d.Store.Accounts(ctx)
		if err != nil {
			return err
		}
		views, rows := []agentView{}, [][]string{}
		for _, x := range accounts {
			views = append(views, agentView{x.Name, x.FullName, x.Role, x.Disabled, x.CreatedAt})
			rows = append(rows, []string{x.Name, string(x.Role), x.FullName, map[bool]string{true: "disabled"}[x.Disabled]})
		}
		if a.JSON {
			return printJSON(std.out, views)
		}
		return table(std.out, []string{"NAME", "ROLE", "FULL NAME", ""}, rows)
	})
}

type agentDisable struct {
	As   string `help:"Administrator who acts; without it the operator of this machine does." placeholder:"AGENT"`
	Name string `arg:"" help:"Log-in name."`
}

func (a *agentDisable) Run(ctx context.Context, c *commands, std streams) error {
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		if err := d.ChangeAgent(ctx, a.As, a.Name, desk.Disable); err != nil {
			return err
		}
		fmt.Fprintln(std.out, a.Name, "disabled")
		return nil
	})
}

type agentPassword struct {
	As   string `help:"Administrator who acts; without it the operator of this machine does." placeholder:"AGENT"`
	Name string `arg:"" help:"Log-in name."`
}

func (a *agentPassword) Run(ctx context.Context, c *commands, std streams) error {
	password, err := askPassword(std)
	if err != nil {
		return err
	}
	if password == "" {
		return errors.New("the password is empty")
	}
	return c.withDesk(ctx, std, func(d *desk.Desk) error {
		if err := d.ChangeAgent(ctx, a.As, a.Name, desk.Password(password)); err != nil {
			return err
		}
		fmt.Fprintln(std.out, "password of", a.Name, "set")
		return nil
	})
}
