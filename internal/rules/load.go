package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"postdesk/internal/ticket"
)

// Set is a rule set, loaded and checked. It never changes; Classify may be called from any number of goroutines.
type Set struct {
	lex      *lexicon
	rules    []rule
	byTrig   [][]int32 // by concept: sentence rules to try when it occurs
	mail     []int32   // rules over the whole mail, in file order
	settings settings
	curve    []calibrationPoint
	hints    []hint // by concept: what a mere mention speaks for
	version  string
	pool     sync.Pool
}

// rule is one compiled rule.
type rule struct {
	id, about string
	where     place
	match     *node
	cond      *condition
	wholeMail bool
	notIn     mood
	onlyIn    mood
	score     [categories]float64
	scoring   bool
	inherited bool // an inherited subject counts in full
	secondary categoryMask
	flag      string
	item      string
	actions   Actions
	examples  []example
	counter   []example
}

// example is a mail, in short, that a rule must hold for (or must not).
type example struct {
	text  string
	where place
}

const categories = 6

type categoryMask uint8

func categoryIndex(name string) int {
	return slices.Index(ticket.Categories(), ticket.Category(name))
}

// Version is the hash of the files the set was loaded from.
func (s *Set) Version() string { return s.version }

// Size returns the number of concepts, terms and rules.
func (s *Set) Size() (concepts, terms, rules int) {
	return len(s.lex.concepts), s.lex.terms, len(s.rules)
}

// The files of a rule set. Every *.yaml is read, in the order of their names; each may hold any of these parts.
type fileForm struct {
	Concepts    yaml.Node `yaml:"concepts"`
	Language    string    `yaml:"language"`
	Terms       yaml.Node `yaml:"terms"`
	Rules       yaml.Node `yaml:"rules"`
	Settings    yaml.Node `yaml:"settings"`
	Calibration yaml.Node `yaml:"calibration"`
	Hints       yaml.Node `yaml:"hints"`
}

type settings struct {
	InheritedSubject float64            `yaml:"inherited_subject"` // weight of a subject taken over from an earlier mail
	SubjectAlone     float64            `yaml:"subject_alone"`     // the same where the body says nothing
	Repeat           float64            `yaml:"repeat"`            // what each further rule for a category adds, of the one before
	Prior            map[string]float64 `yaml:"prior"`             // score of a category before anything is read
	Floor            float64            `yaml:"floor"`             // the least a topic's rules may add up to, before hints
	Ceiling          float64            `yaml:"ceiling"`           // and the most
	Secondary        float64            `yaml:"secondary"`         // score from which a further topic counts as one
	SecondaryShare   float64            `yaml:"secondary_share"`   // and its least share of the first topic's score
}

func defaultSettings() settings {
	return settings{InheritedSubject: 0.3, SubjectAlone: 0.8, Repeat: 0.6, Floor: -6, Ceiling: 9, Secondary: 1000, SecondaryShare: 1}
}

type calibrationPoint struct {
	Margin     float64 `yaml:"margin"`
	Confidence float64 `yaml:"confidence"`
}

type conceptForm struct {
	About     string `yaml:"about"`
	Role      string `yaml:"role"`
	Negatable bool   `yaml:"negatable"`
}

type ruleForm struct {
	ID        string             `yaml:"id"`
	About     string             `yaml:"about"`
	Match     string             `yaml:"match"`
	If        string             `yaml:"if"`
	Scope     string             `yaml:"scope"`
	NotIn     *[]string          `yaml:"not_in"`
	OnlyIn    []string           `yaml:"only_in"`
	Score     map[string]float64 `yaml:"score"`
	Secondary []string           `yaml:"secondary"`
	Flag      string             `yaml:"flag"`
	Provided  string             `yaml:"provided"`
	Priority  string             `yaml:"priority"`
	Queue     string             `yaml:"queue"`
	Tags      []string           `yaml:"tags"`
	Request   []string           `yaml:"request"`
	Template  string             `yaml:"template"`
	Hold      bool               `yaml:"hold"`
	Inherited bool               `yaml:"inherited"`
	Examples  []yaml.Node        `yaml:"examples"`
	Counter   []yaml.Node        `yaml:"counter"`
}

// Load reads a rule set. Errors name the file and the line and say what was expected; all errors found are joined.
func Load(fsys fs.FS) (*Set, error) {
	l := loader{set: &Set{lex: newLexicon(), settings: defaultSettings()}, ruleIDs: make(map[string]int), hash: nil}
	names, err := yamlFiles(fsys)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("read rules: no *.yaml file")
	}
	if l.env, err = newConditionEnv(); err != nil {
		return nil, fmt.Errorf("prepare conditions: %w", err)
	}
	for _, name := range names {
		l.parse(fsys, name)
	}
	l.concepts()
	l.terms()
	l.rules()
	l.rest()
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	l.finish()
	return l.set, nil
}

