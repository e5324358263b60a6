package exclusion_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// TestProblems checks code, position and words of what does not compile.
func TestProblems(t *testing.T) {
	params := exclusion.Parameters{"update_dirs": {Type: "strings"}, "limit": {Default: 3}}
	tests := []struct {
		when         string
		code         string
		line, column int
		message      string // part of it
		hint         string // part of it
	}{
		{``, "no-when", 0, 0, "no expression", "file.path.under"},
		{"  \n ", "no-when", 0, 0, "no expression", ""},
		{`file.pth == "a"`, "unknown-name", 1, 1, "no fact file.pth", "did you mean file.path?"},
		{"file.owner.name == \"ä\" &&\n\tfile.ownr.name == 'b'", "unknown-name", 2, 2, "file.ownr.name", "file.owner.name"},
		{`file.name == "é" && fil.path == "x"`, "unknown-name", 1, 21, "fil.path", "file.path"},
		{`file == "a"`, "unknown-name", 1, 1, "a group of facts", "file.path"},
		{`package == "a"`, "unknown-name", 1, 1, "package is a group", "package.name"},
		{`package.nam == "a"`, "unknown-name", 1, 1, "package.nam", "package.name"},
		{`file.path.name == "a"`, "unknown-name", 1, 1, "file.path is a value", "parentheses"},
		{`"a".b == "a"`, "unknown-name", 1, 4, "have dots", ""},
		{`root == file.owner.name`, "unknown-name", 1, 1, "no fact root", "quotes"},
		{`.file.path == "a"`, "unknown-name", 1, 2, ".file.path", "file.path"},
		{`host.tags.exists(t, u == t)`, "unknown-name", 1, 21, "no fact u", ""},
		{`host.tags.exists(t, t == "a") && t == "b"`, "unknown-name", 1, 34, "no fact t", ""},
		{`file.path.under(params.updat_dirs)`, "unknown-parameter", 1, 17, "params.updat_dirs", "update_dirs"},
		{`file.path.under(params.other)`, "unknown-parameter", 1, 17, "params.other", "limit, update_dirs"},
		{`file.path.unde("/a")`, "unknown-function", 1, 11, "unde", "did you mean under?"},
		{`has(file.path)`, "unknown-function", 1, 1, "has", "leave it out"},
		{`["a"].map(x, x) == ["a"]`, "unknown-function", 1, 7, "map", ""},
		{`dyn(1) == 1`, "unknown-function", 1, 1, "dyn", ""},
		{`string(file.size) == "1"`, "unknown-function", 1, 1, "string", ""},
		{`file.path == 3`, "type", 1, 11, "== cannot be applied to (string, int)", "like with like"},
		{`file.path + "x" == "b"`, "type", 1, 11, "+ cannot be applied to (string, string)", ""},
		{`file.size / 2 == 1`, "unknown-function", 1, 11, "/", ""},
		{`file.path`, "type", 1, 1, "of type string, not a yes or no", "compare"},
		{`file.path.under(params.limit)`, "type", 1, 16, "under cannot be applied", ""},
		{`process.name == "x"`, "wrong-context", 1, 1, "process.name is never known in context file (it is in process)", "all known in process; opener.names"},
		{`file.path == "a" && process.cwd == "b"`, "wrong-context", 1, 21, "process.cwd is never known in context file", "no context knows all"},
		{`file.path ==`, "syntax", 1, 13, "ends too early", ""},
		{`(file.path == "a"`, "syntax", 1, 18, ") is missing", ""},
		{`file.path == "a" file.name == "b"`, "syntax", 1, 18, "file is not expected here", ""},
		{`file.path == "a`, "syntax", 1, 14, "not a word of the language", "quotes"},
		{`{"a": 1} == 3`, "syntax", 1, 1, "maps and structures", ""},
		{`b"x" == b"y"`, "syntax", 1, 1, "literal of type bytes", ""},
		{`file.size == 1u`, "syntax", 1, 14, "literal of type uint", ""},
		{`file.path.under("../x")`, "bad-argument", 1, 17, ".. element", ""},
		{`file.path.under(["/a", ""])`, "bad-argument", 1, 24, "empty", ""},
		{`file.path.glob("{a,b}")`, "bad-argument", 1, 16, "braces", ""},
		{`file.path.glob("[a")`, "bad-argument", 1, 16, "closing bracket", ""},
		{`file.path.glob("[b-a]")`, "bad-argument", 1, 16, "not valid", ""},
		{`file.path.glob("a\\")`, "bad-argument", 1, 16, "ends in a backslash", ""},
		{`file.name.matches("(")`, "bad-argument", 1, 19, "missing closing )", ""},
		{`file.mtime.inWindow("25:00", "01:00", "UTC")`, "bad-argument", 1, 21, "not a time of day", ""},
		{`file.mtime.inWindow("02:00", "02:00", "UTC")`, "bad-argument", 1, 21, "empty or the whole day", ""},
		{`file.mtime.inWindow("02:00", "04:00", "Local")`, "bad-argument", 1, 39, "not a time zone", ""},
		{`file.mtime.inWindow("02:00", "04:00", "Mars/Base")`, "bad-argument", 1, 39, "not a time zone", ""},
		{`file.mtime.within("* * *", duration("1m"))`, "bad-argument", 1, 19, "3 fields", ""},
		{`file.mtime.within("60 * * * *", duration("1m"))`, "bad-argument", 1, 19, "from 0 to 59", ""},
		{`file.mtime.within("* * * * *", duration("x"))`, "bad-argument", 1, 41, "invalid duration", ""},
		{`file.mtime > timestamp("yesterday")`, "bad-argument", 1, 24, "cannot parse", ""},
		{`file.path == "` + strings.Repeat("a", exclusion.MaxWhen) + `"`, "too-long", 1, 0, "too long", "parameters"},
		{strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), "too-long", 1, 0, "too deeply nested", ""},
	}
	e := env(t, params)
	for _, tt := range tests {
		x, problems := exclusion.Compile(spec(tt.when), exclusion.Options{Env: e})
		name := tt.when[:min(60, len(tt.when))]
		if x != nil || len(problems) == 0 {
			t.Errorf("%s: compiled", name)
			continue
		}
		p := problems[0]
		if p.Code != tt.code || p.Level != exclusion.LevelError || p.Line != tt.line || tt.column != 0 && p.Column != tt.column ||
			!strings.Contains(p.Message, tt.message) || !strings.Contains(p.Hint, tt.hint) {
			t.Errorf("%s:\ngot  %v\nwant %d:%d: …%s… [%s] …%s…", name, p, tt.line, tt.column, tt.message, tt.code, tt.hint)
		}
		if strings.Contains(p.Error(), "packagE") {
			t.Errorf("%s: the problem shows the parser's word: %v", name, p)
		}
	}
}

