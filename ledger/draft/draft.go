// Package draft proposes exclusions from what was found out about findings: for
// each detection and context, the narrowest expression of two facts or more that
// holds of every finding marked benign and of no confirmed true positive.
//
// Whether a part of an expression holds is not guessed: each is compiled and
// asked as an exclusion is, and so is the whole, by [ledger.Backtest]. What comes
// out is a draft: somebody has to own it, give a reason, and let it expire.
package draft

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/ledger"
)

// Draft is a proposal for one detection in one context.
type Draft struct {
	Detection string        `json:"detection"`
	Context   besra.Context `json:"context"`
	Benign    int           `json:"benign"` // findings it is made for
	True      int           `json:"true"`   // confirmed ones that it must not hide
	// Spec is the exclusion; its When is empty where there is none, and Why says
	// why not.
	Spec exclusion.Spec `json:"spec"`
	Why  string         `json:"why,omitempty"`
	// Others counts findings that nobody has said anything about and that it
	// would hide, too.
	Others int `json:"others"`
	// Downgrades says that its facts can be forged, so that it would only lower
	// the severity.
	Downgrades bool `json:"downgrades"`
	// Trial is what the whole ledger says to it.
	Trial *ledger.Trial `json:"trial,omitempty"`
}

// Propose drafts an exclusion for every detection and context that has visible
// findings marked benign, in the order of the ledger. Compile compiles an
// exclusion as the detection would have it.
func Propose(ctx context.Context, h *ledger.History, compile func(detection string, s exclusion.Spec) (*exclusion.Exclusion, error)) []Draft {
	var out []Draft
	for _, g := range groups(h) {
		if len(g.benign) == 0 {
			continue
		}
		d := Draft{Detection: g.detection, Context: g.context, Benign: len(g.benign), True: len(g.confirmed)}
		d.find(ctx, h, g, func(s exclusion.Spec) (*exclusion.Exclusion, error) { return compile(g.detection, s) })
		out = append(out, d)
	}
	return out
}

// group is the findings of a detection in a context.
type group struct {
	detection                 string
	context                   besra.Context
	benign, confirmed, others []*ledger.Item
}

func groups(h *ledger.History) []*group {
	var out []*group
	for _, i := range h.Findings {
		f := &i.Finding
		at := slices.IndexFunc(out, func(g *group) bool { return g.detection == f.Detection.ID && g.context == f.Target.Context })
		if at < 0 {
			at = len(out)
			out = append(out, &group{detection: f.Detection.ID, context: f.Target.Context})
		}
		g := out[at]
		switch {
		case i.Confirmed():
			g.confirmed = append(g.confirmed, i)
		case i.Mark == nil:
			g.others = append(g.others, i)
		case f.Verdict != besra.VerdictSuppressed:
			g.benign = append(g.benign, i)
		}
	}
	return out
}

// find fills the draft.
func (d *Draft) find(ctx context.Context, h *ledger.History, g *group, compile func(exclusion.Spec) (*exclusion.Exclusion, error)) {
	terms := d.terms(ctx, g, compile)
	best := narrowest(terms, len(g.confirmed))
	if best == nil {
		d.Why = fmt.Sprintf("no two of the %d facts that the benign findings share tell them from the true ones", len(terms))
		return
	}
	d.Spec = d.spec(g, best)
	x, err := compile(d.Spec)
	if err != nil {
		d.Spec, d.Why = exclusion.Spec{}, "it does not compile: "+err.Error()
		return
	}
	t := ledger.Backtest(ctx, h, d.Detection, x)
	if held := len(t.Refused()); held > 0 || !covers(t, g.benign) {
		d.Spec, d.Why = exclusion.Spec{}, fmt.Sprintf("the backtest does not bear it out: %d true positives would be hidden", held)
		return
	}
	d.Trial, d.Downgrades, d.Others = &t, len(t.Suppressed) == 0, best.others()
}

