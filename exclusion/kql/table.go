// Package kql compiles exclusions to the Kusto Query Language, so that one
// exclusion says the same at the sensor and in Microsoft Sentinel.
package kql

import "slices"

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
}

// Column returns the column that holds fact.
func (t Table) Column(fact string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Fact == fact })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}
