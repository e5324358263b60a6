package compile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestGoldens compiles each testdata/*.yar and compares the diagnostics and the
// dump of the program with the .golden file beside it. Words in the first line
// of a source choose options: yara (the dialect), relaxed, includes.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(src), "\n")
			opt := options()
			if strings.HasPrefix(head, "// options:") {
				choose(&opt, strings.Fields(head)[2:])
			}
			got := compileText(t, opt, filepath.Base(file), src)
			golden := strings.TrimSuffix(file, ".yar") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func choose(opt *Options, words []string) {
	for _, w := range words {
		switch w {
		case "yara":
			opt.Dialect = program.LibYARA
		case "relaxed":
			opt.RelaxedRegexps = true
		case "includes":
			opt.Includes = func(from, path string) (string, []byte, error) {
				text, ok := included[path]
				if !ok {
					return "", nil, errors.New("no such file")
				}
				return path, []byte(text), nil
			}
		}
	}
}

var included = map[string]string{
	"lib.yar":  "rule from_lib { condition: filesize == 3 }\n",
	"self.yar": "include \"self.yar\"\n",
	"bad.yar":  "\nrule bad { condition: nothing }\n",
}

// compileText renders all that the compiler says and makes.
func compileText(t *testing.T, opt Options, name string, src []byte) []byte {
	t.Helper()
	c := New(opt)
	var b bytes.Buffer
	for _, d := range c.Add("", name, src) {
		render(&b, c, d)
	}
	p, more := c.Build()
	for _, d := range more {
		render(&b, c, d)
	}
	if err := p.Check(); err != nil {
		t.Errorf("the program is not whole: %v", err)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	if err := program.Dump(&b, p); err != nil {
		t.Fatal(err)
	}
	return steady(b.Bytes())
}

var (
	costs   = regexp.MustCompile(`(?m)^(pattern \d+) cost \S+`)
	parts   = regexp.MustCompile(`(?m)^  regexp forward .* whole (/.*/) least`)
	forward = regexp.MustCompile(`(?m)^  regexp forward (/.*?/)( reverse /.*/)? least`)
	atoms   = regexp.MustCompile(`(?m)^(  regexp .*? least \d+( fullword( wide)?)?) atom .*$`)
)

// steady takes out of a dump what the tables of package atom decide: they are
// trained anew now and then.
func steady(dump []byte) []byte {
	dump = costs.ReplaceAll(dump, []byte("$1"))
	dump = parts.ReplaceAll(dump, []byte("  regexp $1 least"))
	dump = forward.ReplaceAll(dump, []byte("  regexp $1 least"))
	return atoms.ReplaceAll(dump, []byte("$1 with atoms"))
}

func render(b *bytes.Buffer, c *Compiler, d *diag.Diagnostic) {
	fmt.Fprintln(b, d.Error())
	if d.Span != (diag.Span{}) {
		fmt.Fprintf(b, "\t> %s\n", spanText(c, d.Span))
	}
	for _, l := range d.Labels {
		fmt.Fprintf(b, "\t| %s: %s\n", spanText(c, l.Span), l.Text)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(b, "\t= %s\n", n)
	}
}

func spanText(c *Compiler, s diag.Span) string {
	text := c.Sources()[s.File].Text[s.Start:s.End]
	return strings.Join(strings.Fields(string(text)), " ")
}

// options are what the tests compile with.
func options() Options {
	return Options{
		Modules:       testModules(),
		IgnoreModules: []string{"absent"},
		Externals: map[string]module.Value{"ext_int": module.Int(1), "ext_float": module.Float64(1.5),
			"ext_bool": module.Boolean(true), "ext_text": module.Text("x")},
	}
}

// testModules are small stand-ins that have one of each thing.
func testModules() []*module.Module {
	integer, float := &module.Type{Kind: module.Integer}, &module.Type{Kind: module.Float}
	boolean, text := &module.Type{Kind: module.Bool}, &module.Type{Kind: module.String}
	fn := func(result *module.Type, params ...module.Kind) *module.Func {
		return &module.Func{Params: params, Result: result}
	}
	section := &module.Type{Kind: module.Struct, Name: "Section", Fields: []*module.Field{
		{Name: "name", Type: text}, {Name: "size", Type: integer},
		{Name: "has", Funcs: []*module.Func{fn(boolean, module.String)}}}}
	pe := &module.Type{Kind: module.Struct, Fields: []*module.Field{
		{Name: "MACHINE_I386", Const: module.Int(0x14c)},
		{Name: "machine", Type: integer},
		{Name: "is_signed", Type: boolean},
		{Name: "dll_name", Type: text},
		{Name: "sections", Type: &module.Type{Kind: module.Array, Elem: section}},
		{Name: "version_info", Type: &module.Type{Kind: module.Map, Key: module.String, Elem: text}},
		{Name: "old", Type: integer, Deprecated: "use `machine`"},
		{Name: "header", Type: &module.Type{Kind: module.Struct, Fields: []*module.Field{{Name: "size", Type: integer}}}},
		{Name: "imphash", Funcs: []*module.Func{fn(text)}},
		{Name: "imports", Funcs: []*module.Func{fn(boolean, module.String), fn(boolean, module.String, module.String),
			fn(integer, module.Regexp, module.Regexp)}},
	}}
	math := &module.Type{Kind: module.Struct, Fields: []*module.Field{
		{Name: "entropy", Funcs: []*module.Func{fn(float, module.Integer, module.Integer), fn(float, module.String)}},
		{Name: "min", Funcs: []*module.Func{fn(integer, module.Integer, module.Integer)}}}}
	console := &module.Type{Kind: module.Struct, Fields: []*module.Field{
		{Name: "log", Funcs: []*module.Func{{Params: []module.Kind{module.String}, Result: boolean, Effects: true}}}}}
	elf := &module.Type{Kind: module.Struct, Fields: []*module.Field{{Name: "telfhash", Funcs: []*module.Func{fn(text)}}}}
	return []*module.Module{{Name: "elf", Schema: elf}, {Name: "pe", Schema: pe}, {Name: "math", Schema: math}, {Name: "console", Schema: console}}
}

func finder() func(string) *module.Module {
	return func(name string) *module.Module {
		for _, m := range testModules() {
			if m.Name == name {
				return m
			}
		}
		return nil
	}
}
