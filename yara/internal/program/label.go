package program

import (
	"sync/atomic"

	"github.com/besra-hunt/besra/yara/module"
)

// Label is what people are told of a rule, and no scan needs.
type Label struct {
	Tags     []string
	Meta     []Meta
	Patterns []PatternLabel // beside Rule.Patterns
	// Origin, Line and Column are where the rule's name stands.
	Origin       string
	Line, Column int32
}

// PatternLabel is a rule's name for a pattern.
type PatternLabel struct {
	ID      string // "$a"; "$" where anonymous
	Private bool
	Kind    PatternKind
}

// PatternKind is what stood in the source.
type PatternKind uint8

// The pattern kinds.
const (
	TextPattern PatternKind = iota
	HexPattern
	RegexpPattern
)

// Meta is one entry of a rule's meta section: an Integer, Float, Bool or
// String value.
type Meta struct {
	Key   string
	Value module.Value
}

// Labels are the labels of a program's rules. Those of a program that was read
// are decoded when they are first asked for: of thousands of rules few match.
type Labels struct {
	made []*Label
	// Of encoded, label i is the bytes from starts[i] to starts[i+1].
	encoded []byte
	starts  []uint32
	decoded []atomic.Pointer[Label]
}

// Add appends the label of the next rule.
func (l *Labels) Add(x *Label) { l.made = append(l.made, x) }

// Label returns the label of rule r. It has a PatternLabel for each of the
// rule's patterns, also where what was read is no label: that is empty then.
func (p *Program) Label(r int32) *Label {
	l := &p.Labels
	if int(r) < len(l.made) {
		return l.made[r]
	}
	if int(r) >= len(l.decoded) {
		return p.blank(r)
	}
	if x := l.decoded[r].Load(); x != nil {
		return x
	}
	x, ok := p.decodeLabel(r)
	if !ok {
		x = p.blank(r)
	}
	l.decoded[r].Store(x)
	return x
}

func (p *Program) blank(r int32) *Label {
	return &Label{Patterns: make([]PatternLabel, len(p.Rules[r].Patterns))}
}

// decodeLabel reads a label, and reports whether it is one.
func (p *Program) decodeLabel(r int32) (x *Label, ok bool) {
	l := &p.Labels
	d := decoder{data: l.encoded[l.starts[r]:l.starts[r+1]], shared: l.encoded}
	x = p.blank(r)
	x.Tags = table(&d, 1, func(s *string) { *s = d.string() })
	x.Meta = table(&d, 3, func(m *Meta) { m.Key, m.Value = d.string(), d.value() })
	for i := range x.Patterns {
		x.Patterns[i] = PatternLabel{ID: d.string(), Private: d.bool(), Kind: PatternKind(d.byte())}
		d.failed = d.failed || x.Patterns[i].Kind > RegexpPattern
	}
	x.Origin, x.Line, x.Column = d.string(), d.int32(), d.int32()
	for i := range x.Meta {
		d.failed = d.failed || !scalarKind(x.Meta[i].Value.Kind())
	}
	return x, !d.failed && len(d.data) == 0
}

func (e *encoder) label(x *Label) {
	e.count(len(x.Tags))
	for _, t := range x.Tags {
		e.string(t)
	}
	e.count(len(x.Meta))
	for i := range x.Meta {
		e.string(x.Meta[i].Key)
		e.value(x.Meta[i].Value)
	}
	for i := range x.Patterns {
		e.string(x.Patterns[i].ID)
		e.bool(x.Patterns[i].Private)
		e.byte(byte(x.Patterns[i].Kind))
	}
	e.string(x.Origin)
	e.int(int64(x.Line))
	e.int(int64(x.Column))
}
