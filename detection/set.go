package detection

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// Set is what a hunt runs: the compiled rules of some packs, and for each rule
// its detection and exclusions. It is immutable and shared.
type Set struct {
	Rules *yara.Rules
	Packs []besra.PackRef
	// entries by namespace (a detection's key) and rule name; "" is the entry
	// of every rule of a plain rule file.
	entries   map[string]map[string]*Entry
	externals []string
}

// Entry is one detection of a set.
type Entry struct {
	Detection  *Detection
	Pack       string
	Exclusions []*exclusion.Exclusion
}

// Entry returns the detection that a matching rule belongs to, or nil for a
// rule that is only a helper of another, or was included by one.
func (s *Set) Entry(rule yara.Rule) *Entry {
	rules := s.entries[rule.Namespace()]
	if e := rules[rule.Name()]; e != nil {
		return e
	}
	e := rules[""]
	if origin, _, _ := rule.Position(); e == nil || origin != e.Detection.RulePath() {
		return nil
	}
	return e
}

// Entries yields every detection of the set, ordered by namespace.
func (s *Set) Entries() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, namespace := range slices.Sorted(maps.Keys(s.entries)) {
			for _, name := range slices.Sorted(maps.Keys(s.entries[namespace])) {
				if !yield(s.entries[namespace][name]) {
					return
				}
			}
		}
	}
}

// externals that rule repositories expect, as THOR and Loki name them, and the
// fact that fills each.
var externals = map[string]string{
	"filename":  "file.name",
	"filepath":  "file.dir",
	"extension": "file.ext",
	"filetype":  "file.magic",
	"owner":     "file.owner.name",
}

// Externals lists the external variables that rules may use, with the fact
// that fills each. A fact that is not known gives the empty string.
func Externals() map[string]string { return externals }

// Compile compiles the rules and exclusions of packs into a set. What cannot
// be used is isolated: it is left out and described by a gap of kind content,
// and the rest is in the set. Set is nil only where nothing could be used.
func Compile(packs ...*Pack) (*Set, []Fault) {
	c := &setCompiler{set: &Set{entries: map[string]map[string]*Entry{}}}
	c.rules = yara.NewCompiler(append(compileOptions(), yara.Includes(c.include))...)
	for _, p := range packs {
		c.set.Packs = append(c.set.Packs, p.Ref())
		c.pack, c.files = p, map[string]string{}
		for _, d := range p.Detections {
			c.add(p, d)
		}
	}
	return c.finish()
}

func compileOptions() []yara.Option {
	opts := []yara.Option{yara.WithModules(standard.Modules()...), yara.RelaxedRegexps()}
	for name := range externals {
		opts = append(opts, yara.Define(name, ""))
	}
	return opts
}

// Fault is a part of a pack that cannot be used, and why.
type Fault struct {
	Pack, Path string
	// Rule holds the diagnostics of a rule file, Exclusion the problems of an
	// exclusion, Err any other cause; one of the three.
	Rule      diag.List
	Exclusion []*exclusion.Problem
	Err       error
	sources   diag.Lookup
}

// Gap returns the fault as a record.
func (f Fault) Gap() besra.Gap {
	return besra.Gap{Kind: besra.GapContent, Target: besra.Text(f.Pack + "/" + f.Path), Reason: f.reason(), Detail: f.Error(), Count: 1}
}

func (f Fault) reason() string {
	switch {
	case f.Rule != nil:
		return "invalid_rule"
	case f.Exclusion != nil:
		return "invalid_exclusion"
	}
	return "invalid_detection"
}

// Error implements error.
func (f Fault) Error() string {
	switch {
	case f.Rule != nil:
		return f.Rule.Error()
	case f.Exclusion != nil:
		var lines []string
		for _, p := range f.Exclusion {
			lines = append(lines, f.Path+": "+p.Error())
		}
		return strings.Join(lines, "\n")
	}
	return f.Path + ": " + f.Err.Error()
}

// Render writes the fault for a person to read: with the source lines of a
// rule's diagnostics where it has any.
func (f Fault) Render(w io.Writer, color bool) error {
	if f.Rule == nil {
		_, err := fmt.Fprintf(w, "error: %s\n", f.Error())
		return err
	}
	return diag.Render(w, f.Rule, f.sources, diag.Options{Color: color})
}

// errorsOf leaves out the warnings, which do not keep a rule from being used.
func errorsOf(list diag.List) diag.List {
	return slices.DeleteFunc(slices.Clone(list), func(d *diag.Diagnostic) bool { return d.Severity != diag.Error })
}

type setCompiler struct {
	set    *Set
	rules  *yara.Compiler
	faults []Fault
	told   diag.List         // diagnostics of single sources, which Build repeats
	pack   *Pack             // whose rules are being compiled
	files  map[string]string // the namespace of each rule file of pack that was added
}

