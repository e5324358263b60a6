package table

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/besra-hunt/besra"
)

const (
	maxGroups   = 10000 // groups told apart in a tally; a record in good faith has fewer
	maxListed   = 20    // groups shown of a tally
	maxExamples = 3     // gaps shown of each reason
)

// tally counts things by a key and keeps a few examples of each. Its memory is
// bounded whatever is counted.
type tally struct {
	groups map[string]*group
	total  int64
}

type group struct {
	key      string
	count    int64
	examples []example
}

// example is one of the things that a group counts.
type example struct{ name, detail string }

// otherKey is the group of everything that comes once a tally is full.
const otherKey = "others"

func newTally() tally { return tally{groups: make(map[string]*group)} }

func (t *tally) add(key string, n int64, e example) {
	t.total += n
	g := t.groups[key]
	if g == nil && len(t.groups) >= maxGroups {
		key = otherKey
		g = t.groups[key]
	}
	if g == nil {
		g = &group{key: key}
		t.groups[key] = g
	}
	g.count += n
	if len(g.examples) < maxExamples {
		g.examples = append(g.examples, e)
	}
}

// largest returns the groups that are shown, the largest first, and the number
// of those that are not.
func (t *tally) largest() (shown []*group, more int) {
	gs := slices.SortedFunc(maps.Values(t.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	n := min(len(gs), maxListed)
	return gs[:n], len(gs) - n
}

// exclusionName names the exclusion that suppressed a finding, as distinct as
// the summary counts it.
func exclusionName(f *besra.Finding) string {
	if f.Suppression == nil {
		return name(f.Detection.ID)
	}
	return name(f.Detection.ID) + "/" + scenario(f.Suppression.Exclusion, f.Suppression.Scenario)
}

// suppressed tells of the findings that were not shown.
func (p *page) suppressed(t *tally) {
	if t.total == 0 {
		return
	}
	gs, more := t.largest()
	p.line(span{p.faint, fmt.Sprintf("%d suppressed by %s (--show-suppressed shows them)", t.total, plural(int64(len(t.groups)), "exclusion", "exclusions"))})
	width := len(fmt.Sprint(gs[0].count))
	for _, g := range gs {
		p.line(span{p.faint, fmt.Sprintf("  %*d  %s", width, g.count, g.key)})
	}
	p.more(more, "exclusion", "exclusions")
}

// tail counts what is told after the findings of a run.
type tail struct {
	suppressed tally // by exclusion
	errors     tally // by reason, errors and unusable content
	skipped    tally // by reason
}

func newTail() tail { return tail{newTally(), newTally(), newTally()} }

func (t *tail) gap(gap *besra.Gap) {
	reason := name(gap.Reason)
	if reason == "" {
		reason = name(gap.Kind)
	}
	if gap.Kind == besra.GapSkip {
		t.skipped.add(reason, max(gap.Count, 1), example{})
		return
	}
	t.errors.add(reason, max(gap.Count, 1), gapExample(gap))
}

// gapExample says what a gap is about, with its detail where that says more
// than the reason does, and without its target where the detail names it.
func gapExample(g *besra.Gap) example {
	e := example{name(g.Target), prose(g.Detail)}
	switch {
	case g.Kind == besra.GapError && g.Reason != "" && strings.Contains(g.Detail, g.Reason):
		e.detail = ""
	case e.detail != "" && strings.Contains(e.detail, e.name):
		e.name = ""
	}
	return e
}

// errors tells what was not looked at, or not used.
func (p *page) errors(t *tally) {
	if t.total == 0 {
		return
	}
	p.line(p.badge(p.gapBadge, "gaps"), span{text: "  "}, span{p.bold, plural(t.total, "error", "errors")})
	groups, more := t.largest()
	digits := len(fmt.Sprint(groups[0].count))
	for _, group := range groups {
		p.labels = min(max(p.labels, digits+lipgloss.Width(group.key)+3), maxLabels)
	}
	for _, group := range groups {
		p.gap(group, digits)
	}
	p.more(more, "reason", "reasons")
}

// more says how many things of a list were not shown.
func (p *page) more(n int, one, many string) {
	if n > 0 {
		p.line(span{p.faint, "  and " + plural(int64(n), "more "+one, "more "+many)})
	}
}

// maxLabels bounds the column of reasons.
const maxLabels = 30

// gap writes one reason: its count, examples, and how many are not shown.
func (p *page) gap(g *group, digits int) {
	label := fmt.Sprintf("%*d %s", digits, g.count, g.key)
	for _, e := range g.examples {
		if e.name != "" || e.detail == "" {
			p.field(label, span{text: e.name})
			label = ""
		}
		p.wrapped(label, span{p.faint, e.detail})
		label = ""
	}
	if more := g.count - int64(len(g.examples)); more > 0 {
		p.field(label, span{p.faint, fmt.Sprintf("and %d more", more)})
	}
}

// skipped tells what was not looked at on purpose.
func (p *page) skipped(t *tally) {
	if t.total == 0 {
		return
	}
	var reasons []string
	gs, more := t.largest()
	for _, g := range gs {
		reasons = append(reasons, fmt.Sprintf("%s %d", g.key, g.count))
	}
	if more > 0 {
		reasons = append(reasons, plural(int64(more), "more reason", "more reasons"))
	}
	content := []span{{p.faint, fmt.Sprintf("%d skipped on purpose: %s", t.total, strings.Join(reasons, ", "))}}
	indent := ""
	for _, line := range wrap(content, p.width-margin) {
		p.line(append([]span{{text: indent}}, line...)...)
		indent = strings.Repeat(" ", margin)
	}
}
