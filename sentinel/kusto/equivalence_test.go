package kusto_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/sentinel/kusto"
)

var (
	pairs = flag.Int("pairs", 300, "pairs of an exclusion and a row that are compared")
	rows  = flag.Int("rows", 50, "rows for each exclusion")
	seed  = flag.Uint64("seed", 1, "seed of the random pairs")
)

var today = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// workspace is the schema that compiled exclusions are bound to.
func workspace(t testing.TB) *kusto.Workspace {
	t.Helper()
	w, err := load(t).Workspace(kusto.Sentinel())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// equivalence is one comparison of the two languages.
type equivalence struct {
	t         *testing.T
	r         *rand.Rand
	workspace *kusto.Workspace
	env       *exclusion.Env
	counts    map[string]int
	functions map[string]int // calls in expressions that were compared, by name
	facts     map[string]int // by table and fact
}

// TestEquivalence compares, on random exclusions and rows, what the sensor
// decides with what the compiled query does by Microsoft's own reading of it.
func TestEquivalence(t *testing.T) {
	env, problems := exclusion.NewEnv(parameters, allowLists)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	e := &equivalence{t: t, r: rand.New(rand.NewPCG(*seed, 7)), workspace: workspace(t), env: env, counts: map[string]int{}, functions: map[string]int{}, facts: map[string]int{}}
	for e.counts["pairs"] < *pairs && !t.Failed() {
		e.one(pick(e.r, kql.Tables()))
	}
	t.Logf("%v", e.counts)
	if *pairs >= 100_000 {
		e.covered()
	}
}

// one compares one exclusion over some rows of a table.
func (e *equivalence) one(table kql.Table) {
	spec := e.spec(table)
	x, problems := exclusion.Compile(spec, exclusion.Options{Env: e.env, KnownBad: e.knownBad()})
	if x == nil {
		e.counts["no exclusion"]++
		for _, p := range problems {
			e.counts["no exclusion: "+p.Code]++
		}
		return
	}
	o := kql.Options{Detection: pick(e.r, []string{"", "", "d1"})}
	if e.r.IntN(2) == 0 {
		o.Watchlists = map[string]string{"lists.vendor": "Vendor"}
	}
	q, problems := kql.Compile(x, table, o)
	if len(problems) > 0 {
		e.counts["refused: "+problems[0].Code]++
		return
	}
	e.noted(table, x)
	text := table.Name + "\n" + kql.Pipe(visible(q))
	result, err := e.workspace.Parse(text)
	if err != nil || len(result.Diagnostics) > 0 {
		e.t.Fatalf("%s\n%s\n%v %v", spec.When, text, err, result.Diagnostics)
	}
	tooLong := func(d kusto.Diagnostic) bool { return d.Code == "query-length" }
	if problems := slices.DeleteFunc(kusto.Lint(text), tooLong); len(problems) > 0 {
		e.t.Fatalf("%s\n%s\n%v", spec.When, text, problems)
	}
	watchlists := map[string][]string{"Vendor": allowLists["vendor"].Values}
	three := world{today, true, watchlists}.program(result.Tree)
	two := world{today, false, watchlists}.program(result.Tree)
	e.counts["exclusions"]++
	for range *rows {
		r := someRow(e.r, table, x.Expr().Facts())
		want := e.sensor(x, q, table, r, o)
		for _, p := range []program{three, two} {
			if got := effectOf(table, r, p.run(r)); got != want && !e.leftOpen(x, table, r, got) {
				e.t.Fatalf("%s (%s, allow_weak %q, to %q)\nover the row %v\ngives %s in KQL and %s at the sensor:\n%s",
					spec.When, x.Spec().Effect, spec.AllowWeak, spec.To, shown(r, q), got, want, text)
			}
		}
		e.counts["pairs"]++
		e.counts[want]++
	}
}

// visible makes an annotation act, so that its condition can be seen.
func visible(q kql.Query) kql.Query {
	if q.Effect == besra.EffectAnnotate {
		q.Effect = besra.EffectSuppress
	}
	return q
}

func shown(r row, q kql.Query) string {
	var b strings.Builder
	for _, c := range q.Columns {
		v := r[c.Name]
		if i, ok := v.(instant); ok {
			v = i.time()
		}
		fmt.Fprintf(&b, "\n  %s = %#v", c.Name, v)
	}
	return b.String()
}

// spec is a random exclusion that is for contexts of the table.
func (e *equivalence) spec(table kql.Table) exclusion.Spec {
	contexts := []besra.Context{pick(e.r, table.Contexts)}
	if e.r.IntN(3) == 0 {
		if more := pick(e.r, table.Contexts); more != contexts[0] {
			contexts = append(contexts, more)
		}
	}
	g := generator{e.r, map[besra.FactType][]string{}}
	for _, def := range besra.Vocabulary() {
		if answers(table, def.Name) && !slices.ContainsFunc(contexts, func(c besra.Context) bool { return !def.In(c) }) {
			g.facts[def.Type] = append(g.facts[def.Type], def.Name)
		}
	}
	s := exclusion.Spec{ID: "x", When: g.tree(1 + e.r.IntN(3)), Contexts: contexts, Owner: "soc", Reason: "known", Expires: "2027-05-31",
		Effect: pick(e.r, []besra.Effect{"", besra.EffectSuppress, besra.EffectSuppress, besra.EffectDowngrade, besra.EffectAnnotate})}
	if e.r.IntN(2) == 0 {
		s.AllowWeak = "a trial"
	}
	if e.r.IntN(10) == 0 {
		s.Expires = "2026-11-27"
	}
	if s.Effect == besra.EffectDowngrade || e.r.IntN(4) == 0 {
		s.To = pick(e.r, []besra.Severity{besra.SeverityInformational, besra.SeverityLow, besra.SeverityMedium})
	}
	return s
}

// answers reports whether rows of a table can answer for a fact.
func answers(table kql.Table, fact string) bool {
	if fact == "host.schedules" || fact == "host.user_schedules" {
		return false
	}
	_, column := table.Column(fact)
	return column || table.Bag != "" || slices.ContainsFunc(table.Computed, func(c kql.Computed) bool { return c.Fact == fact })
}

func (e *equivalence) knownBad() []string {
	var out []string
	for e.r.IntN(3) == 0 {
		if h := pick(e.r, hashes); h != "" {
			out = append(out, h)
		}
	}
	return out
}

// The effects that are compared: none, suppressed, and lowered to a severity.
const (
	none       = "none"
	suppressed = "suppressed"
	lowered    = "lowered to "
)

// sensor is what the exclusion does to the row's target at the sensor.
func (e *equivalence) sensor(x *exclusion.Exclusion, q kql.Query, table kql.Table, r row, o kql.Options) string {
	if o.Detection != "" && table.DetectionColumn != "" && r[table.DetectionColumn] != o.Detection || cut(table, q, r) {
		return none
	}
	at := contextOf(x, table, r)
	d := x.Decide(context.Background(), rowFacts{factsOf(table, r), at}, today, at)
	switch {
	case d.Outcome != besra.OutcomeTrue:
		return none
	case d.Effect != besra.EffectDowngrade:
		return suppressed
	}
	if table.SeverityColumn != "" && besra.Severity(strings.ToLower(str(r[table.SeverityColumn]))).Rank() <= d.To.Rank() {
		return none
	}
	return lowered + kql.Severity(d.To)
}

// contextOf is the context that a row is of, or counts as.
func contextOf(x *exclusion.Exclusion, table kql.Table, r row) besra.Context {
	if table.ContextColumn != "" {
		return besra.Context(str(r[table.ContextColumn]))
	}
	for _, c := range table.Contexts {
		if x.For(c) {
			return c
		}
	}
	return ""
}

// cut reports whether a column that holds something of the exclusion was cut.
func cut(table kql.Table, q kql.Query, r row) bool {
	d, ok := r[table.Cut].(dyn)
	if !ok || !slices.ContainsFunc(q.Columns, func(c kql.Column) bool { return c.Name == table.Cut }) {
		return false // nothing that can be cut is read
	}
	names, list := d.v.([]any)
	return !list || slices.ContainsFunc(q.Columns, func(c kql.Column) bool { return slices.Contains(names, any(c.Name)) })
}

// effectOf reads the effect off what became of a row.
func effectOf(table kql.Table, before, after row) string {
	switch {
	case after == nil:
		return suppressed
	case table.SeverityColumn != "" && after[table.SeverityColumn] != before[table.SeverityColumn]:
		return lowered + str(after[table.SeverityColumn])
	case table.SeverityColumn == "" && str(after[kql.LoweredColumn]) != "":
		return lowered + str(after[kql.LoweredColumn])
	}
	return none
}

// leftOpen reports whether KQL left a row alone because of a change of the clocks
// in the hours before a time of it, or because the local time would be before the
// first year or after the last.
func (e *equivalence) leftOpen(x *exclusion.Exclusion, table kql.Table, r row, got string) bool {
	if got != none {
		return false
	}
	open := false
	values := factsOf(table, r)
	x.Expr().Walk(func(n *exclusion.Expr) bool {
		if n.Kind != exclusion.KindCall || n.Name != "within" && n.Name != "inWindow" {
			return !open
		}
		at, _ := values[n.Args[0].Name].(time.Time)
		open = open || at.Year() < 2 || at.Year() > 9998
		if n.Name == "within" {
			slack, _ := time.ParseDuration(n.Args[2].Args[0].Value.(string))
			zone := "UTC"
			if len(n.Args) > 3 {
				zone = n.Args[3].Value.(string)
			}
			if parts, err := exclusion.ParseRecurrence(n.Args[1].Value.(string)); err == nil && parts.Zone != "" {
				zone = parts.Zone
			}
			open = open || changedClocks(at, slack+3*time.Hour+time.Minute, zone)
		}
		return !open
	})
	if open {
		e.counts["left open by the clocks"]++
	}
	return open
}

func changedClocks(at time.Time, before time.Duration, zone string) bool {
	loc := must(time.LoadLocation(zone))
	_, now := at.In(loc).Zone()
	_, then := at.Add(-before).In(loc).Zone()
	return now != then
}

// noted counts the functions and facts of an exclusion that is compared.
func (e *equivalence) noted(table kql.Table, x *exclusion.Exclusion) {
	x.Expr().Walk(func(n *exclusion.Expr) bool {
		name := n.Name
		switch n.Kind {
		case exclusion.KindFact:
			e.facts[table.Name+" "+name]++
			return true
		case exclusion.KindCall:
		case exclusion.KindExists, exclusion.KindAll:
			name = string(n.Kind)
		case exclusion.KindAnd, exclusion.KindOr, exclusion.KindNot, exclusion.KindCond:
			name = map[exclusion.Kind]string{exclusion.KindAnd: "&&", exclusion.KindOr: "||", exclusion.KindNot: "!", exclusion.KindCond: "?"}[n.Kind]
		default:
			return true
		}
		e.functions[name]++
		return true
	})
}

// covered holds the comparison to every function of the language and every fact
// of every table.
func (e *equivalence) covered() {
	for _, f := range exclusion.Functions() {
		for _, name := range strings.Fields(f.Name) {
			switch name {
			case "[":
				name = "[]"
			case "]", ":":
				continue
			}
			if e.functions[name] < 10 {
				e.t.Errorf("%s was compared %d times", name, e.functions[name])
			}
		}
	}
	for _, table := range kql.Tables() {
		for _, def := range besra.Vocabulary() {
			in := slices.ContainsFunc(table.Contexts, def.In)
			if _, column := table.Column(def.Name); in && answers(table, def.Name) && (column || table.Bag == "") && e.facts[table.Name+" "+def.Name] == 0 {
				e.t.Errorf("%s of %s was never compared", def.Name, table.Name)
			}
		}
	}
}
