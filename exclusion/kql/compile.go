package kql

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// Options says for what an exclusion is compiled.
type Options struct {
	// Detection is the identifier of the detection that the exclusion belongs to.
	// In a table that names detections only its rows are excluded; empty excludes
	// rows of any.
	Detection string
	// Watchlists gives the alias of the watchlist that holds a list, by the name
	// in expressions, such as lists.vendor; another list is written out.
	Watchlists map[string]string
	// At is the instant, in KQL, at which the exclusion must not have lapsed;
	// empty is now(). The time of the row judges it as the sensor did.
	At string
}

// Step is a column that is computed before the condition.
type Step struct{ Name, Value string }

// Query is an exclusion over the rows of one table, in the parts that a query is
// put together from; see [Pipe] and [NewFunction]. It is data.
type Query struct {
	Exclusion string
	Table     string
	// Effect is what holds for a row of which When is true: a suppression that
	// can only ever rest on weak evidence is a downgrade.
	Effect besra.Effect
	To     besra.Severity // of a downgrade, and of Lowered
	// Steps are the columns that must be computed first, in order.
	Steps []Step
	// When is the condition, over several lines. Use it as
	// "not(coalesce(When, false))": see [Query.Where].
	When string
	// Lowered is true of the rows that a suppression lowers to a downgrade,
	// because what it rests on is weak; empty where there are none. It may be
	// true of suppressed rows, too.
	Lowered string
	// Columns are the columns of the table that it reads, in the table's order.
	Columns []Column
	// Watchlists are the aliases that it reads, sorted.
	Watchlists []string
}

// The codes of problems of this package.
const (
	CodeNotPortable = "not-portable" // the table or the language cannot say it
	CodeDraft       = "draft"        // nobody answers for the exclusion
	CodeNeverHolds  = "never-holds"  // what it needs is not known, such as a parameter that is not set
)

// Compile compiles an exclusion for a table. The problems are what could not be
// said, with their places; the query is usable if and only if there is none.
func Compile(x *exclusion.Exclusion, t Table, o Options) (Query, []*exclusion.Problem) {
	c := &compiler{x: x, table: t, options: o, columns: map[string]bool{}}
	c.contexts = c.asked()
	c.answerable()
	if len(c.problems) > 0 {
		return Query{}, c.problems
	}
	q := c.query()
	if len(c.problems) > 0 {
		return Query{}, c.problems
	}
	return q, nil
}

// compiler compiles one exclusion for one table.
type compiler struct {
	x        *exclusion.Exclusion
	table    Table
	options  Options
	contexts []besra.Context // of the rows that it is asked of
	problems []*exclusion.Problem
	steps    []Step
	columns  map[string]bool
	aliases  []string
}

// asked returns the contexts that the rows can have and the exclusion lists.
func (c *compiler) asked() []besra.Context {
	var out []besra.Context
	for _, ctx := range c.table.Contexts {
		if c.x.For(ctx) {
			out = append(out, ctx)
		}
	}
	if c.table.ContextColumn == "" && len(out) > 1 {
		out = out[:1]
	}
	return out
}

// answerable reports what makes the exclusion unfit as a whole.
func (c *compiler) answerable() {
	spec := c.x.Spec()
	if lacks := c.x.Lacks(); len(lacks) > 0 {
		c.field("owner", CodeDraft, "a draft excludes nothing: it lacks "+strings.Join(lacks, ", "), "let somebody answer for it")
	}
	if len(c.contexts) == 0 {
		c.field("contexts", CodeNotPortable, fmt.Sprintf("%s: its rows are of %s, and the exclusion is for %s",
			c.notPortable(), words(c.table.Contexts), words(spec.Contexts)), "compile it for a table of its contexts")
	}
}

func words(cs []besra.Context) string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}

func (c *compiler) notPortable() string { return "not portable to KQL over " + c.table.Name }

func (c *compiler) field(name, code, message, hint string) {
	c.problems = append(c.problems, &exclusion.Problem{Code: code, Level: exclusion.LevelError, Exclusion: c.x.ID(), Field: name, Message: message, Hint: hint})
}

// refuse reports a part of the expression that cannot be said.
func (c *compiler) refuse(e *exclusion.Expr, why, hint string) cond {
	p := &exclusion.Problem{Code: CodeNotPortable, Level: exclusion.LevelError, Exclusion: c.x.ID(), Field: "when",
		Offset: e.Offset, Line: e.Line, Column: e.Column, Message: c.notPortable() + ": " + why, Hint: hint}
	same := func(q *exclusion.Problem) bool { return *q == *p }
	if !slices.ContainsFunc(c.problems, same) {
		c.problems = append(c.problems, p)
	}
	return no
}

