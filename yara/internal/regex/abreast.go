package regex

// Where matches may begin at many places, a run from each would take a step a
// byte for each run under way: thousands. So the runs go abreast, and those
// that come to one state at one place go on as one. What is left is a step a
// byte for each of the different states they are in: one or two mostly, and as
// many as a limit has bytes for what counts, as (xx)*|(xxx)*|(x{5})* does.

// abreast is the scratch of runs that go in step.
type abreast struct {
	data  []byte
	limit int
	// place is where threads come to. holds decides assertions there, and is nil
	// where states leave them to be decided by the next byte; looked says that
	// it was asked.
	place  int
	holds  func(Assertion) bool
	looked bool
	// runs are those at the place, next those behind the byte that is taken.
	runs, next []abreastRun
	at         []uint32 // by state, 1 + the place in next of the run in it
	// ring holds the members from number first up to end, which wait for their
	// answers; its length is a power of two.
	ring       []member
	first, end int
	path       []int
	moved      []state // scratch of makeRoom, with their lists
	lists      []uint32
}

// abreastRun is a run, or several that became one.
type abreastRun struct {
	row uint32
	// who is the number of the youngest member, or, in a run backward, the place
	// where the youngest began. The youngest goes the farthest.
	who int
}

// member is a start for which the end of its match is looked for. The members
// of a run are a tree; its root is the youngest.
type member struct {
	start  int
	parent int // a number, its own for a root
	// joined is where it came to the parent: what that met up to there does not
	// count for this one.
	joined int
	last   int  // where the last match ends, -1 before the first
	over   bool // of a root: the run has ended
}

// maxMembers is how many may wait. Only where there is no limit so many do; then
// the data is gone through again for those that come later.
const maxMembers = 1 << 20

// interval is how many places are passed between two looks at Interrupted.
const interval = 1 << 12

// MatchEach calls yield with each start that next gives and with the end that
// MatchAt finds for it, -1 being none, until yield returns false. next returns
// the first start from a place on; starts are taken and given in ascending
// order. The work is shared: by a sweep where matches are bounded, or else by
// runs abreast.
func (m *Machine) MatchEach(p *Prog, data []byte, limit int, next func(from int) (start int, ok bool), yield func(start, end int) bool) {
	m = m.idle()
	if p.sweeps(limit) {
		m.sweepEach(p, data, next, yield)
		return
	}
	d := m.lineUp(p, preferred, data, limit)
	defer m.dismiss()
	b := &m.abreast
	start, more := next(0)
	for i := 0; ; i++ {
		if len(b.runs) == 0 {
			if !more || start > len(data) {
				return
			}
			i = start
		}
		fits := true
		if more && start == i && b.end-b.first < maxMembers {
			b.place = i
			fits = m.join(d, b.wait(i), sideBefore(data, i))
			start, more = next(i + 1)
		}
		if fits {
			_, fits = m.takeByte(d, i, m.columnAt(d, data, i))
		}
		if !fits {
			m.matchApart(p)
		}
		if !b.answer(i, yield) || i%interval == 0 && m.interrupted() {
			return
		}
	}
}

// StartsBeforeEach calls yield with the starts that StartsBefore finds for each
// end that next gives, until yield returns false. next returns the last end up
// to a place. Starts come in no order, and may come more than once.
func (m *Machine) StartsBeforeEach(p *Prog, data []byte, limit int, next func(to int) (end int, ok bool), yield func(start int) bool) {
	m = m.idle()
	if p.sweeps(limit) {
		m.simulateEach(p, data, next, yield)
		return
	}
	d := m.lineUp(p, allStarts, data, limit)
	defer m.dismiss()
	end, more := next(len(data))
	for i := len(data); ; i-- {
		if len(m.abreast.runs) == 0 {
			if !more {
				return
			}
			i = end
		}
		met, fits := false, true
		if more && end == i {
			m.abreast.place = i
			fits = m.join(d, i, sideBehind(data, i))
			end, more = next(i - 1)
		}
		if fits {
			met, fits = m.takeByte(d, i, m.columnBefore(d, data, i))
		}
		if !fits && !m.startsApart(p, i, yield) || met && !yield(i) || i%interval == 0 && m.interrupted() {
			return
		}
	}
}

