package csv

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{
		New:   New,
		Check: check,
	})
}

// check reads the table and looks for cells that a spreadsheet would run.
func check(out []byte) (findings int, err error) {
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		return 0, err
	}
	if len(rows) == 0 || len(rows[0]) != len(columns) || rows[0][0] != "time" {
		return 0, fmt.Errorf("no header of %d columns", len(columns))
	}
	for _, row := range rows {
		for i, cell := range row {
			if strings.IndexAny(cell, "=+-@＝＋－＠\t\r\n") == 0 {
				return 0, fmt.Errorf("column %s holds %q", rows[0][i], cell)
			}
			if strings.ContainsAny(cell, "\r\n\x1b\x00") {
				return 0, fmt.Errorf("column %s holds a control character in %q", rows[0][i], cell)
			}
		}
	}
	if n := bytes.Count(out, []byte("\r\n")); n != len(rows) || n != bytes.Count(out, []byte("\n")) {
		return 0, fmt.Errorf("%d rows on %d lines", len(rows), n)
	}
	return len(rows) - 1, nil
}

func render(t *testing.T, recs []besra.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	s := New(&out)
	for _, rec := range recs {
		if err := s.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	name := filepath.Join("testdata", "rich.csv")
	got := render(t, sinktest.Rich())
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestColumns holds the layout: columns are added at the end, never moved.
func TestColumns(t *testing.T) {
	first := strings.Fields(`time verdict severity author_severity host target context size sha256 detection title pack
		rule tags author license source patterns match exclusion scenario effect owner reason ticket expires missing id run`)
	var got []string
	for _, c := range columns {
		got = append(got, c.name)
	}
	if len(got) < len(first) || !slices.Equal(got[:len(first)], first) {
		t.Errorf("got %v, want first %v", got, first)
	}
}

func TestCells(t *testing.T) {
	f := besra.Finding{
		Target: besra.TargetRef{Name: "=1+1\n\"x\",y", Size: -1},
		Patterns: []besra.PatternHits{
			{ID: "$a", Count: 3, Matches: []besra.Match{{Offset: 1, Data: []byte("-\x00")}, {Offset: 255}}},
			{ID: "$b", Count: 1, Matches: []besra.Match{{}}},
			{ID: "$c", Count: 7},
		},
		Decisions: []besra.Decision{
			{Outcome: besra.OutcomeUnknown, Missing: []string{"a", "b"}},
			{Outcome: besra.OutcomeFalse, Missing: []string{"c"}},
			{Outcome: besra.OutcomeUnknown, Missing: []string{"b"}},
		},
	}
	rows, err := csv.NewReader(bytes.NewReader(render(t, []besra.Record{{Type: besra.RecordFinding, Finding: &f}}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"target": `'=1+1\x0a"x",y`, "size": "", "patterns": "$a x3 @0x1,0xff,…; $b x1 @0x0; $c x7", "match": `'-\x00`, "missing": "a b", "exclusion": "",
	}
	for name, cell := range want {
		if got := rows[1][slices.Index(rows[0], name)]; got != cell {
			t.Errorf("%s is %q, want %q", name, got, cell)
		}
	}
}
