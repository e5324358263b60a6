// Package module is what the author of a YARA module needs, and nothing of
// the engine: a schema that says which fields and functions the module offers,
// the values it produces, and the input it reads.
//
// A module is a [Module] value: a name, a schema of kind [Struct], and a Load
// function that reads the target once, when a condition first asks, and
// returns the root [Value]. Conditions are checked against the schema when
// rules are compiled, so a field is found by its index and never by its name
// while scanning. What a target does not have is the undefined value, never an
// error: a parser of hostile bytes has no other way out.
package module

import (
	"context"
	"time"
)

// Module is one module. It is immutable and shared by all scanners.
type Module struct {
	// Name is what rules import.
	Name string
	// Doc is one sentence for `besra module doc`.
	Doc string
	// Schema describes the root value; its Kind is Struct.
	Schema *Type
	// Magic, where not empty, is how the targets begin that the module reads:
	// each item is two bytes, the first in the lower half. Conditions that ask
	// more of the module are not evaluated on other targets, so of those, and of
	// empty ones, Load must say nothing: lists and maps are empty, bools false
	// or undefined, all other fields undefined, and functions give undefined,
	// false or 0.
	Magic []uint16
	// Load reads the target and returns the root value: a Struct whose fields
	// are in the order of Schema.Fields, or the undefined value where the
	// target is not of the module's format. It is called at most once a scan,
	// lazily, and may be nil for a module of constants and functions only.
	Load func(in *Input) Value
}

// Kind is the kind of a value or type.
type Kind uint8

// The kinds.
const (
	Undefined Kind = iota
	Integer        // int64
	Float          // float64
	Bool
	String // any bytes
	Regexp // only as a function's parameter
	Struct
	Array
	Map // keys are integers or strings
)

// Type describes values.
type Type struct {
	// Kind is the kind of the values.
	Kind Kind
	// Elem is the type of an array's items and a map's values.
	Elem *Type
	// Key is the kind of a map's keys: String or Integer.
	Key Kind
	// Name is a struct type's name in documentation, such as "Section".
	Name string
	// Fields are a struct's members, in the order of its values.
	Fields []*Field
}

// Field is one member of a struct.
type Field struct {
	// Name is what conditions write behind the dot.
	Name string
	// Doc is one sentence for documentation.
	Doc string
	// Type is the field's type; nil where Funcs is set.
	Type *Type
	// Const is the value of a constant, which conditions fold; undefined otherwise.
	Const Value
	// Funcs are the overloads of a function; the call's argument kinds choose.
	Funcs []*Func
	// Deprecated says what to use instead, for a warning.
	Deprecated string
}

// Func is one overload of a function.
type Func struct {
	// Params are the kinds of the arguments.
	Params []Kind
	// Result is the type of what Call gives.
	Result *Type
	// Effects is set where a call does more than give a value (console.log):
	// such a call is never folded, moved or left out.
	Effects bool
	// Call computes the result. No argument is undefined: the engine gives
	// undefined without calling. args is valid during the call only.
	Call func(c *Call, args []Value) Value
}

// Call is what a function may look at besides its arguments.
type Call struct {
	// Input is the target.
	Input *Input
	// Root is the module's root value of this target.
	Root Value
	// Self is the struct that the function is a member of.
	Self Value
}

// Input is the target of one scan, shared by all modules of that scan and by
// one goroutine.
type Input struct {
	// Context ends when the scan is cancelled or its time is over. A parser
	// that may run long looks at it now and then.
	Context context.Context
	// Data is the whole target, read-only, valid during the scan. Values must
	// not alias it after the scan: strings are copied.
	Data []byte
	// Time is when the scan started.
	Time time.Time
	// Meta is what the caller passed for this scan by module name: a sandbox
	// report for cuckoo.
	Meta map[string][]byte
	// Console takes the lines of console.log; nil drops them.
	Console func(line string)
	// LibYARA is set where the conditions were compiled for libyara's dialect:
	// a function whose answer differs from YARA-X's gives libyara's.
	LibYARA bool

	memo map[any]any
}

// Memo returns the value that an earlier call with this key made during the
// same scan, or makes it. Modules share parsed forms (pe and dotnet) and cache
// digests through it; keys are of an unexported type, as in package context.
func (in *Input) Memo(key any, build func() any) any {
	if v, ok := in.memo[key]; ok {
		return v
	}
	v := build()
	if in.memo == nil {
		in.memo = make(map[any]any)
	}
	in.memo[key] = v
	return v
}

// Reset prepares the input for the next scan and keeps its memory.
func (in *Input) Reset(ctx context.Context, data []byte, at time.Time) {
	clear(in.memo)
	in.Context, in.Data, in.Time = ctx, data, at
}

// Matcher is a compiled regexp as a function's argument sees it.
type Matcher interface {
	// MatchString reports whether the regexp matches anywhere in s.
	MatchString(s string) bool
}
