package exclusion

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/besra-hunt/besra"
)

// Options says what an exclusion is compiled for.
type Options struct {
	// Env is the language with the detection's parameters; nil has none.
	Env *Env
	// KnownBad holds the hashes of malware that the detection names: MD5, SHA-1
	// or SHA-256 in hex. What has one of them is never excluded.
	KnownBad []string
	// CostLimit bounds one evaluation; 0 is [DefaultCostLimit].
	CostLimit uint64
}

// Exclusion is a compiled exclusion. It is immutable and may be used by any
// number of goroutines.
type Exclusion struct {
	spec    Spec
	tree    *Expr
	expires time.Time
	bad     map[string][]string // known-bad hashes by the fact that shows them
	params  map[string]parameter
	limit   uint64
	cost    uint64
	globs   globs
	quick   cel.Program // stops when decided
	full    cel.Program // evaluates everything
}

// Compile checks spec and makes it executable. The exclusion is nil if and only
// if one of the problems is an error. Problems are in the order they were met;
// what is questionable but works is found by package lint.
func Compile(spec Spec, o Options) (*Exclusion, []*Problem) {
	p := &problems{id: spec.ID, when: spec.When}
	spec.check(p)
	env := o.Env
	if env == nil {
		env, _ = NewEnv(nil, nil)
	}
	if o.CostLimit == 0 {
		o.CostLimit = DefaultCostLimit
	}
	x := &Exclusion{spec: spec, params: env.params, limit: o.CostLimit}
	x.expires, _ = spec.ExpiresAfter()
	x.bad = knownBad(p, o.KnownBad)
	x.compileWhen(p, env)
	if p.failed() {
		return nil, p.list
	}
	return x, p.list
}

// compileWhen compiles the expression into x.
func (x *Exclusion) compileWhen(p *problems, env *Env) {
	if strings.TrimSpace(p.when) == "" {
		p.field("when", CodeNoWhen, "there is no expression", "write when the match is benign, such as file.path.under(\"/opt/tool\")")
		return
	}
	parsed, tree := env.parse(p)
	if tree == nil {
		return
	}
	x.tree = tree
	p.checkContexts(tree, x.spec.Contexts)
	if p.failed() {
		return // what CEL would say of the same names is no news
	}
	checked := env.check(p, parsed, tree)
	if checked == nil {
		return
	}
	x.globs = compileGlobs(tree)
	x.plan(p, env, checked)
}

func (x *Exclusion) plan(p *problems, env *Env, checked *cel.Ast) {
	var err error
	if x.quick, err = env.plan(checked, x.limit, false); err == nil {
		x.full, err = env.plan(checked, x.limit, true)
	}
	if err == nil {
		x.cost, err = env.cost(checked)
	}
	if err != nil {
		p.at(0, CodeSyntax, err.Error(), "")
	}
}

// checkContexts reports every fact that one of the contexts never has: such an
// exclusion could only stay silent there.
func (p *problems) checkContexts(tree *Expr, contexts []besra.Context) {
	if len(contexts) == 0 {
		p.field("contexts", CodeNoContext, "the exclusion lists no context, so it is never asked", contextHint(tree))
		return
	}
	seen := map[string]bool{}
	tree.Walk(func(e *Expr) bool {
		def, ok := besra.FactNamed(e.Name)
		if e.Kind != KindFact || !ok || seen[e.Name] {
			return true
		}
		seen[e.Name] = true
		var without []string
		for _, c := range contexts {
			if slices.Contains(besra.Contexts(), c) && !def.In(c) {
				without = append(without, string(c))
			}
		}
		if len(without) > 0 {
			p.at(e.Offset, CodeWrongContext, fmt.Sprintf("%s is never known in context %s (it is in %s)",
				e.Name, strings.Join(without, ", "), strings.Join(contextNames(def.Contexts()), ", ")), wrongContextHint(e.Name, tree))
		}
		return true
	})
}

