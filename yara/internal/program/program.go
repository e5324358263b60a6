package program

import (
	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
)

// Program is a compiled set of rules. It is immutable and shared.
type Program struct {
	Namespaces []Namespace
	Rules      []Rule // in source order; a rule refers only to earlier ones
	// Labels are what people are told of each rule.
	Labels   Labels
	Patterns []Pattern
	// Modules are the imported modules, by the index that Module nodes use.
	Modules []Module
	// Externals are the external variables, by the index that External nodes use.
	Externals []External
	// Texts and Regexps are the literals of conditions, each once.
	Texts   []string
	Regexps []RegexpLit
	// Nodes are the conditions of all rules; Lists the operand lists of nodes
	// that have more than three. A node's operands come before it, and the nodes
	// of a rule behind those of the rules before.
	Nodes []Node
	Lists []int32
	// Dialect is the meaning that the conditions were compiled for.
	Dialect Dialect
}

// Dialect says whose answer counts where YARA and YARA-X differ.
type Dialect uint8

// The dialects.
const (
	YARAX Dialect = iota
	LibYARA
)

// Namespace is a scope of rule names.
type Namespace struct {
	Name string
	// Globals are the global rules of the namespace: none of its rules
	// matches unless all of these do.
	Globals []int32
}

// Rule is one compiled rule: what a scan needs of it.
type Rule struct {
	Name            string
	Namespace       int32
	Global, Private bool
	Patterns        []int32 // in source order, indexes into Program.Patterns
	// Condition is the root node.
	Condition NodeID
	// Slots is how many loop and with variables the condition needs at once.
	Slots int
	// Anchors are patterns one of which occurs whenever the rule can match; a
	// rule with no anchor hit is not evaluated. nil where there is no such
	// set: the rule is evaluated on every target that passes Gate.
	Anchors []int32
	// Gate is what the condition demands of the target before any search.
	Gate Gate
}

// Gate is a cheap necessary condition: the target's size lies within
// MinSize..MaxSize and its bytes satisfy every Header.
type Gate struct {
	MinSize, MaxSize int64 // inclusive; MaxSize is math.MaxInt64 where unbounded
	Headers          []Header
}

// Magic returns the first two bytes of the target, little-endian, where the
// gate asks for certain ones.
func (g *Gate) Magic() (magic uint16, ok bool) {
	for _, h := range g.Headers {
		if h.Offset == 0 && h.Width >= 2 && h.Mask&0xFFFF == 0xFFFF {
			return uint16(h.Value), true
		}
	}
	return 0, false
}

// Header says that the little-endian integer of Width bytes (1, 2 or 4) at
// Offset, after & Mask, equals Value.
type Header struct {
	Offset      int64
	Width       uint8
	Mask, Value uint32
}

// Module is an imported module as the program needs it.
type Module struct {
	Name string
	// Shape is a digest of the schema that the conditions were compiled
	// against: a program is refused where the module at hand has another.
	Shape uint64
}

// External is an external variable with its value where a scan gives none.
type External struct {
	Name  string
	Value module.Value
}

// RegexpLit is a regexp literal of a condition.
type RegexpLit struct {
	Source string // as written between the slashes, for dumps
	Prog   *regex.Prog
}
