package yaratest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/module"
)

// vectorLimit is how long one vector may take.
const vectorLimit = 10 * time.Second

// Status is the outcome of a vector.
type Status uint8

// The statuses.
const (
	Passed  Status = iota
	Failed         // the answer is another
	Absent         // the rules import a module that was not given
	Skipped        // the vector asks for an option that the engine does not have
)

// Outcome is what became of one vector.
type Outcome struct {
	Vector *Vector
	Status Status
	// Why is one line: the difference, or what is missing.
	Why string
}

// Run runs a vector with the given modules, in the dialect of its family. A
// panic is a failure.
func (v *Vector) Run(modules []*module.Module) (o Outcome) {
	o = Outcome{Vector: v}
	defer func() {
		if p := recover(); p != nil {
			o.Status, o.Why = Failed, fmt.Sprintf("panic: %v", p)
		}
	}()
	if name, ok := v.absent(modules); ok {
		return Outcome{v, Absent, "module " + name}
	}
	if name, ok := v.unsupported(); ok {
		return Outcome{v, Skipped, "option " + name}
	}
	if why := v.check(modules); why != "" {
		o.Status, o.Why = Failed, why
	}
	return o
}

// absent names the first module that the vector imports, its oracle has, and
// we have not.
func (v *Vector) absent(modules []*module.Module) (string, bool) {
	if v.wantsError() || v.Kind == "parse_ok" {
		return "", false
	}
	for _, name := range v.Imports() {
		if !slices.ContainsFunc(modules, func(m *module.Module) bool { return m.Name == name }) {
			return name, true
		}
	}
	return "", false
}

// unsupported names an option that changes the answer and that there is no
// counterpart for.
func (v *Vector) unsupported() (string, bool) {
	for _, name := range []string{"ban_modules", "max_scan_size"} {
		if _, ok := v.Opts[name]; ok {
			return name, true
		}
	}
	// Linters that make errors, and features that open fields, are the
	// suite's own configuration.
	for _, name := range []string{"add_linter", "features"} {
		if _, ok := v.Opts[name]; ok && v.Family() == Neither {
			return name, true
		}
	}
	return "", false
}

func (v *Vector) wantsError() bool { return v.Kind == "compile_error" || v.Kind == "parse_error" }

// options are the compiler's options for the vector.
func (v *Vector) options(modules []*module.Module) []yara.Option {
	opts := []yara.Option{yara.WithModules(modules...)}
	if v.Family() == OnlyLibYARA {
		opts = append(opts, yara.LibYARA, yara.RelaxedRegexps())
	}
	if _, ok := v.Opts["relaxed_re"]; ok {
		opts = append(opts, yara.RelaxedRegexps())
	}
	var ignored []string
	if json.Unmarshal(v.Opts["ignore_modules"], &ignored) == nil {
		opts = append(opts, yara.IgnoreModules(ignored...))
	}
	if v.Includes != nil {
		opts = append(opts, yara.Includes(v.include))
	}
	for name, value := range v.Vars {
		opts = append(opts, yara.Define(name, external(value)))
	}
	return opts
}

// external undoes what JSON does to integers.
func external(value any) any {
	if f, ok := value.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return value
}

// check compiles and scans, and tells the first difference.
func (v *Vector) check(modules []*module.Module) string {
	c := yara.NewCompiler(v.options(modules)...)
	for i, s := range v.Sources {
		c.AddSource(yara.Source{Namespace: s[0], Origin: fmt.Sprintf("source%d", i), Text: []byte(s[1])})
	}
	rules, diags := c.Build()
	switch {
	case v.wantsError() && diags.HasErrors():
		return ""
	case v.wantsError():
		return "compiles, should not"
	case v.Kind == "parse_ok":
		return parses(diags)
	case diags.HasErrors():
		return "does not compile: " + firstError(diags)
	case v.Kind == "compile_ok":
		return ""
	}
	return v.scan(rules)
}

