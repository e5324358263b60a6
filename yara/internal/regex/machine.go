package regex

import "bytes"

// Machine is the scratch that running progs takes. It serves any number of
// progs, belongs to one goroutine, and once it has met its progs it allocates
// no more. The zero Machine is ready for use. The functions that it is given
// may use it, too.
type Machine struct {
	cache
	simulation
	abreast abreast
	sweep   sweep
	chains  chainRun
	dfas    map[dfaKey]*dfa
	last    dfaKey // the dfa of the last run, which is often that of the next
	lastDFA *dfa

	list, decided []uint32
	// yielding is set while a caller's function may be called; what that asks
	// of the Machine, inner does.
	yielding bool
	inner    *Machine
	// simulate leaves chains and the DFA out: for tests.
	simulate bool
}

type dfaKey struct {
	prog *Prog
	mode mode
}

// idle returns the Machine, or, where that is within a run, another.
func (m *Machine) idle() *Machine {
	if !m.yielding {
		return m
	}
	if m.inner == nil {
		m.inner = &Machine{simulate: m.simulate}
		m.inner.Interrupted = m.Interrupted
	}
	return m.inner.idle()
}

// Steps is how many steps the Machine has made: one for each byte that a run
// takes, and for each instruction where states are made or the NFA is followed.
func (m *Machine) Steps() int {
	if m.inner != nil {
		return m.steps + m.chains.steps + m.inner.Steps()
	}
	return m.steps + m.chains.steps
}

// maxDFAs is how many automata a Machine remembers the starts of.
const maxDFAs = 1 << 16

// dfa returns the prog's automaton for a mode.
func (m *Machine) dfa(p *Prog, md mode) *dfa {
	key := dfaKey{p, md}
	if m.last == key {
		return m.lastDFA
	}
	d := m.dfas[key]
	if d == nil {
		if m.dfas == nil || len(m.dfas) == maxDFAs {
			m.dfas = map[dfaKey]*dfa{}
		}
		d = &dfa{auto: p.nfa(), mode: md}
		m.dfas[key] = d
	}
	m.last, m.lastDFA = key, d
	return d
}

// MatchAt returns the end of the match of p that begins at data[start], if
// there is one. It takes at most limit bytes, or any number if limit is 0; it
// sees all of data, so that an assertion at the limit holds or not as it does
// without.
func (m *Machine) MatchAt(p *Prog, data []byte, start, limit int) (end int, ok bool) {
	if start < 0 || start+p.min > len(data) {
		return 0, false
	}
	m = m.idle()
	m.steps++
	bound := boundOf(len(data), start, limit)
	switch f := p.runnable(); {
	case f.literal != nil:
		end = start + len(f.literal)
		return end, end <= bound && string(data[start:end]) == string(f.literal)
	case f.chain != noChain && !m.simulate:
		return m.chains.match(f.chain, data, start, bound)
	}
	return m.forward(m.dfa(p, preferred), data, start, bound, nil)
}

// EndsAt calls yield with the end of every possible match of p that begins at
// data[start], ascending, until yield returns false. limit is as for MatchAt.
func (m *Machine) EndsAt(p *Prog, data []byte, start, limit int, yield func(end int) bool) {
	if start < 0 || start > len(data) {
		return
	}
	m = m.idle()
	m.yielding = true
	m.forward(m.dfa(p, allEnds), data, start, boundOf(len(data), start, limit), yield)
	m.yielding = false
}

// StartsBefore calls yield with the start of every match that ends at
// data[end], the nearest first, until yield returns false. p is compiled of
// the reversed regexp. limit is how many bytes it takes at most, 0 being any
// number.
func (m *Machine) StartsBefore(p *Prog, data []byte, end, limit int, yield func(start int) bool) {
	if end < 0 || end > len(data) {
		return
	}
	bound := 0
	if limit > 0 {
		bound = max(end-limit, 0)
	}
	m = m.idle()
	m.yielding = true
	m.backward(m.dfa(p, allStarts), data, end, bound, yield)
	m.yielding = false
}

// Starts calls yield with every place in data[from:to] at which a match begins,
// wherever it ends, from the last to the first, until yield returns false. p is
// compiled of the reversed regexp. It takes time linear in the data: it is for
// regexps that have no atom.
func (m *Machine) Starts(p *Prog, data []byte, from, to int, yield func(start int) bool) {
	m = m.idle()
	m.yielding = true
	m.backward(m.dfa(p, findAll), data, len(data), min(max(from, 0), len(data)), func(start int) bool {
		return start >= to || yield(start)
	})
	m.yielding = false
}

// Find reports whether p matches somewhere in data[from:]; what is before that
// is seen by assertions only.
func (m *Machine) Find(p *Prog, data []byte, from int) bool {
	if from < 0 || from+p.min > len(data) {
		return false
	}
	if f := p.runnable(); f.literal != nil {
		return bytes.Contains(data[from:], f.literal)
	}
	m = m.idle()
	_, ok := m.forward(m.dfa(p, find), data, from, len(data), nil)
	return ok
}

