package content

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// functions puts the exclusions into the workspace: for each detection with
// some, a function of its findings that says what its exclusions make of them,
// and one for each other table that they can be said of; and the function that
// yields all findings.
func (b *builder) functions(ds []*detection.Entry) {
	var marked []*detection.Entry
	for _, e := range ds {
		if b.findingsFunction(e) {
			marked = append(marked, e)
		}
		for _, t := range kql.Tables() {
			if t.Name != kql.FindingsTable {
				b.tableFunction(e, t)
			}
		}
	}
	query := comment("Every finding of Besra, each time it was seen, with what the exclusions make of it.") + findingsBase
	if len(marked) > 0 {
		var ids, calls []string
		for _, e := range marked {
			ids, calls = append(ids, literal(e.Detection.ID)), append(calls, findingsAlias(e.Detection))
		}
		query += "\n| where DetectionId !in (" + strings.Join(ids, ", ") + ")\n| union " + strings.Join(calls, ", ")
	}
	b.add(function(FindingsFunction, "Besra: findings", "", query))
}

// findingsBase is the table with the columns that exclusions fill. A scheduled
// rule sees a row once it is ingested and five minutes old.
const findingsBase = kql.FindingsTable + `
| extend VisibleAt = max_of(coalesce(ingestion_time(), TimeGenerated), TimeGenerated + 5m),
    EffectiveVerdict = Verdict, EffectiveSeverity = Severity, EffectiveExclusion = iff(isempty(ExclusionId), "", strcat(DetectionId, "/", ExclusionId))`

func findingsAlias(d *detection.Detection) string { return FindingsFunction + "_" + alias(d.ID) }

func function(name, title, of, query string) *Resource {
	return &Resource{Kind: Function, Name: name, Title: title, Detection: of, Properties: Object{
		"category": "Besra", "displayName": title, "functionAlias": name, "functionParameters": "", "query": query, "version": 2}}
}

// findingsFunction makes the function of a detection's findings. It reports
// whether an exclusion has an effect there.
func (b *builder) findingsFunction(e *detection.Entry) bool {
	d := e.Detection
	var steps strings.Builder
	var columns []string
	for _, x := range e.Exclusions {
		q, ok := b.translate(e, x, kql.Findings())
		if !ok || q.Effect == besra.EffectAnnotate {
			continue
		}
		steps.WriteString(comment(x.ID() + ", owner " + x.Spec().Owner + ": " + x.Spec().Reason))
		for _, s := range q.Steps {
			if !slices.Contains(columns, s.Name) {
				columns = append(columns, s.Name)
				steps.WriteString("| extend " + s.Name + " = " + s.Value + "\n")
			}
		}
		steps.WriteString(marks(d.ID+"/"+x.ID(), x.Spec().Reason, q))
	}
	if steps.Len() == 0 {
		return false
	}
	query := comment("Findings of "+d.Title+", with what its exclusions make of them.", attribution(d)) + findingsBase +
		"\n| where DetectionId == " + literal(d.ID) + "\n" + steps.String() + "| project-away " + strings.Join(append(columns, "Holds"), ", ")
	b.add(function(findingsAlias(d), "Besra: findings of "+d.Title, d.ID, query))
	return true
}

// marks lets one exclusion act on the rows. As at the sensor, the first
// suppression that holds is final, and a downgrade only lowers.
func marks(id, reason string, q kql.Query) string {
	suppressed := mark(id, reason, "suppressed", "AuthorSeverity", q.When)
	switch {
	case q.Effect == besra.EffectDowngrade:
		return lowers(id, reason, q.When, q.To)
	case q.Lowered != "":
		return suppressed + lowers(id, reason, q.Lowered, q.To)
	}
	return suppressed
}

func lowers(id, reason, when string, to besra.Severity) string {
	above := fmt.Sprintf("array_index_of(dynamic([\"Informational\", \"Low\", \"Medium\", \"High\"]), EffectiveSeverity) > %d and ", to.Rank())
	return mark(id, reason, "downgraded", literal(kql.Severity(to)), above+"("+when+")")
}

func mark(id, reason, verdict, severity, when string) string {
	return "| extend Holds = EffectiveVerdict != \"suppressed\" and coalesce(\n    " + strings.ReplaceAll(when, "\n", "\n    ") + ",\n    false)\n" +
		"| extend EffectiveVerdict = iff(Holds, " + literal(verdict) + ", EffectiveVerdict), EffectiveSeverity = iff(Holds, " + severity + ", EffectiveSeverity),\n" +
		"    EffectiveExclusion = iff(Holds, " + literal(id) + ", EffectiveExclusion), ExclusionReason = iff(Holds, " + literal(oneLine(reason)) + ", ExclusionReason)\n"
}

// tableFunction makes the function of the rows of another table that none of
// the detection's suppressions explains, where one can be said there.
func (b *builder) tableFunction(e *detection.Entry, t kql.Table) {
	var queries []kql.Query
	var why []string
	for _, x := range e.Exclusions {
		if q, ok := b.translate(e, x, t); ok && q.Effect == besra.EffectSuppress {
			queries = append(queries, q)
			why = append(why, x.ID()+", owner "+x.Spec().Owner+": "+x.Spec().Reason)
		}
	}
	if len(queries) == 0 {
		return
	}
	why = append([]string{"Rows of " + t.Name + " that no exclusion of " + e.Detection.ID + " explains."}, why...)
	name := "Besra_" + alias(t.Name) + "_" + alias(e.Detection.ID)
	b.add(function(name, "Besra: "+t.Name+" without what is benign for "+e.Detection.Title, e.Detection.ID,
		comment(why...)+t.Name+"\n"+kql.Pipe(queries...)))
}

// translate compiles an exclusion for a table, and notes what came of it. A row
// is judged at its own time, as at the sensor: a finding that an exclusion kept
// out while it held does not come back when it lapses, the next one does.
func (b *builder) translate(e *detection.Entry, x *exclusion.Exclusion, t kql.Table) (kql.Query, bool) {
	q, problems := kql.Compile(x, t, kql.Options{Detection: e.Detection.ID, Watchlists: b.looked(e.Detection), At: "TimeGenerated"})
	note := Translation{Detection: e.Detection.ID, Exclusion: x.ID(), Table: t.Name, Effect: string(q.Effect)}
	if q.Effect == besra.EffectDowngrade && x.Spec().Effect != besra.EffectDowngrade {
		note.Why = "an intruder can arrange what it rests on"
	}
	if len(problems) > 0 {
		note.Effect, note.Why = "", words(t.Name, problems)
	}
	b.Report.Exclusions = append(b.Report.Exclusions, note)
	return q, len(problems) == 0
}

// words says why an exclusion cannot be said, each reason once.
func words(table string, problems []*exclusion.Problem) string {
	var out []string
	for _, p := range problems {
		text := strings.TrimPrefix(p.Message, "not portable to KQL over "+table+": ")
		if p.Line > 0 {
			text = fmt.Sprintf("%s:%d:%d: %s", p.Field, p.Line, p.Column, text)
		}
		if p.Code == kql.CodeNeverHolds && p.Hint != "" {
			text += "; " + p.Hint
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, "; ")
}
