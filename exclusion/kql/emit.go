package kql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// MaxInline is the length in bytes from which an exclusion is better kept as a
// function of the workspace: a rule's query takes 10,000 characters, and holds
// more than one exclusion.
const MaxInline = 2500

// LoweredColumn is where [Pipe] puts the severity that a downgrade leads to, in a
// table that has no severity of its own.
const LoweredColumn = "BesraLowered"

// Where returns the query's own line of a pipeline, "| where not(…)", without its
// steps. Only a suppression leaves rows out.
func (q Query) Where() string { return "| where not(" + never(q.When) + ")" }

// Condition returns the lines that put the answer into a column, Holds, and leave
// every row in.
func (q Query) Condition() string {
	var lines []string
	for _, s := range q.Steps {
		lines = append(lines, "| extend "+s.Name+" = "+s.Value)
	}
	return strings.Join(append(lines, "| extend Holds = "+never(q.When)), "\n")
}

// never returns a condition that is false where it is null.
func never(when string) string { return "coalesce(\n  " + indent(when) + ",\n  false)" }

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// Pipe returns the lines of a pipeline that applies queries to the rows of their
// one table: suppressions leave rows out, downgrades lower the severity, and what
// was computed on the way is gone at the end. Annotations change nothing.
func Pipe(queries ...Query) string {
	var lines, names []string
	for _, q := range queries {
		for _, s := range q.Steps {
			line := "| extend " + s.Name + " = " + s.Value
			if q.Effect != besra.EffectAnnotate && !slices.Contains(lines, line) {
				lines, names = append(lines, line), append(names, s.Name)
			}
		}
	}
	for _, q := range queries {
		if q.Effect == besra.EffectSuppress {
			lines = append(lines, q.Where())
		}
	}
	lines = append(lines, lowering(queries)...)
	if len(names) > 0 {
		lines = append(lines, "| project-away "+strings.Join(names, ", "))
	}
	return strings.Join(lines, "\n")
}

// lowering returns the lines that apply downgrades.
func lowering(queries []Query) []string {
	var lines []string
	for _, q := range queries {
		when := q.Lowered
		if q.Effect == besra.EffectDowngrade {
			when = q.When
		}
		if when == "" || q.Effect == besra.EffectAnnotate {
			continue
		}
		column := LoweredColumn
		if t, ok := TableNamed(q.Table); ok && t.SeverityColumn != "" {
			column = t.SeverityColumn
		} else if len(lines) == 0 {
			lines = append(lines, "| extend "+column+` = ""`)
		}
		lines = append(lines, fmt.Sprintf("| extend %s = iff(%s in (%s) and %s,\n  %s, %[1]s)", column, column, quoteAll(above(q.To)), never(when), quote(Severity(q.To))))
	}
	return lines
}

// above returns the words of the severities that a downgrade to s changes.
func above(s besra.Severity) []string {
	out := []string{""}
	for _, v := range []besra.Severity{besra.SeverityLow, besra.SeverityMedium, besra.SeverityHigh} {
		if v.Rank() > s.Rank() {
			out = append(out, Severity(v))
		}
	}
	return out
}

// Severity returns a severity as Microsoft Sentinel spells it.
func Severity(s besra.Severity) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// Function is a query as a saved function of the workspace: a yes or no of one
// row's columns.
type Function struct {
	Name       string
	Parameters string // "FilePath:string, FileSize:long", as a saved search states them
	Body       string
	// Call is how a query asks it of its own columns.
	Call string
}

// NewFunction makes a function of a query. One that reads a watchlist cannot be:
// KQL does not look into a table for each row.
func NewFunction(name string, q Query) (Function, error) {
	if len(q.Watchlists) > 0 {
		return Function{}, errors.New("a function of a row cannot read a watchlist")
	}
	var params, args []string
	for _, c := range q.Columns {
		params, args = append(params, c.Name+":"+c.Type.scalar()), append(args, c.Name)
	}
	var body strings.Builder
	for _, s := range q.Steps {
		fmt.Fprintf(&body, "let %s = %s;\n", s.Name, s.Value)
	}
	body.WriteString(never(q.When))
	return Function{name, strings.Join(params, ", "), body.String(), name + "(" + strings.Join(args, ", ") + ")"}, nil
}

// scalar returns the type as KQL itself spells it.
func (t Type) scalar() string {
	switch t {
	case DateTime:
		return "datetime"
	case Boolean:
		return "bool"
	}
	return string(t)
}

// Called returns the query with the function in place of its condition.
func (q Query) Called(f Function) Query {
	q.Steps, q.When = nil, f.Call
	return q
}

// Schema returns the table as KQL declares it: "(FilePath: string, FileSize: long)".
func (t Table) Schema() string {
	parts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		parts[i] = c.Name + ": " + c.Type.scalar()
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
