package yara_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func compile(t testing.TB, src string, opts ...yara.Option) *yara.Rules {
	t.Helper()
	rules, err := yara.Compile(src, opts...)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return rules
}

// matching scans and returns the names of the rules that match.
func matching(t testing.TB, s *yara.Scanner, data string) string {
	t.Helper()
	results, err := s.Scan(context.Background(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return names(results)
}

func names(results *yara.Results) string {
	var list []string
	for r := range results.Matching() {
		list = append(list, r.Name())
	}
	return strings.Join(list, " ")
}

func TestCompileReportsErrors(t *testing.T) {
	rules, err := yara.Compile("rule a { condition: tru }\nrule b { condition: true }")
	var diags diag.List
	if rules != nil || !errors.As(err, &diags) {
		t.Fatalf("got rules %v and error %v, want none and diagnostics", rules, err)
	}
	if d := diags[0]; d.Severity != diag.Error || d.Line != 1 {
		t.Errorf("got first %v, want an error of line 1", d)
	}
}

func TestCompilerIsolatesBadRules(t *testing.T) {
	c := yara.NewCompiler()
	bad := c.AddSource(yara.Source{Origin: "a.yar", Text: []byte("rule a { condition: tru }\nrule b { condition: true }")})
	good := c.AddSource(yara.Source{Namespace: "other", Origin: "b.yar", Text: []byte("rule a { condition: true }")})
	if !bad.HasErrors() || good.HasErrors() {
		t.Errorf("errors of the sources: got %v and %v", bad, good)
	}
	rules, all := c.Build()
	if len(all) != len(bad)+len(good) {
		t.Errorf("diagnostics of all: got %d, want %d", len(all), len(bad)+len(good))
	}
	var list []string
	for r := range rules.All() {
		origin, line, _ := r.Position()
		list = append(list, fmt.Sprint(r.Namespace(), "/", r.Name(), " ", origin, ":", line))
	}
	if want := []string{"default/b a.yar:2", "other/a b.yar:1"}; !slices.Equal(list, want) {
		t.Errorf("rules: got %q, want %q", list, want)
	}
}

func TestRuleListing(t *testing.T) {
	rules := compile(t, `global private rule r : x y {
		meta: a = 1 b = "two" a = true c = -1.5
		strings: $t = "text" $h = { 01 02 } private $r = /re[0-9]/ $ = "anonymous"
		condition: any of them }`)
	for r := range rules.All() {
		if !r.Global() || !r.Private() || !r.HasTag("y") || r.HasTag("z") || !slices.Equal(r.Tags(), []string{"x", "y"}) {
			t.Errorf("got global %v, private %v, tags %v", r.Global(), r.Private(), r.Tags())
		}
		var meta []string
		for k, v := range r.Meta() {
			meta = append(meta, fmt.Sprintf("%s=%v(%T)", k, v, v))
		}
		if want := []string{"a=1(int64)", "b=two(string)", "a=true(bool)", "c=-1.5(float64)"}; !slices.Equal(meta, want) {
			t.Errorf("meta: got %q, want %q", meta, want)
		}
		var patterns []string
		for p := range r.Patterns() {
			patterns = append(patterns, fmt.Sprint(p.ID(), " ", p.Kind(), " ", p.Private(), " ", p.Count()))
			for range p.Matches() {
				t.Errorf("pattern %s has a match without a scan", p.ID())
			}
		}
		want := []string{"$t text false 0", "$h hex true 0", "$r regexp false 0", "$ text false 0"}
		if !slices.Equal(patterns, want) {
			t.Errorf("patterns: got %q, want %q", patterns, want)
		}
	}
	stats := rules.Stats()
	if stats.Rules != 1 || stats.Patterns != 4 || stats.Namespaces != 1 || stats.Anchored != 1 {
		t.Errorf("stats: got %+v", stats)
	}
}

func TestMatches(t *testing.T) {
	rules := compile(t, `rule r { strings: $a = "ab" $x = "key" xor(1-5) $p = "ab" private $n = "none" condition: $a and any of them }`)
	key := []byte("key")
	for i := range key {
		key[i] ^= 3
	}
	data := "ab ab " + string(key) + " ab"
	for _, opts := range [][]yara.ScannerOption{nil, {yara.AllMatches()}} {
		s := rules.NewScanner(opts...)
		for range 2 {
			results, err := s.Scan(context.Background(), []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for r := range results.Matching() {
				for p := range r.Patterns() {
					for m := range p.Matches() {
						got = append(got, fmt.Sprint(p.ID(), m.Offset, m.Length, m.Xor, m.XorKey, "/", p.Count()))
					}
				}
			}
			want := []string{"$a0 2 false 0/3", "$a3 2 false 0/3", "$a10 2 false 0/3", "$x6 3 true 3/1"}
			if !slices.Equal(got, want) {
				t.Errorf("with %d options: got %q, want %q", len(opts), got, want)
			}
		}
	}
}

func TestMaxMatches(t *testing.T) {
	rules := compile(t, `rule r { strings: $a = "ab" condition: #a == 2 }`)
	if got := matching(t, rules.NewScanner(yara.MaxMatches(2)), "ab ab ab ab"); got != "r" {
		t.Errorf("with two matches kept: got %q, want r", got)
	}
	if got := matching(t, rules.NewScanner(), "ab ab ab ab"); got != "" {
		t.Errorf("with all matches kept: got %q, want none", got)
	}
}

func TestExternals(t *testing.T) {
	rules := compile(t, `rule r { condition: n == 5 and f > 1.0 and b and s contains "x" }`,
		yara.Define("n", 1), yara.Define("f", 1.5), yara.Define("b", true), yara.Define("s", "xyz"))
	s := rules.NewScanner()
	if got := matching(t, s, ""); got != "" {
		t.Errorf("with the defaults: got %q", got)
	}
	for name, v := range map[string]any{"n": uint8(5), "f": 2} {
		if err := s.SetExternal(name, v); err != nil {
			t.Error(err)
		}
	}
	if got := matching(t, s, ""); got != "r" {
		t.Errorf("with n = 5: got %q, want r", got)
	}
	if got := matching(t, rules.NewScanner(), ""); got != "" {
		t.Errorf("another scanner: got %q", got)
	}
	for name, v := range map[string]any{"n": "5", "b": 1, "s": nil, "unknown": 1, "f": "x"} {
		if err := s.SetExternal(name, v); err == nil {
			t.Errorf("setting %s to %v: got no error", name, v)
		}
	}
	if _, err := yara.Compile("rule r { condition: true }", yara.Define("x", []int{1})); err == nil {
		t.Error("defining a slice: got no error")
	}
}

// What a scanner asks is asked when a condition needs it, once a scan, and only
// then.
func TestAskExternals(t *testing.T) {
	rules := compile(t, `rule r { condition: n == 5 and f > 1.0 and (s contains "x" or s contains "q") and never == 1 }`,
		yara.Define("n", 1), yara.Define("f", 0.5), yara.Define("s", "xyz"), yara.Define("never", 1))
	var asked []string
	values := map[string]any{}
	s := rules.NewScanner(yara.AskExternals(func(name string) any {
		asked = append(asked, name)
		return values[name]
	}))
	for _, tt := range []struct {
		n, f, s     any
		want, asked string
	}{
		{4, 2, "q", "", "n"},
		{5, 2, "q", "r", "n f s never"},
		{5, 2, nil, "r", "n f s never"}, // s as it was defined
		{5, 2, 7, "r", "n f s never"},
		{"5", 2, "q", "", "n"},
		{nil, 2, "q", "", "n"}, // and not what the last scan was told
	} {
		asked = nil
		values["n"], values["f"], values["s"] = tt.n, tt.f, tt.s
		if got := matching(t, s, ""); got != tt.want || strings.Join(asked, " ") != tt.asked {
			t.Errorf("n %v, f %v, s %v: got %q after asking %q, want %q, %q", tt.n, tt.f, tt.s, got, asked, tt.want, tt.asked)
		}
	}
}

func TestDialects(t *testing.T) {
	const src = `rule r { condition: 2.62 - 3.0 == -0.38 }`
	if got := matching(t, compile(t, src).NewScanner(), ""); got != "" {
		t.Errorf("YARA-X: got %q, want none", got)
	}
	if got := matching(t, compile(t, src, yara.LibYARA).NewScanner(), ""); got != "r" {
		t.Errorf("libyara: got %q, want r", got)
	}
}

func TestTimeout(t *testing.T) {
	for _, condition := range []string{
		"for all i in (0..1000000000) : (i >= 0)",
		"for all i in (0..1000000) : (for all j in (0..1000000) : (i + j >= 0))",
		"not (for all i in (0..1000000000) : (math.entropy(0, filesize) >= 0.0))",
	} {
		rules := compile(t, `import "math" rule slow { condition: `+condition+` }`, yara.WithModules(standard.Modules()...))
		s := rules.NewScanner(yara.Timeout(20 * time.Millisecond))
		results, err := s.Scan(context.Background(), make([]byte, 1<<10))
		if !errors.Is(err, yara.ErrTimeout) {
			t.Errorf("%s: got error %v, want %v", condition, err, yara.ErrTimeout)
		}
		if results == nil || results.Len() != 0 {
			t.Errorf("%s: got results %v, want empty ones", condition, results)
		}
	}
}

func TestCancellation(t *testing.T) {
	rules := compile(t, `rule early { condition: true } rule slow { condition: for all i in (0..1000000000) : (i >= 0) }`)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	results, err := rules.NewScanner().Scan(ctx, nil)
	if !errors.Is(err, context.Canceled) || errors.Is(err, yara.ErrTimeout) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	if got := names(results); got != "early" {
		t.Errorf("got %q, want what matched before", got)
	}
}

// Results can be read after the scan's own time is over.
func TestMatchesAfterTimeout(t *testing.T) {
	rules := compile(t, `rule r { strings: $a = "ab" condition: $a }`)
	ctx, cancel := context.WithCancel(context.Background())
	results, err := rules.NewScanner(yara.Timeout(time.Minute)).Scan(ctx, []byte("ab ab"))
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	for r := range results.Matching() {
		for p := range r.Patterns() {
			if p.Count() != 2 {
				t.Errorf("got %d matches, want 2", p.Count())
			}
		}
	}
}

func TestModulePanics(t *testing.T) {
	integer := &module.Type{Kind: module.Integer}
	m := &module.Module{
		Name:   "broken",
		Schema: &module.Type{Kind: module.Struct, Fields: []*module.Field{{Name: "x", Type: integer}}},
		Load:   func(*module.Input) module.Value { panic("out of bounds") },
	}
	rules := compile(t, `import "broken" rule a { condition: broken.x == 1 } rule b { condition: true }`, yara.WithModules(m))
	results, err := rules.NewScanner().Scan(context.Background(), nil)
	if err == nil || !strings.Contains(err.Error(), "out of bounds") {
		t.Errorf("got error %v, want the panic", err)
	}
	if got := names(results); got != "b" {
		t.Errorf("got %q, want b", got)
	}
}

// Any number of goroutines may share rules: run with -race.
func TestConcurrency(t *testing.T) {
	rules := compile(t, `import "hash" import "math"
		rule a { strings: $a = "needle" $b = /n[a-z]{3,5}e/ condition: $a and #b == 1 }
		rule b { condition: filename matches /^[a-z]+\.exe$/ and hash.crc32(0, filesize) != 0 }
		rule c { condition: math.entropy(0, filesize) > 1.0 and for any i in (0..3) : (uint8(i) == 0x6e) }`,
		yara.WithModules(standard.Modules()...), yara.Define("filename", ""))
	data := []byte("needle in a haystack")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := rules.NewScanner()
			if err := s.SetExternal("filename", "setup.exe"); err != nil {
				t.Error(err)
			}
			for range 50 {
				results, err := s.Scan(context.Background(), data)
				if err != nil {
					t.Error(err)
					return
				}
				if got := names(results); got != "a b c" {
					t.Errorf("got %q, want a b c", got)
				}
			}
		})
	}
	wg.Wait()
}

