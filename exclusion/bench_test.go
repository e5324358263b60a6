package exclusion_test

import (
	"context"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// BenchmarkDecide decides an exclusion of the usual kind: a place, an owner and
// a time of day. What is asked for is known, or is not.
func BenchmarkDecide(b *testing.B) {
	x := compile(b, spec(`file.path.under(["/srv/log"]) && file.owner.name in ["log"] && file.mtime.inWindow("02:00", "04:00", "UTC")`), exclusion.Options{})
	cases := []struct {
		name   string
		values map[string]any
	}{
		{"true", map[string]any{"file.path": "/srv/log/a", "file.owner.name": "log", "file.mtime": "2026-03-10T03:00:00Z"}},
		{"false", map[string]any{"file.path": "/home/a", "file.owner.name": "log", "file.mtime": "2026-03-10T03:00:00Z"}},
		{"unknown", map[string]any{"file.path": "/srv/log/a", "file.owner.name": nil, "file.mtime": "2026-03-10T03:00:00Z"}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			facts := known(b, c.values)
			b.ReportAllocs()
			for b.Loop() {
				x.Decide(context.Background(), facts, noon, besra.ContextFile)
			}
		})
	}
}

// BenchmarkCompile compiles an exclusion, the language made once.
func BenchmarkCompile(b *testing.B) {
	s := spec(`file.path.under(["/srv/log"]) && file.owner.name in ["log"]`)
	o := exclusion.Options{Env: env(b, nil)}
	for b.Loop() {
		compile(b, s, o)
	}
}
