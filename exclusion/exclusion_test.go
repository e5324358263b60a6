package exclusion_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// noon is when tests decide.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// known returns Facts that know the given values and nothing else. A null is a
// fact that is not available.
func known(t testing.TB, values map[string]any) besra.Facts {
	t.Helper()
	facts, err := exclusion.Fixture{Name: "test", Facts: values}.Overlay(besra.NoFacts{})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// env returns the language with parameters.
func env(t testing.TB, params exclusion.Parameters) *exclusion.Env {
	t.Helper()
	e, problems := exclusion.NewEnv(params, nil)
	for _, p := range problems {
		t.Errorf("parameters: %v", p)
	}
	return e
}

// spec returns a whole exclusion around an expression.
func spec(when string, contexts ...besra.Context) exclusion.Spec {
	if len(contexts) == 0 {
		contexts = []besra.Context{besra.ContextFile}
	}
	return exclusion.Spec{ID: "fp-test", Scenario: "A test", When: when, Contexts: contexts,
		Owner: "soc", Reason: "it is one", Expires: "2026-12-31"}
}

// compile compiles what must compile.
func compile(t testing.TB, s exclusion.Spec, o exclusion.Options) *exclusion.Exclusion {
	t.Helper()
	x, problems := exclusion.Compile(s, o)
	for _, p := range problems {
		t.Errorf("%s: %v", s.When, p)
	}
	if x == nil {
		t.FailNow()
	}
	return x
}

// decide compiles and decides in the spec's first context.
func decide(t testing.TB, s exclusion.Spec, o exclusion.Options, values map[string]any) besra.Decision {
	t.Helper()
	return compile(t, s, o).Decide(context.Background(), known(t, values), noon, s.Contexts[0])
}

func TestDecide(t *testing.T) {
	params := exclusion.Parameters{
		"dirs":   {Default: []any{"/var/update", "/opt/patch/"}},
		"hashes": {Value: []string{"aa", "bb"}},
		"unset":  {Type: "strings"},
		"limit":  {Default: uint64(10)},
		"on":     {Default: true},
		"name":   {Default: "root"},
	}
	path := func(p string) map[string]any { return map[string]any{"file.path": p, "host.os": "linux"} }
	onWindows := func(p string) map[string]any { return map[string]any{"file.path": p, "host.os": "windows"} }
	tests := []struct {
		when    string
		facts   map[string]any
		want    besra.Outcome
		missing string
	}{
		// Paths.
		{`file.path.under("/var/update")`, path("/var/update/a/b.py"), "true", ""},
		{`file.path.under("/var/update/")`, path("/var/update/b.py"), "true", ""},
		{`under(file.path, "/var/update")`, path("/var/update/b.py"), "true", ""},
		{`file.path.under("/var/update")`, path("/var/update-evil/b.py"), "false", ""},
		{`file.path.under("/var/update")`, path("/var/update"), "false", ""},
		{`file.path.under("/var/update")`, path("/var//update/./b.py"), "true", ""},
		{`file.path.under("/var/update")`, path("/tmp/var/update/b.py"), "false", ""},
		{`file.path.under("/var/update")`, path("/var/update/../../tmp/b.py"), "error", ""},
		{`!file.path.under("/tmp")`, path("/var/../tmp/b.py"), "error", ""},
		{`file.path.under("/var/update")`, path("/VAR/update/b.py"), "false", ""},
		{`file.path.under("/var/update")`, path(""), "error", ""},
		{`file.path.under("/")`, path("/x"), "true", ""},
		{`file.path.under("/")`, path("x"), "false", ""},
		{`file.path.under("inner")`, path("inner/x"), "true", ""},
		{`file.path.under(params.dirs)`, path("/opt/patch/x"), "true", ""},
		{`file.path.under(params.dirs)`, path("/opt/x"), "false", ""},
		{`under(file.path, ["/a", "/b"])`, path("/b/x"), "true", ""},
		{`file.path.under("C:\\Program Files\\Tool")`, onWindows("c:/program files/TOOL/x.exe"), "true", ""},
		{`file.path.under("C:/Tool")`, onWindows(`\\?\C:\Tool\x.exe`), "true", ""},
		{`file.path.under("/Tool")`, map[string]any{"file.path": "/tool/x"}, "unknown", "host.os"},
		{`!file.path.under("/Tool")`, map[string]any{"file.path": "/tool/x"}, "unknown", "host.os"},
		{`file.path.under("/tool")`, map[string]any{"file.path": "/tool/x"}, "true", ""},
		{`file.path.under("/Tool")`, map[string]any{"file.path": "/tool/x", "host.os": "darwin"}, "true", ""},
		{`file.path.under("/Tool")`, map[string]any{"file.path": "/tool/x", "host.os": "plan9"}, "false", ""},
		{`file.path.glob("/opt/*/jobs/**")`, path("/opt/log/jobs/a/b"), "true", ""},
		{`file.path.glob("/opt/*/jobs/**")`, path("/opt/a/b/jobs/c"), "false", ""},
		{`file.path.glob("/opt/**/c")`, path("/opt/c"), "true", ""},
		{`file.path.glob("/opt/**")`, path("/opt"), "false", ""},
		{`file.name.glob("*.py")`, map[string]any{"file.name": "a.py"}, "true", ""},
		{`file.name.glob("[!a-c]?.py")`, map[string]any{"file.name": "dx.py"}, "true", ""},
		{`file.name.glob("[!a-c]?.py")`, map[string]any{"file.name": "bx.py"}, "false", ""},
		{`file.name.glob("a.c")`, map[string]any{"file.name": "abc"}, "false", ""},
		{`file.name.glob(["*.py", "*.sh"])`, map[string]any{"file.name": "a.sh"}, "true", ""},
		{`glob(file.path, "/a/*.PY")`, onWindows("/a/b.py"), "true", ""},
		{`glob(file.path, "/a/*.PY")`, path("/a/b.py"), "false", ""},

		// Membership and comparison.
		{`file.sha256 in params.hashes`, map[string]any{"file.sha256": "bb"}, "true", ""},
		{`file.sha256 in params.hashes`, map[string]any{"file.sha256": "cc"}, "false", ""},
		{`file.sha256 in ["aa", "cc"]`, map[string]any{"file.sha256": "cc"}, "true", ""},
		{`file.sha256 in ["aa"]`, nil, "unknown", "file.sha256"},
		{`file.size < params.limit && params.on && file.owner.name == params.name`, map[string]any{"file.size": 9, "file.owner.name": "root"}, "true", ""},
		{`file.size in [1, 2]`, map[string]any{"file.size": 2}, "true", ""},
		{`file.size + 1 == 3 && -file.size == -2 && file.size * 2 - 1 == 3`, map[string]any{"file.size": 2}, "true", ""},
		{`file.size + 1 > 0`, map[string]any{"file.size": int64(9223372036854775807)}, "error", ""},
		{`file.mtime < timestamp("2026-03-10T00:00:00Z")`, map[string]any{"file.mtime": "2026-03-09T23:00:00Z"}, "true", ""},
		{`scan.time - file.mtime < duration("1h")`, map[string]any{"file.mtime": noon.Add(-time.Minute), "scan.time": noon}, "true", ""},
		{`"web" in host.tags`, map[string]any{"host.tags": []any{"web", "prod"}}, "true", ""},
		{`host.tags.exists(t, t.startsWith("pr")) && host.tags.all(t, size(t) > 2)`, map[string]any{"host.tags": []string{"web", "prod"}}, "true", ""},
		{`host.tags[0] == "web"`, map[string]any{"host.tags": []string{"web"}}, "true", ""},
		{`host.tags[0] == "web"`, map[string]any{"host.tags": []string{}}, "error", ""},
		{`host.os == "linux" ? file.name == "a" : file.name == "b"`, map[string]any{"host.os": "linux", "file.name": "a"}, "true", ""},
		{`host.os == "linux" ? file.name == "a" : file.name == "b"`, map[string]any{"file.name": "a"}, "unknown", "host.os"},
		{`file.name.matches("^log-[0-9]+$")`, map[string]any{"file.name": "log-12"}, "true", ""},
		{`file.name.contains("og") && file.name.endsWith("2")`, map[string]any{"file.name": "log-12"}, "true", ""},
		{`package.name == "ansible" && package.verified`, map[string]any{"package.name": "ansible", "package.verified": true}, "true", ""},
		{"package.verified // package.name\n && package.name == 'package.x'", map[string]any{"package.name": "package.x", "package.verified": true}, "true", ""},

		// Time.
		{`file.mtime.inWindow("02:00", "04:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T02:00:00Z"}, "true", ""},
		{`file.mtime.inWindow("02:00", "04:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T03:59:59.9Z"}, "true", ""},
		{`file.mtime.inWindow("02:00", "04:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T04:00:00Z"}, "false", ""},
		{`file.mtime.inWindow("23:00", "01:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T00:30:00Z"}, "true", ""},
		{`file.mtime.inWindow("23:00", "01:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T12:30:00Z"}, "false", ""},
		{`file.mtime.inWindow("20:00", "24:00", "UTC")`, map[string]any{"file.mtime": "2026-03-10T23:59:00Z"}, "true", ""},
		{`file.mtime.inWindow("02:00", "04:00", "Europe/Berlin")`, map[string]any{"file.mtime": "2026-07-10T01:30:00Z"}, "true", ""},
		{`file.mtime.within("30 2 * * *", duration("10m"))`, map[string]any{"file.mtime": "2026-03-10T02:40:00Z"}, "true", ""},
		{`file.mtime.within("30 2 * * *", duration("10m"))`, map[string]any{"file.mtime": "2026-03-10T02:40:01Z"}, "false", ""},
		{`file.mtime.within("30 2 * * *", duration("10m"))`, map[string]any{"file.mtime": "2026-03-10T02:29:59Z"}, "false", ""},
		{`file.mtime.within("30 2 * * *", duration("0s"))`, map[string]any{"file.mtime": "2026-03-10T02:30:59Z"}, "true", ""},
		{`file.mtime.within("30 2 * * *", duration("25h"))`, map[string]any{"file.mtime": "2026-03-10T02:30:59Z"}, "error", ""},
		{`file.mtime.within("@daily", duration("1m"), "America/New_York")`, map[string]any{"file.mtime": "2026-07-10T04:00:30Z"}, "true", ""},
		{`file.mtime.within(params.name, duration("1m"))`, map[string]any{"file.mtime": "2026-07-10T04:00:30Z"}, "error", ""},

		// Unknowns, errors, short cuts.
		{`file.owner.name == "a"`, nil, "unknown", "file.owner.name"},
		{`file.sha256 in params.unset`, map[string]any{"file.sha256": "x"}, "unknown", "params.unset"},
		{`file.path.under(params.unset)`, nil, "unknown", "file.path params.unset"},
		{`(file.name == "a" && file.owner.name == "b") || file.group.name == "c"`, map[string]any{"file.name": "x"}, "unknown", "file.group.name"},
		{`file.name == "a" || host.tags[9] == "x"`, map[string]any{"file.name": "a", "host.tags": []string{}}, "true", ""},
		{`host.tags[9] == "x" || file.name == "a"`, map[string]any{"file.name": "a", "host.tags": []string{}}, "true", ""},
		{`host.tags[9] == "x" && file.name == "a"`, map[string]any{"file.name": "b", "host.tags": []string{}}, "false", ""},
		{`host.tags[9] == "x" || file.name == "a"`, map[string]any{"file.name": "b", "host.tags": []string{}}, "error", ""},
		{`host.tags[9] == "x" || file.name == "a"`, map[string]any{"host.tags": []string{}}, "unknown", "file.name"},
		{`host.tags.exists(t, file.name == t)`, map[string]any{"host.tags": []string{"a"}}, "unknown", "file.name"},
		{`host.tags.exists(t, file.name == t)`, map[string]any{"host.tags": []string{}}, "false", ""},
		{`params.dirs.exists(d, file.path.under(d))`, path("/opt/patch/x"), "true", ""},
		{`true || file.name == "a"`, nil, "true", ""},
	}
	for _, tt := range tests {
		s := spec(tt.when)
		s.Effect = besra.EffectAnnotate
		d := decide(t, s, exclusion.Options{Env: env(t, params)}, tt.facts)
		if got := strings.Join(d.Missing, " "); d.Outcome != tt.want || got != tt.missing {
			t.Errorf("%s with %v: got %s, missing %q (%s), want %s, missing %q", tt.when, tt.facts, d.Outcome, got, d.Why, tt.want, tt.missing)
		}
		if d.Why == "" {
			t.Errorf("%s with %v: no sentence says why", tt.when, tt.facts)
		}
	}
}
