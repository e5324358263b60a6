package compile

import (
	"math"
	"strings"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// epsilon is how far apart YARA takes floats for equal: C's DBL_EPSILON.
const epsilon = 0x1p-52

// foldInts computes an operation of integers, which wrap. What is undefined
// at scan time gives the undefined value: it is never folded.
func foldInts(op syntax.Op, i, j int64) module.Value {
	switch op {
	case syntax.OpAdd:
		return module.Int(i + j)
	case syntax.OpSub:
		return module.Int(i - j)
	case syntax.OpMul:
		return module.Int(i * j)
	case syntax.OpDiv, syntax.OpMod:
		if j == 0 || i == math.MinInt64 && j == -1 {
			return module.Value{}
		}
		if op == syntax.OpDiv {
			return module.Int(i / j)
		}
		return module.Int(i % j)
	case syntax.OpBitAnd:
		return module.Int(i & j)
	case syntax.OpBitOr:
		return module.Int(i | j)
	case syntax.OpBitXor:
		return module.Int(i ^ j)
	case syntax.OpShl, syntax.OpShr:
		return foldShift(op, i, j)
	}
	return compared(op, i < j, i == j)
}

// foldShift gives 0 for 64 places and more, also of a negative number.
func foldShift(op syntax.Op, i, j int64) module.Value {
	switch {
	case j < 0:
		return module.Value{}
	case j >= 64:
		return module.Int(0)
	case op == syntax.OpShl:
		return module.Int(i << uint(j))
	}
	return module.Int(i >> uint(j))
}

func foldFloats(op syntax.Op, x, y float64, d program.Dialect) module.Value {
	switch op {
	case syntax.OpAdd:
		return module.Float64(x + y)
	case syntax.OpSub:
		return module.Float64(x - y)
	case syntax.OpMul:
		return module.Float64(x * y)
	case syntax.OpDiv, syntax.OpMod:
		return module.Value{} // left to eval, the one place that knows x \ 0.0
	}
	if math.IsNaN(x - y) { // or both are infinite
		return module.Value{}
	}
	equal := x == y
	if d == program.LibYARA && (op == syntax.OpEq || op == syntax.OpNe) {
		equal = math.Abs(x-y) < epsilon
	}
	return compared(op, x < y, equal)
}

func compared(op syntax.Op, less, equal bool) module.Value {
	switch op {
	case syntax.OpEq:
		return module.Boolean(equal)
	case syntax.OpNe:
		return module.Boolean(!equal)
	case syntax.OpLt:
		return module.Boolean(less)
	case syntax.OpLe:
		return module.Boolean(less || equal)
	case syntax.OpGt:
		return module.Boolean(!less && !equal)
	case syntax.OpGe:
		return module.Boolean(!less)
	}
	return module.Value{}
}

// foldTexts leaves text that is not ASCII to eval where case does not count:
// there YARA-X knows all letters and YARA some.
func foldTexts(op syntax.Op, s, t string) module.Value {
	switch op {
	case syntax.OpIContains, syntax.OpIStartsWith, syntax.OpIEndsWith, syntax.OpIEquals:
		if !ascii([]byte(s)) || !ascii([]byte(t)) {
			return module.Value{}
		}
		s, t = strings.ToLower(s), strings.ToLower(t)
	}
	switch op {
	case syntax.OpContains, syntax.OpIContains:
		return module.Boolean(strings.Contains(s, t))
	case syntax.OpStartsWith, syntax.OpIStartsWith:
		return module.Boolean(strings.HasPrefix(s, t))
	case syntax.OpEndsWith, syntax.OpIEndsWith:
		return module.Boolean(strings.HasSuffix(s, t))
	case syntax.OpIEquals:
		return module.Boolean(s == t)
	}
	return compared(op, s < t, s == t)
}
