// Package compile turns the tree of package syntax into a program: names and
// types are checked, constants folded, patterns lowered to needles, and for
// every rule the patterns and bytes are found without which it cannot match.
//
// A [Compiler] takes any number of sources, each into a namespace, and keeps
// the rules that are sound: a rule with an error is left out with a
// diagnostic, and so are the rules that refer to it. [Compiler.Build] gives
// the program.
//
// The way of a rule: rule.go checks its head and drives the rest; pattern.go,
// text.go, hex.go and regexp.go check and lower its patterns; lowering.go
// and the files it calls lower its condition to nodes; anchor.go and gate.go derive
// what the condition demands; lint.go holds the warnings that need no more
// than the tree. Errors are collected, not thrown: an operand that is broken
// is silent from then on, so one mistake gives one diagnostic.
package compile

import (
	"math"
	"slices"
	"sort"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// Options say what rules may use and how they are read. The zero value has no
// modules, no external variables and no includes.
type Options struct {
	// Modules are what rules can import.
	Modules []*module.Module
	// FindModule, where not nil, makes the others by their names, or returns nil.
	FindModule func(name string) *module.Module
	// IgnoreModules are names of modules that are known to be absent: a rule
	// that uses one is left out with a warning instead of an error.
	IgnoreModules []string
	// Externals are the external variables with their values where a scan gives
	// none: Integer, Float, Bool or String.
	Externals map[string]module.Value
	// Dialect decides where YARA and YARA-X give different answers.
	Dialect program.Dialect
	// RelaxedRegexps reads unknown escapes and stray braces in regexps as
	// literal characters, as YARA does, instead of refusing them.
	RelaxedRegexps bool
	// Includes finds the file that an include statement names; from is the
	// origin of the source that holds the statement. The name it returns
	// becomes the origin of the text. Where Includes is nil, includes are
	// refused with a diagnostic.
	Includes func(from, path string) (name string, text []byte, err error)
	// Limits bound what a source may cost.
	Limits Limits
}

// Module returns the module of that name, or nil.
func (o *Options) Module(name string) *module.Module {
	for _, m := range o.Modules {
		if m.Name == name {
			return m
		}
	}
	if o.FindModule == nil {
		return nil
	}
	m := o.FindModule(name)
	if m != nil {
		o.Modules = append(slices.Clip(o.Modules), m)
	}
	return m
}

// Limits bound what a source may cost; a zero field means its default.
type Limits struct {
	IncludeDepth int // includes within includes; 16
	Identifier   int // bytes of a rule's, tag's or pattern's name; 1,024
	Patterns     int // patterns of a rule; 100,000
	Nesting      int // expressions within expressions; 256
	Variables    int // of loops and with, in sight at once; 1,024
	PatternSize  int // bytes of a text, hex bytes or regexp source; 65,536
	Nodes        int // nodes of all conditions, half of the items of their sets; 4 million
	// PatternTotal is how many bytes all compiled patterns together may come to,
	// as estimated. The default grows with the sources: 64 MiB, and 32 bytes for
	// each of theirs.
	PatternTotal int64
	Diagnostics  int // diagnostics of one Add; 10,000
}

func (l Limits) orDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.IncludeDepth, 16)
	set(&l.Identifier, 1024)
	set(&l.Patterns, 100_000)
	set(&l.Nesting, 256)
	set(&l.Variables, 1024)
	set(&l.PatternSize, 65_536)
	set(&l.Nodes, 4_000_000)
	set(&l.Diagnostics, 10_000)
	return l
}

// Compiler collects rules. It belongs to one goroutine.
type Compiler struct {
	opt     Options
	ignored map[string]bool

	prog    program.Program
	sources []*source
	diags   diag.List // of the Add or Build that runs
	muted   int       // diagnostics beyond the limit
	guesses int       // names that suggestions may still look at

	spaces     []*namespace
	spaceNames map[string]*namespace
	externals  map[string]int32
	moduleIDs  map[string]int32 // Program.Modules
	schemas    []*module.Module // by the same index
	texts      map[string]int32
	regexps    map[string]int32
	lowered    map[string]*lowered
	heads      map[uint16]*lowered
	patternRAM int64
	sourceSize int64 // bytes of all sources
	hexBytes   map[uint32]*regex.Node
	facts      []ruleFacts // by rule
	unions     int         // items that unions of anchors may still take
	demands    []demand    // scratch of derive

	scratch scratch
}

// New returns a compiler without rules.
func New(opt Options) *Compiler {
	opt.Limits = opt.Limits.orDefaults()
	c := &Compiler{
		opt:        opt,
		ignored:    make(map[string]bool, len(opt.IgnoreModules)),
		spaceNames: make(map[string]*namespace),
		externals:  make(map[string]int32, len(opt.Externals)),
		moduleIDs:  make(map[string]int32),
		texts:      make(map[string]int32),
		regexps:    make(map[string]int32),
		lowered:    make(map[string]*lowered),
		heads:      make(map[uint16]*lowered),
		hexBytes:   make(map[uint32]*regex.Node),
	}
	c.prog.Dialect = opt.Dialect
	c.unions = unionBudget
	for _, name := range opt.IgnoreModules {
		c.ignored[name] = true
	}
	c.declareExternals()
	return c
}

// declareExternals lists the external variables in the order of their names.
// A value of a kind that no variable can have is reported by Build.
func (c *Compiler) declareExternals() {
	names := make([]string, 0, len(c.opt.Externals))
	for name := range c.opt.Externals {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v := c.opt.Externals[name]
		if !scalar(v.Kind()) {
			continue
		}
		c.externals[name] = int32(len(c.prog.Externals))
		c.prog.Externals = append(c.prog.Externals, program.External{Name: name, Value: v})
	}
}

// Add compiles the rules of a source into a namespace; the empty namespace is
// "default". origin names the source in diagnostics. It returns what there is
// to say about the source and those it includes, in source order. Rules with
// errors are left out, all others are kept.
func (c *Compiler) Add(namespace, origin string, src []byte) diag.List {
	c.diags, c.muted, c.guesses = nil, 0, guessBudget
	if namespace == "" {
		namespace = "default"
	}
	c.addSource(c.namespace(namespace), origin, src, nil)
	return c.takeDiags()
}

// Build returns the program of all rules added so far, and diagnostics that
// concern no single source. The compiler must not be used afterwards.
func (c *Compiler) Build() (*program.Program, diag.List) {
	c.diags, c.muted = nil, 0
	for name, v := range c.opt.Externals {
		if !scalar(v.Kind()) {
			c.report(&diag.Diagnostic{Code: "invalid_external",
				Title: "external variable `" + name + "` has a value of an unusable kind",
				Notes: []string{"an external variable is an integer, a float, a bool or a string"}})
		}
	}
	c.applyGlobals()
	p := c.prog
	return &p, c.takeDiags()
}

// Sources returns the sources seen so far, by the File of spans.
func (c *Compiler) Sources() []*syntax.Source {
	list := make([]*syntax.Source, len(c.sources))
	for i, s := range c.sources {
		list[i] = s.Source
	}
	return list
}

func scalar(k module.Kind) bool {
	return k == module.Integer || k == module.Float || k == module.Bool || k == module.String
}

// scratch is memory reused from rule to rule.
type scratch struct {
	key      []byte
	operands []operand
	list     []int32
}

// unbounded is the gate of a rule that demands nothing.
func unbounded() program.Gate { return program.Gate{MaxSize: math.MaxInt64} }
