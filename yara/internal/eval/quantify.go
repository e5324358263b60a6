package eval

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// quantified evaluates of, for and with.
func (s *State) quantified(n *program.Node) truth {
	switch n.Op {
	case program.OpOfPatterns:
		return s.ofPatterns(n)
	case program.OpOfRules:
		rules := s.list(n)
		return s.quantify(n.Quant, int64(len(rules)), func(i int64) bool { return s.held.has(rules[i]) })
	case program.OpOfBools:
		return s.ofBools(n)
	case program.OpForOf:
		return s.forOf(n)
	case program.OpForRange:
		return s.forRange(n)
	case program.OpForList:
		items := s.list(n)
		return s.quantify(n.Quant, int64(len(items)), func(i int64) bool {
			s.slots[n.V] = s.value(program.NodeID(items[i]))
			return s.truth(n.C) == yes
		})
	case program.OpForArray:
		return s.forArray(n)
	case program.OpForMap:
		return s.forMap(n)
	}
	s.slots[n.V] = s.value(n.A)
	return s.truth(n.C)
}

func (s *State) list(n *program.Node) []int32 { return s.plan.prog.Lists[n.L : n.L+n.N] }

// ofPatterns evaluates Q of patterns, with at A or in (B..C). An offset that is
// undefined makes no pattern occur there; in libyara, the whole is undefined.
func (s *State) ofPatterns(n *program.Node) truth {
	patterns := s.list(n)
	lo, hi, ok := int64(0), int64(0), true
	switch {
	case n.A != program.None:
		lo, ok = s.integer(n.A)
		hi = lo
	case n.B != program.None:
		lo, hi, ok = s.bounds(n.B, n.C)
	default:
		return s.quantify(n.Quant, int64(len(patterns)), func(i int64) bool {
			return s.patterns.Found(s.pattern(int64(patterns[i])))
		})
	}
	if !ok && s.plan.libyara {
		return undefined
	}
	return s.quantify(n.Quant, int64(len(patterns)), func(i int64) bool {
		return ok && s.startsIn(s.pattern(int64(patterns[i])), lo, hi) > 0
	})
}

// ofBools evaluates Q of conditions, in order until Q is decided. One that is
// undefined makes the whole undefined.
func (s *State) ofBools(n *program.Node) truth {
	items, absent := s.list(n), false
	t := s.quantify(n.Quant, int64(len(items)), func(i int64) bool {
		if absent {
			return false
		}
		item := s.truth(program.NodeID(items[i]))
		absent = item == undefined
		return item == yes
	})
	if absent {
		return undefined
	}
	return t
}

func (s *State) forOf(n *program.Node) truth {
	patterns := s.list(n)
	return s.quantify(n.Quant, int64(len(patterns)), func(i int64) bool {
		s.slots[n.V] = module.Int(int64(s.pattern(int64(patterns[i]))))
		return s.truth(n.C) == yes
	})
}

// forRange is false, whatever the quantifier, for a range that is empty or has
// an undefined bound.
func (s *State) forRange(n *program.Node) truth {
	lo, hi, ok := s.bounds(n.A, n.B)
	if !ok || lo > hi {
		return no
	}
	total := hi - lo + 1
	if total <= 0 { // more than an int64 holds
		total = math.MaxInt64
	}
	return s.quantify(n.Quant, total, func(i int64) bool {
		s.slots[n.V] = module.Int(lo + i)
		return s.truth(n.C) == yes
	})
}

// forArray is false for an array that is empty or undefined.
func (s *State) forArray(n *program.Node) truth {
	list := s.value(n.A).List()
	if list == nil {
		return no
	}
	return s.quantify(n.Quant, int64(list.Len()), func(i int64) bool {
		s.slots[n.V] = list.At(int(i))
		return s.truth(n.C) == yes
	})
}

// forMap is false for a map that is empty or undefined.
func (s *State) forMap(n *program.Node) truth {
	dict := s.value(n.A).Dict()
	if dict == nil {
		return no
	}
	return s.quantify(n.Quant, int64(dict.Len()), func(i int64) bool {
		s.slots[n.V], s.slots[n.V+1] = dict.Entry(int(i))
		return s.truth(n.C) == yes
	})
}

// quantify asks for as many of total items as it takes to decide the
// quantifier. Nothing holds of no items.
func (s *State) quantify(q program.Quant, total int64, holds func(i int64) bool) truth {
	if total <= 0 {
		return no
	}
	g, ok := s.goal(q, total)
	if !ok {
		return undefined
	}
	hits := int64(0)
	for i := range total {
		if !s.step(1) {
			return undefined
		}
		if holds(i) {
			hits++
			if hits > g.most {
				return no
			}
			if hits >= g.least && g.most == total {
				return yes
			}
		} else if total-i-1+hits < g.least {
			return no
		}
	}
	return is(hits >= g.least && hits <= g.most)
}

// goal is the number of items that must hold.
type goal struct{ least, most int64 }

// goal evaluates a quantifier over total items: 0 of them means none, a
// negative number any. An undefined number is undefined. In libyara an undefined
// number means all, and a negative one and 0% always hold.
func (s *State) goal(q program.Quant, total int64) (g goal, ok bool) {
	switch q.Kind {
	case program.QuantAll:
		return goal{total, total}, true
	case program.QuantAny:
		return goal{1, total}, true
	case program.QuantNone:
		return goal{0, 0}, true
	}
	n, ok := s.integer(q.N)
	percent := q.Kind == program.QuantPercent
	switch {
	case !ok && s.plan.libyara && !percent:
		return goal{total, total}, true
	case !ok:
		return goal{}, false
	case percent:
		n = share(total, n)
	}
	switch {
	case s.plan.libyara && (n < 0 || percent):
		return goal{n, total}, true
	case n == 0:
		return goal{0, 0}, true
	}
	return goal{max(n, 1), total}, true
}

// share is how many of total items make up percent of them, rounded up.
func share(total, percent int64) int64 {
	const most = math.MaxInt64 / 2
	return int64(max(-most, min(math.Ceil(float64(total)*float64(percent)/100), most)))
}
