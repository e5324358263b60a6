package lint

import (
	"fmt"
	"net/netip"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// collections checks tests against lists, and of the members of lists.
func (s *subject) collections() {
	if s.x == nil {
		return
	}
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		switch {
		case e.Kind == exclusion.KindAll:
			s.vacuous(e)
		case e.Kind == exclusion.KindCall && len(e.Args) == 2 && e.Args[1].Kind == exclusion.KindList && len(e.Args[1].Args) == 0:
			s.at(e, CodeEmptyList, fmt.Sprintf("%s is false of every file", e))
		case e.Kind == exclusion.KindCall && e.Name == "cidr":
			s.networks(e)
		}
		return true
	})
}

// vacuous reports all() over a list that may be empty, of which it is true: a
// file that nobody has open fits opener.names.all(…). A test of the size beside
// it makes it right.
func (s *subject) vacuous(all *exclusion.Expr) {
	list := all.Args[0]
	if list.Kind == exclusion.KindList || s.sized(list) {
		return
	}
	if values, ok := value(s.x, list).([]string); ok && len(values) > 0 {
		return
	}
	s.at(all, CodeVacuousAll, fmt.Sprintf("%s is true where %s is empty", all, list))
}

// sized reports whether the expression looks at the size of a list, or for a
// member of it.
func (s *subject) sized(list *exclusion.Expr) (found bool) {
	s.x.Expr().Walk(func(e *exclusion.Expr) bool {
		asks := e.Kind == exclusion.KindExists || e.Kind == exclusion.KindCall && (e.Name == "size" || e.Name == "in" || e.Name == "[]")
		for _, a := range e.Args {
			found = found || asks && a.String() == list.String()
		}
		return true
	})
	return found
}

// The shortest prefixes of a network that is somebody's own.
const (
	leastBits4 = 8
	leastBits6 = 32
)

// networks reports a network that is most of the address space.
func (s *subject) networks(call *exclusion.Expr) {
	for _, text := range texts(s.x, call.Args[1]) {
		net, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		least := leastBits4
		if net.Addr().Is6() {
			least = leastBits6
		}
		if net.Bits() < least && !net.Addr().IsPrivate() {
			s.at(call, CodeWideNetwork, fmt.Sprintf("%s has addresses of many owners", text))
			return
		}
	}
}

// idleContexts reports contexts that the detection is not meant for.
func (s *subject) idleContexts() {
	if len(s.o.Contexts) == 0 {
		return
	}
	for i, c := range s.spec.Contexts {
		if !containsContext(s.o.Contexts, c) && containsContext(besra.Contexts(), c) {
			s.field(fmt.Sprintf("contexts[%d]", i), CodeIdleContext, fmt.Sprintf("the detection is not for context %s", c))
		}
	}
}

func containsContext(list []besra.Context, c besra.Context) bool {
	for _, other := range list {
		if other == c {
			return true
		}
	}
	return false
}
