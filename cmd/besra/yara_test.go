package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestParseDefine(t *testing.T) {
	for text, want := range map[string]any{
		"a=1": int64(1), "a=-12": int64(-12), "a=007": int64(7), "a=1.5": 1.5, "a=-2.": -2.0, "a=1.2.3": "1.2.3", "a=.5": ".5",
		"a=true": true, "a=false": false, "a=True": "True", "a=": "", "a=-": "-", "a=1x": "1x", "a=0x10": "0x10", "a=b=c": "b=c",
	} {
		name, got, err := parseDefine(text)
		if name != "a" || got != want || err != nil {
			t.Errorf("%s: got %q, %v (%T), %v, want %v (%T)", text, name, got, got, err, want, want)
		}
	}
	for _, text := range []string{"a", "=1", "", "a=99999999999999999999"} {
		if _, got, err := parseDefine(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestSecondsFlag(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1": time.Second, "0x10": 16 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "9000000000000": yaraTimeout,
	} {
		var s secondsFlag
		if err := s.Set(text); err != nil || s.duration() != want {
			t.Errorf("%s: got %v, %v, want %v", text, s.duration(), err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "soon"} {
		if err := new(secondsFlag).Set(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

func TestParseRuleFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "plain.yar", nil)
	for arg, want := range map[string]ruleFile{
		"plain.yar":    {"", "plain.yar"},
		"ns:plain.yar": {"ns", "plain.yar"},
		"a:b:c.yar":    {"a", "b:c.yar"},
		`C:\rules.yar`: {"", `C:\rules.yar`},
		"gone.yar":     {"", "gone.yar"},
		"ns:-":         {"ns", "-"},
	} {
		if got := parseRuleFile(arg); got != want {
			t.Errorf("%s: got %+v, want %+v", arg, got, want)
		}
	}
	if runtime.GOOS != "windows" {
		writeFile(t, "odd:name.yar", nil)
		if got, want := parseRuleFile("odd:name.yar"), (ruleFile{"", "odd:name.yar"}); got != want {
			t.Errorf("a file with a colon: got %+v, want %+v", got, want)
		}
	}
}

func TestUnknownEscape(t *testing.T) {
	for re, want := range map[string]string{
		`abc`: "", `\n\x41\d\.\/`: "", `\\q`: "", `a\qb`: `\q`, `[\z]`: `\z`, `\`: "", `\;`: `\;`,
	} {
		if got := unknownEscape(re); got != want {
			t.Errorf("%s: got %q, want %q", re, got, want)
		}
	}
}

// TestYARAOddNames prints paths that hold what no path should.
func TestYARAOddNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the file system may refuse the names")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte("rule r { condition: true }"))
	writeFile(t, "d/line\nbreak\r", nil)
	got, stderr, code := runBesra([]string{"yara", "r.yar", "d"})
	if want := `r d/line\nbreak\r` + "\n"; got != want || code != 0 {
		t.Errorf("got %q, exit %d, stderr %q, want %q", got, code, stderr, want)
	}
	writeFile(t, "raw/\xff", nil)
	got, _, _ = runBesra([]string{"yara", "-o", "ndjson", "r.yar", "raw"})
	if want := `{"path":{"base64":"cmF3L/8="},"rules":[{"identifier":"r"}]}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestYARAOrder scans with many threads what takes each a different time.
func TestYARAOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte(`rule r { strings: $a = "needle" condition: #a > 0 }`))
	var list, want strings.Builder
	for i := range 300 {
		name := filepath.Join("d", fmt.Sprint(i))
		writeFile(t, name, bytes.Repeat([]byte("needle "), 1+i*7919%1000))
		fmt.Fprintln(&list, name)
		fmt.Fprintln(&want, "r", name)
	}
	writeFile(t, "list", []byte(list.String()))
	got, stderr, code := runBesra([]string{"yara", "-p", "8", "--scan-list", "r.yar", "list"})
	if d := cmp.Diff(want.String(), got); d != "" || code != 0 || stderr != "" {
		t.Errorf("exit %d, stderr %q, output (-want +got):\n%s", code, stderr, d)
	}
}

// TestYARAInterrupted ends a scan that would not end.
func TestYARAInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte("rule r { condition: for all i in (0..1000000000000) : ( i >= 0 ) }"))
	writeFile(t, "d/a", nil)
	for _, target := range []string{"d", "d/a"} {
		ctx, cancel := context.WithCancel(t.Context())
		var out, errs bytes.Buffer
		cmd := rootCommand(stdio{in: strings.NewReader(""), out: &out, err: &errs})
		cmd.SetArgs([]string{"yara", "r.yar", target})
		time.AfterFunc(20*time.Millisecond, cancel)
		err := cmd.ExecuteContext(ctx)
		if exit, ok := err.(*exitError); !ok || exit.code != exitInterrupted || out.Len() > 0 {
			t.Errorf("%s: got %v and output %q, want exit code %d", target, err, out.String(), exitInterrupted)
		}
		cancel()
	}
}

// TestFullOutput ends a run whose output cannot be written.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	t.Chdir(t.TempDir())
	writeFile(t, "r.yar", []byte("rule r { condition: true }"))
	writeFile(t, "d/a", nil)
	for _, args := range [][]string{{"r.yar", "d"}, {"r.yar", "d/a"}, {"-o", "json", "r.yar", "d"}} {
		var errs bytes.Buffer
		code := run(append([]string{"yara"}, args...), stdio{in: strings.NewReader(""), out: full, err: &errs})
		if code != exitYARA || !strings.Contains(errs.String(), "no space") {
			t.Errorf("%v: got exit code %d and %q, want %d and an error", args, code, errs.String(), exitYARA)
		}
	}
}

// TestPrintObject prints values of every kind, and undefined ones, of a type
// that is part of itself.
func TestPrintObject(t *testing.T) {
	integer, text := &module.Type{Kind: module.Integer}, &module.Type{Kind: module.String}
	node := &module.Type{Kind: module.Struct}
	node.Fields = []*module.Field{{Name: "id", Type: integer}, {Name: "next", Type: node}}
	root := &module.Type{Kind: module.Struct, Fields: []*module.Field{
		{Name: "number", Type: integer},
		{Name: "ratio", Type: &module.Type{Kind: module.Float}},
		{Name: "flag", Type: &module.Type{Kind: module.Bool}},
		{Name: "text", Type: text},
		{Name: "LIMIT", Type: integer, Const: module.Int(7)},
		{Name: "call", Funcs: []*module.Func{{Result: integer}}},
		{Name: "nodes", Type: &module.Type{Kind: module.Array, Elem: node}},
		{Name: "words", Type: &module.Type{Kind: module.Map, Key: module.String, Elem: text}},
		{Name: "node", Type: node},
	}}
	n := module.NewRecord(node)
	n.Set(0, module.Int(-1))
	words := &module.Table{}
	words.Put("key", module.Text("a\"\\\n\xff"))
	r := module.NewRecord(root)
	for i, v := range []module.Value{module.Int(5), module.Float64(1.5), module.Boolean(true), module.Text("x"), {}, {},
		module.ArrayOf(module.Items{module.StructOf(n)}), module.MapOf(words)} {
		r.Set(i, v)
	}
	const want = "\n\tnumber = 5\n\tratio = 1.500000\n\tflag = 1\n\ttext = \"x\"\n\tLIMIT = 7" +
		"\n\tnodes\n\t\t[0]\n\t\t\tid = -1\n\t\t\tnext\n\twords\n\t\tkey = \"a\"\\\\x0a\\xff\"\n\tnode\n\t\tid = YR_UNDEFINED\n\t\tnext"
	var b bytes.Buffer
	printObject(&b, root, module.StructOf(r), nil)
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestYARAPage holds the page about the command to its options.
func TestYARAPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "yara-command.md"))
	if err != nil {
		t.Fatal(err)
	}
	yaraCommand(stdio{}).Flags().VisitAll(func(f *pflag.Flag) {
		short := f.Shorthand != "" && bytes.Contains(page, []byte("`-"+f.Shorthand+"`"))
		if !short && !bytes.Contains(page, []byte("--"+f.Name)) {
			t.Errorf("docs/yara-command.md does not name --%s", f.Name)
		}
	})
}
