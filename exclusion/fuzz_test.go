package exclusion_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// candidates are the values a fact may turn out to have.
func candidates(def besra.FactDef, tree *exclusion.Expr) []any {
	switch def.Type {
	case besra.TypeInt:
		return []any{int64(0), int64(1), int64(1 << 40)}
	case besra.TypeBool:
		return []any{true, false}
	case besra.TypeTimestamp:
		return []any{noon, noon.Add(15 * time.Hour)}
	case besra.TypeStrings:
		return []any{[]string{}, []string{"a"}, []string{"a", "b"}}
	}
	out := []any{"", "a", "/var/update/x", "linux"}
	tree.Walk(func(e *exclusion.Expr) bool {
		if s, ok := e.Value.(string); ok && len(out) < 6 {
			out = append(out, s)
		}
		return true
	})
	return out
}

// FuzzCompileDecide compiles hostile text, decides it over facts of which some
// are unknown, and fills in the unknown ones in every way: what was true or
// false must stay so.
func FuzzCompileDecide(f *testing.F) {
	for _, when := range []string{
		`file.path.under("/var/update") && file.owner.name == "root"`,
		`!(file.path.under("/Var") || file.path.under(params.dirs)) || package.verified`,
		`file.sha256 in params.hashes || file.mtime.inWindow("02:00", "04:00", "UTC")`,
		`process.ancestors.exists(a, a == process.name) ? process.user == "a" : process.pid > 1`,
		`host.tags.all(t, t in ["a", "b"]) && host.tags[1] == "b"`,
		`file.mtime.within("*/5 2 * * mon-fri", duration("10m")) || scan.time - file.mtime < duration("1h")`,
		`net.src.ip.cidr("10.0.0.0/8") || net.host.matches("^a+$") && net.dst.port in [80, 443]`,
		`params.dirs.exists(d, file.path.glob(d + "/**"))`,
		"r'package.name' == package.name // package\n",
		`file.name.glob("[!a-]*?")`,
	} {
		f.Add(when, uint64(0x2db))
	}
	unset, _ := exclusion.NewEnv(exclusion.Parameters{"dirs": {Type: "strings"}, "hashes": {Default: []any{"a", "b"}}}, nil)
	var set []*exclusion.Env
	for _, dirs := range [][]string{{}, {"/var/update"}, {"a", "/"}} {
		e, _ := exclusion.NewEnv(exclusion.Parameters{"dirs": {Value: dirs}, "hashes": {Default: []any{"a", "b"}}}, nil)
		set = append(set, e)
	}
	f.Fuzz(func(t *testing.T, when string, choice uint64) {
		if len(when) > 400 {
			return
		}
		s := exclusion.Spec{ID: "f", When: when, Effect: besra.EffectAnnotate}
		for _, c := range []besra.Context{besra.ContextFile, besra.ContextProcess, besra.ContextNetwork} {
			s.Contexts = []besra.Context{c}
			x, problems := exclusion.Compile(s, exclusion.Options{Env: unset})
			for _, p := range problems {
				if p.Offset > len(when) || p.Message == "" || strings.Contains(p.Error(), "packagE") && !strings.Contains(when, "packagE") {
					t.Fatalf("%q: a problem that is none: %+v", when, p)
				}
			}
			if (x == nil) == (len(problems) == 0) {
				t.Fatalf("%q: got %v and %v", when, x, problems)
			}
			if x != nil {
				holdsForAll(t, x, s, set, choice)
			}
		}
	})
}

// holdsForAll decides with the facts that choice knows and then with every
// completion.
func holdsForAll(t *testing.T, x *exclusion.Exclusion, s exclusion.Spec, set []*exclusion.Env, choice uint64) {
	facts := append(x.Expr().Facts(), "host.os")
	if len(facts) > 5 {
		return
	}
	values := map[string]any{}
	var open []string
	for _, name := range facts {
		def, _ := besra.FactNamed(name)
		list := candidates(def, x.Expr())
		if n := choice % uint64(len(list)+2); n < uint64(len(list)) {
			values[name] = list[n]
		} else {
			open = append(open, name)
		}
		choice >>= 3
	}
	d := x.Decide(context.Background(), known(t, values), noon, s.Contexts[0])
	if d.Outcome == unknown && len(d.Missing) == 0 {
		t.Fatalf("%q with %v: unknown, and nothing is missing", s.When, values)
	}
	if d.Outcome != yes && d.Outcome != no {
		return
	}
	all := []*exclusion.Exclusion{x}
	if len(x.Unresolved()) > 0 {
		all = nil
		for _, e := range set {
			all = append(all, compile(t, s, exclusion.Options{Env: e}))
		}
	}
	for _, y := range all {
		complete(values, open, y.Expr(), func() {
			if again := y.Decide(context.Background(), known(t, values), noon, s.Contexts[0]); again.Outcome != d.Outcome {
				t.Fatalf("%q was %s with %v unknown, and is %s (%s) with %v", s.When, d.Outcome, open, again.Outcome, again.Why, values)
			}
		})
	}
}

