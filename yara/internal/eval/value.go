package eval

import (
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
)

// value evaluates a node of any kind.
func (s *State) value(id program.NodeID) module.Value {
	n := &s.plan.prog.Nodes[id]
	if given(n.Op) {
		return s.given(id, n)
	}
	switch n.Kind {
	case boolKind:
		if t := s.truth(id); t != undefined {
			return module.Boolean(t == yes)
		}
	case intKind:
		if i, ok := s.integer(id); ok {
			return module.Int(i)
		}
	case floatKind:
		if f, ok := s.float(id); ok {
			return module.Float64(f)
		}
	case textKind:
		if t, ok := s.text(id); ok {
			return module.Text(t)
		}
	}
	return module.Value{}
}

// given reports whether an operation's value comes as it is: from a module, a
// variable or the caller.
func given(op program.Op) bool {
	return op == program.OpSlot || op == program.OpExtern || op == program.OpWith ||
		op >= program.OpModule && op <= program.OpRegex
}

// given evaluates such an operation; any other is undefined.
func (s *State) given(id program.NodeID, n *program.Node) module.Value {
	switch n.Op {
	case program.OpSlot:
		return s.slots[n.V]
	case program.OpField:
		return s.value(n.A).Field(int(n.V))
	case program.OpModule:
		return s.root(int32(n.V))
	case program.OpIndex:
		return s.item(n)
	case program.OpLookup:
		return s.entry(n)
	case program.OpCall:
		return s.call(id, n)
	case program.OpExtern:
		return s.external(int32(n.V))
	case program.OpRegex:
		return module.Regex(&s.matchers[n.V])
	case program.OpWith:
		s.slots[n.V] = s.value(n.A)
		return s.value(n.C)
	}
	return module.Value{}
}

// external returns an external variable.
func (s *State) external(i int32) module.Value {
	if s.ask != nil && !s.asked.has(i) {
		s.asked.set(i)
		if v := s.ask(i); v.Kind() == s.externals[i].Kind() {
			s.externals[i] = v
		}
	}
	return s.externals[i]
}

// root returns a module's root value, and loads the module when it is first
// asked for. A module that panics stays undefined for the scan, and so does
// every module where the target is memory.
func (s *State) root(m int32) module.Value {
	r := &s.roots[m]
	if !r.loaded {
		r.loaded = true
		s.load(m, r)
	}
	return r.value
}

func (s *State) load(m int32, r *root) {
	load := s.plan.modules[m].Load
	switch {
	case load == nil || s.memory != nil || !s.step(callCost):
	case s.profile != nil:
		s.profileLoad(m, func() { r.value = load(&s.Input) })
	default:
		r.value = load(&s.Input)
	}
}

// item evaluates A[B] of an array.
func (s *State) item(n *program.Node) module.Value {
	list := s.value(n.A).List()
	if list == nil {
		return module.Value{}
	}
	i, ok := s.integer(n.B)
	if !ok || i < 0 || i >= int64(list.Len()) {
		return module.Value{}
	}
	return list.At(int(i))
}

// entry evaluates A[B] of a map.
func (s *State) entry(n *program.Node) module.Value {
	dict := s.value(n.A).Dict()
	if dict == nil {
		return module.Value{}
	}
	key := s.value(n.B)
	if !key.Defined() {
		return module.Value{}
	}
	return dict.Get(key)
}

// items evaluates x.len() of an array or a map.
func (s *State) items(id program.NodeID) (int64, bool) {
	v := s.value(id)
	if list := v.List(); list != nil {
		return int64(list.Len()), true
	}
	if dict := v.Dict(); dict != nil {
		return int64(dict.Len()), true
	}
	return 0, false
}

// callCost is what calling a module costs in steps.
const callCost = lookEvery / 4

// call evaluates a call of a module's function. Where an argument is
// undefined, so is the call, and nothing is called; the same where the struct
// that the function is a member of is undefined, unless that is the module's
// root: then the function decides.
func (s *State) call(id program.NodeID, n *program.Node) module.Value {
	base := len(s.args)
	v := module.Value{}
	if s.pushArgs(n) {
		self := s.value(n.A)
		if self.Defined() || s.plan.prog.Nodes[n.A].Op == program.OpModule {
			v = s.invoke(s.plan.callees[id], self, s.args[base:])
		}
	}
	s.args = s.args[:base]
	return v
}

func (s *State) pushArgs(n *program.Node) bool {
	for _, arg := range s.list(n) {
		v := s.value(program.NodeID(arg))
		if !v.Defined() {
			return false
		}
		s.args = append(s.args, v)
	}
	return true
}

func (s *State) invoke(c callee, self module.Value, args []module.Value) module.Value {
	if !s.step(callCost) {
		return module.Value{}
	}
	s.pending = module.Call{Input: &s.Input, Root: s.root(c.module), Self: self}
	return c.fn.Call(&s.pending, args)
}
