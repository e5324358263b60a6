package exclusion

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/besra-hunt/besra"
)

// Kind tells expressions apart.
type Kind string

// The kinds. And, Or, Not and Cond are the logic; what they join is an atom.
const (
	KindAnd     Kind = "and"     // Args: two or more, flattened
	KindOr      Kind = "or"      // Args: two or more, flattened
	KindNot     Kind = "not"     // Args: one
	KindCond    Kind = "cond"    // Args: condition, then, else
	KindCall    Kind = "call"    // Name: function or operator; Args: receiver first where Member
	KindExists  Kind = "exists"  // Name: variable; Args: list, condition
	KindAll     Kind = "all"     // Name: variable; Args: list, condition
	KindFact    Kind = "fact"    // Name: in the vocabulary
	KindParam   Kind = "param"   // Name: params.NAME or lists.NAME
	KindVar     Kind = "var"     // Name: bound by exists or all
	KindLiteral Kind = "literal" // Value: string, int64, float64 or bool
	KindList    Kind = "list"    // Args: the members
)

// Expr is the tree of a compiled expression: plain data, so that other rooms
// can judge or translate it without knowing CEL. It is read-only.
type Expr struct {
	Kind   Kind
	Name   string
	Value  any
	Args   []*Expr
	Member bool // a call written as receiver.name(…)
	// Offset, Line and Column place the start of the expression as in [Problem].
	Offset, Line, Column int

	id int64 // of the CEL node that has its value
}

// Walk calls f for e and everything in it, outermost first, until f returns
// false for a branch.
func (e *Expr) Walk(f func(*Expr) bool) {
	if !f(e) {
		return
	}
	for _, a := range e.Args {
		a.Walk(f)
	}
}

// Facts returns the names of the facts in e, each once, in order of appearance.
func (e *Expr) Facts() []string { return e.names(KindFact) }

// Params returns the names of the parameters and lists in e, each once, in order of
// appearance.
func (e *Expr) Params() []string { return e.names(KindParam) }

func (e *Expr) names(kind Kind) []string {
	var out []string
	e.Walk(func(x *Expr) bool {
		if x.Kind == kind && !slices.Contains(out, x.Name) {
			out = append(out, x.Name)
		}
		return true
	})
	return out
}

// Atom reports whether e is not logic, but something that logic joins.
func (e *Expr) Atom() bool {
	return !slices.Contains([]Kind{KindAnd, KindOr, KindNot, KindCond}, e.Kind)
}

// String returns e in CEL, with parentheses wherever "and" meets "or".
func (e *Expr) String() string {
	switch e.Kind {
	case KindAnd, KindOr:
		return joinExprs(e.Args, logicMarks[e.Kind], Kind.compound)
	case KindNot:
		return "!" + e.Args[0].nested(Kind.operand)
	case KindCond:
		return e.Args[0].nested(Kind.compound) + " ? " + e.Args[1].nested(Kind.compound) + " : " + e.Args[2].nested(Kind.compound)
	case KindExists, KindAll:
		return fmt.Sprintf("%s.%s(%s, %s)", e.Args[0].nested(Kind.operand), e.Kind, e.Name, e.Args[1])
	case KindLiteral:
		return literalText(e.Value)
	case KindList:
		return "[" + joinExprs(e.Args, ", ", nil) + "]"
	case KindCall:
		return e.callText()
	}
	return e.Name
}

var logicMarks = map[Kind]string{KindAnd: " && ", KindOr: " || "}

// compound reports whether an expression of the kind needs parentheses inside
// logic; operand, whether it does inside an operator.
func (k Kind) compound() bool { return k == KindAnd || k == KindOr || k == KindCond }
func (k Kind) operand() bool  { return k.compound() || k == KindNot || k == KindCall }

// nested returns e, in parentheses where its kind wants them.
func (e *Expr) nested(wants func(Kind) bool) string {
	if wants != nil && wants(e.Kind) && (e.Kind != KindCall || isOperator(e.Name)) {
		return "(" + e.String() + ")"
	}
	return e.String()
}

func joinExprs(es []*Expr, sep string, wants func(Kind) bool) string {
	parts := make([]string, len(es))
	for i, a := range es {
		parts[i] = a.nested(wants)
	}
	return strings.Join(parts, sep)
}

func (e *Expr) callText() string {
	switch {
	case e.Name == "[]":
		return e.Args[0].nested(Kind.operand) + "[" + e.Args[1].String() + "]"
	case isOperator(e.Name) && len(e.Args) == 1:
		return e.Name + e.Args[0].nested(Kind.operand)
	case isOperator(e.Name):
		return joinExprs(e.Args, " "+e.Name+" ", Kind.operand)
	case e.Member:
		return e.Args[0].nested(Kind.operand) + "." + e.Name + "(" + joinExprs(e.Args[1:], ", ", nil) + ")"
	}
	return e.Name + "(" + joinExprs(e.Args, ", ", nil) + ")"
}

