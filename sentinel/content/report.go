package content

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion/kql"
)

// Report says what an export holds, and what it could not say.
type Report struct {
	// Bare counts rule files without a detection: their findings raise alerts,
	// and that is all.
	Bare int
	// Drafts counts detections that are drafts: they have no hunt.
	Drafts int
	// Exclusions has a line for each exclusion and table.
	Exclusions []Translation
}

// Translation is what became of an exclusion on its way to a table.
type Translation struct {
	Detection, Exclusion, Table string
	// Effect is what the exclusion does there: suppress, downgrade or annotate;
	// empty where it does nothing, and Why says why.
	Effect string
	Why    string
}

// Left returns the exclusions that have no effect in a table.
func (r Report) Left() []Translation {
	var out []Translation
	for _, t := range r.Exclusions {
		if t.Effect == "" {
			out = append(out, t)
		}
	}
	return out
}

// Markdown writes the report for people: first what happens to findings, then
// what can be said of other tables.
func (r Report) Markdown() string {
	var b strings.Builder
	b.WriteString("# What was exported\n\nAn exclusion that a table cannot express is not applied there, and what it would have kept out stays visible.\n")
	table := ""
	for _, t := range r.byTable() {
		if t.Table != table {
			table = t.Table
			fmt.Fprintf(&b, "\n## %s\n\n| Detection | Exclusion | Effect | Why |\n|---|---|---|---|\n", table)
		}
		effect := t.Effect
		if effect == "" {
			effect = "**none**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", t.Detection, t.Exclusion, effect, cell(t.Why))
	}
	if r.Bare > 0 {
		fmt.Fprintf(&b, "\n%d rule files without a detection have no content of their own: their findings raise alerts as all others do.\n", r.Bare)
	}
	if r.Drafts > 0 {
		fmt.Fprintf(&b, "\n%d detections are drafts and have no hunt.\n", r.Drafts)
	}
	return b.String()
}

// byTable returns the exclusions with those of one table together, the findings
// first.
func (r Report) byTable() []Translation {
	out := slices.Clone(r.Exclusions)
	tables := kql.Tables()
	place := func(t Translation) int {
		return slices.IndexFunc(tables, func(other kql.Table) bool { return other.Name == t.Table })
	}
	slices.SortStableFunc(out, func(x, y Translation) int { return place(x) - place(y) })
	return out
}

func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", `\|`) }
