package program

import "github.com/besra-hunt/besra/yara/module"

// NodeID is an index into Program.Nodes; None where there is no node.
type NodeID int32

// None is the absent operand.
const None NodeID = -1

// Node is one typed operation of a condition. Names, types, overloads and
// conversions are all decided: eval looks at Op only. Kind is the kind of the
// result; every result may also be undefined.
//
// A, B and C are operands. V is an immediate: a constant, an index, a slot. A
// list of operands is Program.Lists[L : L+N].
//
// Slots are the variables of loops and with, numbered from 0 within the rule.
// A pattern operand is the index of a pattern where it is >= 0; where it is
// negative, slot -(operand+1) holds the index (the `$` of for … of).
type Node struct {
	Op      Op
	Kind    module.Kind
	Quant   Quant // Of and For nodes
	A, B, C NodeID
	L, N    int32
	V       int64
}

// Op is an operation.
type Op uint8

// The operations. "tri" marks those that follow the rule for undefined: and,
// or take it as false, defined turns it into false, every other operation
// gives undefined for it.
const (
	OpInvalid Op = iota

	OpInt     // V
	OpFloat   // V holds the bits
	OpBool    // V is 0 or 1
	OpText    // Texts[V]
	OpUndef   // the undefined value
	OpSlot    // value of slot V
	OpExtern  // Externals[V]
	OpRule    // whether rule V matches (its namespace's globals included)
	OpSize    // filesize
	OpEntry   // entrypoint
	OpReadInt // integer at offset A; V is a ReadCode
	OpReadFlt // float at offset A; V is a ReadCode

	OpFound   // pattern V occurs
	OpFoundAt // pattern V occurs at A
	OpFoundIn // pattern V has a match that starts within A..B
	OpCount   // number of matches of pattern V
	OpCountIn // number of matches of pattern V that start within A..B
	OpOffset  // offset of match A (1-based) of pattern V
	OpLength  // length of match A (1-based) of pattern V

	OpNot     // A
	OpDefined // A; tri
	OpAnd     // list; tri, left to right
	OpOr      // list; tri, left to right

	OpNegInt // -A
	OpNegFlt
	OpBitNot // ~A
	OpAddInt // A, B; integers wrap
	OpSubInt
	OpMulInt
	OpDivInt // undefined for 0 and MinInt64 \ -1
	OpModInt
	OpAddFlt
	OpSubFlt
	OpMulFlt
	OpDivFlt
	OpBitAnd
	OpBitOr
	OpBitXor
	OpShl    // undefined for a negative count; 0 for 64 and more
	OpShr    // arithmetic
	OpToFlt  // integer A as float
	OpToInt  // bool A as 0 or 1
	OpToBool // integer, float or string A as bool

	OpEqInt
	OpNeInt
	OpLtInt
	OpLeInt
	OpGtInt
	OpGeInt
	OpEqFlt
	OpNeFlt
	OpLtFlt
	OpLeFlt
	OpGtFlt
	OpGeFlt
	OpEqText
	OpNeText
	OpLtText
	OpLeText
	OpGtText
	OpGeText
	OpEqBool
	OpNeBool

	OpContains // A, B strings; V is 1 to ignore ASCII case
	OpStarts
	OpEnds
	OpIEquals
	OpMatches // string A, Regexps[V]
	OpTextLen // length of string A in bytes

	OpModule // root value of Modules[V]
	OpField  // field V of struct A
	OpIndex  // item B of array A
	OpLookup // entry B of map A
	OpCall   // overload C of function field V of struct A; arguments in the list
	OpRegex  // Regexps[V] as a call's argument

	OpOfPatterns // Quant of the pattern operands in the list; at A, or in B..C
	OpOfRules    // Quant of the rules in the list
	OpOfBools    // Quant of the conditions in the list
	OpForOf      // Quant of the patterns in the list: slot V is the pattern, body C
	OpForRange   // Quant of the integers A..B in slot V: body C
	OpForList    // Quant of the nodes in the list in slot V: body C
	OpForArray   // Quant of the items of A in slot V: body C
	OpForMap     // Quant of the entries of A in slots V, V+1: body C
	OpWith       // A in slot V: body C, of any kind

	OpItemLen // number of items of array A or entries of map A
)

// Quant is the quantifier of an Of or For node.
type Quant struct {
	Kind QuantKind
	// N is the operand of QuantN and QuantPercent.
	N NodeID
}

// QuantKind tells quantifiers apart.
type QuantKind uint8

// The quantifiers. A QuantN of a constant 0 is compiled to QuantNone.
const (
	QuantAll QuantKind = iota
	QuantAny
	QuantNone
	QuantN
	QuantPercent
)

// ReadCode says how OpReadInt and OpReadFlt read: width in bytes, signedness
// and byte order.
type ReadCode int64

// MakeRead packs a ReadCode. width is 1, 2, 4 or 8.
func MakeRead(width int, signed, bigEndian bool) ReadCode {
	c := ReadCode(width)
	if signed {
		c |= 0x10
	}
	if bigEndian {
		c |= 0x20
	}
	return c
}

// Width is the number of bytes that are read.
func (c ReadCode) Width() int { return int(c & 0xF) }

// Signed reports whether the integer has a sign.
func (c ReadCode) Signed() bool { return c&0x10 != 0 }

// BigEndian reports whether the most significant byte comes first.
func (c ReadCode) BigEndian() bool { return c&0x20 != 0 }
