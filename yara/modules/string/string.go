// Package string is the YARA module "string": lengths and numbers of strings.
package string

import (
	"math"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	integer := &module.Type{Kind: module.Integer}
	return &module.Module{
		Name: "string",
		Doc:  "Lengths and numbers of strings.",
		Schema: &module.Type{Kind: module.Struct, Name: "string", Fields: []*module.Field{
			{
				Name: "to_int",
				Doc:  "The integer that the whole string spells, in base 10 or the given base (2 to 36); undefined where it spells none.",
				Funcs: []*module.Func{
					{Params: []module.Kind{module.String}, Result: integer, Call: toInt},
					{Params: []module.Kind{module.String, module.Integer}, Result: integer, Call: toIntBase},
				},
			},
			{
				Name:  "length",
				Doc:   "The number of bytes of the string.",
				Funcs: []*module.Func{{Params: []module.Kind{module.String}, Result: integer, Call: length}},
			},
		}},
	}
}

func length(_ *module.Call, args []module.Value) module.Value {
	s, _ := args[0].Text()
	return module.Int(int64(len(s)))
}

func toInt(c *module.Call, args []module.Value) module.Value {
	s, _ := args[0].Text()
	if c.Input.LibYARA {
		return strtoll(s, 0)
	}
	return parse(s, 10)
}

func toIntBase(c *module.Call, args []module.Value) module.Value {
	s, _ := args[0].Text()
	base, _ := args[1].Int()
	switch {
	case c.Input.LibYARA && base == 0:
		return strtoll(s, 0)
	case base < 2 || base > 36:
		return module.Value{}
	case c.Input.LibYARA:
		return strtoll(s, int(base))
	}
	return parse(s, int(base))
}

// parse reads an optional sign and digits, and nothing else.
func parse(s string, base int) module.Value {
	i, err := strconv.ParseInt(s, base, 64)
	if err != nil {
		return module.Value{}
	}
	return module.Int(i)
}

// strtoll reads s as the C function of that name does, which libyara uses:
// blanks before, an optional sign, and for base 0 a prefix that gives the
// base. The string ends at its first NUL, and must end there.
func strtoll(s string, base int) module.Value {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if hex := len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x'; hex && (base == 0 || base == 16) {
		s, base = s[2:], 16
	}
	if base == 0 {
		base = 10
		if strings.HasPrefix(s, "0") {
			base = 8
		}
	}
	u, err := strconv.ParseUint(s, base, 64)
	switch {
	case err != nil:
		return module.Value{}
	case negative && u <= -math.MinInt64:
		return module.Int(-int64(u))
	case !negative && u <= math.MaxInt64:
		return module.Int(int64(u))
	}
	return module.Value{}
}
