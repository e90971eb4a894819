package reply

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// checker walks a compiled template: only the allowed part of the language, only declared variables, every declared variable
// used, and no optional one outside an {{if}} that asks for it.
type checker struct {
	src      *source
	declared map[string]Variable
	used     map[string]bool // "due", "items.name"
	subject  bool
	problems []error
}

// scope is what "." means at a place, and which optional names are known to be there.
type scope struct {
	list    *Variable // inside {{range}}; nil at the top
	present []string
}

func (s *source) check() []error {
	c := &checker{src: s, declared: map[string]Variable{}, used: map[string]bool{}}
	for _, v := range s.all {
		c.declared[v.Name] = v
	}
	c.subject = true
	c.walkTemplate(s.subject)
	c.subject = false
	c.walkTemplate(s.body)
	c.unused()
	c.internal()
	return c.problems
}

func (c *checker) walkTemplate(t *template.Template) {
	if len(t.Templates()) > 1 {
		c.problems = append(c.problems, fmt.Errorf("%s:1: {{define}} and {{block}} are not allowed", c.src.file))
	}
	if t.Tree != nil && t.Tree.Root != nil {
		c.walk(t.Tree, t.Tree.Root, scope{})
	}
}

func (c *checker) unused() {
	for _, v := range c.src.Variables {
		if !c.used[v.Name] {
			c.problems = append(c.problems, fmt.Errorf("%s: variable %s is declared and not used", c.src.at(v.Name), v.Name))
		}
		for _, f := range v.Fields {
			if !c.used[v.Name+"."+f] {
				c.problems = append(c.problems, fmt.Errorf("%s: field %s.%s is declared and not used", c.src.at(v.Name), v.Name, f))
			}
		}
	}
}

// internal: a mail to staff leaves the desk, so it may carry numbers and times, never data of a customer.
func (c *checker) internal() {
	if c.src.To != ToInternal {
		return
	}
	for _, v := range c.src.Variables {
		if !slices.Contains([]Type{typeNumber, typeCode, typeTime, typeDay, typeSetting, typeChoice, typeFlag}, v.Type) {
			c.problems = append(c.problems, fmt.Errorf("%s: variable %s: a %s could carry personal data in a mail to staff", c.src.at(v.Name), v.Name, v.Type))
		}
	}
	if c.used["customer_name"] {
		c.problems = append(c.problems, fmt.Errorf("%s:1: a mail to staff does not name the customer", c.src.file))
	}
}

