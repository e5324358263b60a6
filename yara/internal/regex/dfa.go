package regex

import "slices"

// The DFA is made lazily, a state at a time, and its states are kept in the
// Machine: all progs share its arenas, and when they are full all is forgotten.
// A state is the list of instructions that threads stand at. Assertions look
// one byte ahead, so they stay in the list and are decided by the next byte,
// and for the same reason a match is known one byte late: a transition says
// whether there is a match before the byte it takes.

// mode is what a run asks for.
type mode uint8

const (
	preferred mode = iota // forward from a place: the preferred end
	allEnds               // forward from a place: each end
	allStarts             // backward from a place, on a reversed regexp: each start
	find                  // forward from any place: whether there is an end
	findAll               // backward from any place, on a reversed regexp: each start
)

// restarts reports whether a match may begin at any place, not only at the
// first.
func (md mode) restarts(a *nfa) bool { return md == findAll || md == find && !a.anchored }

// back reports whether the run goes from right to left.
func (md mode) back() bool { return md == allStarts || md == findAll }

// behind is the place to which a byte at p leads.
func (md mode) behind(p int) int {
	if md.back() {
		return p - 1
	}
	return p + 1
}

// dfa is the automaton of one prog and mode in a Machine.
type dfa struct {
	auto *nfa
	mode mode
	// gen is the Machine's generation that starts belong to, and id is the
	// dfa's number in it.
	gen    uint32
	id     uint32
	starts [3]uint32 // by what is on the near side of the first byte
	// handed counts the runs that were given to the simulation.
	handed int
}

// A reference to a state is the offset of its row in trans. The row has the
// state's number, a reference for each group of bytes, and one for the end of
// the data. 0 means that the reference is not known yet.
const (
	refDead  = 1 << 30 // no thread is left
	refMatch = 1 << 31 // a thread matched before the last byte

	rowState = 0 // columns of a row
	rowBytes = 1
)

// state is a state of some dfa.
type state struct {
	list    uint32 // offset in lists
	n       uint32
	id      uint32 // the dfa's
	before  side
	matched bool
	hash    uint32
	row     uint32
}

// defaultRoom is how many entries of 4 bytes each of a Machine's two arenas
// holds at most.
const defaultRoom = 1 << 20

// longList is a list that is not worth keeping. It is far less than the room.
const longList = 1 << 12

// cache is the arenas.
type cache struct {
	room   int // of an arena; 0 before the first use
	gen    uint32
	ids    uint32
	trans  []uint32
	lists  []uint32
	states []state
	table  []uint32 // hash table of states: number + 1
	// made counts the states made in the current run.
	made int
	// held is set while more than one state is in use: then none are forgotten,
	// and where there is no room none is made.
	held bool
}

// reset forgets all states.
func (c *cache) reset() {
	c.gen++
	c.ids = 0
	c.trans = append(c.trans[:0], 0) // no row is at 0
	c.lists = c.lists[:0]
	c.states = c.states[:0]
	clear(c.table)
}

// enter makes sure that d's starts are of the current generation.
func (c *cache) enter(d *dfa) {
	if c.table == nil {
		c.table = make([]uint32, 1024)
		if c.room == 0 {
			c.room = defaultRoom
		}
		c.reset()
	}
	if d.gen != c.gen {
		c.ids++
		d.gen, d.id, d.starts, d.handed = c.gen, c.ids, [3]uint32{}, 0
	}
}

// intern returns the row of the state with the list, which it makes where
// there is none yet. It returns 0 where there is no room and states are held.
func (c *cache) intern(d *dfa, list []uint32, before side, matched bool) uint32 {
	h := hashState(d.id, list, before, matched)
	for i := h; ; i++ {
		slot := &c.table[i&uint32(len(c.table)-1)]
		if *slot == 0 {
			break
		}
		if s := &c.states[*slot-1]; s.hash == h && s.id == d.id && s.before == before && s.matched == matched &&
			slices.Equal(c.lists[s.list:s.list+s.n], list) {
			return s.row
		}
	}
	width := len(d.auto.rep) + 2
	if len(c.trans)+width > c.room || len(c.lists)+len(list) > c.room {
		if c.held {
			return 0
		}
		c.reset()
		c.enter(d)
		return c.intern(d, list, before, matched)
	}
	s := state{list: uint32(len(c.lists)), n: uint32(len(list)), id: d.id, before: before, matched: matched,
		hash: h, row: uint32(len(c.trans))}
	c.lists = append(c.lists, list...)
	c.trans = grow(c.trans, width)
	c.trans[s.row+rowState] = uint32(len(c.states))
	c.states = append(c.states, s)
	c.made++
	c.insert(h)
	return s.row
}

