package rules

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
)

// conditionCost bounds what evaluating one condition may cost, in steps of the evaluator.
const conditionCost = 20_000

// condition is a typed expression (CEL) over what is known of the mail besides its words:
//
//	from, domain, subject, body, language, kind   string
//	headers                                       map of string to string, names in lower case
//	attachments                                   list of maps with "filename" and "content_type"
//	account                                       map of what the account system says
//	received                                      timestamp
//	inherited                                     bool: the subject comes from an earlier mail
//	sentences                                     int: sentences of the body
type condition struct {
	source  string
	program cel.Program
}

func newConditionEnv() (*cel.Env, error) {
	text := cel.StringType
	return cel.NewEnv(
		cel.Variable("from", text), cel.Variable("domain", text), cel.Variable("subject", text), cel.Variable("body", text),
		cel.Variable("language", text), cel.Variable("kind", text),
		cel.Variable("headers", cel.MapType(text, text)),
		cel.Variable("attachments", cel.ListType(cel.MapType(text, text))),
		cel.Variable("account", cel.MapType(text, cel.DynType)),
		cel.Variable("received", cel.TimestampType),
		cel.Variable("inherited", cel.BoolType), cel.Variable("sentences", cel.IntType),
	)
}

func compileCondition(env *cel.Env, source string) (*condition, error) {
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("if: %s", firstLine(issues.Err().Error()))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("if: expected true or false, found %s", ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(conditionCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("if: %w", err)
	}
	return &condition{source, program}, nil
}

func firstLine(s string) string {
	s = strings.TrimPrefix(s, "ERROR: ")
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// holds evaluates the condition. A condition that fails, by a missing key or by its cost, does not hold.
func (c *condition) holds(vars map[string]any) bool {
	out, _, err := c.program.Eval(vars)
	if err != nil {
		return false
	}
	yes, ok := out.Value().(bool)
	return ok && yes
}

func (s *scratch) variables(f *Facts, language string, inherited bool) map[string]any {
	attachments := make([]map[string]string, len(f.Attachments))
	for i, a := range f.Attachments {
		attachments[i] = map[string]string{"filename": a.Filename, "content_type": a.ContentType}
	}
	headers := make(map[string]string, len(f.Headers))
	for name, value := range f.Headers {
		headers[strings.ToLower(name)] = value
	}
	_, domain, _ := strings.Cut(f.From, "@")
	account := f.Account
	if account == nil {
		account = map[string]any{}
	}
	sentences := 0
	for _, p := range s.sents {
		if s.fields[p.field].name == FieldBody {
			sentences++
		}
	}
	return map[string]any{
		"from": f.From, "domain": strings.ToLower(strings.TrimRight(domain, "> ")), "subject": f.Subject, "body": f.Body,
		"language": language, "kind": f.Kind, "headers": headers, "attachments": attachments, "account": account,
		"received": f.Received, "inherited": inherited, "sentences": sentences,
	}
}