// isOperator reports whether a call of name is written with a mark, or "in".
func isOperator(name string) bool {
	return name != "[]" && (name == "in" || !parameterName().MatchString(name))
}

func literalText(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

// builder turns CEL's tree into ours and reports names and arguments that are
// wrong. It reads the tree as parsed, before CEL's checker rewrites it.
type builder struct {
	p      *problems
	info   *ast.SourceInfo
	params map[string]parameter
	bytes  []int    // byte offset of each character of the source
	bound  []string // variables in scope
}

// newBuilder prepares the positions: CEL counts characters, we count bytes.
func newBuilder(p *problems, info *ast.SourceInfo, params map[string]parameter) *builder {
	b := &builder{p: p, info: info, params: params}
	for i := range p.when {
		b.bytes = append(b.bytes, i)
	}
	return b
}

// byteOffset converts a character offset.
func (b *builder) byteOffset(chars int32) int {
	if chars >= 0 && int(chars) < len(b.bytes) {
		return b.bytes[chars]
	}
	return len(b.p.when)
}

// offset returns the byte offset of a CEL node's own token.
func (b *builder) offset(e ast.Expr) int {
	r, ok := b.info.GetOffsetRange(e.ID())
	if !ok {
		return 0
	}
	return b.byteOffset(r.Start)
}

// build returns the tree of e.
func (b *builder) build(e ast.Expr) *Expr {
	out := &Expr{id: e.ID(), Offset: b.offset(e)}
	switch e.Kind() {
	case ast.LiteralKind:
		b.literal(out, e)
	case ast.IdentKind, ast.SelectKind:
		b.name(out, e)
	case ast.ListKind:
		out.Kind, out.Args = KindList, b.all(e.AsList().Elements())
	case ast.CallKind:
		b.call(out, e.AsCall())
	case ast.ComprehensionKind:
		b.quantifier(out, e.AsComprehension())
	default:
		b.p.at(out.Offset, CodeSyntax, "maps and structures are not part of the language", "use facts, parameters, text, numbers and lists")
		out.Kind = KindLiteral
	}
	for _, a := range out.Args {
		out.Offset = min(out.Offset, a.Offset)
	}
	out.Line, out.Column = position(b.p.when, out.Offset)
	return out
}

func (b *builder) all(es []ast.Expr) []*Expr {
	out := make([]*Expr, len(es))
	for i, e := range es {
		out[i] = b.build(e)
	}
	return out
}

func (b *builder) literal(out *Expr, e ast.Expr) {
	out.Kind = KindLiteral
	switch v := e.AsLiteral().(type) {
	case types.String:
		out.Value = string(v)
	case types.Int:
		out.Value = int64(v)
	case types.Double:
		out.Value = float64(v)
	case types.Bool:
		out.Value = bool(v)
	default:
		b.p.at(out.Offset, CodeSyntax, fmt.Sprintf("a literal of type %s is not part of the language", v.Type().TypeName()),
			"write text, a number, true or false")
	}
}

// name resolves an identifier or a dotted name.
func (b *builder) name(out *Expr, e ast.Expr) {
	path, root := dotted(e)
	if root == nil {
		b.p.at(out.Offset, CodeUnknownName, "only facts and parameters have dots", "write a fact such as file.path")
		b.build(e.AsSelect().Operand())
		return
	}
	out.Offset = b.offset(root)
	name := unmaskName(strings.Join(path, "."))
	isParam := strings.HasPrefix(name, "params.") || strings.HasPrefix(name, "lists.")
	_, isFact := besra.FactNamed(name)
	switch {
	case len(path) == 1 && slices.Contains(b.bound, name):
		out.Kind, out.Name = KindVar, name
	case isFact:
		out.Kind, out.Name = KindFact, name
	case isParam:
		b.param(out, name)
	default:
		out.Kind, out.Name = KindFact, name
		message, hint := unknownName(name)
		b.p.at(out.Offset, CodeUnknownName, message, hint)
	}
}

func (b *builder) param(out *Expr, name string) {
	out.Kind, out.Name = KindParam, name
	if _, ok := b.params[name]; ok {
		return
	}
	var known []string
	prefix, short, _ := strings.Cut(name, ".")
	for k := range b.params {
		if rest, ok := strings.CutPrefix(k, prefix+"."); ok {
			known = append(known, rest)
		}
	}
	slices.Sort(known)
	hint := suggest(short, known)
	what := map[string]string{"params": "parameter", "lists": "list"}[prefix]
	if hint == "" {
		hint = "declare it under " + what + "s of the detection"
	}
	b.p.at(out.Offset, CodeUnknownParameter, fmt.Sprintf("there is no %s %s", what, name), hint)
}

// dotted returns the elements of a.b.c and the node of a; nil where the start
// is not a name.
func dotted(e ast.Expr) ([]string, ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{e.AsIdent()}, e
	case ast.SelectKind:
		path, root := dotted(e.AsSelect().Operand())
		return append(path, e.AsSelect().FieldName()), root
	}
	return nil, nil
}