func (c *checker) fault(t *parse.Tree, n parse.Node, format string, args ...any) {
	place, _ := t.ErrorContext(n) // file:line:column
	where := c.src.file + ":" + strings.SplitN(place, ":", 3)[1]
	if c.subject {
		where = c.src.at("subject")
	}
	c.problems = append(c.problems, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (c *checker) walk(t *parse.Tree, n parse.Node, sc scope) {
	switch n := n.(type) {
	case *parse.ListNode:
		for _, kid := range n.Nodes {
			c.walk(t, kid, sc)
		}
	case *parse.TextNode:
	case *parse.ActionNode:
		c.printed(t, n, sc)
	case *parse.IfNode:
		c.walkIf(t, n, sc)
	case *parse.RangeNode:
		c.walkRange(t, n, sc)
	default:
		c.fault(t, n, "%s is not allowed in a template", n)
	}
}

// printed allows {{.name}}, {{$.name}} and {{.}} and nothing else.
func (c *checker) printed(t *parse.Tree, n *parse.ActionNode, sc scope) {
	arg, ok := single(n.Pipe)
	if !ok {
		c.fault(t, n, "%s: only a variable can be printed", n)
		return
	}
	v, name := c.look(t, arg, sc)
	if v == nil {
		return
	}
	if c.optional(*v, name) && !slices.Contains(sc.present, name) {
		c.fault(t, n, "optional %s is printed outside an {{if}} that asks for it", name)
	}
	switch {
	case name == v.Name && slices.Contains([]Type{typeChoice, typeFlag, typeRecords}, v.Type),
		name == v.Name && v.Type == typeList && !isDot(arg):
		c.fault(t, n, "%s is a %s and cannot be printed", name, v.Type)
	case c.subject && !slices.Contains([]Type{typeTime, typeDay, typeNumber}, v.Type) && name != "ticket_no" && name != "brand":
		c.fault(t, n, "%s: a subject may hold the ticket number, the brand, times and numbers only", name)
	}
}

func (c *checker) optional(v Variable, name string) bool {
	if _, field, ok := strings.Cut(name, "."); ok {
		return v.OptionalField(field)
	}
	return v.Optional && v.Type != typeList
}

func single(p *parse.PipeNode) (parse.Node, bool) {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return nil, false
	}
	return p.Cmds[0].Args[0], true
}

func isDot(n parse.Node) bool { _, ok := n.(*parse.DotNode); return ok }

// look finds the variable a node names, notes its use, and returns the name under which optional values are known to be present.
func (c *checker) look(t *parse.Tree, n parse.Node, sc scope) (*Variable, string) {
	switch n := n.(type) {
	case *parse.DotNode:
		if sc.list != nil && sc.list.Type == typeList {
			return sc.list, sc.list.Name
		}
	case *parse.FieldNode:
		if sc.list != nil {
			return c.field(t, n, sc)
		}
		if len(n.Ident) == 1 {
			return c.named(t, n, n.Ident[0])
		}
	case *parse.VariableNode:
		if len(n.Ident) == 2 && n.Ident[0] == "$" {
			return c.named(t, n, n.Ident[1])
		}
	}
	c.fault(t, n, "%s is not a variable here", n)
	return nil, ""
}

func (c *checker) named(t *parse.Tree, n parse.Node, name string) (*Variable, string) {
	v, ok := c.declared[name]
	if !ok {
		c.fault(t, n, "variable %s is used and not declared", name)
		return nil, ""
	}
	c.used[name] = true
	return &v, name
}

func (c *checker) field(t *parse.Tree, n *parse.FieldNode, sc scope) (*Variable, string) {
	name := sc.list.Name + "." + n.Ident[0]
	if sc.list.Type != typeRecords || len(n.Ident) != 1 || !slices.Contains(sc.list.Fields, n.Ident[0]) {
		c.fault(t, n, "%s has no field %s (a variable of the mail is $%s here)", sc.list.Name, n.Ident[0], n)
		return nil, ""
	}
	c.used[name] = true
	return sc.list, name
}

func (c *checker) walkIf(t *parse.Tree, n *parse.IfNode, sc scope) {
	inner := sc
	inner.present = append(slices.Clone(sc.present), c.condition(t, n.Pipe, sc)...)
	c.walk(t, n.List, inner)
	if n.ElseList != nil {
		c.walk(t, n.ElseList, sc)
	}
}

// condition returns the names that are present when the condition holds.
func (c *checker) condition(t *parse.Tree, p *parse.PipeNode, sc scope) []string {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 {
		c.fault(t, p, "%s is not allowed as a condition", p)
		return nil
	}
	args := p.Cmds[0].Args
	fn, isCall := args[0].(*parse.IdentifierNode)
	if !isCall {
		return c.asked(t, args, sc)
	}
	switch fn.Ident {
	case "eq":
		c.compared(t, p, args[1:], sc)
	case "and":
		return c.asked(t, args[1:], sc)
	case "or", "not":
		c.asked(t, args[1:], sc)
	default:
		c.fault(t, p, "%s is not allowed", fn.Ident)
	}
	return nil
}

func (c *checker) asked(t *parse.Tree, args []parse.Node, sc scope) []string {
	var names []string
	for _, a := range args {
		if pipe, ok := a.(*parse.PipeNode); ok {
			names = append(names, c.condition(t, pipe, sc)...)
			continue
		}
		if _, name := c.look(t, a, sc); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// compared allows {{if eq .choice "value" …}} with declared values only.
func (c *checker) compared(t *parse.Tree, p *parse.PipeNode, args []parse.Node, sc scope) {
	if len(args) < 2 {
		c.fault(t, p, "eq needs a choice and a value")
		return
	}
	v, _ := c.look(t, args[0], sc)
	if v == nil {
		return
	}
	for _, a := range args[1:] {
		s, ok := a.(*parse.StringNode)
		if v.Type != typeChoice || !ok || !slices.Contains(v.Values, s.Text) {
			c.fault(t, p, "%s: eq compares a choice with its declared values", p)
		}
	}
}

func (c *checker) walkRange(t *parse.Tree, n *parse.RangeNode, sc scope) {
	arg, ok := single(n.Pipe)
	if !ok || sc.list != nil {
		c.fault(t, n, "range takes one list and does not nest")
		return
	}
	v, _ := c.look(t, arg, sc)
	if v == nil {
		return
	}
	if v.Type != typeList && v.Type != typeRecords {
		c.fault(t, n, "range over %s, which is a %s", v.Name, v.Type)
		return
	}
	c.walk(t, n.List, scope{list: v, present: sc.present})
	if n.ElseList != nil {
		c.walk(t, n.ElseList, sc)
	}
}

// sameDeclarations compares the two languages of one template.
func sameDeclarations(a, b *source) error {
	if a.To != b.To || a.Class != b.Class || a.Purpose != b.Purpose {
		return fmt.Errorf("%s:1: to, class and purpose must be those of %s", b.file, a.file)
	}
	shape := func(s *source) map[string]string {
		out := map[string]string{}
		for _, v := range s.Variables {
			out[v.Name] = fmt.Sprint(v.Type, v.Optional, v.Values, v.Fields, v.optional)
		}
		return out
	}
	if x, y := shape(a), shape(b); !maps.Equal(x, y) {
		return fmt.Errorf("%s: the variables must be those of %s", b.at("variables"), a.file)
	}
	return nil
}