// include finds an included file among the rule files of the pack, and nowhere
// else.
func (c *setCompiler) include(from, name string) (string, []byte, error) {
	name = path.Join(path.Dir(from), strings.ReplaceAll(name, `\`, "/"))
	text, ok := c.pack.Rules[name]
	if !ok {
		return "", nil, fmt.Errorf("%s is not a rule file of the pack", name)
	}
	return name, text, nil
}

func (c *setCompiler) fail(f Fault) { c.faults = append(c.faults, f) }

func (c *setCompiler) add(p *Pack, d *Detection) {
	text, ok := p.Rules[d.RulePath()]
	if !ok {
		c.fail(Fault{Pack: p.Name, Path: d.Path, Err: fmt.Errorf("rule.file %s is not in the pack", d.RulePath())})
		return
	}
	namespace, ok := c.files[d.RulePath()]
	if !ok {
		namespace = c.addRules(p, d, text)
	}
	rules := c.set.entries[namespace]
	if rules[d.Rule.Name] != nil {
		c.fail(Fault{Pack: p.Name, Path: d.Path, Err: d.place.fault("rule.name", "one rule is one detection",
			"rule %s is already that of the detection %s", d.Rule.Name, rules[d.Rule.Name].Detection.ID)})
		return
	}
	rules[d.Rule.Name] = &Entry{Detection: d, Pack: p.Name, Exclusions: c.exclusions(p, d)}
}

// addRules compiles a rule file into a namespace of its own, named after the
// first detection that has its rule there.
func (c *setCompiler) addRules(p *Pack, d *Detection, text []byte) string {
	namespace := p.Name + "/" + d.ID
	for i := 2; c.set.entries[namespace] != nil; i++ {
		namespace = fmt.Sprintf("%s/%s-%d", p.Name, d.ID, i)
	}
	list := c.rules.AddSource(yara.Source{Namespace: namespace, Origin: d.RulePath(), Text: text})
	if list.HasErrors() {
		c.fail(Fault{Pack: p.Name, Path: d.RulePath(), Rule: errorsOf(list), sources: c.rules.Lookup})
	}
	c.told = append(c.told, list...)
	c.files[d.RulePath()], c.set.entries[namespace] = namespace, map[string]*Entry{}
	return namespace
}

func (c *setCompiler) exclusions(p *Pack, d *Detection) []*exclusion.Exclusion {
	return d.CompileExclusions(func(problems []*exclusion.Problem) {
		c.fail(Fault{Pack: p.Name, Path: d.Path, Exclusion: problems})
	})
}

func (c *setCompiler) finish() (*Set, []Fault) {
	rules, list := c.rules.Build()
	list = slices.DeleteFunc(list, func(d *diag.Diagnostic) bool { return slices.Contains(c.told, d) })
	if list.HasErrors() {
		c.fail(Fault{Path: "rules", Rule: errorsOf(list), sources: c.rules.Lookup})
	}
	if rules == nil {
		return nil, c.faults
	}
	c.set.Rules = rules
	c.checkRules()
	for _, name := range rules.Externals() {
		if externals[name] != "" {
			c.set.externals = append(c.set.externals, name)
		}
	}
	return c.set, c.faults
}

// checkRules holds each compiled rule against what its detection says of it.
func (c *setCompiler) checkRules() {
	found := map[*Entry]bool{}
	for rule := range c.set.Rules.All() {
		e := c.set.Entry(rule)
		if e == nil {
			continue
		}
		found[e] = true
		n := len(slices.Collect(rule.Patterns()))
		if want := e.Detection.Rule.Patterns; want >= 0 && n != want {
			c.fail(Fault{Pack: e.Pack, Path: e.Detection.Path,
				Err: fmt.Errorf("rule %s has %d patterns, the detection says %d: was it damaged?", rule.Name(), n, want)})
		}
	}
	for _, rules := range c.set.entries {
		for name, e := range rules {
			if name != "" && !found[e] && !c.failed(e) {
				c.fail(Fault{Pack: e.Pack, Path: e.Detection.Path, Err: fmt.Errorf("rule.name %q is not in %s", name, e.Detection.RulePath())})
			}
		}
	}
}

// failed reports whether the entry's rule file is already known to be faulty.
func (c *setCompiler) failed(e *Entry) bool {
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Pack == e.Pack && f.Path == e.Detection.RulePath() })
}

// External returns the value of an external variable for a target, "" where
// the fact is not known, and nil where the variable stands for none.
func External(ctx context.Context, name string, facts besra.Facts) any {
	if externals[name] == "" {
		return nil
	}
	value, _ := facts.Fact(ctx, externals[name]).Text()
	return value
}

// AsksPath reports whether the rules are told where a target is, so that no two
// files of a host are the same to them.
func (s *Set) AsksPath() bool {
	return slices.Contains(s.externals, "filename") && slices.Contains(s.externals, "filepath")
}

// ExternalValues returns what the set's rules are told of a target besides its
// content: nil where they use no external variables.
func (s *Set) ExternalValues(ctx context.Context, facts besra.Facts) []string {
	var values []string
	for _, name := range s.externals {
		value, _ := facts.Fact(ctx, externals[name]).Text() // "" where not known
		values = append(values, value)
	}
	return values
}
