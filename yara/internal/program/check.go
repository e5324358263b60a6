package program

import (
	"errors"
	"fmt"

	"github.com/besra-hunt/besra/yara/module"
)

// MaxDepth is how deep a condition's nodes may be nested, so that walks over
// them may recurse.
const MaxDepth = 4096

// MaxSlots is how many slots a rule may have.
const MaxSlots = 2048

// Check reports whether the program is whole: every index within its table,
// every node of the shape that its operation asks for, each used once, slots
// set before they are read, rules referring to earlier rules only, labels whole.
// Programs that the compiler makes pass; those that are read from outside must.
func (p *Program) Check() error {
	if err := p.check(nil); err != nil {
		return err
	}
	for i := range p.Rules {
		if !p.soundLabel(int32(i)) {
			return fmt.Errorf("rule %d: bad label", i)
		}
	}
	return nil
}

// soundLabel reports whether the label of a rule is whole.
func (p *Program) soundLabel(r int32) bool {
	if p.Labels.decoded != nil {
		_, ok := p.decodeLabel(r)
		return ok
	}
	x := p.Label(r)
	for i := range x.Meta {
		if !scalarKind(x.Meta[i].Value.Kind()) {
			return false
		}
	}
	return len(x.Patterns) == len(p.Rules[r].Patterns)
}

