package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"postdesk/config"
	"postdesk/internal/email"
	"postdesk/internal/email/body"
	"postdesk/internal/rules"
)

type rulesCommand struct {
	Classify rulesClassify `cmd:"" help:"Classify mails given as JSON, a line each, from stdin to stdout."`
	Explain  rulesExplain  `cmd:"" help:"Show the decision for one raw mail with the words and rules behind it."`
	Test     rulesTest     `cmd:"" help:"Run the examples kept in the rule files."`
	Backtest rulesBacktest `cmd:"" help:"Classify stored mails anew and print what would change, changing nothing."`
	Report   rulesReport   `cmd:"" help:"Compare the rules' decisions with people's corrections."`
}

// load reads the rule set of the configuration, or of a folder that the command names.
func (c *commands) loadRules(dir string) (*rules.Set, error) {
	if dir == "" {
		s, err := c.settings()
		if err != nil {
			return nil, err
		}
		dir = s.Rules.Dir
	}
	return rules.Load(config.RuleFiles(dir))
}

type rulesClassify struct {
	JSONL bool   `help:"Lines of JSON (the only form)." name:"jsonl"`
	Rules string `help:"Folder of lexicon and rules instead of the configured one." type:"existingdir" placeholder:"DIR"`
}

// classifyInput is one mail of `rules classify`; unknown fields are ignored.
type classifyInput struct {
	ID          string             `json:"id"`
	From        string             `json:"from"`
	Subject     string             `json:"subject"`
	Body        string             `json:"body"`
	Attachments []rules.Attachment `json:"attachments"`
}

func (r *rulesClassify) Run(c *commands, std streams) error {
	set, err := c.loadRules(r.Rules)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(std.out)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	in := bufio.NewReaderSize(std.in, 64<<10)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		if len(trimSpace(line)) > 0 {
			if err := classifyLine(set, enc, line, n); err != nil {
				return errors.Join(out.Flush(), err)
			}
		}
		if in.Buffered() == 0 { // somebody may be waiting for this answer before writing on
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if err != nil {
			return out.Flush()
		}
	}
}

func trimSpace(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r' || line[len(line)-1] == ' ') {
		line = line[:len(line)-1]
	}
	return line
}

func classifyLine(set *rules.Set, enc *json.Encoder, line []byte, n int) error {
	var m classifyInput
	if err := json.Unmarshal(line, &m); err != nil {
		return fmt.Errorf("line %d is not a JSON object of a mail: %w", n, err)
	}
	return enc.Encode(set.Classify(textFacts(m)).Line(m.ID))
}

// textFacts reads a mail that is given as text: the writer's own words are found as in a real mail.
func textFacts(m classifyInput) rules.Facts {
	return rules.Facts{From: m.From, Subject: m.Subject, Body: body.SplitMail(m.Subject, m.Body).Counted(), Attachments: m.Attachments}
}

type rulesExplain struct {
	File  string `arg:"" help:"Raw mail, or - for stdin."`
	Rules string `help:"Folder of lexicon and rules instead of the configured one." type:"existingdir" placeholder:"DIR"`
}

func (r *rulesExplain) Run(c *commands, std streams) error {
	set, err := c.loadRules(r.Rules)
	if err != nil {
		return err
	}
	raw, err := readFile(r.File, std.in)
	if err != nil {
		return err
	}
	m := email.Parse(raw)
	f := rules.Facts{From: m.From, Subject: m.Subject, Body: m.Counted, Kind: string(m.Kind)}
	for i := range m.Attachments {
		f.Attachments = append(f.Attachments, rules.Attachment{Filename: m.Attachments[i].Filename, ContentType: m.Attachments[i].ContentType})
	}
	return rules.Explain(std.out, set.Classify(f), f, onTerminal(std.out))
}

// onTerminal reports whether colours can be shown.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

type rulesTest struct {
	Rules string `help:"Folder of lexicon and rules instead of the configured one." type:"existingdir" placeholder:"DIR"`
}

func (r *rulesTest) Run(c *commands, std streams) error {
	set, err := c.loadRules(r.Rules)
	if err != nil {
		return err
	}
	failures := set.Test()
	for _, f := range failures {
		fmt.Fprintln(std.out, f.Error())
	}
	if len(failures) > 0 {
		return fmt.Errorf("%d examples are not treated as their rules say", len(failures))
	}
	fmt.Fprintln(std.out, "all examples of the rules hold")
	return nil
}
