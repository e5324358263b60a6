package scan

import (
	"context"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// patterns makes the record of a rule's patterns that occur, with excerpts.
func (r *run) patterns(m matched, data view) []besra.PatternHits {
	var hits []besra.PatternHits
	for _, p := range m.Patterns {
		hit := besra.PatternHits{ID: p.ID, Count: p.Count}
		for _, at := range p.Matches {
			hit.Matches = append(hit.Matches, r.match(at, data))
		}
		hits = append(hits, hit)
	}
	return hits
}

func (r *run) match(m yara.Match, data view) besra.Match {
	end := m.Offset + m.Length
	out := besra.Match{Offset: m.Offset, Length: m.Length,
		Before: data.bytes(m.Offset-int64(r.Excerpt), m.Offset),
		Data:   data.bytes(m.Offset, min(end, m.Offset+int64(r.MaxData))),
		After:  data.bytes(end, end+int64(r.Excerpt))}
	if m.Xor {
		key := m.XorKey
		out.XorKey = &key
	}
	return out
}

// facts returns what a finding says of its target, sorted by name: what the
// exclusions asked for, as it was answered, what is known of the [besra.Context.Origin]
// of the bytes, and with AllFacts all that the target's context can give.
func (r *run) facts(ctx context.Context, f *besra.Finding, facts besra.Facts) []besra.Fact {
	list := f.Facts
	for _, name := range r.wanted(f.Target.Context) {
		if slices.ContainsFunc(f.Facts, func(have besra.Fact) bool { return have.Name == name }) {
			continue
		}
		if fact := facts.Fact(ctx, name); fact.Known() || r.AllFacts {
			list = append(list, fact)
		}
	}
	slices.SortFunc(list, func(a, b besra.Fact) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// wanted names the facts that findings of a context are to have in any case.
func (r *run) wanted(c besra.Context) []string {
	if !r.AllFacts {
		return c.Origin()
	}
	var names []string
	for _, def := range besra.Vocabulary() {
		if def.In(c) && !ofTheMatch(def.Name) {
			names = append(names, def.Name)
		}
	}
	return names
}

// ofTheMatch reports whether a fact is in the finding itself.
func ofTheMatch(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	return group == "rule" || group == "match"
}
