package regex

// opcode says what an instruction of the NFA does.
type opcode uint8

const (
	opByte  opcode = iota // take the byte b, go to out
	opSet                 // take a byte of sets[arg], go to out
	opSplit               // go to out, or, less preferred, to arg
	opLook                // go to out where look holds
	opMatch
)

// sides reports whether a state of the DFA remembers what side the last byte is.
func (a *nfa) sides() bool { return a.looks && a.narrow }

// matchPC is where the only opMatch is.
const matchPC = 0

// inst is one instruction.
type inst struct {
	op   opcode
	b    byte
	look Assertion
	out  uint32
	arg  uint32
}

// nfa is Thompson's automaton with preferences. Immutable.
type nfa struct {
	insts []inst
	sets  []Set
	start uint32
	// looks is set where there are assertions. The DFA handles them if they
	// are all narrow: then a state remembers what side the last byte is.
	looks, narrow bool
	// anchored is set where a match can begin at the start of the data only.
	anchored bool
	// loops is set where an instruction leads to itself or a later one.
	loops bool

	// classOf groups bytes that no instruction tells apart; rep has a byte of
	// each group.
	classOf [256]uint8
	rep     []byte
}

// builder makes an nfa from the end to the start, so that each instruction
// knows where it leads when it is made.
type builder struct {
	nfa
	setIndex map[Set]uint32
}

func newNFA(n *Node) *nfa {
	b := &builder{setIndex: map[Set]uint32{}}
	b.insts = make([]inst, 0, size(n, 0)+1)
	b.narrow = true
	b.start = b.node(n, b.emit(inst{op: opMatch}))
	b.anchored = n.Anchored()
	for pc, i := range b.insts[1:] {
		b.loops = b.loops || int(i.out) > pc || i.op == opSplit && int(i.arg) > pc
	}
	b.classes()
	return &b.nfa
}

func (b *builder) emit(i inst) uint32 {
	b.insts = append(b.insts, i)
	return uint32(len(b.insts) - 1)
}

// node emits n so that it goes on to next, and returns where it begins.
func (b *builder) node(n *Node, next uint32) uint32 {
	switch n.Op {
	case OpLit:
		for i := len(n.Lit) - 1; i >= 0; i-- {
			next = b.emit(inst{op: opByte, b: n.Lit[i], out: next})
		}
	case OpSet:
		next = b.emit(inst{op: opSet, arg: b.set(*n.Set), out: next})
	case OpLook:
		b.looks = true
		b.narrow = b.narrow && n.Look.narrowWord()
		next = b.emit(inst{op: opLook, look: n.Look, out: next})
	case OpConcat:
		for i := len(n.Subs) - 1; i >= 0; i-- {
			next = b.node(n.Subs[i], next)
		}
	case OpAlt:
		next = b.alternatives(n.Subs, next)
	case OpRepeat:
		next = b.repeat(n, next)
	}
	return next
}

func (b *builder) set(s Set) uint32 {
	i, ok := b.setIndex[s]
	if !ok {
		i = uint32(len(b.sets))
		b.sets = append(b.sets, s)
		b.setIndex[s] = i
	}
	return i
}

func (b *builder) alternatives(subs []*Node, next uint32) uint32 {
	subs = factor(subs)
	at := b.node(subs[len(subs)-1], next)
	for i := len(subs) - 2; i >= 0; i-- {
		at = b.split(b.node(subs[i], next), at, true)
	}
	return at
}

// factor joins alternatives that begin with one byte, as in (foo|bar|fox) to
// (fo(o|x)|bar), so that few threads start. Between alternatives that begin
// with different bytes there is no preference, as at most one can match.
func factor(subs []*Node) []*Node {
	var out []*Node
	for len(subs) > 0 {
		n := 0
		for n < len(subs) && head(subs[n]) >= 0 {
			n++
		}
		out = append(out, factorRun(subs[:n])...)
		if n < len(subs) {
			out = append(out, subs[n])
			n++
		}
		subs = subs[n:]
	}
	return out
}