// complete calls check with every combination of values for the open facts.
func complete(values map[string]any, open []string, tree *exclusion.Expr, check func()) {
	if len(open) == 0 {
		check()
		return
	}
	def, _ := besra.FactNamed(open[0])
	for _, v := range candidates(def, tree) {
		values[open[0]] = v
		complete(values, open[1:], tree, check)
	}
	delete(values, open[0])
}

// FuzzPaths holds Under and Glob to what must be true of any path.
func FuzzPaths(f *testing.F) {
	f.Add("/var/update/x", "/var/update")
	f.Add(`\\?\C:\a\b`, "c:/a")
	f.Add("/a/../b", "/a")
	f.Add("a[b]/c", "a[!b-c]/**")
	f.Add("//x/./y/", "/**/{y,\\{}")
	f.Fuzz(func(t *testing.T, path, dir string) {
		exact, err := exclusion.Under(path, dir, false)
		folded, errFolded := exclusion.Under(path, dir, true)
		if (err == nil) != (errFolded == nil) {
			t.Fatalf("Under(%q, %q): folded and exact fail differently: %v, %v", path, dir, err, errFolded)
		}
		if exact && !folded {
			t.Fatalf("Under(%q, %q) holds, but not folded", path, dir)
		}
		named := dir != "" && strings.IndexByte("/.\\", dir[len(dir)-1]) < 0
		if sibling, _ := exclusion.Under(path, dir+"x", false); exact && sibling && named {
			t.Fatalf("%q is under %q and under its sibling", path, dir)
		}
		for _, part := range strings.Split(path, "/") {
			if part == ".." && err == nil {
				t.Fatalf("Under(%q, %q) takes a path that climbs", path, dir)
			}
		}
		if re, err := exclusion.GlobRegexp(dir, false); err == nil {
			if _, err := exclusion.GlobRegexp(dir, true); err != nil {
				t.Fatalf("GlobRegexp(%q): %v, but only folded", dir, err)
			}
			re.MatchString(path)
		}
	})
}

// FuzzWithin looks for panics and for a window that a longer slack closes.
func FuzzWithin(f *testing.F) {
	f.Add("*/5 2 * * mon-fri", int64(0), uint16(5))
	f.Add("@daily", int64(1e9), uint16(90))
	f.Add("0-59/7,3 */2 1,31 jan-dec/2 7", int64(1767225600), uint16(1))
	f.Fuzz(func(t *testing.T, cron string, unix int64, minutes uint16) {
		at := time.Unix(unix%4e9, 0).UTC()
		slack := time.Duration(minutes%600) * time.Minute
		short, err := exclusion.Within(at, cron, slack, "UTC")
		long, errLong := exclusion.Within(at, cron, slack+time.Hour, "UTC")
		if (err == nil) != (errLong == nil) || short && !long {
			t.Fatalf("%q at %s: %v (%v) with %s, %v (%v) with an hour more", cron, at, short, err, slack, long, errLong)
		}
	})
}

// FuzzTokens checks that tokens join to the source again.
func FuzzTokens(f *testing.F) {
	f.Add("a && r'b' // c\n || \"\"\"d\"\"\"")
	f.Fuzz(func(t *testing.T, src string) {
		var b strings.Builder
		for _, tok := range exclusion.Tokens(src) {
			if tok.Text == "" || tok.Offset != b.Len() {
				t.Fatalf("%q: token %+v at %d", src, tok, b.Len())
			}
			b.WriteString(tok.Text)
		}
		if b.String() != src {
			t.Fatalf("got %q, want %q", b.String(), src)
		}
	})
}