func TestPositionsCountBytesAndCharacters(t *testing.T) {
	when := "file.name == \"äö\" ||\n  \"ü\" == fil.name"
	_, problems := exclusion.Compile(spec(when), exclusion.Options{})
	if len(problems) != 1 {
		t.Fatalf("got %v, want one problem", problems)
	}
	p := problems[0]
	if got := when[p.Offset:]; got != "fil.name" || p.Line != 2 || p.Column != 10 {
		t.Errorf("got offset at %q, %d:%d, want fil.name at 2:10", got, p.Line, p.Column)
	}
}

// TestSpecProblems checks the members besides when.
func TestSpecProblems(t *testing.T) {
	good := spec(`file.name == "a"`)
	tests := []struct {
		name  string
		spoil func(*exclusion.Spec)
		want  string // field and code
	}{
		{"no id", func(s *exclusion.Spec) { s.ID = "" }, "id no-id"},
		{"effect", func(s *exclusion.Spec) { s.Effect = "hide" }, "effect bad-effect"},
		{"to", func(s *exclusion.Spec) { s.To = "tiny" }, "to bad-severity"},
		{"downgrade to nothing", func(s *exclusion.Spec) { s.Effect = besra.EffectDowngrade }, "to bad-severity"},
		{"date", func(s *exclusion.Spec) { s.Expires = "2027-02-30" }, "expires bad-date"},
		{"date and time", func(s *exclusion.Spec) { s.Expires = "2027-02-20T00:00:00Z" }, "expires bad-date"},
		{"context", func(s *exclusion.Spec) { s.Contexts = append(s.Contexts, "fiel") }, "contexts[1] unknown-context"},
		{"no context", func(s *exclusion.Spec) { s.Contexts = nil }, "contexts no-context"},
	}
	for _, tt := range tests {
		s := good
		tt.spoil(&s)
		x, problems := exclusion.Compile(s, exclusion.Options{})
		if x != nil || len(problems) != 1 || problems[0].Field+" "+problems[0].Code != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, problems, tt.want)
		}
	}
}