// Bind checks the program against the modules at hand and returns them in the
// order of p.Modules. find returns nil for a module that is not there. A
// module whose schema differs from what the program was compiled against is an
// error. Labels are not looked at: one that is not whole is empty.
func (p *Program) Bind(find func(name string) *module.Module) ([]*module.Module, error) {
	list := make([]*module.Module, len(p.Modules))
	for i, m := range p.Modules {
		list[i] = find(m.Name)
		if list[i] == nil {
			return nil, fmt.Errorf("module %q is not there", m.Name)
		}
		if Shape(list[i]) != m.Shape {
			return nil, fmt.Errorf("module %q differs from the one that the rules were compiled against", m.Name)
		}
	}
	if err := p.check(list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return list, nil
}

func (p *Program) check(modules []*module.Module) error {
	if p.Dialect > LibYARA {
		return errors.New("unknown dialect")
	}
	for i := range p.Namespaces {
		for _, g := range p.Namespaces[i].Globals {
			if !within(g, len(p.Rules)) || int(p.Rules[g].Namespace) != i {
				return fmt.Errorf("namespace %d: bad global rule %d", i, g)
			}
		}
	}
	for i := range p.Patterns {
		if err := checkPattern(&p.Patterns[i]); err != nil {
			return fmt.Errorf("pattern %d: %w", i, err)
		}
	}
	for i := range p.Externals {
		if !scalarKind(p.Externals[i].Value.Kind()) {
			return fmt.Errorf("external %d: bad value", i)
		}
	}
	c := checker{p: p, modules: modules, used: make([]bool, len(p.Nodes)), before: None}
	for i := range p.Rules {
		if err := c.rule(int32(i)); err != nil {
			return fmt.Errorf("rule %d: %w", i, err)
		}
	}
	return nil
}

func scalarKind(k module.Kind) bool {
	return k == module.Integer || k == module.Float || k == module.Bool || k == module.String
}

func within[I int32 | int64 | NodeID](i I, n int) bool { return i >= 0 && int64(i) < int64(n) }

func checkPattern(p *Pattern) error {
	if len(p.Needles) == 0 || p.At < -1 {
		return errors.New("no needles, or a bad offset")
	}
	for i := range p.Needles {
		n := &p.Needles[i]
		bad := n.Kind > Regexp || n.Boundary > WideBoundary
		switch n.Kind {
		case Literal, Xor:
			bad = bad || len(n.Bytes) == 0 || n.XorLo > n.XorHi
		case Base64:
			bad = bad || len(n.Bytes) == 0 || n.Base64 == nil || len(n.Base64.Alphabet) != 64 || n.Base64.Padding > 2
		case Regexp:
			bad = bad || n.Expression == nil || badExpression(n.Expression)
		}
		if bad {
			return fmt.Errorf("bad needle %d", i)
		}
	}
	return nil
}

// badExpression finds atoms that lie outside of every match, or that need what
// the needle does not have.
func badExpression(x *Expression) bool {
	if x.Forward == nil || x.MinLen < 0 {
		return true
	}
	if len(x.Atoms) == 0 {
		return x.Reverse == nil
	}
	for i := range x.Atoms {
		a := &x.Atoms[i]
		if len(a.Bytes) == 0 || a.Delta < 0 || a.Offset < -1 || a.Offset >= 0 && a.Offset != a.Delta ||
			(a.Offset < 0) != (x.Reverse != nil) {
			return true
		}
	}
	return false
}

// checker walks the conditions.
type checker struct {
	p       *Program
	modules []*module.Module // nil where they are not known yet
	used    []bool           // by node
	before  NodeID           // the last node of the rule before
	rules   int32            // how many rules the condition may refer to
	slots   []slot
}

// slot is what a slot holds at the moment; set is false outside of its loop.
// kind is Undefined until the first read where it is not known.
type slot struct {
	set     bool
	pattern bool
	kind    module.Kind
	typ     *module.Type
}

var (
	errNode  = errors.New("bad node")
	errDeep  = errors.New("condition is nested too deep")
	errIndex = errors.New("index out of range")
	errKind  = errors.New("operand of a wrong kind")
)

func (c *checker) rule(i int32) error {
	r := &c.p.Rules[i]
	if !within(r.Namespace, len(c.p.Namespaces)) || r.Slots < 0 || r.Slots > MaxSlots {
		return errIndex
	}
	for _, p := range r.Patterns {
		if !within(p, len(c.p.Patterns)) {
			return errIndex
		}
	}
	for _, a := range r.Anchors {
		if !within(a, len(c.p.Patterns)) {
			return errIndex
		}
	}
	for _, h := range r.Gate.Headers {
		if h.Offset < 0 || h.Width != 1 && h.Width != 2 && h.Width != 4 {
			return errors.New("bad header")
		}
	}
	c.rules, c.slots = i, make([]slot, r.Slots)
	kind, _, err := c.node(r.Condition, MaxDepth)
	if err == nil && kind != module.Bool {
		err = errKind
	}
	c.before = r.Condition
	return err
}

// node checks the tree below id and returns the kind of its result, and its
// type where it is not scalar and modules are known.
func (c *checker) node(id NodeID, depth int) (module.Kind, *module.Type, error) {
	if id <= c.before || !within(id, len(c.p.Nodes)) {
		return 0, nil, errIndex
	}
	n := &c.p.Nodes[id]
	info := n.Op.info()
	switch {
	case c.used[id] || n.Op == OpInvalid || info.name == "" || n.Kind > module.Map:
		return 0, nil, errNode
	case depth == 0:
		return 0, nil, errDeep
	case info.kind != vary && info.kind != n.Kind:
		return 0, nil, errKind
	}
	c.used[id] = true
	if n.leaf() {
		return n.Kind, nil, nil
	}
	w := nodeCheck{c: c, n: n, id: id, depth: depth - 1}
	w.run(info)
	if w.err != nil {
		return 0, nil, w.err
	}
	return n.Kind, w.typ, nil
}

// leaf reports whether the node is one of the two that most are, and sound.
func (n *Node) leaf() bool {
	return (n.Op == OpInt || n.Op == OpSize) && n.A&n.B&n.C&n.Quant.N == None && n.Quant.Kind == 0 && n.N == 0
}

// nodeCheck is the check of one node; err is the first error.
type nodeCheck struct {
	c     *checker
	n     *Node
	id    NodeID
	depth int
	typ   *module.Type // of a struct, array or map result, where modules are known
	err   error
}

func (w *nodeCheck) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *nodeCheck) need(ok bool, err error) {
	if !ok {
		w.fail(err)
	}
}

func (w *nodeCheck) run(info *opInfo) {
	n := w.n
	if info.quant {
		w.quantifier()
	} else {
		w.need(n.Quant.N == None, errNode)
	}
	_, over := w.operand(n.A, info.a)
	w.operand(n.B, info.b)
	w.immediate(info)
	w.list(info)
	if w.err != nil {
		return
	}
	if w.opens() {
		w.body(over)
		return
	}
	if info.c == number {
		w.need(n.C >= 0, errIndex)
	} else {
		w.operand(n.C, info.c)
	}
	w.member(over)
}