// parses looks for syntax errors: a rule that parses need not compile.
func parses(diags diag.List) string {
	for _, d := range diags {
		if d.Code == "syntax_error" {
			return "does not parse: " + d.Error()
		}
	}
	return ""
}

func firstError(diags diag.List) string {
	line, _, _ := strings.Cut(diags.Error(), "\n")
	return line
}

// scan compares what matches, and where, with the oracle of the family.
func (v *Vector) scan(rules *yara.Rules) string {
	opts := []yara.ScannerOption{yara.Timeout(vectorLimit)}
	var most int
	if json.Unmarshal(v.Opts["max_matches"], &most) == nil {
		opts = append(opts, yara.MaxMatches(most))
	}
	s := rules.NewScanner(opts...)
	for name, data := range v.Meta {
		s.SetModuleData(name, data)
	}
	results, err := s.Scan(context.Background(), v.Data)
	if err != nil {
		return "scan: " + err.Error()
	}
	if v.Family() == Neither {
		if got := results.Len() > 0; got != (v.Kind == "match") {
			return fmt.Sprintf("matches %v, the suite says %s", got, v.Kind)
		}
		return ""
	}
	return cmp.Or(v.compareOracles(results), v.compareBytes(results))
}

// compareOracles compares with the oracles that agree with the suite. Where
// both do, either's matches will do: YARA-X does not look for a pattern that
// no condition needed, libyara looks for all.
func (v *Vector) compareOracles(results *yara.Results) string {
	oracles := map[Family][]Oracle{
		Both: {v.YARAX, v.LibYARA}, OnlyYARAX: {v.YARAX}, OnlyLibYARA: {v.LibYARA},
	}[v.Family()]
	var first string
	for _, o := range oracles {
		why := cmp.Or(compareRules(results, o), compareMatches(results, o))
		if why == "" {
			return ""
		}
		first = cmp.Or(first, why)
	}
	return first
}

func compareRules(results *yara.Results, o Oracle) string {
	got := []string{}
	for r := range results.Matching() {
		got = append(got, r.Name())
	}
	want := slices.Sorted(slices.Values(o.Rules))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("rules: got %v, want %v", got, want)
	}
	return ""
}

func compareMatches(results *yara.Results, o Oracle) string {
	order := func(a, b Triple) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length))
	}
	got, want := make(map[string][]Triple), make(map[string][]Triple)
	for r := range results.Matching() {
		for p := range r.Patterns() {
			for m := range p.Matches() {
				got[r.Name()] = append(got[r.Name()], Triple{p.ID(), m.Offset, m.Length})
			}
		}
	}
	for rule, matches := range o.Matches {
		if len(matches) > 0 {
			want[rule] = slices.Clone(matches)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(want)) {
		slices.SortFunc(got[rule], order)
		slices.SortFunc(want[rule], order)
		if !slices.Equal(got[rule], want[rule]) {
			return fmt.Sprintf("matches of %s: got %v, want %v", rule, head(got[rule]), head(want[rule]))
		}
	}
	for rule := range got {
		if want[rule] == nil {
			return fmt.Sprintf("matches of %s: got %v, want none", rule, head(got[rule]))
		}
	}
	return ""
}

// head shortens a list for a message.
func head(matches []Triple) string {
	const most = 8
	if len(matches) > most {
		return fmt.Sprintf("%v and %d more", matches[:most], len(matches)-most)
	}
	return fmt.Sprint(matches)
}

// compareBytes asks for the bytes of a match that the suite names.
func (v *Vector) compareBytes(results *yara.Results) string {
	var all [][]byte
	for r := range results.Matching() {
		for p := range r.Patterns() {
			for m := range p.Matches() {
				all = append(all, v.Data[m.Offset:m.Offset+m.Length])
			}
		}
	}
	is := func(want []byte) func([]byte) bool { return func(b []byte) bool { return bytes.Equal(b, want) } }
	if v.MatchAny != nil && len(all) > 0 && !slices.ContainsFunc(all, is(*v.MatchAny)) {
		return fmt.Sprintf("no match has the bytes %q", *v.MatchAny)
	}
	return ""
}
