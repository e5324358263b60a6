package facts

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
)

// Given answers the facts of a target that is no file of a host: the member of
// an archive, a stream, an object. Its source states what it knows when it
// makes the target; what follows from the content is computed from it; what
// concerns the host is asked of the host. It implements [besra.Facts] and belongs to one goroutine.
type Given struct {
	context besra.Context
	facts   map[string]besra.Fact
	derive  map[string]func(content []byte) besra.Fact
	ask     map[string]func(context.Context) besra.Fact
	host    besra.Facts
	inherit []string // groups that are asked of host, too
	content []byte
	held    bool
}

// NewGiven returns facts of a target in context c. The groups host and scan are
// asked of host: a [Host], or the target that this one was found in.
func NewGiven(c besra.Context, host besra.Facts) *Given {
	return &Given{context: c, host: host, facts: map[string]besra.Fact{}}
}

// State says that a fact is known: its value, grade and source.
func (g *Given) State(name string, value any, grade besra.Grade, source string) {
	g.facts[name] = known(name, value, grade, source)
}

// Path states the facts of a slash-separated path, which whoever placed the
// bytes chose.
func (g *Given) Path(p, source string) {
	clean := path.Clean("/" + p)
	base := path.Base(clean)
	for name, value := range map[string]string{"file.path": clean, "file.dir": path.Dir(clean), "file.name": base,
		"file.ext": extension(base)} {
		g.State(name, besra.Text(value), besra.GradeWeak, source)
	}
}

// Content states how a fact follows from the content.
func (g *Given) Content(name string, derive func(content []byte) besra.Fact) {
	if g.derive == nil {
		g.derive = map[string]func([]byte) besra.Fact{}
	}
	g.derive[name] = derive
}

// Ask states how a fact is found out when it is asked for.
func (g *Given) Ask(name string, ask func(context.Context) besra.Fact) {
	if g.ask == nil {
		g.ask = map[string]func(context.Context) besra.Fact{}
	}
	g.ask[name] = ask
}

// Inherit says that facts of these groups, such as "mail", are asked of the target
// that this one was found in, where nothing is stated of them here.
func (g *Given) Inherit(groups ...string) { g.inherit = groups }

// Outer is what the groups host and scan are asked of.
func (g *Given) Outer() besra.Facts { return g.host }

// Partial states that the content is only a part of what the facts are of: its
// size, its digests and what is compared with them are not known, for this reason.
func (g *Given) Partial(why string) {
	for _, name := range []string{"file.size", "file.md5", "file.sha1", "file.sha256", "file.sha512", "package.verified"} {
		g.Ask(name, func(context.Context) besra.Fact { return besra.Unavailable(name, why) })
	}
}

// SetContent implements [besra.ContentFacts].
func (g *Given) SetContent(content []byte) { g.content, g.held = content, content != nil }

// Fact implements [besra.Facts].
func (g *Given) Fact(ctx context.Context, name string) besra.Fact {
	if f, ok := g.facts[name]; ok {
		return f
	}
	def, ok := besra.FactNamed(name)
	switch {
	case !ok:
		return besra.Unavailable(name, "no such fact")
	case !def.In(g.context):
		return besra.Unavailable(name, "cannot be known in context "+string(g.context))
	}
	f := g.gather(ctx, name)
	f.Name = name
	if f.Known() && !changes(name) {
		g.facts[name] = f
	}
	return f
}

// changes reports whether a fact may differ from one asking to the next.
func changes(name string) bool { return strings.HasPrefix(name, "scan.") }

func (g *Given) gather(ctx context.Context, name string) besra.Fact {
	group, _, _ := strings.Cut(name, ".")
	switch {
	case group == "host" || group == "scan":
		return g.host.Fact(ctx, name)
	case g.ask[name] != nil:
		return g.ask[name](ctx)
	case slices.Contains(g.inherit, group):
		return g.host.Fact(ctx, name)
	}
	derive := g.derive[name]
	if derive == nil {
		derive = fromContent(ctx, name)
	}
	switch {
	case derive == nil:
		return besra.Unavailable(name, "nothing states it here")
	case !g.held:
		return besra.Unavailable(name, "the content is not at hand")
	}
	return derive(g.content)
}

// fromContent returns how a fact follows from any content; nil where it does not.
func fromContent(ctx context.Context, name string) func([]byte) besra.Fact {
	const source = "content that was scanned"
	switch name {
	case "file.size":
		return func(b []byte) besra.Fact { return fact(int64(len(b)), besra.GradeVerified, source) }
	case "file.magic":
		return func(b []byte) besra.Fact {
			return fact(Magic(b[:min(len(b), magicBytes)]), besra.GradeVerified, source)
		}
	case "file.md5", "file.sha1", "file.sha256", "file.sha512":
		return func(b []byte) besra.Fact { return sumOf(ctx, bytes.NewReader(b), digesterOf(name), source) }
	}
	return nil
}