// query compiles the whole.
func (c *compiler) query() Query {
	spec := c.x.Spec()
	q := Query{Exclusion: c.x.ID(), Table: c.table.Name, Effect: spec.Effect, To: spec.To}
	if q.Effect == "" {
		q.Effect = besra.EffectSuppress
	}
	holds := c.holds(c.x.Expr(), true)
	strong := c.convincing(holds)
	if len(c.problems) > 0 {
		return q
	}
	if holds.op == opFalse {
		c.neverHolds()
		return q
	}
	scope := c.scope()
	when := all(scope, holds)
	if q.Effect == besra.EffectSuppress && spec.AllowWeak == "" && strong.op != opTrue {
		q.lower(when, strong)
		when = all(when, strong)
		if strong.op == opFalse {
			when, q.Lowered = all(scope, holds), ""
		}
	}
	q.When = when.String()
	q.Steps, q.Watchlists = c.steps, c.aliases
	for _, col := range c.table.Columns {
		if c.columns[col.Name] {
			q.Columns = append(q.Columns, col)
		}
	}
	return q
}

// lower says what becomes of the rows of which the evidence is weak.
func (q *Query) lower(when, strong cond) {
	if q.To == "" {
		q.To = besra.SeverityLow
	}
	if strong.op == opFalse {
		q.Effect = besra.EffectDowngrade
	}
	q.Lowered = when.String()
}

func (c *compiler) neverHolds() {
	hint := "see what of it is known there"
	if unset := c.x.Unresolved(); len(unset) > 0 {
		hint = "set " + strings.Join(unset, " and ")
	}
	c.field("when", CodeNeverHolds, fmt.Sprintf("it never holds over %s", c.table.Name), hint)
}

// scope is what must hold besides the expression: the exclusion has not lapsed,
// the row is one that it is asked of, nothing it reads was cut, and the content
// is not what the detection knows as malware.
func (c *compiler) scope() cond {
	spec := c.x.Spec()
	parts := []cond{}
	if end, err := spec.ExpiresAfter(); err == nil && !end.IsZero() {
		if _, ok := c.table.Named(c.options.At); ok {
			c.read(c.options.At)
		}
		parts = append(parts, atom(cmp.Or(c.options.At, "now()")+" < "+instant(end)))
	}
	if c.options.Detection != "" && c.table.DetectionColumn != "" {
		parts = append(parts, atom(c.read(c.table.DetectionColumn)+" == "+quote(c.options.Detection)))
	}
	if c.table.ContextColumn != "" {
		parts = append(parts, c.inContexts(c.contexts))
	}
	guard := c.notKnownBad()
	return all(append(parts, c.notCut(), guard)...)
}

func (c *compiler) inContexts(contexts []besra.Context) cond {
	names := make([]string, len(contexts))
	for i, ctx := range contexts {
		names[i] = string(ctx)
	}
	return atom(fmt.Sprintf("%s in (%s)", c.read(c.table.ContextColumn), quoteAll(names)))
}

// notCut holds where no column that is read has a value that was cut.
func (c *compiler) notCut() cond {
	if c.table.Cut == "" {
		return yes
	}
	var cuttable []string
	for _, col := range c.table.Columns {
		if c.columns[col.Name] && (col.Type == String || col.Type == Dynamic) && col.Name != c.table.ContextColumn && col.Name != c.table.DetectionColumn {
			cuttable = append(cuttable, col.Name)
		}
	}
	if len(cuttable) == 0 {
		return yes
	}
	cut := c.read(c.table.Cut)
	return either(atom("isnull("+cut+")"), atom(fmt.Sprintf("array_length(set_intersect(%s, dynamic([%s]))) == 0", cut, quoteAll(cuttable))))
}

// notKnownBad holds where the content has none of the hashes of the detection's
// malware, and all that would tell are known. The memory of a process has none.
func (c *compiler) notKnownBad() cond {
	var parts []cond
	for _, fact := range []string{"file.sha256", "file.sha1", "file.md5"} {
		hashes := c.x.KnownBad()[fact]
		if len(hashes) == 0 {
			continue
		}
		v, ok := c.fact(fact)
		if !ok {
			if !slices.Equal(c.contexts, []besra.Context{besra.ContextProcess}) {
				c.field("known-bad", CodeNotPortable, c.notPortable()+": it does not tell "+fact+", which must not be known-bad", "compile it for a table that does")
			}
			continue
		}
		parts = append(parts, c.hashTells(v.known), atom(fmt.Sprintf("tolower(%s) !in (%s)", v.text, quoteAll(hashes))))
	}
	return all(parts...)
}

// hashTells is known, which a process need not have.
func (c *compiler) hashTells(known cond) cond {
	switch {
	case !slices.Contains(c.contexts, besra.ContextProcess):
		return known
	case len(c.contexts) == 1:
		return yes
	}
	return either(known, c.inContexts([]besra.Context{besra.ContextProcess}))
}

// read notes that a column is read.
func (c *compiler) read(column string) string {
	c.columns[column] = true
	return column
}

// step notes that a column must be computed first.
func (c *compiler) step(name, value string) string {
	if !slices.Contains(c.steps, Step{name, value}) {
		c.steps = append(c.steps, Step{name, value})
	}
	return name
}