func TestNoAllocations(t *testing.T) {
	rules := compile(t, `import "math"
		rule a { strings: $a = "needle" $b = /n[a-z]{3,5}e/ condition: any of them }
		rule b { strings: $a = { 01 02 ?? 04 } $b = "xyz" wide xor condition: uint16(0) == 0x5A4D and ($a or $b) }
		rule c { condition: filesize > 1MB or filename contains "evil" or math.max(1, filesize) == 1 }
		rule d { condition: for any i in (0..20) : (uint8(i) == 0xFF) }`,
		yara.WithModules(standard.Modules()...), yara.Define("filename", "good"))
	s := rules.NewScanner()
	ctx := context.Background()
	data := bytes.Repeat([]byte("MZ nothing to see here, move along. "), 1000)
	scan := func() {
		results, err := s.Scan(ctx, data)
		if err != nil || results.Len() != 0 {
			t.Errorf("got %v and %q", err, names(results))
		}
	}
	scan()
	if n := testing.AllocsPerRun(20, scan); n != 0 {
		t.Errorf("a scan without a match allocates %v times", n)
	}
}

func TestReadRules(t *testing.T) {
	const src = `import "hash" import "math"
		rule a : t { meta: m = "x" strings: $a = "needle" nocase $b = /n[a-z]{3,5}e/ condition: $a and #b == 1 and math.max(1, n) == 7 }
		private rule b { condition: true }
		rule c { strings: $x = "abc" xor $h = { 61 [1-3] 63 } condition: b and any of them }`
	opts := []yara.Option{yara.WithModules(standard.Modules()...), yara.Define("n", 7)}
	rules := compile(t, src, opts...)
	var file bytes.Buffer
	n, err := rules.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("writing %d bytes: got %d and %v", file.Len(), n, err)
	}
	read, err := yara.ReadRules(bytes.NewReader(file.Bytes()), opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "Needle", "needle", "abc", "axxc needle"} {
		want, got := matching(t, rules.NewScanner(), data), matching(t, read.NewScanner(), data)
		if got != want {
			t.Errorf("%q: got %q after reading, want %q", data, got, want)
		}
	}
	if _, err := yara.ReadRules(bytes.NewReader(file.Bytes())); err == nil || !strings.Contains(err.Error(), "hash") && !strings.Contains(err.Error(), "math") {
		t.Errorf("without modules: got error %v", err)
	}
	i := slices.IndexFunc(standard.Modules(), func(m *module.Module) bool { return m.Name == "math" })
	other := *standard.Modules()[i]
	schema := *other.Schema
	schema.Fields = schema.Fields[1:]
	other.Schema = &schema
	if _, err := yara.ReadRules(bytes.NewReader(file.Bytes()), yara.WithModules(standard.Modules()...), yara.WithModules(&other)); err == nil {
		t.Error("with another schema of a module: got no error")
	}
	damaged := bytes.Clone(file.Bytes())
	damaged[len(damaged)/2] ^= 1
	if _, err := yara.ReadRules(bytes.NewReader(damaged), opts...); err == nil {
		t.Error("damaged: got no error")
	}
	if _, err := yara.ReadRules(bytes.NewReader(file.Bytes()[:file.Len()-3]), opts...); err == nil {
		t.Error("cut: got no error")
	}
}

func TestIncludesFS(t *testing.T) {
	files := fstest.MapFS{
		"main.yar":     {Data: []byte(`include "lib/a.yar" rule main { condition: a and b }`)},
		"lib/a.yar":    {Data: []byte(`include "b.yar" rule a { condition: true }`)},
		"lib/b.yar":    {Data: []byte(`rule b { condition: true }`)},
		"outside.yar":  {Data: []byte(`include "../outside.yar"`)},
		"missing.yar":  {Data: []byte(`include "lib/none.yar"`)},
		"circular.yar": {Data: []byte(`include "./circular.yar"`)},
	}
	for name, want := range map[string]string{"main.yar": "b a main", "outside.yar": "", "missing.yar": "", "circular.yar": ""} {
		c := yara.NewCompiler(yara.IncludesFS(files))
		diags := c.AddSource(yara.Source{Origin: name, Text: files[name].Data})
		if diags.HasErrors() != (want == "") {
			t.Errorf("%s: got diagnostics %v", name, diags)
		}
		rules, _ := c.Build()
		if got := matching(t, rules.NewScanner(), ""); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
