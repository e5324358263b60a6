package detection

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
)

// mutant is an exclusion with one deliberate fault. Tests that are worth
// something notice it.
type mutant struct {
	name string // what was changed, in words
	when string
	// params changes the values of parameters and lists, by their full names
	// (params.NAME, lists.NAME); nil leaves them.
	params map[string]func([]string) []string
	// wider says that the fault lets the exclusion hold of more, so that a
	// malicious twin has to notice; otherwise a benign fixture has to.
	wider bool
	facts []string // facts of the changed part
}

// mutants returns the faults that can be put into an expression, each once.
func mutants(root *exclusion.Expr) []mutant {
	m := &mutator{root: root, seen: map[string]bool{root.String(): true}}
	root.Walk(func(e *exclusion.Expr) bool {
		m.at(e)
		return true
	})
	m.parameters()
	return m.list
}

type mutator struct {
	root *exclusion.Expr
	seen map[string]bool
	list []mutant
}

// replace adds the mutant in which e is another expression.
func (m *mutator) replace(e, by *exclusion.Expr, wider bool, format string, args ...any) {
	when := rebuilt(m.root, e, by).String()
	if m.seen[when] {
		return
	}
	m.seen[when] = true
	m.list = append(m.list, mutant{name: fmt.Sprintf(format, args...), when: when, wider: wider, facts: e.Facts()})
}

// rebuilt returns root with e replaced. It shares what it does not change.
func rebuilt(root, e, by *exclusion.Expr) *exclusion.Expr {
	if root == e {
		return by
	}
	for i, a := range root.Args {
		if b := rebuilt(a, e, by); b != a {
			out := *root
			out.Args = slices.Clone(root.Args)
			out.Args[i] = b
			return &out
		}
	}
	return root
}

// at adds the mutants of one node.
func (m *mutator) at(e *exclusion.Expr) {
	switch e.Kind {
	case exclusion.KindAnd, exclusion.KindOr:
		m.logic(e)
	case exclusion.KindNot:
		m.replace(e, e.Args[0], true, "without the negation of %s", e.Args[0])
	case exclusion.KindExists, exclusion.KindAll:
		other := map[exclusion.Kind]exclusion.Kind{exclusion.KindExists: exclusion.KindAll, exclusion.KindAll: exclusion.KindExists}
		swapped := *e
		swapped.Kind = other[e.Kind]
		m.replace(e, &swapped, e.Kind == exclusion.KindAll, "with %s in place of %s in %s", swapped.Kind, e.Kind, e)
	case exclusion.KindCall:
		m.call(e)
	}
}

// logic drops each part of a conjunction or disjunction, and swaps the two.
func (m *mutator) logic(e *exclusion.Expr) {
	and := e.Kind == exclusion.KindAnd
	for i, part := range e.Args {
		rest := *e
		rest.Args = slices.Delete(slices.Clone(e.Args), i, i+1)
		by := &rest
		if len(rest.Args) == 1 {
			by = rest.Args[0]
		}
		before := len(m.list)
		m.replace(e, by, and, "without %s", part)
		if len(m.list) > before {
			m.list[before].facts = part.Facts()
		}
	}
	swapped := *e
	swapped.Kind = exclusion.KindOr
	if !and {
		swapped.Kind = exclusion.KindAnd
	}
	m.replace(e, &swapped, and, "with %q in place of %q in %s", swapped.Kind, e.Kind, e)
}

