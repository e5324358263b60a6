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
		for _, t := range otherTables() {
			b.tableFunction(e, t)
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
	for _, x := range e.Exclusions {
		effect, condition := b.translate(e, x, kql.Findings())
		if effect != "" && effect != besra.EffectAnnotate {
			steps.WriteString(step(d, x, effect, condition))
		}
	}
	if steps.Len() == 0 {
		return false
	}
	query := comment("Findings of "+d.Title+", with what its exclusions make of them.", attribution(d)) + findingsBase +
		"\n| where DetectionId == " + literal(d.ID) + "\n| extend KnownBad = " + knownBad(d) + "\n" + steps.String() + "| project-away KnownBad, Holds"
	b.add(function(findingsAlias(d), "Besra: findings of "+d.Title, d.ID, query))
	return true
}

// step lets one exclusion act on the rows. As at the sensor, the first
// suppression that holds is final, and a downgrade only lowers.
func step(d *detection.Detection, x *exclusion.Exclusion, effect besra.Effect, condition string) string {
	s := x.Spec()
	conditions := []string{`EffectiveVerdict != "suppressed"`, "not(KnownBad)", contextCondition(s)}
	if end, err := s.ExpiresAfter(); err == nil && !end.IsZero() {
		conditions = append(conditions, "TimeGenerated < datetime("+end.Format("2006-01-02")+")")
	}
	to, rank := "EffectiveSeverity", ""
	if effect == besra.EffectDowngrade {
		severity := severityOf(s)
		to = literal(strings.ToUpper(string(severity[:1])) + string(severity[1:]))
		rank = fmt.Sprintf(" and array_index_of(dynamic([\"Informational\", \"Low\", \"Medium\", \"High\"]), EffectiveSeverity) > %d", severity.Rank())
	}
	verdict := map[besra.Effect]string{besra.EffectSuppress: "suppressed", besra.EffectDowngrade: "downgraded"}[effect]
	return comment(s.ID+", owner "+s.Owner+": "+s.Reason) +
		"| extend Holds = " + strings.Join(conditions, " and ") + rank + "\n    and " + condition + "\n" +
		"| extend EffectiveExclusion = iff(Holds, " + literal(d.ID+"/"+s.ID) + ", EffectiveExclusion), EffectiveVerdict = iff(Holds, " + literal(verdict) +
		", EffectiveVerdict), EffectiveSeverity = iff(Holds, " + to + ", EffectiveSeverity)\n"
}

// severityOf is the severity that an exclusion lowers to.
func severityOf(s exclusion.Spec) besra.Severity {
	if s.To == "" {
		return besra.SeverityLow
	}
	return s.To
}

func contextCondition(s exclusion.Spec) string {
	var names []string
	for _, c := range s.Contexts {
		names = append(names, literal(string(c)))
	}
	return "Context in (" + strings.Join(names, ", ") + ")"
}

// knownBad is true of rows that no exclusion may touch: those with a hash that
// the detection names as malware, and those without the hash that would tell,
// but in the memory of a process, which has none.
func knownBad(d *detection.Detection) string {
	var parts []string
	for _, c := range hashColumns {
		if of := literals(d.Rule.KnownBad, c.length); len(of) > 0 {
			parts = append(parts, fmt.Sprintf("%[1]s in (%[2]s) or (isempty(%[1]s) and Context != \"process\")", c.column, strings.Join(of, ", ")))
		}
	}
	if len(parts) == 0 {
		return "false"
	}
	return strings.Join(parts, " or ")
}

// tableFunction makes the function of the rows of another table that none of
// the detection's suppressions explains, where one can be said there.
func (b *builder) tableFunction(e *detection.Entry, t otherTable) {
	var steps strings.Builder
	for _, x := range e.Exclusions {
		if !x.For(t.context) {
			continue
		}
		effect, condition := b.translate(e, x, t.Table)
		if effect != besra.EffectSuppress {
			continue
		}
		end, _ := x.Spec().ExpiresAfter()
		fmt.Fprintf(&steps, "%s| where TimeGenerated >= datetime(%s) or not(%s)\n", comment(x.Spec().ID+": "+x.Spec().Reason), end.Format("2006-01-02"), condition)
	}
	if steps.Len() > 0 {
		name := "Besra_" + alias(t.Name) + "_" + alias(e.Detection.ID)
		query := comment("Rows of "+t.Name+" that no exclusion of "+e.Detection.ID+" explains.") + t.Name + "\n" + strings.TrimSuffix(steps.String(), "\n")
		b.add(function(name, "Besra: "+t.Name+" without what is benign for "+e.Detection.Title, e.Detection.ID, query))
	}
}

// translate compiles an exclusion for a table, and notes what came of it. The
// effect is empty where the exclusion does nothing there.
func (b *builder) translate(e *detection.Entry, x *exclusion.Exclusion, t kql.Table) (besra.Effect, string) {
	note := Translation{Detection: e.Detection.ID, Exclusion: x.ID(), Table: t.Name}
	condition := ""
	effect, why := effectIn(x)
	if effect != "" {
		var err error
		if condition, err = compile(x, t); err != nil {
			effect, why = "", err.Error()
		}
	}
	note.Effect, note.Why = string(effect), why
	b.Report.Exclusions = append(b.Report.Exclusions, note)
	return effect, condition
}

// effectIn returns what an exclusion may do in Sentinel, and why it is less
// than it says. The grades of facts are not in a row, so that the best grade
// that a context can give decides whether evidence is weak.
func effectIn(x *exclusion.Exclusion) (effect besra.Effect, why string) {
	s := x.Spec()
	effect = s.Effect
	if effect == "" {
		effect = besra.EffectSuppress
	}
	switch {
	case s.Owner == "" || s.Reason == "" || s.Expires == "":
		return "", "a draft without an owner, a reason or an expiry hides nothing"
	case effect == besra.EffectSuppress && s.AllowWeak == "" && !strong(x.Expr(), s.Contexts):
		return besra.EffectDowngrade, "its evidence can be arranged by an intruder in one of its contexts: it only downgrades"
	}
	return effect, ""
}

// strong reports whether every way in which e is true rests on a fact that an
// intruder cannot choose, in each of the contexts.
func strong(e *exclusion.Expr, contexts []besra.Context) bool {
	each := func(a *exclusion.Expr) bool { return strong(a, contexts) }
	switch e.Kind {
	case exclusion.KindAnd:
		return slices.ContainsFunc(e.Args, each)
	case exclusion.KindOr:
		return !slices.ContainsFunc(e.Args, func(a *exclusion.Expr) bool { return !each(a) })
	case exclusion.KindCond:
		return each(e.Args[1]) && each(e.Args[2])
	}
	facts := e.Facts()
	return len(facts) > 0 && !slices.ContainsFunc(facts, func(name string) bool {
		def, _ := besra.FactNamed(name)
		if exclusion.Forgeable(name) || strings.HasPrefix(name, "package.") {
			return true
		}
		return slices.ContainsFunc(contexts, func(c besra.Context) bool { return def.Grades[c] <= besra.GradeWeak })
	})
}