func (w *nodeCheck) quantifier() {
	q := w.n.Quant
	switch q.Kind {
	case QuantAll, QuantAny, QuantNone:
		w.need(q.N == None, errNode)
	case QuantN, QuantPercent:
		w.operand(q.N, integer)
	default:
		w.fail(errNode)
	}
}

// operand checks a child against what the operation takes.
func (w *nodeCheck) operand(id NodeID, want operandKind) (module.Kind, *module.Type) {
	if w.err != nil {
		return 0, nil
	}
	if want == no || want == optional && id == None {
		w.need(id == None, errNode)
		return 0, nil
	}
	if id >= w.id {
		w.fail(errIndex)
		return 0, nil
	}
	kind, typ, err := w.c.node(id, w.depth)
	if err != nil {
		w.fail(err)
		return 0, nil
	}
	w.need(want.takes(kind), errKind)
	return kind, typ
}

// takes reports whether an operand may be of the kind. The undefined value
// stands for any.
func (want operandKind) takes(kind module.Kind) bool {
	switch want {
	case anything:
		return kind != module.Regexp
	case scalar:
		return kind == module.Integer || kind == module.Float || kind == module.String
	case optional:
		return kind == module.Integer
	case items:
		return kind == module.Array || kind == module.Map
	}
	return module.Kind(want) == kind
}

func (w *nodeCheck) immediate(info *opInfo) {
	p, v := w.c.p, w.n.V
	switch info.imm {
	case immValue:
		w.constant()
	case immPattern:
		w.pattern(v)
	case immSlot:
		w.need(within(v, len(w.c.slots)), errIndex)
		if w.err == nil && w.n.Op == OpSlot {
			s := &w.c.slots[v]
			if s.kind == module.Undefined {
				s.kind = w.n.Kind
			}
			w.need(s.set && !s.pattern && s.kind == w.n.Kind, errKind)
			w.typ = s.typ
		}
	case immExternal:
		w.need(within(v, len(p.Externals)), errIndex)
		w.need(w.err != nil || p.Externals[v].Value.Kind() == w.n.Kind, errKind)
	case immRule:
		w.need(within(v, int(w.c.rules)), errIndex)
	case immRead:
		width := ReadCode(v).Width()
		w.need(v>>6 == 0 && (width == 1 || width == 2 || width == 4 || width == 8), errNode)
		w.need(w.n.Op != OpReadFlt || width >= 4, errNode)
	case immFold:
		w.need(v == 0 || v == 1, errNode)
	case immModule:
		w.need(within(v, len(p.Modules)), errIndex)
		if w.err == nil && w.c.modules != nil {
			w.typ = w.c.modules[v].Schema
		}
	case immMember:
		w.need(v >= 0 && v < 1<<20, errIndex)
	case immRegexp:
		w.need(within(v, len(p.Regexps)), errIndex)
	}
}

func (w *nodeCheck) constant() {
	switch w.n.Op {
	case OpBool:
		w.need(w.n.V == 0 || w.n.V == 1, errNode)
	case OpText:
		w.need(within(w.n.V, len(w.c.p.Texts)), errIndex)
	case OpRegex:
		w.need(within(w.n.V, len(w.c.p.Regexps)), errIndex)
	}
}

// pattern checks a pattern operand: an index, or a slot that holds one.
func (w *nodeCheck) pattern(v int64) {
	if v >= 0 {
		w.need(within(v, len(w.c.p.Patterns)), errIndex)
		return
	}
	s := -(v + 1)
	w.need(within(s, len(w.c.slots)), errIndex)
	w.need(w.err != nil || w.c.slots[s].set && w.c.slots[s].pattern, errKind)
}

func (w *nodeCheck) list(info *opInfo) {
	n := w.n
	if info.list == listNone {
		w.need(n.N == 0, errNode)
		return
	}
	if n.L < 0 || n.N < 0 || int64(n.L)+int64(n.N) > int64(len(w.c.p.Lists)) {
		w.fail(errIndex)
		return
	}
	list := w.c.p.Lists[n.L : n.L+n.N]
	switch info.list {
	case listPatterns:
		w.need(allWithin(list, len(w.c.p.Patterns)), errIndex)
	case listRules:
		w.need(allWithin(list, int(w.c.rules)), errIndex)
	case listNodes:
		for i := 0; i < len(list) && w.err == nil; i++ {
			w.item(NodeID(list[i]))
		}
	}
}

