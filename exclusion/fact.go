package exclusion

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/besra-hunt/besra"
)

// factTypes gives the CEL type of each fact type.
var factTypes = map[besra.FactType]*cel.Type{
	besra.TypeString:    cel.StringType,
	besra.TypeInt:       cel.IntType,
	besra.TypeBool:      cel.BoolType,
	besra.TypeTimestamp: cel.TimestampType,
	besra.TypeStrings:   cel.ListType(cel.StringType),
}

// noEvidence lists the facts that say nothing of innocence on their own though
// their value is certain: whoever places the bytes chooses it, or it is the same
// for every file of the host or every match of the rule.
var noEvidence = []string{
	"file.size", "file.magic", "file.mode", "file.mtime", "file.links", "file.symlink", "file.mount.type", "file.mount.point",
	"file.md5", // collisions are practical
	"package.manager", "process.pid", "net.proto",
	"rule.name", "rule.tags", "match.patterns", "match.count",
	"host.os", "host.schedules", "host.user_schedules", "scan.time",
}

// fromPackageIndex lists the facts that come from one local package index. The
// index knows contents by weak digests and root can edit it, so it convinces
// only together with another fact.
var fromPackageIndex = []string{"package.name", "package.verified"}

// Forgeable reports whether the named fact is no evidence of innocence on its
// own, whatever its grade: a name or path that an intruder chooses, or
// something that is equally true of every file of the host.
func Forgeable(fact string) bool {
	def, ok := besra.FactNamed(fact)
	return !ok || slices.Contains(noEvidence, fact) || bestGrade(def) <= besra.GradeWeak
}

// FromPackageIndex reports whether the named fact comes from a local package
// index, which convinces only together with another fact.
func FromPackageIndex(fact string) bool { return slices.Contains(fromPackageIndex, fact) }

// bestGrade returns the best grade a fact has in any context.
func bestGrade(def besra.FactDef) besra.Grade {
	best := besra.GradeUnavailable
	for _, g := range def.Grades {
		best = max(best, g)
	}
	return best
}

// weigh returns the grade that counts as evidence.
func weigh(f besra.Fact) besra.Grade {
	if Forgeable(f.Name) {
		return min(f.Grade, besra.GradeWeak)
	}
	return f.Grade
}

// weakEvidence reports whether facts, taken together, do not carry a
// suppression: none of them is better than weak, or the package index speaks
// alone.
func weakEvidence(facts []besra.Fact) bool {
	indexOnly := true
	best := besra.GradeUnavailable
	for _, f := range facts {
		indexOnly = indexOnly && slices.Contains(fromPackageIndex, f.Name)
		best = max(best, weigh(f))
	}
	return best <= besra.GradeWeak || indexOnly
}

// factValue converts a known fact to its CEL value. Besides the types that
// [besra.Fact] states it takes what they become in JSON and YAML, so that a
// recorded finding can be decided again.
func factValue(def besra.FactDef, v any) (ref.Val, error) {
	switch def.Type {
	case besra.TypeString:
		switch s := v.(type) {
		case string:
			return types.String(s), nil
		case besra.Text:
			return types.String(s), nil
		}
	case besra.TypeInt:
		if n, ok := integer(v); ok {
			return types.Int(n), nil
		}
	case besra.TypeBool:
		if b, ok := v.(bool); ok {
			return types.Bool(b), nil
		}
	case besra.TypeTimestamp:
		if t, ok := timestamp(v); ok {
			return types.Timestamp{Time: t}, nil
		}
	case besra.TypeStrings:
		if list, ok := stringList(v); ok {
			return types.NewStringList(types.DefaultTypeAdapter, list), nil
		}
	}
	return nil, fmt.Errorf("the fact %s has the value %v (%T), which is not of type %s", def.Name, v, v, factTypes[def.Type])
}

// timestamp reads a time, or its text.
func timestamp(v any) (time.Time, bool) {
	switch t := v.(type) {
	case time.Time:
		return t, true
	case string:
		parsed, err := time.Parse(time.RFC3339Nano, t)
		return parsed, err == nil
	}
	return time.Time{}, false
}

// Remember returns Facts that ask base for each fact once. Asked lists what was
// asked. Like every [besra.Facts] it belongs to one goroutine at a time.
func Remember(base besra.Facts) *Memory {
	return &Memory{base: base, facts: map[string]besra.Fact{}}
}

// Memory is what [Remember] returns.
type Memory struct {
	base  besra.Facts
	facts map[string]besra.Fact
}

// Fact implements [besra.Facts].
func (m *Memory) Fact(ctx context.Context, name string) besra.Fact {
	if f, ok := m.facts[name]; ok {
		return f
	}
	f := m.base.Fact(ctx, name)
	f.Name = name
	if f.Value == nil {
		f.Grade = besra.GradeUnavailable
	}
	m.facts[name] = f
	return f
}

// Asked returns the facts that were asked for, sorted by name.
func (m *Memory) Asked() []besra.Fact {
	return slices.SortedFunc(maps.Values(m.facts), byName)
}

// Overlay returns Facts that answer from the fixture's overrides first and
// from base otherwise. An override is verified unless the fact is forgeable by
// nature; a null makes the fact unavailable. A name that is not in the
// vocabulary, or a value that is not of its type, is an error.
func (f Fixture) Overlay(base besra.Facts) (besra.Facts, error) {
	o := overlay{base: base, facts: map[string]besra.Fact{}}
	for _, name := range slices.Sorted(maps.Keys(f.Facts)) {
		fact, err := override(name, f.Facts[name])
		if err != nil {
			return nil, fmt.Errorf("fixture %q: %w", f.Name, err)
		}
		o.facts[name] = fact
	}
	return o, nil
}

func override(name string, v any) (besra.Fact, error) {
	def, ok := besra.FactNamed(name)
	if !ok {
		return besra.Fact{}, fmt.Errorf("there is no fact %q (%s)", name, suggest(name, factNames()))
	}
	if v == nil {
		return besra.Unavailable(name, "the fixture says so"), nil
	}
	value, err := factValue(def, v)
	if err != nil {
		return besra.Fact{}, err
	}
	fact := besra.Fact{Name: name, Value: plain(value), Grade: besra.GradeVerified, Source: "fixture"}
	fact.Grade = weigh(fact)
	return fact, nil
}

// plain returns the value in the form that besra.Fact states.
func plain(v ref.Val) any {
	switch v := v.(type) {
	case types.String:
		return string(v)
	case types.Int:
		return int64(v)
	case types.Bool:
		return bool(v)
	case types.Timestamp:
		return v.Time
	}
	return v.Value()
}

type overlay struct {
	base  besra.Facts
	facts map[string]besra.Fact
}

// Fact implements [besra.Facts].
func (o overlay) Fact(ctx context.Context, name string) besra.Fact {
	if f, ok := o.facts[name]; ok {
		return f
	}
	return o.base.Fact(ctx, name)
}

// factNames lists the vocabulary.
func factNames() []string {
	var names []string
	for _, d := range besra.Vocabulary() {
		names = append(names, d.Name)
	}
	return names
}
