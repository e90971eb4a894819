// Command postdesk is the support desk: the service, and the verbs for the people and scripts that run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"postdesk/internal/ticket"
)

// version is set by the linker.
var version = "unknown"

// commands is the command line. One file of this folder a command.
type commands struct {
	Config string `help:"Configuration file." env:"POSTDESK_CONFIG" type:"path" placeholder:"FILE"`

	Demo       demoCommand       `cmd:"" help:"See it work: sample customers and mail servers on this machine, nothing to set up."`
	Init       initCommand       `cmd:"" help:"Write a commented configuration and a key file."`
	Serve      serveCommand      `cmd:"" help:"Run the service."`
	Doctor     doctorCommand     `cmd:"" help:"Try every connection and setting and say what to do."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database schema up to date."`
	Mail       mailCommand       `cmd:"" help:"Look at raw mails, import them."`
	Mailbox    mailboxCommand    `cmd:"" help:"State of the watched mailboxes."`
	Rules      rulesCommand      `cmd:"" help:"Classify, explain and test."`
	Ticket     ticketCommand     `cmd:"" help:"Work tickets."`
	Agent      agentCommand      `cmd:"" help:"Staff accounts."`
	Quarantine quarantineCommand `cmd:"" help:"Mails that wait for a person."`
	Delivery   deliveryCommand   `cmd:"" help:"The outbox."`
	Audit      auditCommand      `cmd:"" help:"Check and read the record."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes, so that tests can stand in for the terminal.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run carries out one command line: 0 done, 1 refused or failed with one clear line on stderr, 2 wrong usage.
func run(ctx context.Context, args []string, std streams) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("postdesk"), kong.Description("A support desk with mail intake for payment, e-money and crypto platforms."),
		kong.Writers(std.out, std.err), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std))
	if err != nil {
		fmt.Fprintln(std.err, "postdesk:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(std.err, "postdesk:", err)
		return 2
	}
	return report(parsed.Run(&c, std), std)
}

// report turns the end of a command into its exit code.
func report(err error, std streams) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(std.err, "postdesk:", err)
		return 2
	case errors.Is(err, errSilent):
		return 1
	}
	fmt.Fprintln(std.err, "postdesk:", oneLine(err))
	return 1
}

// oneLine is an error as one line that a terminal can be trusted with: servers' words may be in it. The words by which
// programs tell kinds of refusals apart are left out behind a reason, and a name that two layers put in front is said once.
func oneLine(err error) string {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	for _, kind := range []error{ticket.ErrConflict, ticket.ErrInvalid, ticket.ErrForbidden} {
		if errors.Is(err, kind) {
			text = strings.TrimSuffix(text, ": "+kind.Error())
		}
	}
	if first, rest, _ := strings.Cut(text, ": "); strings.HasPrefix(rest, first+": ") {
		text = rest
	}
	return harmless(text)
}

// usageError is a call that cannot be meant.
type usageError string

func (e usageError) Error() string { return string(e) }

// errSilent ends a command with 1 when it has said everything already.
var errSilent = errors.New("refused")

type versionCommand struct{}

func (versionCommand) Run(std streams) error {
	fmt.Fprintln(std.out, "postdesk", version)
	return nil
}
