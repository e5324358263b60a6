// Package math is the YARA module "math": statistics over bytes of the target
// or of a string, and a little arithmetic.
//
// Functions over the target take an offset and a length. The range is cut at
// the target's end; one that begins beyond it, or has a negative offset or
// length, gives undefined. The answers are YARA-X's; where libyara's differ,
// the LibYARA dialect gives those.
package math

import (
	"strconv"

	"github.com/besra-hunt/besra/yara/module"
)

// MeanByte is the mean of uniformly distributed bytes, math.MEAN_BYTES.
const MeanByte = 127.5

// Short names for the parameters of the schema.
const (
	i = module.Integer
	f = module.Float
	b = module.Bool
	s = module.String
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	fields := []*module.Field{{
		Name:  "MEAN_BYTES",
		Doc:   "The mean of uniformly distributed bytes.",
		Type:  &module.Type{Kind: f},
		Const: module.Float64(MeanByte),
	}}
	fields = append(fields, arithmetic()...)
	fields = append(fields, statistics()...)
	return &module.Module{
		Name:   "math",
		Doc:    "Statistics over bytes, and a little arithmetic.",
		Schema: &module.Type{Kind: module.Struct, Name: "math", Fields: fields},
	}
}

// call is the implementation of an overload.
type call = func(*module.Call, []module.Value) module.Value

func function(name, doc string, overloads ...*module.Func) *module.Field {
	return &module.Field{Name: name, Doc: doc, Funcs: overloads}
}

func overload(result module.Kind, c call, params ...module.Kind) *module.Func {
	return &module.Func{Params: params, Result: &module.Type{Kind: result}, Call: c}
}

func arithmetic() []*module.Field {
	return []*module.Field{
		function("min", "The lesser of two integers.", overload(i, minimum, i, i)),
		function("max", "The greater of two integers.", overload(i, maximum, i, i)),
		function("abs", "The absolute value.", overload(i, absolute, i)),
		function("in_range", "Whether the first lies within the second and the third, both included.",
			overload(b, inRangeFloat, f, f, f), overload(b, inRangeInt, i, i, i)),
		function("to_number", "1 for true, 0 for false.", overload(i, toNumber, b)),
		function("to_string", "The integer in base 10, or in base 8, 10 or 16; undefined for any other base.",
			overload(s, toString, i), overload(s, toStringBase, i, i)),
	}
}

// minimum of two integers; libyara takes them as unsigned.
func minimum(c *module.Call, args []module.Value) module.Value {
	x, y := integers(args)
	if c.Input.LibYARA {
		return module.Int(int64(min(uint64(x), uint64(y))))
	}
	return module.Int(min(x, y))
}

func maximum(c *module.Call, args []module.Value) module.Value {
	x, y := integers(args)
	if c.Input.LibYARA {
		return module.Int(int64(max(uint64(x), uint64(y))))
	}
	return module.Int(max(x, y))
}

func integers(args []module.Value) (x, y int64) {
	x, _ = args[0].Int()
	y, _ = args[1].Int()
	return x, y
}

// absolute wraps for the least integer, as hardware does.
func absolute(_ *module.Call, args []module.Value) module.Value {
	x, _ := args[0].Int()
	return module.Int(max(x, -x))
}

func inRangeFloat(_ *module.Call, args []module.Value) module.Value {
	x, _ := args[0].Float()
	lo, _ := args[1].Float()
	hi, _ := args[2].Float()
	return module.Boolean(lo <= x && x <= hi)
}

func inRangeInt(_ *module.Call, args []module.Value) module.Value {
	x, _ := args[0].Int()
	lo, hi := integers(args[1:])
	return module.Boolean(lo <= x && x <= hi)
}

func toNumber(_ *module.Call, args []module.Value) module.Value {
	if x, _ := args[0].Bool(); x {
		return module.Int(1)
	}
	return module.Int(0)
}

func toString(_ *module.Call, args []module.Value) module.Value {
	x, _ := args[0].Int()
	return module.Text(strconv.FormatInt(x, 10))
}

// toStringBase shows negative integers in base 8 and 16 as their two's
// complement.
func toStringBase(_ *module.Call, args []module.Value) module.Value {
	x, base := integers(args)
	switch base {
	case 8, 16:
		return module.Text(strconv.FormatUint(uint64(x), int(base)))
	case 10:
		return module.Text(strconv.FormatInt(x, 10))
	}
	return module.Value{}
}
