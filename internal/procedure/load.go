package procedure

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Set is every procedure of every brand profile, loaded and checked. It is immutable and safe for concurrent use.
type Set struct {
	Version       string   // hash of the files: recorded with every transition
	Warnings      []string // what is allowed but worth a second thought
	machines      map[string]map[string]*Machine
	profiles      map[string]*Profile
	jurisdictions map[string]*Jurisdiction
	calendars     map[string]*Calendar
}

// Load reads the procedures (*.yaml, fragments/*.yaml, brands/*.yaml, jurisdictions.yaml) and the calendars (*.yaml), merges
// every procedure with every brand profile and checks the result. Every mistake found is in the error, with file and line.
func Load(procedures, calendars fs.FS) (*Set, error) {
	cals, err := LoadCalendars(calendars)
	if err != nil {
		return nil, fmt.Errorf("load calendars: %w", err)
	}
	src, err := readAll(procedures, cals)
	if err != nil {
		return nil, fmt.Errorf("load procedures: %w", err)
	}
	s := &Set{Version: src.version, machines: map[string]map[string]*Machine{}, profiles: src.profiles, jurisdictions: src.jurisdictions, calendars: cals}
	if err := s.merge(src); err != nil {
		return nil, fmt.Errorf("load procedures: %w", err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("check procedures: %w", err)
	}
	return s, nil
}

type sources struct {
	version       string
	machines      map[string]part
	fragments     map[string]part
	profiles      map[string]*Profile
	jurisdictions map[string]*Jurisdiction
}

func readAll(fsys fs.FS, cals map[string]*Calendar) (sources, error) {
	src := sources{machines: map[string]part{}, fragments: map[string]part{}, profiles: map[string]*Profile{}, jurisdictions: map[string]*Jurisdiction{}}
	var names []string
	for _, pattern := range []string{"*.yaml", "fragments/*.yaml", "brands/*.yaml"} {
		found, err := fs.Glob(fsys, pattern)
		if err != nil {
			return src, err
		}
		names = append(names, found...)
	}
	var errs []error
	sum := sha256.New()
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return src, err
		}
		fmt.Fprintf(sum, "%s\n%d\n%s", name, len(b), b)
		r := &reader{file: name}
		if n := r.parse(b); n != nil {
			src.add(r, n, name, cals)
		}
		errs = append(errs, r.err())
	}
	if len(src.machines) == 0 || len(src.profiles) == 0 || len(src.jurisdictions) == 0 {
		errs = append(errs, errors.New("no procedures, no brand profiles or no jurisdictions found"))
	}
	src.version = hex.EncodeToString(sum.Sum(nil))[:16]
	return src, errors.Join(errs...)
}

func (s *sources) add(r *reader, n *yaml.Node, name string, cals map[string]*Calendar) {
	base := strings.TrimSuffix(name[strings.LastIndex(name, "/")+1:], ".yaml")
	switch {
	case name == "jurisdictions.yaml":
		r.jurisdictions(n, s.jurisdictions, cals)
	case strings.HasPrefix(name, "fragments/"):
		s.fragments[base] = r.part(n, base)
	case strings.HasPrefix(name, "brands/"):
		s.profiles[base] = r.profile(n, base)
	default:
		s.machines[base] = r.part(n, base)
	}
}

func (s *Set) merge(src sources) error {
	var errs []error
	for _, pname := range slices.Sorted(maps.Keys(src.profiles)) {
		p := src.profiles[pname]
		s.machines[pname] = map[string]*Machine{}
		for _, name := range slices.Sorted(maps.Keys(src.machines)) {
			var overlay *part
			if o, ok := p.machines[name]; ok {
				overlay = &o
			}
			m, err := build(src.machines[name], src.fragments, overlay)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			s.machines[pname][name] = m
		}
		for name := range p.machines {
			if _, ok := src.machines[name]; !ok {
				errs = append(errs, fmt.Errorf("%s: overlay of the unknown procedure %q", p.File, name))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Set) machine(c Case) *Machine { return s.machines[c.Profile][c.Procedure] }

// Machine returns a procedure as a brand profile runs it; nil when there is none.
func (s *Set) Machine(profile, name string) *Machine { return s.machines[profile][name] }

// Profiles lists the brand profiles.
func (s *Set) Profiles() []string { return slices.Sorted(maps.Keys(s.profiles)) }

// Procedures lists the procedures; every profile has all of them.
func (s *Set) Procedures() []string {
	for _, ms := range s.machines {
		return slices.Sorted(maps.Keys(ms))
	}
	return nil
}

// ForCategory returns the procedure that starts for a category of the rules ("closure", "locked_account", …), "other" when no
// procedure names it.
func (s *Set) ForCategory(profile, category string) string {
	for _, name := range s.Procedures() {
		if m := s.machines[profile][name]; m != nil && m.Category == category {
			return name
		}
	}
	return "other"
}

// Calendar returns the working days of a jurisdiction.
func (s *Set) Calendar(jurisdiction string) *Calendar {
	if j := s.jurisdictions[jurisdiction]; j != nil {
		return j.calendar
	}
	return nil
}