// covers reports whether a trial holds of every item.
func covers(t ledger.Trial, items []*ledger.Item) bool {
	held := map[string]bool{}
	for _, hit := range slices.Concat(t.Suppressed, t.Downgraded) {
		held[hit.Finding] = true
	}
	return !slices.ContainsFunc(items, func(i *ledger.Item) bool { return !held[i.Finding.ID] })
}

// set is a set of findings by their place in a list.
type set []uint64

func (s set) and(o set) set {
	out := make(set, len(s))
	for i := range s {
		out[i] = s[i] & o[i]
	}
	return out
}

func (s set) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// combination is some terms joined by "and".
type combination struct {
	terms       []*term
	hides, also set // of the confirmed and the other findings, those it holds of
}

func (c *combination) others() int { return c.also.len() }

// rank orders combinations: evidence that cannot be forged goes before all, then
// what hides least, then what each part by itself tells apart, then what is
// short, telling and well founded.
func (c *combination) rank() []int {
	forgeable, idle, length, telling, grade := 1, 0, 0, 0, 0
	for _, t := range c.terms {
		idle += t.hides.len() + t.also.len()
		length += t.length
		telling += t.telling()
		grade -= int(t.grade)
		if t.grade > besra.GradeWeak {
			forgeable = 0
		}
	}
	return []int{forgeable, c.others(), idle, length, telling, grade}
}

// most is the number of terms that a draft has at most.
const most = 3

// narrowest returns the best combination of two terms or more that hides nothing
// confirmed; nil where there is none.
func narrowest(terms []*term, confirmed int) *combination {
	var best *combination
	var grow func(c *combination, from int)
	grow = func(c *combination, from int) {
		if len(c.terms) >= 2 && (confirmed == 0 || c.hides.len() == 0) && (best == nil || slices.Compare(c.rank(), best.rank()) < 0) {
			best = c
		}
		if len(c.terms) == most {
			return
		}
		for n := from; n < len(terms); n++ {
			t := terms[n]
			if slices.ContainsFunc(c.terms, func(o *term) bool { return o.about == t.about }) {
				continue
			}
			next := &combination{append(slices.Clone(c.terms), t), t.hides, t.also}
			if len(c.terms) > 0 {
				next.hides, next.also = c.hides.and(t.hides), c.also.and(t.also)
			}
			grow(next, n+1)
		}
	}
	grow(&combination{}, 0)
	return best
}

// spec writes a combination down as an exclusion, with a test of each side.
func (d *Draft) spec(g *group, c *combination) exclusion.Spec {
	var parts, facts []string
	for _, t := range c.terms {
		parts, facts = append(parts, t.when), append(facts, t.fact)
	}
	s := exclusion.Spec{ID: "draft-" + strings.ToLower(string(d.Context)) + "-benign", Scenario: "closed-as-benign",
		Text: fmt.Sprintf("%d findings were found to be benign.", len(g.benign)),
		When: strings.Join(parts, " && "), Effect: besra.EffectSuppress, Contexts: []besra.Context{d.Context}}
	s.Tests.Benign = []exclusion.Fixture{fixture("what was found to be benign", g.benign[0], facts)}
	if len(g.confirmed) > 0 {
		s.Tests.Malicious = []exclusion.Fixture{fixture("what was found to be a true positive", g.confirmed[0], facts)}
	}
	return s
}

// fixture takes the facts of a finding.
func fixture(name string, i *ledger.Item, facts []string) exclusion.Fixture {
	f := exclusion.Fixture{Name: name, Facts: map[string]any{}}
	for _, fact := range facts {
		v := besra.Recorded(&i.Finding).Fact(context.Background(), fact)
		f.Facts[fact] = nil
		if v.Known() {
			f.Facts[fact] = plain(v.Value)
		}
	}
	return f
}

// plain returns a value as YAML has it.
func plain(v any) any {
	if t, ok := v.(besra.Text); ok {
		return string(t)
	}
	return v
}
