package yara

import (
	"slices"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/compile"
	"github.com/besra-hunt/besra/yara/internal/program"
)

// Compiler compiles any number of sources into one set of rules. Rules that
// have errors, and rules that refer to them, are left out and reported; all
// others are kept. A Compiler belongs to one goroutine.
type Compiler struct {
	options compile.Options
	c       *compile.Compiler
	diags   diag.List
}

// Source is a text of rules.
type Source struct {
	// Namespace is the scope that the rules' names go to: names are unique
	// within it, and its global rules gate its rules alone. Empty means
	// "default".
	Namespace string
	// Origin names the text in diagnostics and in [Rule.Position]; mostly it is
	// a path.
	Origin string
	// Text must not change afterwards: rules and diagnostics hold parts of it.
	Text []byte
}

// NewCompiler returns a compiler without rules.
func NewCompiler(opts ...Option) *Compiler {
	c := &Compiler{}
	for _, o := range opts {
		o.apply(&c.options)
	}
	c.c = compile.New(c.options)
	return c
}

// AddSource compiles a source and returns what there is to say about it and
// the sources it includes.
func (c *Compiler) AddSource(s Source) diag.List {
	diags := c.c.Add(s.Namespace, s.Origin, s.Text)
	c.diags = append(c.diags, diags...)
	return diags
}

// Build returns the rules that are sound, and the diagnostics of all sources in
// the order in which they were added. It always returns rules, maybe none. The
// compiler must not be used afterwards, except for [Compiler.Lookup].
func (c *Compiler) Build() (*Rules, diag.List) {
	prog, diags := c.c.Build()
	diags = append(slices.Clone(c.diags), diags...)
	rules, err := newRules(prog, c.options.Module)
	if err != nil { // a fault of the compiler, which checks everything before
		diags = append(diags, &diag.Diagnostic{Code: "internal_error", Title: err.Error()})
		rules, _ = newRules(&program.Program{}, nil)
	}
	return rules, diags
}

// Lookup finds the source that the spans of diagnostics refer to. Passed to
// [diag.Render] it shows the offending text.
func (c *Compiler) Lookup(file int32) (name string, text []byte, ok bool) {
	sources := c.c.Sources()
	if file < 0 || int(file) >= len(sources) {
		return "", nil, false
	}
	return sources[file].Name, sources[file].Text, true
}