// comparisons gives the operator that a slip of the hand would write.
var comparisons = map[string]string{"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}

func (m *mutator) call(e *exclusion.Expr) {
	if other, ok := comparisons[e.Name]; ok && len(e.Args) == 2 {
		swapped := *e
		swapped.Name = other
		m.replace(e, &swapped, len(other) > len(e.Name) || other == "!=", "with %s in place of %s in %s", other, e.Name, e)
	}
	for i, a := range e.Args {
		if a.Kind == exclusion.KindList {
			m.members(e, a)
		}
		for _, literal := range append([]*exclusion.Expr{a}, a.Args...) {
			if s, ok := literal.Value.(string); ok && (a == literal || a.Kind == exclusion.KindList) {
				m.widened(literal, e.Name, i, s)
			}
		}
	}
}

// maxMembers bounds the members of one list that are dropped one by one.
const maxMembers = 8

// members drops each member of a written list, and all of them.
func (m *mutator) members(call, list *exclusion.Expr) {
	for i, member := range list.Args[:min(len(list.Args), maxMembers)] {
		rest := *list
		rest.Args = slices.Delete(slices.Clone(list.Args), i, i+1)
		m.replace(list, &rest, false, "without %s in %s", member, call)
	}
	empty := *list
	empty.Args = nil
	m.replace(list, &empty, false, "with an empty list in %s", call)
	for i := range m.list {
		if m.list[i].facts == nil {
			m.list[i].facts = call.Facts()
		}
	}
}

// widened makes a literal argument fit more than it should.
func (m *mutator) widened(literal *exclusion.Expr, function string, arg int, text string) {
	wide := widen(function, arg, text)
	if wide == text {
		return
	}
	by := *literal
	by.Value = wide
	before := len(m.list)
	m.replace(literal, &by, true, "with %q widened to %q", text, wide)
	if len(m.list) > before {
		m.list[before].facts = holderOf(m.root, literal).Facts()
	}
}

// holderOf returns the innermost call with e in it.
func holderOf(root, e *exclusion.Expr) *exclusion.Expr {
	holder := root
	root.Walk(func(x *exclusion.Expr) bool {
		if x.Kind == exclusion.KindCall && rebuilt(x, e, &exclusion.Expr{}) != x {
			holder = x
		}
		return true
	})
	return holder
}

// widen returns an argument that lets a function hold of more; text itself
// where there is none.
func widen(function string, arg int, text string) string {
	switch {
	case function == "under" && arg > 0:
		return path.Dir(text)
	case function == "glob" && arg > 0 && !strings.HasSuffix(text, "**"):
		return path.Join(path.Dir(text), "**")
	case function == "startsWith" && arg > 0 && len(text) > 1:
		return text[:len(text)-1]
	case function == "endsWith" && arg > 0 && len(text) > 1:
		return text[1:]
	case function == "inWindow" && arg == 1 && text != "00:00":
		return "00:00"
	case function == "inWindow" && arg == 2 && text != "23:59":
		return "23:59"
	case function == "cidr" && arg > 0:
		return wideNetwork(text)
	}
	return text
}

// wideNetwork halves the prefix of a network.
func wideNetwork(text string) string {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Bits() == 0 {
		return text
	}
	return netip.PrefixFrom(p.Addr(), p.Bits()/2).Masked().String()
}

// parameters adds the mutants of the lists that a site sets or that the
// detection keeps.
func (m *mutator) parameters() {
	for _, name := range m.root.Params() {
		use := m.useOf(name)
		m.list = append(m.list, mutant{name: fmt.Sprintf("with %s emptied", name), when: m.root.String(), facts: use.Facts(),
			params: map[string]func([]string) []string{name: func([]string) []string { return []string{} }}})
		if use.Name == "under" {
			m.list = append(m.list, mutant{name: fmt.Sprintf("with the directories of %s widened to their parents", name),
				when: m.root.String(), wider: true, facts: use.Facts(),
				params: map[string]func([]string) []string{name: parents}})
		}
	}
}

func parents(dirs []string) []string {
	out := make([]string, len(dirs))
	for i, d := range dirs {
		out[i] = path.Dir(d)
	}
	return out
}

// useOf returns the innermost call that a parameter is an argument of.
func (m *mutator) useOf(param string) *exclusion.Expr {
	use := m.root
	m.root.Walk(func(e *exclusion.Expr) bool {
		if e.Kind == exclusion.KindCall && slices.Contains(e.Params(), param) {
			use = e
		}
		return true
	})
	return use
}
