package yaratest

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func gzipped(lines ...string) *fstest.MapFile {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(strings.Join(lines, "\n") + "\n"))
	_ = z.Close()
	return &fstest.MapFile{Data: b.Bytes()}
}

// vector makes a line of the corpus: a rule r over "abab".
func vector(kind, rule, libyara, yarax string) string {
	return `{"id":"v","group":"language","kind":"` + kind + `","sources":[["default",` + quote(rule) + `]],"data_b64":"YWJhYg==","libyara":` +
		libyara + `,"yarax":` + yarax + `}`
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestRunVectors(t *testing.T) {
	const (
		rule    = `rule r { strings: $a = "ab" condition: $a }`
		found   = `{"agrees":true,"rules":["r"],"matches":{"r":[["$a",0,2],["$a",2,2]]}}`
		one     = `{"agrees":true,"rules":["r"],"matches":{"r":[["$a",0,2]]}}`
		longer  = `{"agrees":true,"rules":["r"],"matches":{"r":[["$a",0,2],["$a",2,3]]}}`
		other   = `{"agrees":true,"rules":["s"]}`
		nothing = `{"agrees":true,"rules":[]}`
		refuses = `{"agrees":true,"compile_error":true}`
		differs = `{"agrees":false}`
	)
	tests := []struct {
		name, line string
		family     Family
		want       Status
		why        string
	}{
		{"same", vector("match", rule, found, found), Both, Passed, ""},
		{"either's matches", vector("match", rule, found, one), Both, Passed, ""},
		{"fewer matches", vector("match", rule, one, one), Both, Failed, "matches of r"},
		{"another length", vector("match", rule, longer, longer), Both, Failed, "matches of r"},
		{"no matches expected", vector("match", rule, `{"agrees":true,"rules":["r"]}`, differs), OnlyLibYARA, Failed, "want none"},
		{"another rule", vector("match", rule, other, other), Both, Failed, "rules: got [r], want [s]"},
		{"no match expected", vector("nomatch", rule, nothing, nothing), Both, Failed, "rules: got [r], want []"},
		{"only the dialect's oracle counts", vector("match", rule, found, differs), OnlyLibYARA, Passed, ""},
		{"the dialect decides", vector("match", "rule r { condition: 2.62 - 3 == -0.38 }", `{"agrees":true,"rules":["r"]}`, differs), OnlyLibYARA, Passed, ""},
		{"the default decides", vector("match", "rule r { condition: 2.62 - 3 == -0.38 }", differs, `{"agrees":true,"rules":["r"]}`), OnlyYARAX, Failed, "rules"},
		{"error expected", vector("compile_error", "rule r { condition: x }", refuses, refuses), Both, Passed, ""},
		{"error expected, none", vector("compile_error", rule, refuses, refuses), Both, Failed, "compiles"},
		{"no error expected", vector("compile_ok", "rule r { condition: x }", nothing, nothing), Both, Failed, "does not compile"},
		{"compiles", vector("compile_ok", rule, nothing, nothing), Both, Passed, ""},
		{"parses", vector("parse_ok", "rule r { condition: x }", nothing, nothing), Both, Passed, ""},
		{"does not parse", vector("parse_ok", "rule r { condition: }", nothing, nothing), Both, Failed, "does not parse"},
		{"module absent", vector("match", `import \"nowhere\" rule r { condition: nowhere.x }`, found, found), Both, Absent, "module nowhere"},
		{"the suite decides", vector("match", rule, differs, differs), Neither, Passed, ""},
		{"the suite says otherwise", vector("nomatch", rule, differs, differs), Neither, Failed, "the suite says nomatch"},
	}
	for _, tt := range tests {
		line := strings.ReplaceAll(tt.line, `\\"`, `\"`)
		vectors, err := ReadVectors(fstest.MapFS{"vectors.ndjson.gz": gzipped(line), "blobs.ndjson.gz": gzipped()})
		if err != nil || len(vectors) != 1 {
			t.Fatalf("%s: got %d vectors and %v", tt.name, len(vectors), err)
		}
		report := RunVectors(vectors, standard.Modules())
		o := report.Outcomes[0]
		if o.Vector.Family() != tt.family || o.Status != tt.want || !strings.Contains(o.Why, tt.why) {
			t.Errorf("%s: got %s, %d, %q, want %s, %d, %q", tt.name, o.Vector.Family(), o.Status, o.Why, tt.family, tt.want, tt.why)
		}
		score := report.Score(tt.family)
		if (score.Passed == 1) != (tt.want == Passed) || (score.Failed == 1) != (tt.want == Failed) || len(report.Failures()) != score.Failed {
			t.Errorf("%s: got score %+v", tt.name, score)
		}
	}
}

func TestReadVectors(t *testing.T) {
	blob := gzipped(`{"sha256":"00ff","data_b64":"YWJj"}`)
	read := func(line string) ([]*Vector, error) {
		return ReadVectors(fstest.MapFS{"vectors.ndjson.gz": gzipped(line), "blobs.ndjson.gz": blob})
	}
	vectors, err := read(`{"id":"a","sources":[["ns","import \"pe\" import \"math\""]],"data_sha256":"00ff"}`)
	if err != nil {
		t.Fatal(err)
	}
	if v := vectors[0]; string(v.Data) != "abc" || strings.Join(v.Imports(), " ") != "math pe" {
		t.Errorf("got data %q and imports %v", v.Data, v.Imports())
	}
	for _, line := range []string{`{"id":"a","data_sha256":"beef"}`, `{"id":`} {
		if _, err := read(line); err == nil {
			t.Errorf("%s: got no error", line)
		}
	}
	if _, err := ReadVectors(fstest.MapFS{}); err == nil {
		t.Error("without files: got no error")
	}
}

func TestPanicFails(t *testing.T) {
	m := &module.Module{Name: "bad", Schema: &module.Type{Kind: module.Struct, Fields: []*module.Field{
		{Name: "f", Funcs: []*module.Func{{Result: &module.Type{Kind: module.Bool}, Call: func(*module.Call, []module.Value) module.Value { panic("oh") }}}},
	}}}
	v := &Vector{ID: "v", Kind: "match", Sources: [][2]string{{"default", `import "bad" rule r { condition: bad.f() }`}}, YARAX: Oracle{Agrees: true}}
	if o := v.Run([]*module.Module{m}); o.Status != Failed || !strings.Contains(o.Why, "oh") {
		t.Errorf("got %d %q, want a failure that tells the panic", o.Status, o.Why)
	}
}

func TestCompileCorpus(t *testing.T) {
	corpus, err := CompileCorpus(fstest.MapFS{
		"a.yar":       {Data: []byte(`include "lib/b.yara" rule a { condition: b }`)},
		"lib/b.yara":  {Data: []byte(`rule b { condition: true }`)},
		"broken.yar":  {Data: []byte(`rule c { condition: } rule d { condition: true }`)},
		"ignored.txt": {Data: []byte(`rule`)},
	}, yara.WithModules(standard.Modules()...))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := range corpus.Rules.All() {
		names = append(names, r.Namespace()+":"+r.Name())
	}
	if corpus.Files != 3 || len(corpus.Broken) != 1 || !corpus.Broken["broken.yar"].HasErrors() {
		t.Errorf("got %d files, broken %v", corpus.Files, corpus.Broken)
	}
	if got, want := strings.Join(names, " "), "a.yar:b a.yar:a broken.yar:d lib/b.yara:b"; got != want {
		t.Errorf("rules: got %q, want %q", got, want)
	}
}