// unknownName words the problem of a name that does not exist.
func unknownName(name string) (message, hint string) {
	var group []string
	for _, known := range factNames() {
		if strings.HasPrefix(known, name+".") {
			group = append(group, known)
		}
		if strings.HasPrefix(name, known+".") {
			return fmt.Sprintf("%s is a value and has no members", known), "functions are called with parentheses, as in file.path.under(\"/opt\")"
		}
	}
	if len(group) > 0 {
		return fmt.Sprintf("%s is a group of facts, not a fact", name), "name one of " + strings.Join(group, ", ")
	}
	hint = suggest(name, factNames())
	if hint == "" {
		hint = "text stands in quotes; facts have a group, such as file.path"
	}
	return fmt.Sprintf("there is no fact %s", name), hint
}

// call builds a call; logic gets kinds of its own.
func (b *builder) call(out *Expr, c ast.CallExpr) {
	if !slices.Contains(callable(), c.FunctionName()) {
		b.unknownFunction(out, c.FunctionName())
	}
	if c.IsMemberFunction() {
		out.Member = true
		out.Args = append(out.Args, b.build(c.Target()))
	}
	out.Args = append(out.Args, b.all(c.Args())...)
	out.Kind, out.Name = KindCall, operatorName(c.FunctionName())
	switch c.FunctionName() {
	case "_&&_":
		out.flatten(KindAnd)
	case "_||_":
		out.flatten(KindOr)
	case "!_":
		out.Kind, out.Name = KindNot, ""
	case "_?_:_":
		out.Kind, out.Name = KindCond, ""
	default:
		b.literals(out)
	}
}

// flatten turns (a && b) && c into one node of three.
func (e *Expr) flatten(kind Kind) {
	e.Kind, e.Name = kind, ""
	var args []*Expr
	for _, a := range e.Args {
		if a.Kind == kind {
			args = append(args, a.Args...)
		} else {
			args = append(args, a)
		}
	}
	e.Args = args
}

func (b *builder) unknownFunction(out *Expr, name string) {
	var known []string
	for _, f := range Functions() {
		if parameterName().MatchString(f.Name) {
			known = append(known, f.Name)
		}
	}
	hint := suggest(name, known)
	if name == "has" {
		hint = "leave it out: a fact that is not available already makes the answer unknown"
	}
	start := out.Offset // of the bracket that follows the name
	if strings.HasSuffix(b.p.when[:start], name) {
		start -= len(name)
	}
	b.p.at(start, CodeUnknownFunction, fmt.Sprintf("there is no function %s", operatorName(name)), hint)
}

// literals checks the arguments of a call that are written out, in place or as
// members of a list.
func (b *builder) literals(call *Expr) {
	for i, arg := range call.Args {
		for _, a := range append([]*Expr{arg}, arg.Args...) {
			if a.Kind != KindLiteral || a != arg && arg.Kind != KindList {
				continue
			}
			if err := checkLiteral(call.Name, i, a.Value); err != nil {
				b.p.at(a.Offset, CodeBadArgument, fmt.Sprintf("%s: %v", call.Name, err), "see besra exclusion functions")
			}
		}
	}
	if from := call.literal(1); call.Name == "inWindow" && from != "" && from == call.literal(2) {
		b.p.at(call.Args[1].Offset, CodeBadArgument, "inWindow: a window from a time to the same is empty or the whole day", "say which by another time, or leave it out")
	}
}

// literal returns the argument at i where it is text that is written out.
func (e *Expr) literal(i int) string {
	if i >= len(e.Args) {
		return ""
	}
	s, _ := e.Args[i].Value.(string)
	return s
}

// quantifier builds exists and all from what CEL's macros made of them.
func (b *builder) quantifier(out *Expr, c ast.ComprehensionExpr) {
	out.Kind, out.Name = KindExists, c.IterVar()
	if c.AccuInit().Kind() == ast.LiteralKind && c.AccuInit().AsLiteral() == types.True {
		out.Kind = KindAll
	}
	list := b.build(c.IterRange())
	step := c.LoopStep().AsCall().Args() // accumulator and condition
	b.bound = append(b.bound, c.IterVar())
	condition := b.build(step[len(step)-1])
	b.bound = b.bound[:len(b.bound)-1]
	out.Args = []*Expr{list, condition}
}