// askInstead names, for facts of a process, what comes nearest in a file.
var askInstead = map[string]string{
	"process.name": "opener.names says who has a file open", "process.exe": "opener.names says who has a file open",
	"process.user": "file.owner.name says whose a file is",
}

func wrongContextHint(fact string, tree *Expr) string {
	hint := contextHint(tree)
	if other, ok := askInstead[fact]; ok {
		hint += "; " + other
	}
	return hint
}

// contextHint names the contexts that know every fact of the expression.
func contextHint(tree *Expr) string {
	fit := Evaluable(tree)
	if len(fit) == 0 {
		return "no context knows all these facts: make one exclusion for each context"
	}
	return "the facts of this expression are all known in " + strings.Join(contextNames(fit), ", ")
}

// Evaluable returns the contexts in which every fact of e can be known.
func Evaluable(e *Expr) []besra.Context {
	return slices.DeleteFunc(besra.Contexts(), func(c besra.Context) bool {
		return slices.ContainsFunc(e.Facts(), func(name string) bool {
			def, _ := besra.FactNamed(name)
			return !def.In(c)
		})
	})
}

// hashFacts gives the fact that shows a hash of a length in hex digits.
var hashFacts = map[int]string{32: "file.md5", 40: "file.sha1", 64: "file.sha256"}

// knownBad sorts the hashes by the fact that shows them.
func knownBad(p *problems, hashes []string) map[string][]string {
	out := map[string][]string{}
	for _, h := range hashes {
		h = strings.ToLower(strings.TrimSpace(h))
		fact, ok := hashFacts[len(h)]
		if !ok || strings.Trim(h, "0123456789abcdef") != "" {
			p.list = append(p.list, &Problem{Code: CodeBadKnownBad, Level: LevelWarning, Exclusion: p.id, Field: "known-bad",
				Message: fmt.Sprintf("%q is not an MD5, SHA-1 or SHA-256", h), Hint: "the known-bad guard does not cover it"})
			continue
		}
		out[fact] = append(out[fact], h)
	}
	return out
}

// Spec returns what the exclusion was compiled from. It is read-only.
func (x *Exclusion) Spec() Spec { return x.spec }

// ID returns the exclusion's id.
func (x *Exclusion) ID() string { return x.spec.ID }

// Expr returns the tree of the expression. It is read-only.
func (x *Exclusion) Expr() *Expr { return x.tree }

// KnownBad returns the hashes that are never excluded, in lower case, by the fact
// that shows them. It is read-only.
func (x *Exclusion) KnownBad() map[string][]string { return x.bad }

// Lacks names what nobody has answered for yet: an owner, a reason, an expiry. An
// exclusion that lacks any of it is a draft, and only annotates.
func (x *Exclusion) Lacks() []string { return x.spec.lacks() }

// For reports whether the exclusion lists context c.
func (x *Exclusion) For(c besra.Context) bool { return slices.Contains(x.spec.Contexts, c) }

// Unresolved lists the parameters and lists, by their name in it, that the expression needs
// and that have no value.
func (x *Exclusion) Unresolved() []string {
	var out []string
	for _, name := range x.tree.Params() {
		if x.params[name].value == nil {
			out = append(out, name)
		}
	}
	return out
}

// Param returns the value of params.NAME or lists.NAME as string, int64, bool or []string, or
// nil where it is not set.
func (x *Exclusion) Param(name string) any {
	switch v := x.params[name].value.(type) {
	case nil:
		return nil
	case stringSet:
		list, _ := v.ConvertToNative(stringsType)
		return list
	default:
		return plain(v)
	}
}

// MaxCost returns the greatest estimated cost of one evaluation, and the limit
// that ends it.
func (x *Exclusion) MaxCost() (estimate, limit uint64) { return x.cost, x.limit }

// expired reports whether the exclusion has lapsed at an instant.
func (x *Exclusion) expired(at time.Time) bool {
	return !x.expires.IsZero() && !at.Before(x.expires)
}
