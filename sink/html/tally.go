package html

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/report"
)

// tally counts what the summary and the charts show. It does not grow with the
// number of findings beyond the names that are charted.
type tally struct {
	findings   int
	verdicts   map[string]int
	severities map[string]int // of what is not suppressed
	detections map[string]int
	hosts      map[string]int
	exclusions map[string]int
	skips      map[string]int64
	gaps       []gapView
	moreGaps   int64
	runs       []runView
	finished   int
	sum        besra.Summary
	complete   bool
}

type gapView struct {
	Kind, Reason, Target, Detail string
	Count                        int64
}

type runView struct{ ID, Host, OS, Started, Targets, Packs, Version string }

const (
	maxGaps  = 500
	maxNames = 10_000 // distinct names that are counted, a chart
	maxBars  = 10
	maxRuns  = 200
)

func newTally() *tally {
	return &tally{verdicts: map[string]int{}, severities: map[string]int{}, detections: map[string]int{}, hosts: map[string]int{},
		exclusions: map[string]int{}, skips: map[string]int64{}, complete: true}
}

func count(m map[string]int, key string) {
	if _, ok := m[key]; !ok && len(m) >= maxNames {
		key = "others"
	}
	m[key]++
}

func (t *tally) run(r *besra.Run) {
	var packs, targets []string
	for _, p := range r.Packs {
		packs = append(packs, strings.TrimSpace(shown(p.Name)+" "+shown(p.Version)))
	}
	for _, name := range r.Targets {
		targets = append(targets, name.Printable())
	}
	if len(t.runs) < maxRuns {
		t.runs = append(t.runs, runView{shown(r.ID), shown(r.Host), shown(r.OS), r.Started.UTC().Format(time.DateTime),
			strings.Join(targets, ", "), strings.Join(packs, ", "), shown(r.Version)})
	}
}

func (t *tally) finding(f *besra.Finding) {
	t.findings++
	count(t.verdicts, word(f.Verdict))
	if f.Suppression != nil {
		count(t.exclusions, shown(f.Detection.ID)+"/"+shown(f.Suppression.Exclusion))
	}
	if f.Verdict != besra.VerdictSuppressed {
		count(t.severities, word(f.Severity))
		count(t.detections, shown(cmp.Or(f.Detection.Title, f.Rule.Name)))
		count(t.hosts, shown(f.Host))
	}
}

func (t *tally) gap(g *besra.Gap) {
	if g.Kind == besra.GapSkip {
		t.skips[shown(g.Reason)] += max(g.Count, 1)
		return
	}
	if len(t.gaps) >= maxGaps {
		t.moreGaps += max(g.Count, 1)
		return
	}
	t.gaps = append(t.gaps, gapView{shown(g.Kind), shown(g.Reason), g.Target.Printable(), shown(g.Detail), max(g.Count, 1)})
}

func (t *tally) summary(s *besra.Summary) {
	t.finished++
	t.complete = t.complete && s.Complete
	t.sum.Targets += s.Targets
	t.sum.Bytes += s.Bytes
	t.sum.Errors += s.Errors
	t.sum.Duration += s.Duration
	t.sum.Matches += s.Matches
	t.sum.Suppressed += s.Suppressed
	t.sum.Undecided += s.Undecided
	t.sum.Exclusions += s.Exclusions
}

// view is what the end of the page is made of.
type view struct {
	Findings                                 int
	Shown, Suppressed, Undecided, Downgraded int
	Targets, Errors                          int64
	Bytes, Closing, Incomplete, Title        string
	Runs                                     []runView
	Gaps                                     []gapView
	MoreGaps                                 int64
	Skips                                    []bar
	Charts                                   []chart
	Script                                   template.JS
}

type chart struct {
	Title string
	Bars  []bar
	More  int
}

// bar is one line of a chart; Percent is of the longest.
type bar struct {
	Name    string
	Count   int64
	Percent int
}

func (t *tally) view() view {
	v := view{Findings: t.findings, Suppressed: t.verdicts["suppressed"], Undecided: t.verdicts["undecided"], Downgraded: t.verdicts["downgraded"],
		Targets: t.sum.Targets, Errors: t.sum.Errors, Bytes: humanSize(t.sum.Bytes), Closing: report.ClosingLine(t.sum),
		Runs: t.runs, Gaps: t.gaps, MoreGaps: t.moreGaps, Title: "Besra hunt", Script: template.JS(script)}
	v.Shown = v.Findings - v.Suppressed
	if len(t.runs) > 0 && t.runs[0].Host != "" {
		v.Title += " of " + t.runs[0].Host
	}
	switch {
	case t.finished < max(len(t.runs), 1):
		v.Incomplete = "incomplete: a run has no summary: it was stopped, and what it did not look at is not known"
	case !t.complete:
		v.Incomplete = report.Notice(besra.Summary{Errors: t.sum.Errors})
	}
	v.Skips = bars(t.skips, maxBars).Bars
	for _, c := range []struct {
		title  string
		counts map[string]int
	}{{"Verdicts", t.verdicts}, {"Severity of what is not suppressed", t.severities}, {"Detections", t.detections}, {"Hosts", t.hosts}, {"Suppressed or downgraded by", t.exclusions}} {
		wide := map[string]int64{}
		for k, n := range c.counts {
			wide[k] = int64(n)
		}
		ch := bars(wide, maxBars)
		ch.Title = c.title
		if len(ch.Bars) > 0 {
			v.Charts = append(v.Charts, ch)
		}
	}
	return v
}

// bars returns the longest bars of a chart.
func bars(counts map[string]int64, n int) chart {
	var c chart
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		c.Bars = append(c.Bars, bar{Name: cmp.Or(k, "–"), Count: counts[k]})
	}
	slices.SortStableFunc(c.Bars, func(a, b bar) int { return cmp.Compare(b.Count, a.Count) })
	c.More = max(len(c.Bars)-n, 0)
	c.Bars = c.Bars[:len(c.Bars)-c.More]
	for i := range c.Bars {
		c.Bars[i].Percent = int(100 * c.Bars[i].Count / max(c.Bars[0].Count, 1))
	}
	return c
}