func TestContextsOfAnExpression(t *testing.T) {
	s := spec(`file.size == 7 && file.path == "b"`)
	s.Contexts = nil
	_, problems := exclusion.Compile(s, exclusion.Options{})
	if want := "all known in file, image, archive, mail, object"; len(problems) != 1 || !strings.Contains(problems[0].Hint, want) {
		t.Errorf("got %v, want a hint with %q", problems, want)
	}
	s.Contexts = []besra.Context{besra.ContextFile, besra.ContextProcess, besra.ContextNetwork}
	_, problems = exclusion.Compile(s, exclusion.Options{})
	if want := "file.path is never known in context process, network"; len(problems) != 1 || !strings.Contains(problems[0].Message, want) {
		t.Errorf("got %v, want %q", problems, want)
	}
}

func TestParameters(t *testing.T) {
	tests := []struct {
		name  string
		param exclusion.Parameter
		value any    // as the exclusion sees it
		err   string // part of the problem
	}{
		{"text", exclusion.Parameter{Default: "a"}, "a", ""},
		{"number", exclusion.Parameter{Default: uint64(3)}, int64(3), ""},
		{"whole", exclusion.Parameter{Type: "int", Default: 3.0}, int64(3), ""},
		{"flag", exclusion.Parameter{Default: true}, true, ""},
		{"list", exclusion.Parameter{Default: []any{"a", "b"}}, []string{"a", "b"}, ""},
		{"empty", exclusion.Parameter{Default: []any{}}, []string{}, ""},
		{"set", exclusion.Parameter{Default: "a", Value: "b"}, "b", ""},
		{"unset", exclusion.Parameter{Type: "strings"}, nil, ""},
		{"untyped", exclusion.Parameter{}, nil, "needs a type"},
		{"odd", exclusion.Parameter{Type: "map"}, nil, `"map" is not a parameter type`},
		{"mixed", exclusion.Parameter{Default: []any{"a", 1}}, nil, "not of type strings"},
		{"wrong", exclusion.Parameter{Type: "int", Default: "a"}, nil, "not of type int"},
		{"broken", exclusion.Parameter{Default: 1.5}, nil, `"float64" is not`},
		{"huge", exclusion.Parameter{Type: "int", Default: uint64(1 << 63)}, nil, "not of type int"},
		{"in", exclusion.Parameter{Default: "a"}, nil, "not a name"},
		{"two words", exclusion.Parameter{Default: "a"}, nil, "not a name"},
	}
	for _, tt := range tests {
		e, problems := exclusion.NewEnv(exclusion.Parameters{tt.name: tt.param}, nil)
		if tt.err != "" {
			if len(problems) != 1 || problems[0].Code != exclusion.CodeBadParameter || !strings.Contains(problems[0].Message, tt.err) {
				t.Errorf("%s: got %v, want %q", tt.name, problems, tt.err)
			}
			if x, _ := exclusion.Compile(spec(`file.name == "a"`), exclusion.Options{Env: e}); x == nil {
				t.Errorf("%s: one bad parameter spoils exclusions that do not use it", tt.name)
			}
			continue
		}
		x := compile(t, spec(fmt.Sprintf("params.%s == params.%s", tt.name, tt.name)), exclusion.Options{Env: e})
		if diff := cmp.Diff(tt.value, x.Param("params."+tt.name)); diff != "" || len(problems) > 0 {
			t.Errorf("%s: value (-want +got):\n%s%v", tt.name, diff, problems)
		}
	}
}

