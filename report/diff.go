package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// Brief is what two runs are compared by.
type Brief struct {
	ID        string         `json:"id"`
	Detection string         `json:"detection"`
	Rule      string         `json:"rule"`
	Host      string         `json:"host"`
	Context   besra.Context  `json:"context"`
	Target    besra.Text     `json:"target"`
	SHA256    string         `json:"sha256,omitempty"`
	Verdict   besra.Verdict  `json:"verdict"`
	Severity  besra.Severity `json:"severity"`
	Exclusion string         `json:"exclusion,omitempty"` // that suppressed or downgraded it
}

func briefOf(f *besra.Finding) Brief {
	b := Brief{ID: f.ID, Detection: f.Detection.ID, Rule: f.Rule.Name, Host: f.Host, Context: f.Target.Context, Target: f.Target.Name,
		SHA256: f.Target.SHA256, Verdict: f.Verdict, Severity: f.Severity}
	if f.Suppression != nil {
		b.Exclusion = f.Suppression.Exclusion
	}
	return b
}

// place names the rule and the target, whatever its content is.
func (b Brief) place() string {
	return fmt.Sprintf("%q %q %q %q %q", b.Detection, b.Rule, b.Host, b.Context, b.Target)
}

// outcome is what became of a finding.
func (b Brief) outcome() string { return fmt.Sprintf("%s %s %s", b.Verdict, b.Severity, b.Exclusion) }

// Change is a finding of both runs that is not the same in both.
type Change struct {
	Was Brief `json:"was"`
	Is  Brief `json:"is"`
}

// Content reports whether the target's bytes have changed.
func (c Change) Content() bool { return c.Was.SHA256 != c.Is.SHA256 }

// Delta is how one record differs from an earlier one.
type Delta struct {
	New     []Brief  `json:"new"`
	Gone    []Brief  `json:"gone"`
	Changed []Change `json:"changed"`
	Same    int      `json:"same"`
	// Incomplete says that the later record does not cover everything, so that
	// what is gone may only not have been looked at.
	Incomplete bool `json:"incomplete"`
	// Warnings are what [Render] warns of, of both records.
	Warnings []error `json:"-"`
}

// briefs is a sink that keeps the findings of a record.
type briefs map[string]Brief // by place

// Write implements [besra.Sink].
func (b briefs) Write(_ context.Context, r besra.Record) error {
	if r.Finding != nil {
		brief := briefOf(r.Finding)
		b[brief.place()] = brief
	}
	return nil
}

// Close implements [besra.Sink].
func (briefs) Close() error { return nil }

// Diff compares two records by the places of their findings: detection, rule,
// host and target. A finding that is in either more than once counts as it was
// last.
func Diff(ctx context.Context, before, after io.Reader) (Delta, error) {
	d := Delta{New: []Brief{}, Gone: []Brief{}, Changed: []Change{}}
	was, is := briefs{}, briefs{}
	first, err := Render(ctx, before, was)
	if err != nil {
		return d, fmt.Errorf("the first record: %w", err)
	}
	second, err := Render(ctx, after, is)
	if err != nil {
		return d, fmt.Errorf("the second record: %w", err)
	}
	d.Warnings = slices.Concat(first.Warnings, second.Warnings)
	d.Incomplete = second.Unfinished > 0 || !second.Summary.Complete
	for _, place := range slices.Sorted(maps.Keys(is)) {
		b := is[place]
		old, ok := was[place]
		switch {
		case !ok:
			d.New = append(d.New, b)
		case old.outcome() != b.outcome() || old.SHA256 != b.SHA256:
			d.Changed = append(d.Changed, Change{old, b})
		default:
			d.Same++
		}
	}
	for _, place := range slices.Sorted(maps.Keys(was)) {
		if _, ok := is[place]; !ok {
			d.Gone = append(d.Gone, was[place])
		}
	}
	slices.SortStableFunc(d.New, func(a, b Brief) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
	return d, nil
}

// Text renders the difference for a person.
func (d Delta) Text() string {
	var b strings.Builder
	list := func(mark string, briefs []Brief) {
		for _, f := range briefs {
			fmt.Fprintf(&b, "%s %s\n", mark, f.line())
		}
	}
	list("+", d.New)
	for _, c := range d.Changed {
		why := fmt.Sprintf("was %s", strings.TrimSpace(besra.Text(c.Was.outcome()).Printable()))
		if c.Content() {
			why += ", its content has changed"
		}
		fmt.Fprintf(&b, "~ %s (%s)\n", c.Is.line(), why)
	}
	list("-", d.Gone)
	fmt.Fprintf(&b, "%d new, %d changed, %d gone, %d the same\n", len(d.New), len(d.Changed), len(d.Gone), d.Same)
	if d.Incomplete {
		b.WriteString("the second record is incomplete: what is gone may only not have been looked at\n")
	}
	return b.String()
}

func (b Brief) line() string {
	by := ""
	if b.Exclusion != "" {
		by = " by " + b.Exclusion
	}
	return besra.Text(fmt.Sprintf("%s %s  %s  %s  %s%s", b.Verdict, b.Severity, b.Host, b.Target, b.Rule, by)).Printable()
}
