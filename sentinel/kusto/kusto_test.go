package kusto_test

import (
	"errors"
	"flag"
	"testing"

	"github.com/besra-hunt/besra/sentinel/kusto"
)

var node = flag.Bool("node", false, "run Microsoft's parser in the program node")

// load returns the parser, or skips.
func load(t testing.TB) *kusto.Parser {
	t.Helper()
	dir, err := kusto.Find("")
	if errors.Is(err, kusto.ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := kusto.Load
	if *node {
		run = kusto.LoadNode
	}
	p, err := run(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheck(t *testing.T) {
	w, err := load(t).Workspace(kusto.Schema{
		Tables:    []kusto.Table{{Name: "T", Columns: "(Path: string, Size: long, At: datetime, Bag: dynamic)"}},
		Functions: []kusto.Function{{Name: "Big", Parameters: "n:long", Body: "n > 10"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for query, code := range map[string]string{
		"T | where Path == 'a' and Big(Size)": "",
		"T | where Nope == 1":                 "KS142",
		"T | where nope(Size)":                "KS211",
		"U | take 1":                          "KS204",
		"T | where Path in ()":                "KS006",
		"T\n| where 'ä😀' == nope":             "KS142",
		"T | where Path == 'a":                "KS001",
	} {
		r, err := w.Check(query)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(r.Diagnostics) > 0 {
			got = r.Diagnostics[0].Code
		}
		if got != code {
			t.Errorf("%s: got %v, want %q", query, r.Diagnostics, code)
		}
		if code == "KS142" && query[r.Diagnostics[0].Offset:][:r.Diagnostics[0].Length] != map[bool]string{true: "Nope", false: "nope"}[r.Diagnostics[0].Line == 1] {
			t.Errorf("%s: %+v is in the wrong place", query, r.Diagnostics[0])
		}
	}
	r, err := w.Check("T | extend Name = tostring(Bag.x) | project Name, Size")
	if err != nil || len(r.Columns) != 2 || r.Columns[0] != (kusto.Column{Name: "Name", Type: "string"}) {
		t.Errorf("got columns %v (%v)", r.Columns, err)
	}
}
