package eval

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// truth is a bool or undefined.
type truth uint8

// Its values; the zero value is false, so that what is not decided is.
const (
	no truth = iota
	yes
	undefined
)

func is(b bool) truth {
	if b {
		return yes
	}
	return no
}

// isKnown is is(b) where ok, and undefined otherwise.
func isKnown(b, ok bool) truth {
	if !ok {
		return undefined
	}
	return is(b)
}

// truth evaluates a node of kind Bool.
func (s *State) truth(id program.NodeID) truth {
	n := &s.plan.prog.Nodes[id]
	switch n.Op {
	case program.OpBool:
		return is(n.V != 0)
	case program.OpFound:
		return is(s.patterns.Found(s.pattern(n.V)))
	case program.OpAnd:
		return s.and(n)
	case program.OpOr:
		return s.or(n)
	case program.OpNot:
		return negate(s.truth(n.A))
	case program.OpDefined:
		return is(s.defined(n.A))
	case program.OpRule:
		return is(s.held.has(int32(n.V)))
	case program.OpFoundAt:
		return s.foundAt(n)
	case program.OpFoundIn:
		return s.foundIn(n)
	case program.OpToBool:
		return s.toBool(n.A)
	case program.OpUndef:
		return undefined
	}
	switch {
	case n.Op >= program.OpEqInt && n.Op <= program.OpGeInt:
		return s.compareInts(n)
	case n.Op >= program.OpEqFlt && n.Op <= program.OpGeFlt:
		return s.compareFloats(n)
	case n.Op >= program.OpEqText && n.Op <= program.OpGeText:
		return s.compareTexts(n)
	case n.Op == program.OpEqBool || n.Op == program.OpNeBool:
		return s.compareBools(n)
	case n.Op >= program.OpContains && n.Op <= program.OpMatches:
		return s.textOperation(n)
	case n.Op >= program.OpOfPatterns && n.Op <= program.OpWith:
		return s.quantified(n)
	}
	return isKnown(s.given(id, n).Bool())
}

func negate(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return undefined
}

// and is true where all operands are, and false otherwise: it takes undefined
// as false, and so does or.
func (s *State) and(n *program.Node) truth {
	for _, id := range s.plan.prog.Lists[n.L : n.L+n.N] {
		if s.truth(program.NodeID(id)) != yes {
			return no
		}
	}
	return yes
}

func (s *State) or(n *program.Node) truth {
	for _, id := range s.plan.prog.Lists[n.L : n.L+n.N] {
		if s.truth(program.NodeID(id)) == yes {
			return yes
		}
	}
	return no
}

// defined reports whether a node of any kind has a value.
func (s *State) defined(id program.NodeID) bool {
	switch s.plan.prog.Nodes[id].Kind {
	case boolKind:
		return s.truth(id) != undefined
	case intKind:
		_, ok := s.integer(id)
		return ok
	case floatKind:
		_, ok := s.float(id)
		return ok
	case textKind:
		_, ok := s.text(id)
		return ok
	}
	return s.value(id).Defined()
}

// toBool takes 0, 0.0 and "" as false, and any other value as true. So does
// libyara, of the bits of a float: -0.0 is true there.
func (s *State) toBool(id program.NodeID) truth {
	switch s.plan.prog.Nodes[id].Kind {
	case intKind:
		i, ok := s.integer(id)
		return isKnown(i != 0, ok)
	case floatKind:
		f, ok := s.float(id)
		return isKnown(f != 0 || s.plan.libyara && math.Signbit(f), ok)
	case textKind:
		t, ok := s.text(id)
		return isKnown(t != "", ok)
	}
	return s.truth(id)
}

// ordered is what the six comparisons are made of.
type ordered interface{ ~int64 | ~float64 | ~string }

// compare applies comparison 0..5: ==, !=, <, <=, >, >=.
func compare[T ordered](comparison program.Op, a, b T) bool {
	switch comparison {
	case 0:
		return a == b
	case 1:
		return a != b
	case 2:
		return a < b
	case 3:
		return a <= b
	case 4:
		return a > b
	}
	return a >= b
}

func (s *State) compareInts(n *program.Node) truth {
	a, okA := s.integer(n.A)
	if !okA {
		return undefined
	}
	b, okB := s.integer(n.B)
	return isKnown(compare(n.Op-program.OpEqInt, a, b), okB)
}

// epsilon is C's DBL_EPSILON.
const epsilon = 0x1p-52

// compareFloats compares exactly; for libyara, floats that differ by less than
// epsilon are equal, and what is no number is neither equal nor unequal.
func (s *State) compareFloats(n *program.Node) truth {
	a, okA := s.float(n.A)
	if !okA {
		return undefined
	}
	b, okB := s.float(n.B)
	switch apart := math.Abs(a - b); {
	case s.plan.libyara && n.Op == program.OpEqFlt:
		return isKnown(apart < epsilon, okB)
	case s.plan.libyara && n.Op == program.OpNeFlt:
		return isKnown(apart >= epsilon, okB)
	}
	return isKnown(compare(n.Op-program.OpEqFlt, a, b), okB)
}

func (s *State) compareTexts(n *program.Node) truth {
	a, okA := s.text(n.A)
	if !okA {
		return undefined
	}
	b, okB := s.text(n.B)
	return isKnown(compare(n.Op-program.OpEqText, a, b), okB)
}

func (s *State) compareBools(n *program.Node) truth {
	a, b := s.truth(n.A), s.truth(n.B)
	if a == undefined || b == undefined {
		return undefined
	}
	return is((a == b) == (n.Op == program.OpEqBool))
}
