package compile

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// vector is what compiling needs of a conformance vector.
type vector struct {
	ID       string            `json:"id"`
	Kind     string            `json:"kind"`
	Sources  [][2]string       `json:"sources"`
	RuleB64  string            `json:"rule_b64"`
	Vars     map[string]any    `json:"vars"`
	Includes map[string]string `json:"includes"`
	Opts     map[string]any    `json:"opts"`
	Warnings any               `json:"warnings"` // a list of codes, or YARA's number of warnings
	LibYARA  answer            `json:"libyara"`
	YARAX    answer            `json:"yarax"`
}

type answer struct {
	Agrees bool `json:"agrees"`
}

// shared is the folder beside the checkout that holds vectors and corpora.
func shared(t *testing.T, name string) string {
	path := filepath.Join("..", "..", "..", "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared folder is not there")
	}
	return path
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open(shared(t, "conformance/vectors.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	for in := bufio.NewReader(z); ; {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return list
		}
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
}

// TestVectors compiles the sources of every conformance vector that some
// oracle meets, in the dialect of that oracle, and expects them to compile or
// not as the vector says. What they match is not asked here.
func TestVectors(t *testing.T) {
	known, modules := knownVectors(), standard.Modules()
	skipped := 0
	for _, v := range readVectors(t) {
		dialect := program.YARAX
		switch {
		case !v.LibYARA.Agrees && !v.YARAX.Agrees:
			continue
		case !v.YARAX.Agrees:
			dialect = program.LibYARA
		}
		if v.Kind == "parse_ok" {
			continue // need not compile
		}
		if missingModule(v, modules) {
			skipped++
			continue
		}
		list := compileVector(v, modules, dialect)
		want := v.Kind == "compile_error" || v.Kind == "parse_error"
		if got := list.HasErrors(); got != want {
			if why := known[v.ID]; why != "" {
				t.Logf("%s: %s", v.ID, why)
				continue
			}
			t.Errorf("%s (%s, dialect %d): got errors %v, want %v\n%s\n%s", v.ID, v.Kind, dialect, got, want, list.Error(), sourceOf(v))
		}
	}
	t.Logf("%d vectors need modules that are not there", skipped)
}

// TestVectorWarnings expects the warnings that YARA-X gives, by their codes. We
// find more conditions constant than it does.
func TestVectorWarnings(t *testing.T) {
	modules := standard.Modules()
	for _, v := range readVectors(t) {
		codes, ok := v.Warnings.([]any)
		if !ok || missingModule(v, modules) {
			continue
		}
		got, want := make(map[string]bool), make(map[string]bool)
		for _, d := range compileVector(v, modules, program.YARAX) {
			got[d.Code] = true
		}
		for _, c := range codes {
			want[c.(string)] = true
		}
		if got["invariant_expr"] {
			want["invariant_expr"] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v\n%s", v.ID, got, want, sourceOf(v))
		}
	}
}

// knownVectors are those that we answer otherwise, with the reason.
func knownVectors() map[string]string {
	const octal = "an octal escape within a class is refused; YARA reads the digits"
	known := map[string]string{
		"yara/tests/test-rules.c#test-rules.c:2709": "an empty first alternative is accepted; YARA refuses it",
		"yara/tests/test-rules.c#test-rules.c:3673": octal,
		"boreal/warning.rs#tests/it/warning.rs:84":  octal,
	}
	for line := 171; line <= 180; line++ {
		known[fmt.Sprintf("boreal/regex.rs#tests/it/regex.rs:%d", line)] = octal
	}
	return known
}

func sourceOf(v vector) string {
	var b strings.Builder
	for _, s := range v.Sources {
		b.WriteString(s[1] + "\n")
	}
	return b.String()
}

// missingModule reports a vector that imports a module we do not have.
func missingModule(v vector, modules []*module.Module) bool {
	for line := range strings.SplitSeq(strings.ReplaceAll(sourceOf(v), ";", "\n"), "import") {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), `"`)
		name, _, found := strings.Cut(name, `"`)
		if ok && found && v.Kind != "compile_error" && !slices.ContainsFunc(modules, func(m *module.Module) bool { return m.Name == name }) {
			return true
		}
	}
	return false
}

func compileVector(v vector, modules []*module.Module, dialect program.Dialect) diag.List {
	opt := Options{Modules: modules, Dialect: dialect, Externals: map[string]module.Value{}}
	opt.RelaxedRegexps, _ = v.Opts["relaxed_re"].(bool)
	for name, value := range v.Vars {
		opt.Externals[name] = externalOf(value)
	}
	opt.Includes = func(from, name string) (string, []byte, error) {
		name = path.Join(path.Dir(from), name)
		text, ok := v.Includes[name]
		if !ok {
			return "", nil, fmt.Errorf("no such file")
		}
		return name, []byte(text), nil
	}
	c := New(opt)
	var list diag.List
	if v.RuleB64 != "" {
		text, _ := base64.StdEncoding.DecodeString(v.RuleB64)
		list = c.Add("", "rule", text)
	}
	for _, s := range v.Sources {
		list = append(list, c.Add(s[0], "rule", []byte(s[1]))...)
	}
	p, more := c.Build()
	if err := p.Check(); err != nil {
		list = append(list, &diag.Diagnostic{Code: "check", Title: err.Error()})
	}
	return append(list, more...)
}

func externalOf(v any) module.Value {
	switch v := v.(type) {
	case bool:
		return module.Boolean(v)
	case string:
		return module.Text(v)
	case float64:
		if v == float64(int64(v)) {
			return module.Int(int64(v))
		}
		return module.Float64(v)
	}
	return module.Value{}
}
