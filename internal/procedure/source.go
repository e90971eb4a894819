package procedure

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"postdesk/internal/ticket"
)

// part is what one file contributes to a machine: the machine itself, a fragment it includes, or a brand's overlay.
type part struct {
	head    *Machine
	include []string
	items   map[string]ItemDef
	timers  map[string]TimerDef
	states  map[string]State
	moves   []Move
	asides  []Move
	before  []string          // fragments whose moves are tried first
	mails   map[string]string // what @name in an action stands for
	drop    []string          // overlay: items the brand does not use
}

func (r *reader) part(n *yaml.Node, name string) part {
	f := r.fields(n, "procedure", "fragment", "title", "category", "action", "protective", "subject", "initial", "identity", "checks",
		"clocks", "include", "before", "items", "timers", "states", "moves", "asides", "mails", "needs", "codes", "drop")
	p := part{
		head: &Machine{
			Name: name, File: r.file, Line: n.Line,
			Title: r.text(f["title"]), Category: r.str(f["category"]), Action: r.str(f["action"]), Protective: r.str(f["protective"]),
			Subject: r.text(f["subject"]), Initial: r.str(f["initial"]), Identity: map[Risk]Level{}, Needs: map[string][]string{},
			Checks: r.list(f["checks"]), Clocks: r.list(f["clocks"]), Codes: r.list(f["codes"]),
		},
		include: r.list(f["include"]), before: r.list(f["before"]), mails: r.words(f["mails"]),
		items: map[string]ItemDef{}, timers: map[string]TimerDef{}, states: map[string]State{},
		drop: r.list(f["drop"]),
	}
	r.each(f["identity"], func(key string, k, v *yaml.Node) {
		p.head.Identity[Risk(r.oneOf(k, "low", "medium", "high"))] = r.level(v)
	})
	r.each(f["needs"], func(code string, _, v *yaml.Node) { p.head.Needs[code] = r.list(v) })
	r.each(f["items"], func(key string, k, v *yaml.Node) { p.items[key] = r.item(k.Line, v) })
	r.each(f["timers"], func(key string, k, v *yaml.Node) { p.timers[key] = r.timer(k.Line, v) })
	r.each(f["states"], func(key string, k, v *yaml.Node) { p.states[key] = r.state(k.Line, v) })
	for _, mv := range nodes(f["moves"]) {
		p.moves = append(p.moves, r.move(mv)...)
	}
	for _, mv := range nodes(f["asides"]) {
		p.asides = append(p.asides, r.move(mv)...)
	}
	return p
}

func (r *reader) item(line int, n *yaml.Node) ItemDef {
	f := r.fields(n, "source", "phase", "need", "title", "why", "how", "level", "provided", "doc", "proves", "check", "platform",
		"hidden", "waive")
	d := ItemDef{
		Line:   line,
		Source: Source(r.oneOf(f["source"], "statement", "document", "agent", "system")),
		Need:   r.oneOf(f["need"], "always", "matrix", "optional", "dust"),
		Title:  r.text(f["title"]), Why: r.text(f["why"]), How: r.text(f["how"]),
		Level: r.level(f["level"]), Provided: r.str(f["provided"]), Doc: r.str(f["doc"]), Proves: r.flag(f["proves"]),
		Check: r.str(f["check"]), Platform: r.flag(f["platform"]), Hidden: r.flag(f["hidden"]),
		Waive: r.oneOf(f["waive"], "", "senior", "approver"),
	}
	phase := map[Source]string{FromStatement: "info", FromDocument: "info", FromSystem: "check", FromAgent: "decision"}[d.Source]
	if d.Platform {
		phase = "info"
	}
	d.Phase = phase
	if f["phase"] != nil {
		d.Phase = r.oneOf(f["phase"], "info", "check", "decision", "after")
	}
	return d
}

func (r *reader) timer(line int, n *yaml.Node) TimerDef {
	f := r.fields(n, "after", "setting", "polite", "until", "behind")
	t := TimerDef{Line: line, After: r.span(f["after"]), Setting: r.str(f["setting"]), Polite: r.flag(f["polite"]), Behind: r.str(f["behind"]),
		Until: r.oneOf(f["until"], "", "answer", "restart")}
	if t.After.N == 0 && t.Setting == "" {
		r.fail(line, "a timer needs after or setting")
	}
	return t
}

func (r *reader) state(line int, n *yaml.Node) State {
	f := r.fields(n, "status", "shown", "timers", "final", "refusal", "acts", "void", "activity", "entry", "gone")
	return State{
		Line:   line,
		Status: ticket.Status(r.oneOf(f["status"], "open", "waiting", "closed", "merged", "spam")),
		Shown:  r.oneOf(f["shown"], "under_review", "received", "identity", "waiting_for_you", "scheduled", "done", "ended", "refused"),
		Timers: r.list(f["timers"]), Final: r.flag(f["final"]), Refusal: r.flag(f["refusal"]), Acts: r.flag(f["acts"]),
		Void: r.str(f["void"]), Activity: r.flag(f["activity"]), Entry: r.flag(f["entry"]), Gone: r.flag(f["gone"]),
	}
}

