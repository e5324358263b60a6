package compile

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/syntax"
)

// source is a text under compilation.
type source struct {
	*syntax.Source
	lines    []int32 // offsets of line starts
	lastOff  int32   // the offset whose column was asked for last
	lastCol  int
	suppress []suppression
	parent   *source // that includes it
	depth    int
}

// position returns the 1-based line and column, in characters, of an offset.
// Characters are counted from the last offset where that is nearer than the
// line's start: a line may be as long as the source.
func (s *source) position(off int32) (line, column int) {
	off = max(0, min(off, int32(len(s.Text))))
	i := s.line(off)
	switch start := s.lines[i]; {
	case s.lastOff < start || s.lastOff > off && s.lastOff-off > off-start:
		column = 1 + utf8.RuneCount(s.Text[start:off])
	case s.lastOff <= off:
		column = s.lastCol + utf8.RuneCount(s.Text[s.lastOff:off])
	default:
		column = s.lastCol - utf8.RuneCount(s.Text[off:s.lastOff])
	}
	s.lastOff, s.lastCol = off, column
	return i + 1, column
}

// line returns the index of the line that an offset lies in.
func (s *source) line(off int32) int {
	if s.lines == nil {
		s.lines = lineStarts(s.Text)
		s.lastCol = 1
	}
	return sort.Search(len(s.lines), func(i int) bool { return s.lines[i] > off }) - 1
}

func (s *source) lineStart(off int32) int32 { return s.lines[s.line(off)] }

func lineStarts(text []byte) []int32 {
	lines := append(make([]int32, 0, 1+bytes.Count(text, []byte{'\n'})), 0)
	for i, b := range text {
		if b == '\n' {
			lines = append(lines, int32(i+1))
		}
	}
	return lines
}

// addSource parses a text and compiles its items.
func (c *Compiler) addSource(ns *namespace, origin string, text []byte, parent *source) {
	s := &source{Source: &syntax.Source{Name: origin, Text: text, Index: int32(len(c.sources))}, parent: parent}
	if parent != nil {
		s.depth = parent.depth + 1
	}
	c.sources = append(c.sources, s)
	c.sourceSize += int64(len(text))
	file, diags := syntax.Parse(s.Source)
	if file == nil {
		file = &syntax.File{Source: s.Source}
	}
	s.suppress = suppressions(s, file)
	for _, d := range diags {
		c.report(d)
	}
	c.addItems(ns, s, file)
}

func (c *Compiler) addItems(ns *namespace, s *source, file *syntax.File) {
	first := make(map[string]diag.Span)
	for _, item := range file.Items {
		switch item := item.(type) {
		case *syntax.Import:
			c.addImport(ns, item, first)
		case *syntax.Include:
			c.addInclude(ns, s, item)
		case *syntax.Rule:
			c.addRule(ns, s, item)
		}
	}
}

// addImport makes a module visible in the namespace. first holds the imports
// of this source.
func (c *Compiler) addImport(ns *namespace, imp *syntax.Import, first map[string]diag.Span) {
	name := imp.Name.Value
	if at, ok := first[name]; ok {
		c.report(&diag.Diagnostic{Code: "duplicate_import", Severity: diag.Warning,
			Title: "module `" + name + "` is imported twice", Span: imp.Span, Primary: "duplicate import",
			Labels: []diag.Label{{Span: at, Text: "imported here for the first time"}}})
		return
	}
	first[name] = imp.Span
	m := c.opt.Module(name)
	if m == nil {
		ns.absent[name] = true
		c.unknownModule(imp)
		return
	}
	id, ok := c.moduleIDs[name]
	if !ok {
		id = int32(len(c.prog.Modules))
		c.moduleIDs[name] = id
		c.schemas = append(c.schemas, m)
		c.prog.Modules = append(c.prog.Modules, program.Module{Name: name, Shape: program.Shape(m)})
	}
	ns.imports[name] = id
}

func (c *Compiler) unknownModule(imp *syntax.Import) {
	name := imp.Name.Value
	if c.ignored[name] {
		c.report(&diag.Diagnostic{Code: "unsupported_module", Severity: diag.Warning,
			Title: "module `" + name + "` is not supported", Span: imp.Span,
			Notes: []string{"rules that use it are left out"}})
		return
	}
	names := make([]string, len(c.opt.Modules))
	for i, m := range c.opt.Modules {
		names[i] = m.Name
	}
	sort.Strings(names)
	d := &diag.Diagnostic{Code: "unknown_module", Title: "unknown module `" + name + "`",
		Span: imp.Name.Span, Primary: "there is no such module"}
	if best := c.closest(name, slices.Values(names)); best != "" {
		d.Notes = append(d.Notes, "did you mean `"+best+"`?")
	}
	if len(names) == 0 {
		d.Notes = append(d.Notes, "no modules were given to the compiler: pass the list of package modules/standard")
	} else {
		d.Notes = append(d.Notes, "the modules at hand are "+join(names, "and"))
	}
	c.report(d)
}

func (c *Compiler) addInclude(ns *namespace, s *source, inc *syntax.Include) {
	refuse := func(code, title, why string) {
		c.report(&diag.Diagnostic{Code: code, Title: title, Span: inc.Span, Primary: why})
	}
	if c.opt.Includes == nil {
		refuse("include_not_allowed", "includes are not allowed", "")
		return
	}
	if s.depth+1 >= c.opt.Limits.IncludeDepth {
		refuse("include_depth", "includes are nested too deep",
			"the limit is "+strconv.Itoa(c.opt.Limits.IncludeDepth))
		return
	}
	name, text, err := c.opt.Includes(s.Name, inc.Path.Value)
	if err != nil {
		refuse("include_failed", "cannot include `"+inc.Path.Value+"`", err.Error())
		return
	}
	for p := s; p != nil; p = p.parent {
		if p.Name == name {
			refuse("circular_include", "`"+name+"` includes itself", "")
			return
		}
	}
	c.addSource(ns, name, text, s)
}

// report keeps a diagnostic unless it is a suppressed warning, and resolves
// its position.
func (c *Compiler) report(d *diag.Diagnostic) {
	var s *source
	if i := int(d.Span.File); i >= 0 && i < len(c.sources) {
		s = c.sources[i]
	}
	if len(c.diags) >= c.opt.Limits.Diagnostics {
		c.muted++
		return
	}
	if d.Severity == diag.Warning && s != nil && s.suppressed(d) {
		return
	}
	if s != nil && !d.Span.IsZero() {
		d.Origin = s.Name
		d.Line, d.Column = s.position(d.Span.Start)
		d.EndLine, d.EndColumn = s.position(d.Span.End)
	}
	c.diags = append(c.diags, d)
}

// takeDiags returns the diagnostics so far, in source order.
func (c *Compiler) takeDiags() diag.List {
	list := c.diags
	slices.SortStableFunc(list, func(a, b *diag.Diagnostic) int {
		if a.Span.File != b.Span.File {
			return int(a.Span.File) - int(b.Span.File)
		}
		return int(a.Span.Start) - int(b.Span.Start)
	})
	if c.muted > 0 {
		list = append(list, &diag.Diagnostic{Code: "too_many_diagnostics", Title: strconv.Itoa(c.muted) +
			" further diagnostics are not shown"})
	}
	c.diags, c.muted = nil, 0
	return list
}
