package yaratest

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/modules/standard"
)

var failures = flag.String("failures", "", "write the vectors that do not pass to this `file`")

// floors are the numbers of vectors that pass: they may only grow.
var floors = map[Family]int{
	Both:        3269,
	OnlyYARAX:   240,
	OnlyLibYARA: 719,
	Neither:     0,
}

// corpusDir is beside the repository.
var corpusDir = filepath.Join("..", "..", "..", "shared", "conformance")

func TestConformance(t *testing.T) {
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skip("the conformance corpus is not at hand")
	}
	vectors, err := ReadVectors(os.DirFS(corpusDir))
	if err != nil {
		t.Fatal(err)
	}
	modules := append(standard.Modules(), testModules()...)
	report := RunVectors(vectors, modules)
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
	if *failures != "" {
		writeFailures(t, report)
	}
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
