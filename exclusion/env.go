package exclusion

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/lazyregexp"
)

// The bounds of the language.
const (
	// MaxWhen is the greatest length of an expression, in characters.
	MaxWhen = 16 << 10
	// DefaultCostLimit bounds one evaluation: about one unit for an operation
	// and a tenth for a character looked at. To reach it takes some tens of
	// milliseconds.
	DefaultCostLimit = 200_000

	maxNodes   = 4096
	maxNesting = 50
	maxRegexp  = 2000 // instructions of a compiled regular expression
)

// Env is the language that expressions are compiled in: the vocabulary, the
// functions, and one detection's parameters. It is immutable.
type Env struct {
	cel    *cel.Env
	params map[string]parameter // parameters and lists, by the name in expressions
}

// NewEnv types the parameters and lists and builds the language. One that is
// wrong is a problem and is left out; the Env is usable all the same, and an
// expression that needs it will not compile.
func NewEnv(params Parameters, lists Lists) (*Env, []*Problem) {
	p := &problems{}
	e := &Env{params: params.typed(p)}
	lists.typed(p, e.params)
	options := append(declarations(),
		cel.ParserExpressionSizeLimit(MaxWhen), cel.ExpressionNodeLimit(maxNodes),
		cel.ParserRecursionLimit(maxNesting), cel.RegexProgramSizeLimit(maxRegexp))
	for _, d := range besra.Vocabulary() {
		options = append(options, cel.VariableWithDoc(maskName(d.Name), factTypes[d.Type], d.Doc))
	}
	for name, typed := range e.params {
		options = append(options, cel.Variable(name, typed.celType))
	}
	env, err := cel.NewCustomEnv(options...)
	if err != nil { // no parameter can cause this: names and types were checked
		p.field("parameters", CodeBadParameter, err.Error(), "")
		return &Env{params: e.params}, p.list
	}
	e.cel = env
	return e, p.list
}

// parse parses p.when and builds its tree, reporting what is wrong with its
// syntax and names.
func (e *Env) parse(p *problems) (*cel.Ast, *Expr) {
	parsed, issues := e.cel.Parse(maskReserved(p.when))
	if issues.Err() != nil {
		for _, err := range issues.Errors() {
			p.celError(err, CodeSyntax)
		}
		return nil, nil
	}
	native := parsed.NativeRep()
	tree := newBuilder(p, native.SourceInfo(), e.params).build(native.Expr())
	return parsed, tree
}

// check type-checks a parsed expression.
func (e *Env) check(p *problems, parsed *cel.Ast, tree *Expr) *cel.Ast {
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		for _, err := range issues.Errors() {
			p.celError(err, CodeType)
		}
		return nil
	}
	if checked.OutputType() != cel.BoolType {
		p.at(tree.Offset, CodeType, fmt.Sprintf("the expression is of type %s, not a yes or no", cel.FormatCELType(checked.OutputType())),
			"compare it with something")
		return nil
	}
	return checked
}

// celError reports an error of CEL's parser or checker in our words.
func (p *problems) celError(err *common.Error, code string) {
	offset := offsetAt(p.when, err.Location.Line(), err.Location.Column())
	message := strings.ReplaceAll(err.Message, groupAlias, reservedGroup)
	hint := "see besra exclusion functions for the language"
	for _, r := range rewordings {
		if r.from().MatchString(message) {
			message, hint = r.from().ReplaceAllString(message, r.to), r.hint
			code = cmp.Or(r.code, code)
			break
		}
	}
	p.at(offset, code, message, hint)
}

// rewordings say what CEL says in words that help.
var rewordings = []struct {
	from           func() *regexp.Regexp
	to, code, hint string
}{
	{lazyregexp.New(`(?s)^found no matching overload for '_?(.*?)_?' applied to '(.*)'$`), "$1 cannot be applied to $2", "",
		"compare like with like; see besra exclusion functions"},
	{lazyregexp.New(`(?s)^.*missing '(.*?)' at '.*$`), "$1 is missing", "", "close what was opened"},
	{lazyregexp.New(`(?s)^.*input '<EOF>'.*$`), "the expression ends too early", "", "close what was opened, or write the second operand"},
	{lazyregexp.New(`(?s)^.*input '(.*?)'(?: expecting .*)?$`), "$1 is not expected here", "", "an operator or a bracket may be missing"},
	{lazyregexp.New(`(?s)^.*token recognition error at: '(.*)'$`), "$1 is not a word of the language", "", "text stands in quotes and ends on its line"},
	{lazyregexp.New(`(?s)^.*(limit|recursion).*$`), "the expression is too long or too deeply nested", CodeTooLong, "move long lists into parameters"},
}

// offsetAt converts CEL's line (from 1) and column (from 0, in characters).
func offsetAt(src string, line, column int) int {
	start := 0
	for range line - 1 {
		next := strings.IndexByte(src[start:], '\n')
		if next < 0 {
			return len(src)
		}
		start += next + 1
	}
	for i := range src[start:] {
		if column == 0 {
			return start + i
		}
		column--
	}
	return len(src)
}

// plan makes the program that evaluates a checked expression. With full it
// evaluates every part, even where the answer is decided already.
func (e *Env) plan(checked *cel.Ast, limit uint64, full bool) (cel.Program, error) {
	flags := cel.OptTrackState | cel.OptTrackCost
	if full {
		flags |= cel.OptExhaustiveEval
	} else {
		flags |= cel.OptOptimize
	}
	return e.cel.Program(checked, cel.EvalOptions(flags), cel.CostLimit(limit), cel.InterruptCheckFrequency(64))
}

// cost estimates the greatest cost of a checked expression.
func (e *Env) cost(checked *cel.Ast) (uint64, error) {
	estimate, err := e.cel.EstimateCost(checked, sizes{e.params})
	return estimate.Max, err
}

// sizes tells the estimator how large facts and parameters can be.
type sizes struct{ params map[string]parameter }

// The assumed greatest sizes of facts, in characters and members.
const (
	maxText    = 4096
	maxMembers = 256
)

// EstimateSize implements the interface that cel.Env.EstimateCost takes.
func (s sizes) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	if len(element.Path()) == 0 {
		return nil
	}
	size := cost.RangedSizeEstimate(0, maxText)
	if element.Type().Kind() == types.ListKind {
		size = cost.ListSizeEstimate(cost.RangedSizeEstimate(0, s.members(element.Path()[0])), size)
	}
	return &size
}

// members returns how many members the named list can have.
func (s sizes) members(name string) uint64 {
	if set, ok := s.params[name].value.(stringSet); ok {
		return uint64(set.Size().(types.Int))
	}
	return maxMembers
}

// EstimateCallCost implements the interface that cel.Env.EstimateCost takes.
func (s sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