// boundOf is where a run from start with a limit has to stop.
func boundOf(n, start, limit int) int {
	if limit > 0 && limit < n-start {
		return start + limit
	}
	return n
}

// handOver is the number of states made in a run from which on it is asked
// whether making them is worth it: states should serve four bytes each. After
// maxHanded such runs the states of earlier ones are taken to be of no use.
const (
	handOver  = 256
	maxHanded = 32
)

// stretch is how many bytes a run takes between two looks at Interrupted.
const stretch = 1 << 18

// forward runs d from start up to bound. It returns the last match, or in mode
// find the first, and calls yield, if not nil, at each.
func (m *Machine) forward(d *dfa, data []byte, start, bound int, yield func(int) bool) (last int, ok bool) {
	if m.mustSimulate(d) {
		return m.run(d.auto, d.mode, data, start, bound, []uint32{d.auto.start}, yield)
	}
	s, i := m.startState(d, sideBefore(data, start)), start
	classes := &d.auto.classOf
	for {
		var n uint32
		from, pause := i, min(bound, i+stretch)
		for trans := m.trans; i < pause; i++ {
			if n = trans[s+rowBytes+uint32(classes[data[i]])]; n-1 >= refDead-1 {
				break
			}
			s = n
		}
		m.steps += i - from + 1
		if i == pause && i < bound {
			if m.interrupted() {
				return last, ok
			}
			continue
		}
		if i == bound {
			n = m.trans[s+uint32(m.columnAt(d, data, i))]
		}
		if n == 0 {
			row := s
			if n = m.advance(d, s, m.columnAt(d, data, i), i-start); n == 0 {
				l, found := m.run(d.auto, d.mode, data, i, bound, m.seeds(row), yield)
				if found {
					last, ok = l, true
				}
				return last, ok
			}
		}
		if n&refMatch != 0 {
			last, ok = i, true
			if d.mode == find || yield != nil && !yield(i) {
				return last, ok
			}
		}
		if n&refDead != 0 || i == bound {
			return last, ok
		}
		s = n &^ refMatch
		i++
	}
}

// columnAt is the column for what is at data[i].
func (m *Machine) columnAt(d *dfa, data []byte, i int) int {
	if i < len(data) {
		return rowBytes + int(d.auto.classOf[data[i]])
	}
	return rowBytes + len(d.auto.rep)
}

// columnBefore is the column for what is before data[i].
func (m *Machine) columnBefore(d *dfa, data []byte, i int) int {
	if i > 0 {
		return rowBytes + int(d.auto.classOf[data[i-1]])
	}
	return rowBytes + len(d.auto.rep)
}

// backward is forward from right to left, from end down to bound.
func (m *Machine) backward(d *dfa, data []byte, end, bound int, yield func(int) bool) {
	if m.mustSimulate(d) {
		m.run(d.auto, d.mode, data, end, bound, []uint32{d.auto.start}, yield)
		return
	}
	s, i := m.startState(d, sideBehind(data, end)), end
	classes := &d.auto.classOf
	for {
		var n uint32
		from, pause := i, max(bound, i-stretch)
		for trans := m.trans; i > pause; i-- {
			if n = trans[s+rowBytes+uint32(classes[data[i-1]])]; n-1 >= refDead-1 {
				break
			}
			s = n
		}
		m.steps += from - i + 1
		if i == pause && i > bound {
			if m.interrupted() {
				return
			}
			continue
		}
		column := m.columnBefore(d, data, i)
		if i == bound {
			n = m.trans[s+uint32(column)]
		}
		if n == 0 {
			row := s
			if n = m.advance(d, s, column, end-i); n == 0 {
				m.run(d.auto, d.mode, data, i, bound, m.seeds(row), yield)
				return
			}
		}
		if n&refMatch != 0 && !yield(i) || n&refDead != 0 || i == bound {
			return
		}
		s = n &^ refMatch
		i--
	}
}

// mustSimulate readies the cache for a run of d, and reports whether d is not
// for the DFA.
func (m *Machine) mustSimulate(d *dfa) bool {
	m.enter(d)
	m.made = 0
	return m.simulate || !d.auto.narrow || d.handed > maxHanded
}

// advance is step, but returns 0 where after done bytes of the run it has shown
// that too many states are made.
func (m *Machine) advance(d *dfa, row uint32, column, done int) uint32 {
	if m.made > handOver && m.made > done/4 {
		d.handed++
		return 0
	}
	return m.step(d, row, column)
}

// seeds returns the instructions of the state at row.
func (m *Machine) seeds(row uint32) []uint32 {
	s := &m.states[m.trans[row+rowState]]
	return m.lists[s.list : s.list+s.n]
}
