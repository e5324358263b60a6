package regex

import (
	"fmt"
	"sync"
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

// Prog is a compiled regexp. It is immutable and safe for concurrent use.
type Prog struct {
	node     *Node
	limit    int
	min, max int
	literal  []byte
	chain    *chain

	once sync.Once
	auto *nfa // made when first needed: see nfa
}

// Compile makes a prog of a tree. The error is a *SizeError. The tree must not
// change afterwards.
func Compile(n *Node, lim Limits) (*Prog, error) {
	limit := lim.insts()
	if s := size(n, 0); s >= limit {
		return nil, &SizeError{Insts: s, Limit: limit}
	}
	p := &Prog{node: n, limit: limit, min: n.MinLen(), max: n.MaxLen()}
	if n.Op == OpLit {
		p.literal = n.Lit
	}
	p.chain = newChain(n)
	return p, nil
}

// nfa returns the automaton. Many progs never need one: a chain does, and most
// atoms are never met.
func (p *Prog) nfa() *nfa {
	p.once.Do(func() { p.auto = newNFA(p.node) })
	return p.auto
}

// Node is the tree that the prog was made of.
func (p *Prog) Node() *Node { return p.node }

// MinLen is the least number of bytes of a match.
func (p *Prog) MinLen() int { return p.min }

// MaxLen is the greatest number of bytes of a match, or -1.
func (p *Prog) MaxLen() int { return p.max }

// String shows the regexp, for dumps.
func (p *Prog) String() string { return p.node.String() }
