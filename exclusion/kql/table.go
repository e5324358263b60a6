// Package kql compiles exclusions to the Kusto Query Language, so that one
// exclusion says the same at the sensor and in Microsoft Sentinel.
//
//	q, problems := kql.Compile(x, kql.Findings(), kql.Options{Detection: "det-1"})
//	text := kql.FindingsTable + "\n" + kql.Pipe(q)
//
// A [Table] says which facts its rows hold, how each is computed, and when it is
// not known. [Compile] turns an exclusion into a condition over such rows that is
// true exactly where the sensor, knowing the same facts, would let the exclusion
// take effect. What a table or the language cannot say is a problem with its
// place; nothing is dropped from an expression or widened in silence.
//
// Truth and falsehood are compiled apart (see cond): an unknown fact makes
// neither hold, and the result never has a null in it that "not" could turn into
// a dropped row.
package kql

import (
	"slices"

	"github.com/besra-hunt/besra"
)

// Type is the type of a column, as the tables API of Log Analytics spells it.
type Type string

// The types of columns.
const (
	String   Type = "string"
	Int      Type = "int"
	Long     Type = "long"
	Real     Type = "real"
	Boolean  Type = "boolean"
	DateTime Type = "dateTime"
	Dynamic  Type = "dynamic"
)

// Column is one column of a table.
type Column struct {
	Name string
	Type Type
	Fact string // the fact it holds, by the vocabulary's name; empty where none
	Doc  string // one sentence
}

// Table is a table of a Log Analytics workspace, or a parser that yields rows
// of a schema.
type Table struct {
	Name    string
	Columns []Column
	// Contexts are the kinds of target that a row can be of. Where ContextColumn
	// is empty a row does not say which: an exclusion counts as asked in the
	// first of them that it lists.
	Contexts      []besra.Context
	ContextColumn string
	// Computed holds the facts that are not simply the value of a column.
	Computed []Computed
	// Bag is a dynamic column that holds further facts by their name.
	Bag string
	// Cut is a dynamic column that names the columns whose value was cut.
	Cut string
	// SeverityColumn holds a severity that a downgrade may lower.
	SeverityColumn string
	// DetectionColumn holds the identifier of the detection.
	DetectionColumn string
}

// Computed is a fact that a table answers by an expression.
type Computed struct {
	Fact    string
	Columns []string // that Value reads
	Value   string   // in KQL; of the type of the fact
	// Step names the column that Value is put into before it is used; empty
	// writes Value in place.
	Step string
	// Known is true where the fact is known; empty is the usual test of its type
	// on Value.
	Known string
	Doc   string
}

// Column returns the column that holds fact.
func (t Table) Column(fact string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Fact == fact })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Named returns the column of a name.
func (t Table) Named(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// TableNamed returns one of [Tables].
func TableNamed(name string) (Table, bool) {
	ts := Tables()
	i := slices.IndexFunc(ts, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return Table{}, false
	}
	return ts[i], true
}

// Tables lists the tables that exclusions compile for.
func Tables() []Table {
	return []Table{Findings(), DeviceFileEvents(), DeviceProcessEvents(), CommonSecurityLog(), FileEvents(), ProcessEvents()}
}