// lineUp readies the Machine for runs abreast.
func (m *Machine) lineUp(p *Prog, md mode, data []byte, limit int) *dfa {
	d := m.dfa(p, md)
	m.enter(d)
	m.yielding, m.held = true, true
	b := &m.abreast
	b.data, b.limit, b.holds = data, limit, nil
	if d.auto.looks && !d.auto.narrow {
		b.holds = func(a Assertion) bool {
			b.looked = true
			return a.holds(b.data, b.place)
		}
	}
	b.runs, b.next, b.first, b.end = b.runs[:0], b.next[:0], 0, 0
	return d
}

// dismiss ends it.
func (m *Machine) dismiss() {
	m.yielding, m.held = false, false
	m.abreast.data, m.abreast.holds = nil, nil
	if len(m.abreast.ring) > interval {
		m.abreast.ring = nil
	}
}

// wait adds a member, and returns its number.
func (b *abreast) wait(start int) int {
	if b.end-b.first == len(b.ring) {
		ring := make([]member, max(64, 2*len(b.ring)))
		for n := b.first; n < b.end; n++ {
			ring[n&(len(ring)-1)] = *b.member(n)
		}
		b.ring = ring
	}
	n := b.end
	b.end++
	*b.member(n) = member{start: start, parent: n, last: -1}
	return n
}

func (b *abreast) member(n int) *member { return &b.ring[n&(len(b.ring)-1)] }

// join adds a run at the place. It reports whether there was room.
func (m *Machine) join(d *dfa, who int, near side) bool {
	row := m.startState(d, near)
	if row == 0 && m.makeRoom(d, 0) {
		row = m.startState(d, near)
	}
	m.abreast.runs = append(m.abreast.runs, abreastRun{row, who})
	return row != 0
}

// takeByte takes the byte of a column, at place i, in every run. It reports
// whether a match was met, and whether there was room for the states.
func (m *Machine) takeByte(d *dfa, i, column int) (met, fits bool) {
	b := &m.abreast
	b.place = d.mode.behind(i)
	b.reach(len(m.states))
	for k := range b.runs {
		ref := m.trans[b.runs[k].row+uint32(column)]
		if ref == 0 {
			if ref = m.stepAbreast(d, k, column); ref == 0 {
				b.runs = append(b.runs[k:], b.next...)
				clear(b.at)
				return met, false
			}
		}
		m.steps++
		who := b.runs[k].who
		met = met || ref&refMatch != 0
		if !b.goesOn(d, who, i, ref) {
			continue
		}
		row := ref &^ refMatch
		if at := &b.at[m.trans[row+rowState]]; *at > 0 {
			other := &b.next[*at-1]
			other.who = b.unite(d, other.who, who, i)
		} else {
			b.next = append(b.next, abreastRun{row, who})
			*at = uint32(len(b.next))
		}
	}
	for _, r := range b.next {
		b.at[m.trans[r.row+rowState]] = 0
	}
	b.runs, b.next = b.next, b.runs[:0]
	return met, true
}

// goesOn notes a match that a run meets at place i, and reports whether the run
// goes on from there.
func (b *abreast) goesOn(d *dfa, who, i int, ref uint32) bool {
	if d.mode.back() {
		return ref&refDead == 0 && i > 0 && (b.limit == 0 || who-i < b.limit)
	}
	root := b.member(who)
	if ref&refMatch != 0 {
		root.last = i
	}
	root.over = ref&refDead != 0 || i == len(b.data) || b.limit > 0 && i-root.start >= b.limit
	return !root.over
}