// move reads one arrow; one for several events is several.
func (r *reader) move(n *yaml.Node) []Move {
	f := r.fields(n, "from", "on", "when", "to", "into", "do", "note")
	mv := Move{File: r.file, Line: n.Line, From: r.list(f["from"]), To: r.str(f["to"]), Into: r.str(f["into"]), Note: r.str(f["note"])}
	events := r.list(f["on"])
	if len(events) == 0 || len(mv.From) == 0 {
		r.fail(n.Line, "a move needs from and on")
	}
	for _, w := range nodes(f["when"]) {
		g, err := parseGuard(r.str(w))
		if err != nil {
			r.fail(w.Line, "%v", err)
		}
		g.Line = w.Line
		mv.When = append(mv.When, g)
	}
	for _, d := range nodes(f["do"]) {
		verb, arg, _ := strings.Cut(strings.TrimSpace(r.str(d)), " ")
		mv.Do = append(mv.Do, Action{Line: d.Line, Verb: verb, Arg: strings.TrimSpace(arg)})
	}
	var out []Move
	for _, on := range events {
		one := mv
		one.On = on
		out = append(out, one)
	}
	return out
}

func nodes(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// parseGuard reads "name", "!name", "name(arg)".
func parseGuard(s string) (Guard, error) {
	g := Guard{}
	s = strings.TrimSpace(s)
	s, g.Not = strings.TrimPrefix(s, "!"), strings.HasPrefix(s, "!")
	name, rest, hasArg := strings.Cut(s, "(")
	g.Name = name
	if !hasArg {
		if name == "" {
			return g, fmt.Errorf("empty condition")
		}
		return g, nil
	}
	arg, tail, closed := strings.Cut(rest, ")")
	if !closed || tail != "" || arg == "" {
		return g, fmt.Errorf("condition %q is not name or name(argument)", s)
	}
	g.Arg = strings.TrimSpace(arg)
	return g, nil
}

// build merges a machine with its fragments and an overlay. The machine's own moves come first, then those of its fragments in
// the order of inclusion; an overlay's come before all of them, so that the more special one is tried first.
func build(main part, fragments map[string]part, overlay *part) (*Machine, error) {
	m := *main.head
	m.Items, m.Timers, m.States = map[string]ItemDef{}, map[string]TimerDef{}, map[string]State{}
	var parts []part
	for _, inc := range slices.Concat(main.before, []string{""}, main.include) {
		fr, ok := fragments[inc]
		if inc == "" {
			fr, ok = main, true
		}
		if !ok {
			return nil, fmt.Errorf("%s:%d: includes the unknown fragment %q", m.File, m.Line, inc)
		}
		parts = append(parts, fr)
	}
	m.Mails = main.mails
	for _, p := range slices.Backward(parts) {
		maps.Copy(m.Items, p.items)
		maps.Copy(m.Timers, p.timers)
		maps.Copy(m.States, p.states)
	}
	for _, p := range parts {
		m.Moves = append(m.Moves, p.moves...)
		m.Asides = append(m.Asides, p.asides...)
		if len(m.Checks) == 0 {
			m.Checks = p.head.Checks
		}
	}
	if overlay != nil {
		overlayOnto(&m, *overlay)
	}
	m.order = sortedKeys(m.Items)
	expand(&m)
	return &m, nil
}

func overlayOnto(m *Machine, o part) {
	maps.Copy(m.Items, o.items)
	maps.Copy(m.Timers, o.timers)
	maps.Copy(m.States, o.states)
	for _, key := range o.drop {
		delete(m.Items, key)
	}
	m.Moves = append(slices.Clone(o.moves), m.Moves...)
	m.Asides = append(slices.Clone(o.asides), m.Asides...)
	m.Mails = maps.Clone(m.Mails)
	maps.Copy(m.Mails, o.mails)
	if len(o.head.Checks) > 0 {
		m.Checks = o.head.Checks
	}
	if len(o.head.Identity) > 0 {
		m.Identity = maps.Clone(m.Identity)
		maps.Copy(m.Identity, o.head.Identity)
	}
	if o.head.Title.En != "" {
		m.Title = o.head.Title
	}
}

// expand replaces @open by every state that is not final and @ended by every final one, except those a move names itself with
// a leading minus: [@open, -verifying]; and in actions @name by the machine's own mail and @action by its action.
func expand(m *Machine) {
	for _, moves := range [][]Move{m.Moves, m.Asides} {
		for i := range moves {
			moves[i].From = m.fromStates(moves[i].From)
			moves[i].When = slices.Clone(moves[i].When)
			for j, g := range moves[i].When {
				def, _ := guardNamed(g.Name)
				moves[i].When[j].test = def.test // an unknown name is refused by the check
			}
			moves[i].Do = slices.Clone(moves[i].Do)
			for j, a := range moves[i].Do {
				moves[i].Do[j].Arg = m.word(a.Arg)
			}
		}
	}
}

func (m *Machine) fromStates(names []string) []string {
	var from, without []string
	for _, f := range names {
		switch {
		case strings.HasPrefix(f, "-"):
			without = append(without, f[1:])
		case f == "@open" || f == "@ended":
			for _, s := range slices.Sorted(maps.Keys(m.States)) {
				if m.States[s].Final == (f == "@ended") {
					from = append(from, s)
				}
			}
		default:
			from = append(from, f)
		}
	}
	return slices.DeleteFunc(from, func(s string) bool { return slices.Contains(without, s) })
}

// word replaces the @names of an argument; an unknown one is left for the check to name.
func (m *Machine) word(arg string) string {
	fields := strings.Fields(arg)
	for i, f := range fields {
		name, isName := strings.CutPrefix(f, "@")
		switch to, ok := m.Mails[name]; {
		case isName && name == "action":
			fields[i] = m.Action
		case isName && ok:
			fields[i] = to
		}
	}
	return strings.Join(fields, " ")
}
