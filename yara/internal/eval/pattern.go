package eval

import (
	"cmp"
	"math"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/internal/search"
)

// pattern resolves a pattern operand: an index, or the slot that holds one.
func (s *State) pattern(operand int64) int32 {
	if operand >= 0 {
		return int32(operand)
	}
	i, _ := s.slots[-(operand + 1)].Int()
	return int32(i)
}

// foundAt evaluates $a at A.
func (s *State) foundAt(n *program.Node) truth {
	offset, ok := s.integer(n.A)
	return isKnown(ok && s.startsIn(s.pattern(n.V), offset, offset) > 0, ok)
}

// foundIn evaluates $a in (A..B).
func (s *State) foundIn(n *program.Node) truth {
	lo, hi, ok := s.bounds(n.A, n.B)
	return isKnown(ok && s.startsIn(s.pattern(n.V), lo, hi) > 0, ok)
}

// countIn evaluates #a in (A..B).
func (s *State) countIn(n *program.Node) (int64, bool) {
	lo, hi, ok := s.bounds(n.A, n.B)
	if !ok {
		return 0, false
	}
	return int64(s.startsIn(s.pattern(n.V), lo, hi)), true
}

func (s *State) bounds(a, b program.NodeID) (lo, hi int64, ok bool) {
	if lo, ok = s.integer(a); ok {
		hi, ok = s.integer(b)
	}
	return lo, hi, ok
}

// startsIn counts the pattern's matches that start within lo..hi.
func (s *State) startsIn(pattern int32, lo, hi int64) int {
	if size, ok := s.size(); lo > hi || hi < 0 || ok && lo > size {
		return 0
	}
	matches := s.patterns.Matches(pattern)
	matches = matches[firstFrom(matches, lo):]
	if hi < math.MaxInt64 {
		matches = matches[:firstFrom(matches, hi+1)]
	}
	return len(matches)
}

// firstFrom is the index of the first match that starts at offset or later.
func firstFrom(matches []search.Match, offset int64) int {
	i, _ := slices.BinarySearchFunc(matches, offset, func(m search.Match, o int64) int { return cmp.Compare(m.Offset, o) })
	return i
}

// matchNumber evaluates @a[A] and !a[A]: undefined where there is no such match.
func (s *State) matchNumber(n *program.Node) (int64, bool) {
	i, ok := s.integer(n.A)
	if !ok {
		return 0, false
	}
	matches := s.patterns.Matches(s.pattern(n.V))
	if i < 1 || i > int64(len(matches)) {
		return 0, false
	}
	if n.Op == program.OpLength {
		return matches[i-1].Length, true
	}
	return matches[i-1].Offset, true
}
