package program

import "github.com/besra-hunt/besra/yara/module"

// immediate says what a node's V is.
type immediate uint8

const (
	immNone     immediate = iota
	immValue              // a constant, or an index of a table of constants
	immPattern            // a pattern operand
	immSlot               // a slot
	immExternal           // index in Externals
	immRule               // index in Rules
	immRead               // a ReadCode
	immFold               // 1 to ignore case
	immModule             // index in Modules
	immMember             // index of a field or function
	immRegexp             // index in Regexps
)

// listKind says what a node's list holds.
type listKind uint8

const (
	listNone listKind = iota
	listNodes
	listPatterns
	listRules
)

// opInfo is the signature of an operation: what a valid node must have.
type opInfo struct {
	name string
	// kind is the result's, Undefined where it varies.
	kind module.Kind
	// a, b and c are the kinds of the operands; Undefined where there is none.
	a, b, c operandKind
	imm     immediate
	list    listKind
	quant   bool
}

// operandKind is a kind of value, none, any or optional integer.
type operandKind int8

const (
	no       operandKind = 0
	integer              = operandKind(module.Integer)
	float                = operandKind(module.Float)
	boolean              = operandKind(module.Bool)
	text                 = operandKind(module.String)
	object               = operandKind(module.Struct)
	array                = operandKind(module.Array)
	dict                 = operandKind(module.Map)
	anything operandKind = -1
	scalar   operandKind = -2 // integer, float or string
	optional operandKind = -3 // integer or none
	items    operandKind = -4 // array or map
	number   operandKind = -5 // not a node: the overload of a call
)

const vary = module.Undefined

