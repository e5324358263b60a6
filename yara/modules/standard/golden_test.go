package standard_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/yaratest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// samples are files that were made for these tests; testdata/README.md tells how.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, name := range append(names, filepath.Join("..", "msi", "testdata", "signed.msi")) {
		if ext := filepath.Ext(name); ext == ".golden" || ext == ".md" || ext == "" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = b
	}
	if len(files) < 10 {
		t.Fatalf("there are %d samples", len(files))
	}
	return files
}

// knowing are the modules that say more of a target than of nothing.
func knowing(data []byte) (list []*module.Module) {
	for _, m := range standard.Modules() {
		if m.Load == nil || m.Name == "vt" {
			continue
		}
		nothing := strings.Count(yaratest.Dump(m, &module.Input{}), "\n")
		if strings.Count(yaratest.Dump(m, &module.Input{Data: data}), "\n") > nothing {
			list = append(list, m)
		}
	}
	return list
}

// TestGolden holds all that the modules say of a file to the golden beside it,
// under both dialects where they differ.
func TestGolden(t *testing.T) {
	for name, data := range samples(t) {
		var got strings.Builder
		for _, m := range knowing(data) {
			said := yaratest.Dump(m, &module.Input{Data: data})
			got.WriteString(said)
			got.WriteString(otherwise(said, yaratest.Dump(m, &module.Input{Data: data, LibYARA: true})))
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// otherwise are the lines that libyara's dialect has another value in, or
// alone.
func otherwise(said, libyara string) string {
	has := make(map[string]bool)
	for line := range strings.Lines(said) {
		has[line] = true
	}
	var other strings.Builder
	for line := range strings.Lines(libyara) {
		if !has[line] {
			other.WriteString("libyara " + line)
		}
	}
	return other.String()
}
