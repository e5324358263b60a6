package pe_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/yaratest"
)

var failures = flag.String("failures", "", "write the vectors that do not pass to this `file`")

// corpusDir is beside the repository.
var corpusDir = filepath.Join("..", "..", "..", "..", "shared", "conformance")

// TestConformance runs the vectors that import pe. Each is a file, most of
// them malware, and conditions on its fields that libyara, YARA-X or both
// found true.
func TestConformance(t *testing.T) {
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skip("the conformance corpus is not at hand")
	}
	vectors, err := yaratest.ReadVectors(os.DirFS(corpusDir))
	if err != nil {
		t.Fatal(err)
	}
	vectors = slices.DeleteFunc(vectors, func(v *yaratest.Vector) bool {
		return v.Group != "modules" || !slices.Contains(v.Imports(), "pe")
	})
	report := yaratest.RunVectors(vectors, standard.Modules())
	var table strings.Builder
	_ = report.WriteTable(&table)
	t.Logf("%d vectors\n%s", len(vectors), table.String())
	if *failures != "" {
		f, err := os.Create(*failures)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_ = report.WriteFailures(f)
	}
	for _, o := range report.Failures() {
		if o.Vector.Family() != yaratest.Neither {
			t.Errorf("[%s] %s: %s", o.Vector.Family(), o.Vector.ID, o.Why)
		}
	}
}
