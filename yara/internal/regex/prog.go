package regex

import (
	"fmt"
	"sync/atomic"
)

// DefaultInsts is the limit of instructions where Limits has none; maxInsts is
// the greatest there can be.
const (
	DefaultInsts = 1 << 17
	maxInsts     = 1 << 20
)

// maxNodeDepth is how deep a tree may be that is compiled or decoded.
const maxNodeDepth = 8 * maxDepth

// Limits bound what a regexp may amount to.
type Limits struct {
	// Insts is the number of instructions of the automaton: one a byte, one a
	// set, and counted repetitions written out, so that x{100} takes a hundred
	// times what x does. 0 means DefaultInsts; a million is the most.
	Insts int
}

func (l Limits) insts() int {
	if l.Insts <= 0 {
		return DefaultInsts
	}
	return min(l.Insts, maxInsts)
}

// SizeError says that a regexp is larger than its limits.
type SizeError struct {
	Insts, Limit int
}

// Code is the stable code of the error.
func (e *SizeError) Code() string { return CodeTooLarge }

// Error says how large the regexp is.
func (e *SizeError) Error() string {
	if e.Insts >= tooLong {
		return fmt.Sprintf("regexp too large: the limit is %d instructions", e.Limit)
	}
	return fmt.Sprintf("regexp too large: %d instructions, the limit is %d", e.Insts, e.Limit)
}

// Prog is a compiled regexp. It is immutable and safe for concurrent use. What
// matching needs is made when it is first needed: of the thousands of progs of
// a set of rules most are never run.
type Prog struct {
	extent
	limit int
	links []Link // of CompileLinked
	// encoded is what the prog was read from; nil where it was compiled.
	encoded []byte
	form    atomic.Pointer[form]
	auto    atomic.Pointer[nfa]
}

// form is a prog as a tree, and as something simpler where it is that.
type form struct {
	node    *Node
	literal []byte // nil where node is more than bytes
	chain   *chain
}

// extent is what is known of a regexp without running it.
type extent struct {
	size     int // see size
	min, max int // bytes of a match; max is -1 where there is no bound
	// open is the most that a repetition of any byte leaves open, its maximum
	// less its minimum; tooLong where one is unbounded.
	open int
}

// Compile makes a prog of a tree. The error is a *SizeError. The tree must not
// change afterwards.
func Compile(n *Node, lim Limits) (*Prog, error) {
	limit := lim.insts()
	s := size(n, 0)
	if s >= limit {
		return nil, &SizeError{Insts: s, Limit: limit}
	}
	p := &Prog{limit: limit, extent: extent{s, n.MinLen(), n.MaxLen(), n.OpenJump()}}
	p.form.Store(&form{node: n})
	return p, nil
}

// runnable returns the form that matching asks for.
func (p *Prog) runnable() *form {
	if f := p.form.Load(); f != nil && f.prepared() {
		return f
	}
	return p.prepare()
}

func (f *form) prepared() bool { return f.literal != nil || f.chain != nil }

// noChain stands for the chain of what is none.
var noChain = new(chain)

// prepare makes the form whole. Two goroutines may do so at once; what they
// make is equal.
func (p *Prog) prepare() *form {
	f := &form{node: p.Node()}
	if f.node.Op == OpLit {
		f.literal = f.node.Lit
	} else if f.chain = newChain(f.node); f.chain == nil {
		f.chain = noChain
	}
	p.form.Store(f)
	return f
}

// nfa returns the automaton. Many progs never need one: a chain does, and most
// atoms are never met.
func (p *Prog) nfa() *nfa {
	if a := p.auto.Load(); a != nil {
		return a
	}
	n := p.Node()
	if p.links != nil {
		n = Class(Set{})
	}
	p.auto.CompareAndSwap(nil, newNFA(n))
	return p.auto.Load()
}

// Node is the tree that the prog was made of.
func (p *Prog) Node() *Node {
	if f := p.form.Load(); f != nil {
		return f.node
	}
	f := &form{node: decodeTree(p.encoded)}
	if p.form.CompareAndSwap(nil, f) {
		return f.node
	}
	return p.form.Load().node
}

// Insts is the number of instructions, as Limits counts them.
func (p *Prog) Insts() int { return p.size }

// MinLen is the least number of bytes of a match.
func (p *Prog) MinLen() int { return p.min }

// MaxLen is the greatest number of bytes of a match, or -1.
func (p *Prog) MaxLen() int { return p.max }

// OpenJump is the most that a repetition of any byte leaves open: 6 for
// .{4,10}, a very large number for .*, 0 where there is none.
func (p *Prog) OpenJump() int { return p.open }

// String shows the regexp, for dumps.
func (p *Prog) String() string { return p.Node().String() }
