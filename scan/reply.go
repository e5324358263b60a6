package scan

import (
	"context"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// reply is what the engine says of a content: which rules match, and where.
// Nothing in it depends on a target's facts, and no exclusion is decided: both
// are asked anew for every target that has this content.
type reply struct {
	Rules []matched
}

// matched is a rule that matches. Of its patterns those are there that occur and
// are not private.
type matched struct {
	Namespace, Name string
	Patterns        []located
	rule            yara.Rule
}

// located is where a pattern occurs: Count times, the first of them in Matches.
type located struct {
	ID      string
	Count   int
	Matches []yara.Match
}

// replyOf copies what results say, with at most max matches of a pattern.
func replyOf(results *yara.Results, max int) *reply {
	a := &reply{}
	for rule := range results.Matching() {
		m := matched{Namespace: rule.Namespace(), Name: rule.Name(), rule: rule}
		for p := range rule.Patterns() {
			at := located{ID: p.ID()}
			for match := range p.Matches() {
				if at.Count++; at.Count <= max {
					at.Matches = append(at.Matches, match)
				}
			}
			if at.Count > 0 && !p.Private() {
				m.Patterns = append(m.Patterns, at)
			}
		}
		a.Rules = append(a.Rules, m)
	}
	return a
}

func (w *worker) askEngine(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	w.asked, w.facts = ctx, t.Facts
	start := time.Now()
	defer func() { w.purse.earn(len(data), time.Since(start)) }()
	// Results hold what was found to match even where a module failed.
	results, err := w.scanner.Scan(ctx, data)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	return replyOf(results, w.MaxMatches), err
}