func yamlFiles(fsys fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ".yaml" {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

type loader struct {
	set     *Set
	env     *cel.Env
	files   []parsedFile
	ruleIDs map[string]int
	hash    []byte
	errs    []error
}

type parsedFile struct {
	name string
	fileForm
}

func (l *loader) fail(file string, line int, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s:%d: %w", file, line, fmt.Errorf(format, args...)))
}

func (l *loader) parse(fsys fs.FS, name string) {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("read rules: %w", err))
		return
	}
	sum := sha256.Sum256(raw)
	l.hash = append(append(l.hash, name...), sum[:]...)
	f := parsedFile{name: name}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&f.fileForm); err != nil {
		l.errs = append(l.errs, yamlError(name, err)...)
		return
	}
	l.files = append(l.files, f)
}

// yamlError puts the file's name before each complaint, which begins with "line N:".
func yamlError(name string, err error) []error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return []error{fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))}
	}
	var errs []error
	for _, line := range typed.Errors {
		line = strings.ReplaceAll(line, " in type rules.fileForm", " (expected concepts, language, terms, rules, hints, settings or calibration)")
		line = strings.ReplaceAll(line, " in type rules.ruleForm", " in a rule")
		line = strings.ReplaceAll(line, " in type rules.conceptForm", " in a concept (expected about, role or negatable)")
		line = strings.ReplaceAll(line, " in type rules.settings", " in the settings")
		number, rest, ok := strings.Cut(strings.TrimPrefix(line, "line "), ": ")
		if ok {
			errs = append(errs, fmt.Errorf("%s:%s: %s", name, number, rest))
		} else {
			errs = append(errs, fmt.Errorf("%s: %s", name, line))
		}
	}
	return errs
}

// strict decodes one node and refuses fields it does not know.
func (l *loader) strict(file string, n *yaml.Node, into any) bool {
	known := knownFields(into)
	if known != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !slices.Contains(known, n.Content[i].Value) {
				l.fail(file, n.Content[i].Line, "unknown field %q, expected one of %s", n.Content[i].Value, strings.Join(known, ", "))
				return false
			}
		}
	}
	if err := n.Decode(into); err != nil {
		l.errs = append(l.errs, yamlError(file, err)...)
		return false
	}
	return true
}

func knownFields(form any) []string {
	switch form.(type) {
	case *conceptForm:
		return []string{"about", "role", "negatable"}
	case *ruleForm:
		return []string{"id", "about", "match", "if", "scope", "not_in", "only_in", "score", "secondary", "flag", "provided", "priority", "queue",
			"tags", "request", "template", "hold", "inherited", "examples", "counter"}
	case *settings:
		return []string{"inherited_subject", "subject_alone", "repeat", "prior", "floor", "ceiling", "secondary", "secondary_share"}
	}
	return nil
}

func (l *loader) concepts() {
	for _, f := range l.files {
		l.eachPair(f.name, &f.Concepts, "concepts", func(key, value *yaml.Node) {
			var form conceptForm
			if value.Kind != yaml.MappingNode {
				l.fail(f.name, value.Line, "concept %s: expected about, role or negatable, found %q", key.Value, value.Value)
				return
			}
			if !l.strict(f.name, value, &form) {
				return
			}
			r, ok := roleNames[form.Role]
			if !ok {
				l.fail(f.name, value.Line, "concept %s: expected a role of negation, negation_after, condition, solved, contrast, asking, reported or label, found %q", key.Value, form.Role)
				return
			}
			c := concept{name: key.Value, about: form.About, role: r, negatable: form.Negatable, where: place{f.name, key.Line}}
			if _, err := l.set.lex.add(c); err != nil {
				l.fail(f.name, key.Line, "%w", err)
			}
		})
	}
}

// eachPair visits the entries of a mapping; an absent one is empty.
func (l *loader) eachPair(file string, n *yaml.Node, what string, visit func(key, value *yaml.Node)) {
	if n.Kind == 0 || n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.fail(file, n.Line, "%s: expected name: value, found %q", what, n.Value)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		visit(n.Content[i], n.Content[i+1])
	}
}

