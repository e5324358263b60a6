package scan

import (
	"slices"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// patterns copies the rule's patterns that matched, with excerpts.
func (r *run) patterns(rule yara.Rule, data []byte) []besra.PatternHits {
	var hits []besra.PatternHits
	for p := range rule.Patterns() {
		if p.Private() {
			continue
		}
		hit := besra.PatternHits{ID: p.ID()}
		for m := range p.Matches() {
			hit.Count++
			if len(hit.Matches) < r.MaxMatches {
				hit.Matches = append(hit.Matches, r.match(m, data))
			}
		}
		if hit.Count > 0 {
			hits = append(hits, hit)
		}
	}
	return hits
}

func (r *run) match(m yara.Match, data []byte) besra.Match {
	size := int64(len(data))
	end := m.Offset + m.Length
	out := besra.Match{Offset: m.Offset, Length: m.Length,
		Before: slices.Clone(data[max(0, m.Offset-int64(r.Excerpt)):m.Offset]),
		Data:   slices.Clone(data[m.Offset:min(end, m.Offset+int64(r.MaxData))]),
		After:  slices.Clone(data[end:min(size, end+int64(r.Excerpt))])}
	if m.Xor {
		key := m.XorKey
		out.XorKey = &key
	}
	return out
}