// TestFunctionsCompile holds the documentation to the language: every example
// compiles, and every function is documented.
func TestFunctionsCompile(t *testing.T) {
	e := env(t, exclusion.Parameters{"trusted_hashes": {Type: "strings"}, "backup_tools": {Type: "strings"}})
	for _, f := range exclusion.Functions() {
		if f.Doc == "" || len(f.Signatures) == 0 || f.Example == "" {
			t.Errorf("%s: the documentation is incomplete", f.Name)
		}
		when := f.Example
		for name, fact := range map[string]string{"a": "package.verified", "b": "file.world_writable", "c": "file.foreign_writable"} {
			when = replaceWord(when, name, fact)
		}
		s := spec(when)
		s.Contexts = nil
		_, problems := exclusion.Compile(s, exclusion.Options{Env: e})
		if len(problems) != 1 || problems[0].Code != exclusion.CodeNoContext || strings.Contains(problems[0].Hint, "no context") {
			t.Errorf("%s: %s: %v", f.Name, f.Example, problems)
		}
	}
}

// replaceWord replaces a name that stands alone and is bound by nothing.
func replaceWord(src, word, with string) string {
	if strings.Contains(src, "exists(") {
		return src
	}
	var b strings.Builder
	for _, tok := range exclusion.Tokens(src) {
		if tok.Text == word {
			tok.Text = with
		}
		b.WriteString(tok.Text)
	}
	return b.String()
}

func TestTokens(t *testing.T) {
	src := "file.path == r'a\\' && x(\"q\\\"\", \"\"\"t\n\"\"\") // end\n|| b\"z\" != 0x1F # 'open"
	want := []string{"file", ".", "path", "==", `r'a\'`, "&&", "x", "(", `"q\""`, ",", "\"\"\"t\n\"\"\"", ")", "// end", "||", `b"z"`, "!=", "0x1F", "#", "'open"}
	var got []string
	joined := ""
	for _, tok := range exclusion.Tokens(src) {
		if tok.Offset != len(joined) {
			t.Errorf("%q: got offset %d, want %d", tok.Text, tok.Offset, len(joined))
		}
		joined += tok.Text
		if tok.Kind != exclusion.TokenSpace {
			got = append(got, tok.Text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || joined != src {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestOverlay(t *testing.T) {
	for _, bad := range []map[string]any{
		{"file.pth": "x"}, {"file.size": "x"}, {"file.mtime": "yesterday"}, {"host.tags": []any{1}}, {"package.verified": "yes"},
	} {
		if _, err := (exclusion.Fixture{Name: "f", Facts: bad}).Overlay(besra.NoFacts{}); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
	base := factsFunc(func(name string) besra.Fact {
		return besra.Fact{Name: name, Value: "base", Grade: besra.GradeVerified, Source: "base"}
	})
	facts, err := exclusion.Fixture{Facts: map[string]any{"file.owner.name": "bob", "file.path": "/x", "file.group.name": nil}}.Overlay(base)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]besra.Fact{
		"file.owner.name": {Name: "file.owner.name", Value: "bob", Grade: besra.GradeVerified, Source: "fixture"},
		"file.path":       {Name: "file.path", Value: "/x", Grade: besra.GradeWeak, Source: "fixture"},
		"file.group.name": {Name: "file.group.name", Source: "the fixture says so"},
		"file.name":       {Name: "file.name", Value: "base", Grade: besra.GradeVerified, Source: "base"},
	} {
		if diff := cmp.Diff(want, facts.Fact(t.Context(), name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