func (l *loader) terms() {
	for _, f := range l.files {
		if f.Terms.Kind != 0 && f.Language == "" {
			l.fail(f.name, 1, "expected language: beside terms")
		} else if f.Terms.Kind != 0 && tongueOf(f.Language) == 0 {
			l.fail(f.name, 1, "language: expected one of %s, found %q", strings.Join(tongues, ", "), f.Language)
		}
		l.eachPair(f.name, &f.Terms, "terms", func(key, value *yaml.Node) {
			id, ok := l.set.lex.byName[key.Value]
			if !ok {
				p := parser{lex: l.set.lex}
				l.fail(f.name, key.Line, "no concept %q%s", key.Value, p.suggest(key.Value))
				return
			}
			items := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				items = value.Content
			}
			for _, item := range items {
				l.term(f, id, item)
			}
		})
	}
}

func (l *loader) term(f parsedFile, id conceptID, item *yaml.Node) {
	file := f.name
	if item.Kind != yaml.ScalarNode {
		l.fail(file, item.Line, "expected terms separated by \";\", found a list or mapping")
		return
	}
	line := item.Line
	if item.Style&yaml.LiteralStyle != 0 {
		line++
	}
	for text := range strings.Lines(item.Value) {
		if err := l.set.lex.addTerms(id, text, tongueOf(f.Language)); err != nil {
			l.fail(file, line, "%w", err)
		}
		line++
	}
}

func (l *loader) rules() {
	for _, f := range l.files {
		if f.Rules.Kind == 0 || f.Rules.Tag == "!!null" {
			continue
		}
		if f.Rules.Kind != yaml.SequenceNode {
			l.fail(f.name, f.Rules.Line, "rules: expected a list")
			continue
		}
		for _, n := range f.Rules.Content {
			l.rule(f.name, n)
		}
	}
}

func (l *loader) rule(file string, n *yaml.Node) {
	var form ruleForm
	if !l.strict(file, n, &form) {
		return
	}
	r := rule{id: form.ID, about: form.About, where: place{file, n.Line}, flag: form.Flag, item: form.Provided, inherited: form.Inherited}
	r.actions = Actions{form.Priority, form.Queue, form.Tags, form.Request, form.Template, form.Hold}
	if form.ID == "" {
		l.fail(file, n.Line, "rule: expected an id")
		return
	}
	if old, ok := l.ruleIDs[form.ID]; ok {
		l.fail(file, n.Line, "rule %s is already declared at %s", form.ID, l.set.rules[old].where)
		return
	}
	if form.Match == "" && form.If == "" {
		l.fail(file, n.Line, "rule %s: expected match or if", form.ID)
		return
	}
	err := errors.Join(l.readMatch(&r, form, fieldLine(n, "match")), l.readScope(&r, form), l.readMoods(&r, form), l.readOutcome(&r, form))
	if err != nil {
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			key, _, _ := strings.Cut(e.Error(), ":")
			l.fail(file, fieldLine(n, key), "rule %s: %w", form.ID, e)
		}
		return
	}
	r.examples, r.counter = l.examples(file, form.Examples), l.examples(file, form.Counter)
	l.ruleIDs[r.id] = len(l.set.rules)
	l.set.rules = append(l.set.rules, r)
}

// fieldLine is the line of the named field in a mapping, or the mapping's own.
func fieldLine(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1].Line
		}
	}
	return n.Line
}

func (l *loader) readMatch(r *rule, form ruleForm, line int) error {
	if form.If != "" {
		cond, err := compileCondition(l.env, form.If)
		if err != nil {
			return err
		}
		r.cond = cond
	}
	if form.Match == "" {
		return nil
	}
	p := parser{src: form.Match, lex: l.set.lex, rules: l.ruleIDs, where: place{r.where.file, line}}
	n, err := p.parse()
	r.match = n
	return err
}

func (l *loader) readScope(r *rule, form ruleForm) error {
	switch form.Scope {
	case "", "sentence":
		r.wholeMail = r.match == nil
	case "mail":
		r.wholeMail = true
	default:
		return fmt.Errorf("scope: expected sentence or mail, found %q", form.Scope)
	}
	if r.wholeMail || r.match == nil {
		return nil
	}
	if _, ok := r.match.triggers(l.set.lex); !ok {
		return errors.New("match: expected at least one concept or term that must be there (or scope: mail)")
	}
	return nil
}

var moodNames = map[string]mood{
	"condition": moodCondition, "solved": moodSolved, "question": moodQuestion, "reported": moodReported,
}

