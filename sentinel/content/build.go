package content

import (
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
)

// Options choose what is built.
type Options struct {
	// Retention is how many days the table keeps findings; 0 leaves it as the
	// workspace has it.
	Retention int
	// Without are kinds to leave out.
	Without []*Kind
	// Detections are ids to build hunting queries, hunts, watchlists and
	// functions of; all where empty.
	Detections []string
	// AuditSuppressed enables the rule that raises an incident of what was
	// suppressed, which automation rules close as benign.
	AuditSuppressed bool
}

type builder struct {
	Options
	Bundle
}

// Build makes the content of packs. Faults are parts of the packs that cannot
// be used; the rest is built all the same.
func Build(o Options, packs ...*detection.Pack) (*Bundle, []detection.Fault) {
	b := &builder{Options: o}
	ds, faults := b.detections(packs)
	b.infrastructure()
	b.watchlists(ds)
	b.functions(ds)
	b.alertParsers()
	b.alertRules()
	b.huntingQueries(ds)
	b.hunts(ds)
	b.automationRules(ds)
	b.workbook()
	return &b.Bundle, faults
}

func (b *builder) add(r *Resource) {
	if !slices.Contains(b.Without, r.Kind) {
		b.Resources = append(b.Resources, r)
	}
}

// detections returns the chosen detections of packs, compiled, by id. Bare rule
// files have neither exclusions nor a hypothesis: their findings raise alerts
// as all others do, and they need no content of their own.
func (b *builder) detections(packs []*detection.Pack) ([]*detection.Entry, []detection.Fault) {
	var faults []detection.Fault
	var out []*detection.Entry
	for _, p := range packs {
		for _, d := range p.Detections {
			switch {
			case d.Plain():
				b.Report.Bare++
			case len(b.Detections) == 0 || slices.Contains(b.Detections, d.ID):
				e := &detection.Entry{Detection: d, Pack: p.Name}
				e.Exclusions = d.CompileExclusions(func(problems []*exclusion.Problem) {
					faults = append(faults, detection.Fault{Pack: p.Name, Path: d.Path, Exclusion: problems})
				})
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(x, y *detection.Entry) int { return strings.Compare(x.Detection.ID, y.Detection.ID) })
	return out, faults
}