// unite makes one run of two at place i, and returns who it is.
func (b *abreast) unite(d *dfa, one, other, i int) int {
	if d.mode.back() {
		return min(one, other)
	}
	old := b.member(min(one, other))
	old.parent, old.joined = max(one, other), i
	return old.parent
}

// stepAbreast is step for run k.
func (m *Machine) stepAbreast(d *dfa, k, column int) uint32 {
	b := &m.abreast
	ref := m.step(d, b.runs[k].row, column)
	if ref == 0 && m.makeRoom(d, k) {
		ref = m.step(d, b.runs[k].row, column)
	}
	b.reach(len(m.states))
	return ref
}

// reach makes at large enough for so many states.
func (b *abreast) reach(states int) {
	if n := states - len(b.at); n > 0 {
		b.at = grow(b.at, n)
	}
}

// makeRoom forgets all states but those of the runs, of which the first k are in
// next already. It reports whether much room was made.
func (m *Machine) makeRoom(d *dfa, k int) bool {
	b := &m.abreast
	b.moved, b.lists = b.moved[:0], b.lists[:0]
	both := [...][]abreastRun{b.next, b.runs[k:]}
	for _, runs := range both {
		for _, r := range runs {
			s := m.states[m.trans[r.row+rowState]]
			list := m.lists[s.list : s.list+s.n]
			s.list = uint32(len(b.lists))
			b.moved, b.lists = append(b.moved, s), append(b.lists, list...)
		}
	}
	m.reset()
	m.enter(d)
	for _, runs := range both {
		for i := range runs {
			s := b.moved[0]
			b.moved = b.moved[1:]
			if runs[i].row = m.intern(d, b.lists[s.list:s.list+s.n], s.before, s.matched); runs[i].row == 0 {
				return false
			}
		}
	}
	clear(b.at)
	b.reach(len(m.states))
	for i, r := range b.next {
		b.at[m.trans[r.row+rowState]] = uint32(i) + 1
	}
	return max(len(m.trans), len(m.lists)) <= m.room/2
}

// answer yields, in order, the members whose match is known after place i.
func (b *abreast) answer(i int, yield func(start, end int) bool) bool {
	for b.first < b.end {
		root, f := b.rootOf(b.first, i), b.member(b.first)
		if !root.over && (b.limit == 0 || i-f.start < b.limit) {
			return true
		}
		b.first++
		if !yield(f.start, f.last) {
			return false
		}
	}
	return true
}

// rootOf returns the root of a member, whose last match is brought up to place i.
func (b *abreast) rootOf(n, i int) *member {
	b.path = b.path[:0]
	for b.member(n).parent != n {
		b.path = append(b.path, n)
		n = b.member(n).parent
	}
	root := b.member(n)
	last := root.last
	for k := len(b.path) - 1; k >= 0; k-- {
		f := b.member(b.path[k])
		if last > f.joined {
			f.last = last
		}
		last, f.parent, f.joined = f.last, n, i
	}
	return root
}

// matchApart answers all members that wait one by one: the states of their runs
// take more than all room.
func (m *Machine) matchApart(p *Prog) {
	b := &m.abreast
	for n := b.first; n < b.end && !m.interrupted(); n++ {
		f := b.member(n)
		f.parent, f.over, f.last = n, true, -1
		if end, ok := m.idle().MatchAt(p, b.data, f.start, b.limit); ok {
			f.last = end
		}
	}
	b.runs, b.next = b.runs[:0], b.next[:0]
}

// startsApart is the same for runs backward, which have come to place i.
func (m *Machine) startsApart(p *Prog, i int, yield func(int) bool) bool {
	b := &m.abreast
	wanted := true
	for _, r := range b.runs {
		m.idle().StartsBefore(p, b.data, r.who, b.limit, func(start int) bool {
			wanted = start > i || yield(start)
			return wanted
		})
		if !wanted || m.interrupted() {
			return false
		}
	}
	b.runs, b.next = b.runs[:0], b.next[:0]
	return true
}
