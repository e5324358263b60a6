package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sources is a Lookup over texts named a, b, c…
func sources(texts ...string) Lookup {
	return func(file int32) (string, []byte, bool) {
		if int(file) >= len(texts) {
			return "", nil, false
		}
		return string('a'+rune(file)) + ".yar", []byte(texts[file]), true
	}
}

// at is the span of the first occurrence of sub in text.
func at(text, sub string) Span {
	i := strings.Index(text, sub)
	return Span{0, int32(i), int32(i + len(sub))}
}

func TestRender(t *testing.T) {
	two := "rule a {\n  condition:\n    true\n}\nrule a {\n  condition:\n    false\n}\n"
	long := strings.Repeat("x", 500) + " bad " + strings.Repeat("y", 500)
	for _, tt := range []struct {
		name string
		text string
		d    Diagnostic
		want string
	}{
		{"one label", "rule test = {", Diagnostic{Code: "syntax_error", Title: "syntax error",
			Span: Span{0, 10, 11}, Primary: "expecting `:` or `{`, found `=`", Notes: []string{"first", "second\nthird"}}, "" +
			"error[syntax_error]: syntax error\n" +
			" --> a.yar:1:11\n" +
			"  |\n" +
			"1 | rule test = {\n" +
			"  |           ^ expecting `:` or `{`, found `=`\n" +
			"  |\n" +
			"  = note: first\n" +
			"  = note: second\n" +
			"          third\n"},
		{"labels of one line", "all of ($a, $b) at $a", Diagnostic{Severity: Warning, Code: "w", Title: "t",
			Span: Span{0, 8, 10}, Primary: "one", Labels: []Label{{Span{0, 12, 14}, "two"}, {Span{0, 0, 3}, "zero"}}}, "" +
			"warning[w]: t\n" +
			" --> a.yar:1:9\n" +
			"  |\n" +
			"1 | all of ($a, $b) at $a\n" +
			"  | ---     ^^  -- two\n" +
			"  | |       |\n" +
			"  | |       one\n" +
			"  | zero\n"},
		{"nested labels", "foo(bar)", Diagnostic{Code: "c", Title: "t",
			Span: Span{0, 4, 7}, Primary: "inner", Labels: []Label{{Span{0, 0, 8}, "outer"}}}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:5\n" +
			"  |\n" +
			"1 | foo(bar)\n" +
			"  | ----^^^-\n" +
			"  | |   |\n" +
			"  | |   inner\n" +
			"  | outer\n"},
		{"labels of two lines", two, Diagnostic{Code: "duplicate_rule", Title: "duplicate rule `a`",
			Span: Span{0, 38, 39}, Primary: "again", Labels: []Label{{Span{0, 5, 6}, "first here"}}}, "" +
			"error[duplicate_rule]: duplicate rule `a`\n" +
			" --> a.yar:5:6\n" +
			"  |\n" +
			"1 | rule a {\n" +
			"  |      - first here\n" +
			"...\n" +
			"5 | rule a {\n" +
			"  |      ^ again\n"},
		{"a line between is shown", "a\nb\nc\n", Diagnostic{Code: "c", Title: "t",
			Span: Span{0, 4, 5}, Labels: []Label{{Span{0, 0, 1}, "l"}}}, "" +
			"error[c]: t\n" +
			" --> a.yar:3:1\n" +
			"  |\n" +
			"1 | a\n" +
			"  | - l\n" +
			"2 | b\n" +
			"3 | c\n" +
			"  | ^\n"},
		{"span of several lines", two, Diagnostic{Code: "c", Title: "t", Span: Span{0, 7, 32}, Primary: "body"}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:8\n" +
			"  |\n" +
			"1 | rule a {\n" +
			"  |        ^\n" +
			"...\n" +
			"4 | }\n" +
			"  | ^ body\n"},
		{"span with its line break", "ab\ncd\n", Diagnostic{Code: "c", Title: "t", Span: Span{0, 1, 3}}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:2\n" +
			"  |\n" +
			"1 | ab\n" +
			"  |  ^\n"},
		{"tabs", "\tx\ty", Diagnostic{Code: "c", Title: "t", Span: Span{0, 3, 4}, Primary: "here"}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:4\n" +
			"  |\n" +
			"1 |     x   y\n" +
			"  |         ^ here\n"},
		{"wide and combining characters", "日本e\u0301 x", Diagnostic{Code: "c", Title: "t", Span: Span{0, 10, 11}}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:6\n" +
			"  |\n" +
			"1 | 日本e\u0301 x\n" +
			"  |       ^\n"},
		{"hostile text", "a\x1b[31m\xff\u202eb", Diagnostic{Code: "c", Title: "t\x07", Span: Span{0, 6, 7}, Primary: "l\x1b"}, "" +
			"error[c]: t\ufffd\n" +
			" --> a.yar:1:7\n" +
			"  |\n" +
			"1 | a\ufffd[31m\ufffd\ufffdb\n" +
			"  |       ^ l\ufffd\n"},
		{"carriage returns", "ab\r\ncd\r\n", Diagnostic{Code: "c", Title: "t", Span: Span{0, 5, 6}}, "" +
			"error[c]: t\n" +
			" --> a.yar:2:2\n" +
			"  |\n" +
			"2 | cd\n" +
			"  |  ^\n"},
		{"end of text", "ab\n", Diagnostic{Code: "c", Title: "t", Span: Span{0, 3, 3}, Primary: "end"}, "" +
			"error[c]: t\n" +
			" --> a.yar:2:1\n" +
			"  |\n" +
			"2 |\n" +
			"  | ^ end\n"},
		{"long line", long, Diagnostic{Code: "c", Title: "t", Span: at(long, "bad"), Primary: "here"}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:502\n" +
			"  |\n" +
			"1 | …xxxxxxxxx bad yyyyyyyyyyyyyyyyyyyyyyyyyy…\n" +
			"  |            ^^^ here\n"},
		{"long line, far label", long, Diagnostic{Code: "c", Title: "t", Span: at(long, "bad"), Primary: "here", Labels: []Label{{Span{0, 1, 2}, "far"}}}, "" +
			"error[c]: t\n" +
			" --> a.yar:1:502\n" +
			"  |\n" +
			"1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n" +
			"  |  - far\n" +
			"1 | …xxxxxxxxx bad yyyyyyyyyyyyyyyyyyyyyyyyyy…\n" +
			"  |            ^^^ here\n"},
		{"no position", "", Diagnostic{Code: "c", Title: "t", Primary: "p", Notes: []string{"n"}}, "" +
			"error[c]: t\n" +
			"  = note: p\n" +
			"  = note: n\n"},
		{"unknown source", "", Diagnostic{Code: "c", Title: "t", Span: Span{9, 1, 2}, Origin: "z.yar", Line: 3, Column: 4}, "" +
			"error[c]: t\n" +
			" --> z.yar:3:4\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Render(&b, List{&tt.d}, sources(tt.text), Options{Width: 40}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestRenderTwoSources(t *testing.T) {
	d := &Diagnostic{Code: "c", Title: "t", Span: Span{1, 0, 1}, Primary: "here", Labels: []Label{{Span{0, 2, 3}, "there"}}}
	want := "error[c]: t\n" +
		" --> b.yar:1:1\n" +
		"  |\n" +
		"1 | xyz\n" +
		"  | ^ here\n" +
		" ::: a.yar:1:3\n" +
		"  |\n" +
		"1 | abc\n" +
		"  |   - there\n" +
		"\n" +
		"error[e]: u\n"
	var b bytes.Buffer
	if err := Render(&b, List{d, {Code: "e", Title: "u"}}, sources("abc", "xyz"), Options{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestRenderColor(t *testing.T) {
	d := &Diagnostic{Code: "c", Title: "t", Span: Span{0, 0, 1}, Primary: "p", Labels: []Label{{Span{0, 2, 3}, "l"}}}
	want := "\x1b[1;31merror[c]\x1b[0m\x1b[1m: t\x1b[0m\n" +
		" \x1b[1;34m--> \x1b[0ma.yar:1:1\n" +
		"  \x1b[1;34m|\x1b[0m\n" +
		"\x1b[1;34m1 |\x1b[0m abc\n" +
		"  \x1b[1;34m|\x1b[0m \x1b[1;31m^\x1b[0m \x1b[1;34m-\x1b[0m \x1b[1;34ml\x1b[0m\n" +
		"  \x1b[1;34m|\x1b[0m \x1b[1;31m|\x1b[0m\n" +
		"  \x1b[1;34m|\x1b[0m \x1b[1;31mp\x1b[0m\n"
	var b bytes.Buffer
	if err := Render(&b, List{d}, sources("abc"), Options{Color: true}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// failing is a writer that fails.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestRenderReportsWriteErrors(t *testing.T) {
	if err := Render(failing{}, List{{Code: "c"}}, nil, Options{}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

// TestRenderAnySpan checks that no span of any text, however wrong, breaks
// the renderer, and that nothing but printable characters comes out.
func TestRenderAnySpan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "\n", "\t", "é", "日", "\xff", "\r\n", "\x1b", "\u202e", strings.Repeat("z", 50)}
	for range 3000 {
		var text string
		for range rng.IntN(12) {
			text += alphabet[rng.IntN(len(alphabet))]
		}
		span := func() Span {
			n := int32(len(text) + 4)
			return Span{0, rng.Int32N(n) - 2, rng.Int32N(n) - 2}
		}
		d := &Diagnostic{Code: "c", Title: "t", Span: span(), Primary: "p", Labels: []Label{{span(), "l"}, {span(), "m"}}}
		var b bytes.Buffer
		Resolve(List{d}, sources(text))
		if err := Render(&b, List{d}, sources(text), Options{Width: 30}); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.String() {
			if c != '\n' && c != visible(c) {
				t.Fatalf("%q rendered with %q:\n%s", text, c, b.String())
			}
		}
	}
}

func TestResolve(t *testing.T) {
	text := "é\xffx\nab\n"
	for _, tt := range []struct {
		span                             Span
		line, column, endLine, endColumn int
	}{
		{Span{0, 3, 4}, 1, 3, 1, 4},
		{Span{0, 5, 6}, 2, 1, 2, 2},
		{Span{0, 0, 7}, 1, 1, 2, 3},
		{Span{0, 8, 8}, 3, 1, 3, 1},
		{Span{0, 8, 90}, 3, 1, 3, 1},
		{Span{7, 1, 2}, 0, 0, 0, 0},
		{Span{}, 0, 0, 0, 0},
	} {
		d := &Diagnostic{Span: tt.span}
		Resolve(List{d}, sources(text))
		got := [4]int{d.Line, d.Column, d.EndLine, d.EndColumn}
		if want := [4]int{tt.line, tt.column, tt.endLine, tt.endColumn}; got != want {
			t.Errorf("%v: got %v, want %v", tt.span, got, want)
		}
		if (d.Origin == "a.yar") != (tt.line > 0) {
			t.Errorf("%v: got origin %q", tt.span, d.Origin)
		}
	}
}

func TestJSON(t *testing.T) {
	l := List{{Code: "c", Severity: Warning, Title: "t", Span: Span{0, 1, 2}, Primary: "p",
		Labels: []Label{{Span{0, 0, 1}, "l"}}, Notes: []string{"n"}}, {Code: "d", Title: "u"}}
	Resolve(l, sources("ab\n"))
	got, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"code":"c","severity":"warning","title":"t","primary":"p","origin":"a.yar","line":1,"column":2,` +
		`"end_line":1,"end_column":3,"span":{"file":0,"start":1,"end":2},` +
		`"labels":[{"span":{"file":0,"start":0,"end":1},"text":"l"}],"notes":["n"]},` +
		`{"code":"d","severity":"error","title":"u"}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestListError(t *testing.T) {
	l := List{
		{Code: "b", Title: "later", Span: Span{0, 5, 6}},
		{Code: "a", Title: "sooner", Span: Span{0, 1, 2}, Primary: "p"},
		{Code: "w", Severity: Warning, Title: "warned", Span: Span{0, 2, 3}},
	}
	l.Sort()
	Resolve(l[:1], sources("abcdefg"))
	want := "a.yar:1:2: error[a]: sooner: p\nerror[b]: later"
	if got := l.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !l.HasErrors() || l[1:2].HasErrors() {
		t.Errorf("HasErrors is wrong")
	}
}