func allWithin(list []int32, n int) bool {
	for _, i := range list {
		if !within(i, n) {
			return false
		}
	}
	return true
}

// item checks a node of a list.
func (w *nodeCheck) item(id NodeID) {
	switch w.n.Op {
	case OpAnd, OpOr, OpOfBools:
		w.operand(id, boolean)
	case OpCall:
		if within(id, len(w.c.p.Nodes)) && w.c.p.Nodes[id].Kind == module.Regexp {
			w.operand(id, operandKind(module.Regexp))
			return
		}
		w.operand(id, anything)
	default: // the items of a loop are of one kind
		kind, _ := w.operand(id, anything)
		first := NodeID(w.c.p.Lists[w.n.L])
		w.need(w.err != nil || scalarKind(kind) && kind == w.c.p.Nodes[first].Kind, errKind)
	}
}

// opens reports whether the node sets a slot for its body.
func (w *nodeCheck) opens() bool {
	switch w.n.Op {
	case OpForOf, OpForRange, OpForList, OpForArray, OpForMap, OpWith:
		return true
	}
	return false
}

// body checks the body of a loop with its slots set.
func (w *nodeCheck) body(over *module.Type) {
	n, first := w.n, slot{set: true, kind: module.Integer}
	count := int64(1)
	second := slot{set: true}
	switch n.Op {
	case OpForOf:
		first.pattern = true
	case OpForList:
		if n.N > 0 {
			first.kind = w.c.p.Nodes[w.c.p.Lists[n.L]].Kind
		}
	case OpForArray:
		first = w.element(over)
	case OpForMap:
		count = 2
		second = w.element(over)
		first.kind = module.Undefined
		if over != nil {
			first.kind = over.Key
		}
	case OpWith:
		first.kind, first.typ = w.c.p.Nodes[n.A].Kind, over
	}
	w.need(within(n.V+count-1, len(w.c.slots)), errIndex)
	if w.err != nil {
		return
	}
	saved := [2]slot{w.c.slots[n.V]}
	w.c.slots[n.V] = first
	if count == 2 {
		saved[1], w.c.slots[n.V+1] = w.c.slots[n.V+1], second
	}
	kind, typ := w.operand(n.C, w.n.Op.info().c)
	w.need(w.err != nil || kind == n.Kind, errKind)
	w.typ = typ
	w.c.slots[n.V] = saved[0]
	if count == 2 {
		w.c.slots[n.V+1] = saved[1]
	}
}

// element is the slot of an array's item or a map's value. Where modules are
// not known its kind is what the first read says.
func (w *nodeCheck) element(over *module.Type) slot {
	if over != nil && over.Elem != nil {
		return slot{set: true, kind: over.Elem.Kind, typ: over.Elem}
	}
	return slot{set: true}
}

// member checks fields, items and calls against the schema of self.
func (w *nodeCheck) member(self *module.Type) {
	if w.err != nil || self == nil || w.c.modules == nil {
		return
	}
	switch w.n.Op {
	case OpIndex, OpLookup:
		w.typ = self.Elem
		w.need(self.Elem != nil && self.Elem.Kind == w.n.Kind, errKind)
		w.need(w.err != nil || w.n.Op == OpIndex || self.Key == w.c.p.Nodes[w.n.B].Kind, errKind)
	case OpField:
		w.need(within(w.n.V, len(self.Fields)), errIndex)
		if w.err == nil {
			w.typ = self.Fields[w.n.V].Type
			w.need(w.typ != nil && w.typ.Kind == w.n.Kind, errKind)
		}
	case OpCall:
		w.call(self)
	}
}

func (w *nodeCheck) call(self *module.Type) {
	n := w.n
	if !within(n.V, len(self.Fields)) || !within(n.C, len(self.Fields[n.V].Funcs)) {
		w.fail(errIndex)
		return
	}
	f := self.Fields[n.V].Funcs[n.C]
	w.need(len(f.Params) == int(n.N) && f.Result != nil && f.Result.Kind == n.Kind, errKind)
	if w.err != nil {
		return
	}
	for i, id := range w.c.p.Lists[n.L : n.L+n.N] {
		w.need(w.c.p.Nodes[id].Kind == f.Params[i], errKind)
	}
	w.typ = f.Result
}
