package yaratest

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

var failures = flag.String("failures", "", "write the vectors that do not pass to this `file`")

// floors are the numbers of vectors that pass: they may only grow.
var floors = map[Family]int{
	Both:        3702,
	OnlyYARAX:   354,
	OnlyLibYARA: 798,
}

// corpusDir is beside the repository.
var corpusDir = filepath.Join("..", "..", "..", "shared", "conformance")

func readVectors(t *testing.T) []*Vector {
	t.Helper()
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skip("the conformance corpus is not at hand")
	}
	vectors, err := ReadVectors(os.DirFS(corpusDir))
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

func TestConformance(t *testing.T) {
	vectors := readVectors(t)
	report := RunVectors(vectors, append(standard.Modules(), testModules()...))
	var table strings.Builder
	_ = report.WriteTable(&table)
	t.Logf("%d vectors\n%s", len(vectors), table.String())
	missing := report.MissingModules()
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Logf("%d vectors wait for %s", missing[name], name)
	}
	for family, floor := range floors {
		if got := report.Score(family).Passed; got < floor {
			t.Errorf("%s: %d vectors pass, there were %d", family, got, floor)
		}
	}
	for _, o := range report.Failures() {
		if o.Vector.Family() == Both {
			t.Errorf("%s: %s\n%s", o.Vector.ID, o.Why, o.Vector.text())
		}
	}
	if *failures != "" {
		writeFailures(t, report)
	}
}

// All rules together answer as each alone does: patterns that rules share,
// anchors and gates of others must not change what a rule says.
func TestVectorsTogether(t *testing.T) {
	var vectors []*Vector
	c := yara.NewCompiler()
	for _, v := range readVectors(t) {
		if v.YARAX.Agrees && v.plain() {
			c.AddSource(yara.Source{Namespace: v.ID, Origin: v.ID, Text: []byte(v.Sources[0][1])})
			vectors = append(vectors, v)
		}
	}
	rules, _ := c.Build()
	t.Logf("%d vectors, %+v", len(vectors), rules.Stats())
	s := rules.NewScanner()
	for _, v := range vectors {
		results, err := s.Scan(t.Context(), v.Data)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for r := range results.Matching() {
			if r.Namespace() == v.ID {
				got = append(got, r.Name())
			}
		}
		want := slices.Sorted(slices.Values(v.YARAX.Rules))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v among all rules, want %v\n%s", v.ID, got, want, v.text())
		}
	}
}

// plain reports whether the vector is one source with patterns, and data that
// matches or not.
func (v *Vector) plain() bool {
	scans := v.Kind == "match" || v.Kind == "nomatch"
	bare := v.Vars == nil && v.Includes == nil && v.Meta == nil && v.Opts == nil
	return scans && bare && len(v.Sources) == 1 && len(v.Imports()) == 0 && strings.Contains(v.Sources[0][1], "strings:")
}

func writeFailures(t *testing.T, report *Report) {
	f, err := os.Create(*failures)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.WriteFailures(f); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