// insert puts the last state, of hash h, into the table.
func (c *cache) insert(h uint32) {
	if len(c.states)*2 > len(c.table) {
		c.table = make([]uint32, 2*len(c.table))
		for i := range c.states {
			c.place(c.states[i].hash, uint32(i)+1)
		}
		return
	}
	c.place(h, uint32(len(c.states)))
}

func (c *cache) place(h, number uint32) {
	for i := h; ; i++ {
		if slot := &c.table[i&uint32(len(c.table)-1)]; *slot == 0 {
			*slot = number
			return
		}
	}
}

// grow appends n zeros.
func grow(s []uint32, n int) []uint32 {
	l := len(s)
	s = slices.Grow(s, n)[:l+n]
	clear(s[l:])
	return s
}

func hashState(id uint32, list []uint32, before side, matched bool) uint32 {
	h := uint64(id)<<3 | uint64(before)<<1
	if matched {
		h |= 1
	}
	for _, v := range list {
		h = (h ^ uint64(v)) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	h *= 0x9E3779B97F4A7C15
	return uint32(h >> 32)
}

// startState returns the row of the state before the first byte, which has
// before on its near side.
func (m *Machine) startState(d *dfa, before side) uint32 {
	if !d.auto.sides() {
		before = nothing
	}
	if row := d.starts[before]; row != 0 {
		return row
	}
	m.begin(d.auto)
	m.abreast.looked = false
	m.list = m.close(m.list[:0], d, d.auto.start)
	row := m.intern(d, m.canonical(d), before, false)
	if !m.abreast.looked {
		d.starts[before] = row
	}
	return row
}

// canonical returns m.list with its order made unique where that does not count.
func (m *Machine) canonical(d *dfa) []uint32 {
	if d.mode != preferred {
		slices.Sort(m.list)
	}
	return m.list
}

// step returns the reference behind the state at row for a column, and stores
// it. It returns 0 where the run should be handed to the simulation, or where
// states are held and there is no room.
func (m *Machine) step(d *dfa, row uint32, column int) uint32 {
	a := d.auto
	s := m.states[m.trans[row+rowState]]
	list := m.lists[s.list : s.list+s.n]
	atEnd := column == rowBytes+len(a.rep)
	behind := nothing
	var c byte
	if !atEnd {
		c = a.rep[column-rowBytes]
		behind = sideOf(c)
	}
	if a.sides() {
		list = m.decide(d, list, s.before, behind)
	}
	m.abreast.looked = false
	m.begin(a)
	m.list = m.list[:0]
	matched := false
	for _, pc := range list {
		i := &a.insts[pc]
		if i.op == opMatch {
			if matched = true; d.mode == preferred {
				break
			}
		} else if !atEnd && a.takes(i, c) {
			m.list = m.close(m.list, d, i.out)
		}
	}
	if d.mode.restarts(a) && !atEnd {
		m.list = m.close(m.list, d, a.start)
	}
	m.steps += len(list) + len(m.list)
	gen := m.gen
	ref := m.behind(d, behind, matched)
	if gen == m.gen && !m.abreast.looked {
		m.trans[row+uint32(column)] = ref
	}
	return ref
}

// behind returns the reference to the state of m.list.
func (m *Machine) behind(d *dfa, before side, matched bool) uint32 {
	ref := uint32(refDead)
	if len(m.list) > longList && !m.held {
		d.handed++
		return 0
	}
	if len(m.list) > 0 {
		if !d.auto.sides() {
			before = nothing
		}
		if ref = m.intern(d, m.canonical(d), before, matched); ref == 0 {
			return 0
		}
	}
	if matched {
		ref |= refMatch
	}
	return ref
}

// decide follows the assertions in the list, which are between two known sides.
func (m *Machine) decide(d *dfa, list []uint32, before, behind side) []uint32 {
	if d.mode.back() {
		before, behind = behind, before
	}
	m.begin(d.auto)
	m.decided = m.decided[:0]
	for _, pc := range list {
		m.decided = m.follow(m.decided, d.auto, pc, func(a Assertion) bool { return a.between(before, behind) })
	}
	return m.decided
}

// close appends to list what threads at pc come to without taking a byte. It
// leaves assertions to be decided, but those that a state of the DFA does not
// remember the sides for: of runs abreast the place is known. Where only the preferred end is asked for,
// nothing comes behind a match.
func (m *Machine) close(list []uint32, d *dfa, pc uint32) []uint32 {
	if d.mode != preferred {
		return m.follow(list, d.auto, pc, m.abreast.holds)
	}
	if m.marks[matchPC] == m.mark {
		return list
	}
	n := len(list)
	list = m.follow(list, d.auto, pc, m.abreast.holds)
	if m.marks[matchPC] == m.mark {
		n += slices.Index(list[n:], matchPC) + 1
		return list[:n]
	}
	return list
}
