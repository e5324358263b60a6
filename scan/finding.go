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

// allFacts returns the facts of a finding with all others that its target's
// context can give, sorted by name. What the exclusions asked for stands as it
// was answered.
func allFacts(ctx context.Context, f *besra.Finding, facts besra.Facts) []besra.Fact {
	all := slices.Clone(f.Facts)
	for _, def := range besra.Vocabulary() {
		asked := slices.ContainsFunc(f.Facts, func(have besra.Fact) bool { return have.Name == def.Name })
		if def.In(f.Target.Context) && !asked && !ofTheMatch(def.Name) {
			all = append(all, facts.Fact(ctx, def.Name))
		}
	}
	slices.SortFunc(all, func(a, b besra.Fact) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ofTheMatch reports whether a fact is in the finding itself.
func ofTheMatch(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	return group == "rule" || group == "match"
}