// ops is indexed by Op.
var ops = [...]opInfo{
	OpInt: {name: "int", kind: module.Integer, imm: immValue}, OpFloat: {name: "float", kind: module.Float, imm: immValue},
	OpBool: {name: "bool", kind: module.Bool, imm: immValue}, OpText: {name: "text", kind: module.String, imm: immValue},
	OpUndef: {name: "undefined", kind: vary}, OpSlot: {name: "slot", kind: vary, imm: immSlot},
	OpExtern: {name: "external", kind: vary, imm: immExternal}, OpRule: {name: "rule", kind: module.Bool, imm: immRule},
	OpSize: {name: "filesize", kind: module.Integer}, OpEntry: {name: "entrypoint", kind: module.Integer},
	OpReadInt: {name: "read", kind: module.Integer, a: integer, imm: immRead},
	OpReadFlt: {name: "read", kind: module.Float, a: integer, imm: immRead},

	OpFound:   {name: "found", kind: module.Bool, imm: immPattern},
	OpFoundAt: {name: "found_at", kind: module.Bool, a: integer, imm: immPattern},
	OpFoundIn: {name: "found_in", kind: module.Bool, a: integer, b: integer, imm: immPattern},
	OpCount:   {name: "count", kind: module.Integer, imm: immPattern},
	OpCountIn: {name: "count_in", kind: module.Integer, a: integer, b: integer, imm: immPattern},
	OpOffset:  {name: "offset", kind: module.Integer, a: integer, imm: immPattern},
	OpLength:  {name: "length", kind: module.Integer, a: integer, imm: immPattern},

	OpNot:     {name: "not", kind: module.Bool, a: boolean},
	OpDefined: {name: "defined", kind: module.Bool, a: anything},
	OpAnd:     {name: "and", kind: module.Bool, list: listNodes}, OpOr: {name: "or", kind: module.Bool, list: listNodes},

	OpNegInt: {name: "neg", kind: module.Integer, a: integer}, OpNegFlt: {name: "negf", kind: module.Float, a: float},
	OpBitNot: {name: "bitnot", kind: module.Integer, a: integer},
	OpAddInt: {name: "add", kind: module.Integer, a: integer, b: integer},
	OpSubInt: {name: "sub", kind: module.Integer, a: integer, b: integer},
	OpMulInt: {name: "mul", kind: module.Integer, a: integer, b: integer},
	OpDivInt: {name: "div", kind: module.Integer, a: integer, b: integer},
	OpModInt: {name: "mod", kind: module.Integer, a: integer, b: integer},
	OpAddFlt: {name: "addf", kind: module.Float, a: float, b: float},
	OpSubFlt: {name: "subf", kind: module.Float, a: float, b: float},
	OpMulFlt: {name: "mulf", kind: module.Float, a: float, b: float},
	OpDivFlt: {name: "divf", kind: module.Float, a: float, b: float},
	OpBitAnd: {name: "bitand", kind: module.Integer, a: integer, b: integer},
	OpBitOr:  {name: "bitor", kind: module.Integer, a: integer, b: integer},
	OpBitXor: {name: "bitxor", kind: module.Integer, a: integer, b: integer},
	OpShl:    {name: "shl", kind: module.Integer, a: integer, b: integer},
	OpShr:    {name: "shr", kind: module.Integer, a: integer, b: integer},
	OpToFlt:  {name: "to_float", kind: module.Float, a: integer},
	OpToInt:  {name: "to_int", kind: module.Integer, a: boolean},
	OpToBool: {name: "to_bool", kind: module.Bool, a: scalar},

	OpEqInt: {name: "eq", kind: module.Bool, a: integer, b: integer}, OpNeInt: {name: "ne", kind: module.Bool, a: integer, b: integer},
	OpLtInt: {name: "lt", kind: module.Bool, a: integer, b: integer}, OpLeInt: {name: "le", kind: module.Bool, a: integer, b: integer},
	OpGtInt: {name: "gt", kind: module.Bool, a: integer, b: integer}, OpGeInt: {name: "ge", kind: module.Bool, a: integer, b: integer},
	OpEqFlt: {name: "eqf", kind: module.Bool, a: float, b: float}, OpNeFlt: {name: "nef", kind: module.Bool, a: float, b: float},
	OpLtFlt: {name: "ltf", kind: module.Bool, a: float, b: float}, OpLeFlt: {name: "lef", kind: module.Bool, a: float, b: float},
	OpGtFlt: {name: "gtf", kind: module.Bool, a: float, b: float}, OpGeFlt: {name: "gef", kind: module.Bool, a: float, b: float},
	OpEqText: {name: "eqs", kind: module.Bool, a: text, b: text}, OpNeText: {name: "nes", kind: module.Bool, a: text, b: text},
	OpLtText: {name: "lts", kind: module.Bool, a: text, b: text}, OpLeText: {name: "les", kind: module.Bool, a: text, b: text},
	OpGtText: {name: "gts", kind: module.Bool, a: text, b: text}, OpGeText: {name: "ges", kind: module.Bool, a: text, b: text},
	OpEqBool: {name: "eqb", kind: module.Bool, a: boolean, b: boolean},
	OpNeBool: {name: "neb", kind: module.Bool, a: boolean, b: boolean},

	OpContains: {name: "contains", kind: module.Bool, a: text, b: text, imm: immFold},
	OpStarts:   {name: "startswith", kind: module.Bool, a: text, b: text, imm: immFold},
	OpEnds:     {name: "endswith", kind: module.Bool, a: text, b: text, imm: immFold},
	OpIEquals:  {name: "iequals", kind: module.Bool, a: text, b: text},
	OpMatches:  {name: "matches", kind: module.Bool, a: text, imm: immRegexp},
	OpTextLen:  {name: "len", kind: module.Integer, a: text},

	OpModule: {name: "module", kind: module.Struct, imm: immModule},
	OpField:  {name: "field", kind: vary, a: object, imm: immMember},
	OpIndex:  {name: "index", kind: vary, a: array, b: integer},
	OpLookup: {name: "lookup", kind: vary, a: dict, b: anything},
	OpCall:   {name: "call", kind: vary, a: object, c: number, imm: immMember, list: listNodes},
	OpRegex:  {name: "regexp", kind: module.Regexp, imm: immValue},

	OpOfPatterns: {name: "of", kind: module.Bool, a: optional, b: optional, c: optional, list: listPatterns, quant: true},
	OpOfRules:    {name: "of_rules", kind: module.Bool, list: listRules, quant: true},
	OpOfBools:    {name: "of_bools", kind: module.Bool, list: listNodes, quant: true},
	OpForOf:      {name: "for_of", kind: module.Bool, c: boolean, imm: immSlot, list: listPatterns, quant: true},
	OpForRange:   {name: "for_range", kind: module.Bool, a: integer, b: integer, c: boolean, imm: immSlot, quant: true},
	OpForList:    {name: "for_list", kind: module.Bool, c: boolean, imm: immSlot, list: listNodes, quant: true},
	OpForArray:   {name: "for_array", kind: module.Bool, a: array, c: boolean, imm: immSlot, quant: true},
	OpForMap:     {name: "for_map", kind: module.Bool, a: dict, c: boolean, imm: immSlot, quant: true},
	OpWith:       {name: "with", kind: vary, a: anything, c: anything, imm: immSlot},

	OpItemLen: {name: "len", kind: module.Integer, a: items},
}

func (op Op) info() *opInfo {
	if int(op) >= len(ops) {
		op = OpInvalid
	}
	return &ops[op]
}

// String returns the operation's name, as in dumps.
func (op Op) String() string { return op.info().name }

// operands lists the nodes that n is computed from: the quantifier's, A, B, C,
// then the list.
func (p *Program) operands(n *Node) []NodeID {
	var list []NodeID
	p.EachOperand(n, func(id NodeID) { list = append(list, id) })
	return list
}

// EachOperand calls do with each node that n is computed from: the
// quantifier's, A, B, C, then the list.
func (p *Program) EachOperand(n *Node, do func(NodeID)) {
	info := n.Op.info()
	if info.quant && n.Quant.N != None {
		do(n.Quant.N)
	}
	for _, id := range [...]NodeID{n.A, n.B} {
		if id != None {
			do(id)
		}
	}
	if n.C != None && info.c != number {
		do(n.C)
	}
	if info.list == listNodes {
		for _, id := range p.Lists[n.L : n.L+n.N] {
			do(NodeID(id))
		}
	}
}

// Depth returns how deep the nodes from first on are nested. Operands stand
// before their users, and none before first.
func (p *Program) Depth(first NodeID) int {
	depth := make([]int32, len(p.Nodes)-int(first))
	most := int32(0)
	for i := range depth {
		n := &p.Nodes[int(first)+i]
		p.EachOperand(n, func(id NodeID) { depth[i] = max(depth[i], depth[id-first]+1) })
		most = max(most, depth[i])
	}
	return int(most) + 1
}