func (l *loader) readMoods(r *rule, form ruleForm) error {
	r.notIn = moodSolved
	if form.NotIn != nil {
		r.notIn = 0
		for _, name := range *form.NotIn {
			m, ok := moodNames[name]
			if !ok {
				return fmt.Errorf("not_in: expected condition, solved, question or reported, found %q", name)
			}
			r.notIn |= m
		}
	}
	for _, name := range form.OnlyIn {
		m, ok := moodNames[name]
		if !ok {
			return fmt.Errorf("only_in: expected condition, solved, question or reported, found %q", name)
		}
		r.onlyIn |= m
		r.notIn &^= m
	}
	return nil
}

func (l *loader) readOutcome(r *rule, form ruleForm) error {
	for name, value := range form.Score {
		i := categoryIndex(name)
		if i < 0 {
			return fmt.Errorf("score: expected one of %v, found %q", ticket.Categories(), name)
		}
		r.score[i], r.scoring = value, true
	}
	for _, name := range form.Secondary {
		i := categoryIndex(name)
		if i < 0 {
			return fmt.Errorf("secondary: expected one of %v, found %q", ticket.Categories(), name)
		}
		r.secondary |= 1 << i
	}
	if form.Provided != "" && !slices.Contains(closingItems, form.Provided) {
		return fmt.Errorf("provided: expected one of %s, found %q", strings.Join(closingItems, ", "), form.Provided)
	}
	return nil
}

func (l *loader) examples(file string, nodes []yaml.Node) []example {
	var out []example
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode {
			l.fail(file, n.Line, "examples: expected text, found a list or mapping")
			continue
		}
		out = append(out, example{n.Value, place{file, n.Line}})
	}
	return out
}

func (l *loader) rest() {
	for _, f := range l.files {
		if f.Settings.Kind != 0 {
			l.strict(f.name, &f.Settings, &l.set.settings)
			for name := range l.set.settings.Prior {
				if categoryIndex(name) < 0 {
					l.fail(f.name, f.Settings.Line, "prior: expected one of %v, found %q", ticket.Categories(), name)
				}
			}
		}
		if f.Calibration.Kind != 0 {
			l.calibration(f)
		}
		l.hints(f)
	}
}

// hint is what the mere mention of a concept speaks for, however it is said.
type hint struct {
	affirmed, negated [categories]float64
	set               bool
}

func (l *loader) hints(f parsedFile) {
	l.eachPair(f.name, &f.Hints, "hints", func(key, value *yaml.Node) {
		name, ruledOut := strings.CutPrefix(key.Value, "NOT:")
		id, ok := l.set.lex.byName[name]
		if !ok {
			p := parser{lex: l.set.lex}
			l.fail(f.name, key.Line, "hints: no concept %q%s", name, p.suggest(name))
			return
		}
		var weights map[string]float64
		if !l.strict(f.name, value, &weights) {
			return
		}
		if len(l.set.hints) <= int(id) {
			l.set.hints = append(l.set.hints, make([]hint, int(id)+1-len(l.set.hints))...)
		}
		h := &l.set.hints[id]
		h.set = true
		for category, weight := range weights {
			i := categoryIndex(category)
			switch {
			case i < 0:
				l.fail(f.name, value.Line, "hints: expected one of %v, found %q", ticket.Categories(), category)
			case ruledOut:
				h.negated[i] = weight
			default:
				h.affirmed[i] = weight
			}
		}
	})
}

func (l *loader) calibration(f parsedFile) {
	var points []calibrationPoint
	if !l.strict(f.name, &f.Calibration, &points) {
		return
	}
	for i, p := range points {
		if p.Confidence < 0 || p.Confidence > 1 || i > 0 && (p.Margin <= points[i-1].Margin || p.Confidence < points[i-1].Confidence) {
			l.fail(f.name, f.Calibration.Content[i].Line, "calibration: expected rising margins and confidences between 0 and 1")
			return
		}
	}
	l.set.curve = points
}

// finish builds what classification runs on.
func (l *loader) finish() {
	s := l.set
	s.lex.compile()
	s.byTrig = make([][]int32, len(s.lex.concepts))
	for i := range s.rules {
		r := &s.rules[i]
		if r.wholeMail {
			s.mail = append(s.mail, int32(i))
			continue
		}
		set, _ := r.match.triggers(s.lex)
		for _, c := range set {
			if !slices.Contains(s.byTrig[c], int32(i)) {
				s.byTrig[c] = append(s.byTrig[c], int32(i))
			}
		}
	}
	sum := sha256.Sum256(l.hash)
	s.version = hex.EncodeToString(sum[:8])
	s.pool.New = func() any { return newScratch(s) }
}