// factorRun is factor for alternatives that all begin with a byte.
func factorRun(subs []*Node) []*Node {
	var tails [256][]*Node
	var order []byte
	for _, s := range subs {
		h := byte(head(s))
		if tails[h] == nil {
			order = append(order, h)
		}
		tails[h] = append(tails[h], s)
	}
	var out []*Node
	for _, h := range order {
		group := tails[h]
		if len(group) == 1 {
			out = append(out, group[0])
			continue
		}
		for i := range group {
			group[i] = tail(group[i])
		}
		out = append(out, &Node{Op: OpConcat, Subs: []*Node{Literal([]byte{h}), Alternate(group...)}})
	}
	return out
}

// head is the byte that every match of n begins with, where n is a literal or
// begins with one, or -1.
func head(n *Node) int {
	if n.Op == OpConcat {
		n = n.Subs[0]
	}
	if n.Op == OpLit {
		return int(n.Lit[0])
	}
	return -1
}

// tail is n, which begins with a byte, without it.
func tail(n *Node) *Node {
	if n.Op == OpConcat {
		return Concat(append([]*Node{Literal(n.Subs[0].Lit[1:])}, n.Subs[1:]...)...)
	}
	return Literal(n.Lit[1:])
}

// split emits a choice between going on with body and with rest.
func (b *builder) split(body, rest uint32, bodyFirst bool) uint32 {
	if bodyFirst {
		return b.emit(inst{op: opSplit, out: body, arg: rest})
	}
	return b.emit(inst{op: opSplit, out: rest, arg: body})
}

func (b *builder) repeat(n *Node, next uint32) uint32 {
	sub, copies := n.Subs[0], n.Min
	at := next
	if n.Max < 0 {
		loop := b.split(0, next, n.Greedy)
		body := b.node(sub, loop)
		if n.Greedy {
			b.insts[loop].out = body
		} else {
			b.insts[loop].arg = body
		}
		at = loop
		if copies > 0 {
			at, copies = body, copies-1
		}
	}
	for range n.Max - n.Min { // none where Max is -1
		at = b.split(b.node(sub, at), next, n.Greedy)
	}
	for range copies {
		at = b.node(sub, at)
	}
	return at
}

// size is how many instructions n takes, but the last. It stops counting at
// tooLong, and gives up in depth.
func size(n *Node, depth int) int {
	if depth > maxNodeDepth {
		return tooLong
	}
	switch n.Op {
	case OpLit:
		return len(n.Lit)
	case OpSet, OpLook:
		return 1
	case OpConcat, OpAlt:
		sum := 0
		for _, s := range n.Subs {
			sum = min(sum+size(s, depth+1), tooLong)
		}
		if n.Op == OpAlt {
			sum += len(n.Subs) - 1
		}
		return sum
	case OpRepeat:
		sub := size(n.Subs[0], depth+1)
		if n.Max < 0 {
			return min(times(sub, max(n.Min, 1))+1, tooLong)
		}
		return min(times(sub, n.Max)+n.Max-n.Min, tooLong)
	}
	return 0
}

// classes groups the bytes by what the instructions tell apart.
func (b *builder) classes() {
	groups := 1
	for _, s := range b.sets {
		groups = b.tellApart(s, groups)
	}
	var literals Set
	for _, i := range b.insts {
		if i.op == opByte && !literals.Has(i.b) {
			literals.Add(i.b)
			groups = b.tellApart(RangeSet(i.b, i.b), groups)
		}
	}
	if b.looks {
		groups = b.tellApart(setWord, groups)
	}
	b.rep = make([]byte, groups)
	for c := range 256 {
		b.rep[b.classOf[c]] = byte(c)
	}
}

// tellApart splits the groups that s and its complement share.
func (b *builder) tellApart(s Set, groups int) int {
	var inside, outside [256]bool // of each group, whether it has such bytes
	for c := range 256 {
		if g := b.classOf[c]; s.Has(byte(c)) {
			inside[g] = true
		} else {
			outside[g] = true
		}
	}
	var to [256]int // the new group of the bytes inside, or 0
	for g := range groups {
		if inside[g] && outside[g] {
			to[g] = groups
			groups++
		}
	}
	for c := range 256 {
		if g := to[b.classOf[c]]; g > 0 && s.Has(byte(c)) {
			b.classOf[c] = uint8(g)
		}
	}
	return groups
}

// takes reports whether an instruction that takes a byte takes c.
func (a *nfa) takes(i *inst, c byte) bool {
	return i.op == opByte && i.b == c || i.op == opSet && a.sets[i.arg].Has(c)
}
