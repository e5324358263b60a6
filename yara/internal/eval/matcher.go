package eval

import (
	"unsafe"

	"github.com/besra-hunt/besra/yara/internal/regex"
)

// matcher is a regexp literal of a condition, for one State: what matches asks
// and, as a module.Matcher, what a module's function gets.
type matcher struct {
	prog    *regex.Prog
	machine *regex.Machine // of the State
}

func (p *Plan) newMatchers() []matcher {
	if len(p.prog.Regexps) == 0 {
		return nil
	}
	machine := new(regex.Machine)
	list := make([]matcher, len(p.prog.Regexps))
	for i := range list {
		list[i] = matcher{p.prog.Regexps[i].Prog, machine}
	}
	return list
}

// MatchString reports whether the regexp matches anywhere in s.
func (m *matcher) MatchString(s string) bool {
	// The machine reads the bytes and keeps none of them: no copy is needed.
	return m.machine.Find(m.prog, unsafe.Slice(unsafe.StringData(s), len(s)), 0)
}
