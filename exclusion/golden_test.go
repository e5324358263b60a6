package exclusion_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestExplain(t *testing.T) {
	s := spec(`(file.path.under("/var/update") && file.owner.name == "root") ||
  file.sha256 in params.hashes || !package.verified || file.path.under(params.dirs) ||
  (host.os == "linux" ? host.tags[0] == "web" : false)`)
	x := compile(t, s, exclusion.Options{Env: env(t, exclusion.Parameters{"dirs": {Type: "strings"}, "hashes": {Default: []any{"aa"}}})})
	all := ""
	for _, facts := range []map[string]any{
		{"file.path": "/var/update/x", "file.owner.name": "root"},
		{"file.path": "/var/update/x", "file.sha256": "aa"},
		{"file.path": "/tmp/\x1b[31m\nx", "file.sha256": "bb", "package.verified": true, "host.os": "linux", "host.tags": []string{}},
	} {
		all += x.Explain(context.Background(), known(t, facts), noon, besra.ContextFile).Text() + "\n"
	}
	all += x.Explain(context.Background(), besra.NoFacts{}, noon.AddDate(1, 0, 0), besra.ContextFile).Text()
	golden(t, "explain.txt", all)
}

func TestExplainJSON(t *testing.T) {
	x := compile(t, spec(`file.path.under("/var/update") && !(file.owner.name != "root")`), exclusion.Options{})
	e := x.Explain(context.Background(), known(t, map[string]any{"file.path": "/var/update/x"}), noon, besra.ContextFile)
	out, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "explain.json", string(out)+"\n")
}
