package yara

import (
	"fmt"
	"math"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/program"
)

// Traits is what the compiled form of a rule tells of where the rule can be
// used and how it behaves: a read-only view, for tools that explain rules.
type Traits struct {
	// MinSize and MaxSize bound the size of targets that the rule can match;
	// MaxSize is math.MaxInt64 where it has no bound.
	MinSize, MaxSize int64
	// Headers are tests of bytes at fixed offsets that every match passes.
	Headers []HeaderTest
	// Filesize and Entrypoint are set where the condition asks for these.
	Filesize, Entrypoint bool
	// Reads is set where the condition reads integers at fixed offsets, and
	// ReadsFound where it does at places that it computes, such as @a + 4.
	Reads, ReadsFound bool
	// At is set where a pattern must stand at an offset or in a range of them.
	At bool
	// Counts and Places are set where the condition asks how often patterns
	// occur, and where.
	Counts, Places bool
	// Loops is the depth of nested loops.
	Loops int
	// With is set where the condition names values by with, which is YARA-X's.
	With bool
	// Fields are the fields and functions of modules that the condition names,
	// such as "pe.imphash", sorted.
	Fields []string
	// Externals and Rules are the external variables and the other rules that
	// the condition names, sorted.
	Externals, Rules []string
	// Anchored is set where a scan looks at the rule only if one of its
	// patterns occurs; otherwise it costs time on every target.
	Anchored bool
	// Gated is set where a scan looks at the rule only in targets that begin as
	// it, or a module that it needs, asks for, or that are no larger.
	Gated bool
	// Nodes is the number of operations of the condition.
	Nodes int
	// Evidence estimates how unlikely it is that data of no interest satisfies
	// the condition, in bits: what its easiest way asks for at least. See
	// [PatternTraits.Bits].
	Evidence float64
}

// HeaderTest says that the little-endian integer of Width bytes at Offset,
// after & Mask, equals Value.
type HeaderTest struct {
	Offset      int64
	Width       int
	Mask, Value uint32
}

// Traits returns the rule's traits. It walks the condition, so keep them where
// they are needed often.
func (r Rule) Traits() Traits {
	rule := r.rule()
	w := traitWalker{rules: r.rules, seen: map[program.NodeID]bool{}, t: Traits{MinSize: rule.Gate.MinSize,
		MaxSize: rule.Gate.MaxSize, Anchored: rule.Anchors != nil}}
	for _, h := range rule.Gate.Headers {
		w.t.Headers = append(w.t.Headers, HeaderTest{h.Offset, int(h.Width), h.Mask, h.Value})
	}
	w.t.Gated = len(w.t.Headers) > 0 || w.t.MaxSize < math.MaxInt64
	w.walk(rule.Condition, 0)
	if !w.t.Reads && !w.t.At {
		w.t.Headers = nil // a module asks for them, not the condition
	}
	w.t.Nodes = len(w.seen)
	for _, list := range []*[]string{&w.t.Fields, &w.t.Externals, &w.t.Rules} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	w.t.Evidence = math.Min(evidence{r.rules, rule}.of(rule.Condition), maxEvidence)
	return w.t
}

// traitWalker collects the traits of one condition.
type traitWalker struct {
	rules *Rules
	seen  map[program.NodeID]bool
	t     Traits
}

func (w *traitWalker) walk(id program.NodeID, loops int) {
	if id == program.None || w.seen[id] {
		return
	}
	w.seen[id] = true
	n := &w.rules.prog.Nodes[id]
	switch n.Op {
	case program.OpForOf, program.OpForRange, program.OpForList, program.OpForArray, program.OpForMap:
		loops++
		w.t.Loops = max(w.t.Loops, loops)
	}
	w.note(n)
	w.rules.prog.EachOperand(n, func(id program.NodeID) { w.walk(id, loops) })
}

// note takes what one node tells.
func (w *traitWalker) note(n *program.Node) {
	p := w.rules.prog
	switch n.Op {
	case program.OpSize:
		w.t.Filesize = true
	case program.OpEntry:
		w.t.Entrypoint = true
	case program.OpReadInt, program.OpReadFlt:
		constant := p.Nodes[n.A].Op == program.OpInt
		w.t.Reads, w.t.ReadsFound = w.t.Reads || constant, w.t.ReadsFound || !constant
	case program.OpFoundAt, program.OpFoundIn:
		w.t.At = true
	case program.OpOfPatterns:
		w.t.At = w.t.At || n.A != program.None || n.B != program.None
	case program.OpCount, program.OpCountIn:
		w.t.Counts = true
	case program.OpOffset, program.OpLength:
		w.t.Places = true
	case program.OpWith:
		w.t.With = true
	case program.OpExtern:
		w.t.Externals = append(w.t.Externals, p.Externals[n.V].Name)
	case program.OpRule:
		w.t.Rules = append(w.t.Rules, p.Rules[n.V].Name)
	case program.OpOfRules:
		for _, i := range p.Lists[n.L : n.L+n.N] {
			w.t.Rules = append(w.t.Rules, p.Rules[i].Name)
		}
	case program.OpField, program.OpCall:
		w.t.Fields = append(w.t.Fields, w.fieldName(n)...)
	}
}

// fieldName returns the dotted name of a field or function of a module's root;
// members deeper down are told by their root field.
func (w *traitWalker) fieldName(n *program.Node) []string {
	root := &w.rules.prog.Nodes[n.A]
	if root.Op != program.OpModule {
		return nil
	}
	m := w.rules.modules[root.V]
	return []string{m.Name + "." + m.Schema.Fields[n.V].Name}
}

// PatternTraits is what the compiled form of a pattern tells.
type PatternTraits struct {
	// Ascii and Wide say how the pattern can stand in the data: byte by byte,
	// or as 16-bit units. Of regexps that is read off the atoms.
	Ascii, Wide bool
	// NoCase, FullWord, Xor and Base64 are the modifiers of those names. NoCase
	// of a regexp is read off its atoms.
	NoCase, FullWord, Xor, Base64 bool
	// Text is set where all its fixed bytes are printable text.
	Text bool
	// Bits is how rare the pattern's fixed bytes are by the frequency table of
	// the engine: met by chance once in 2^Bits bytes of usual data. A MiB has
	// 2^20 of them. Of several needles the most frequent counts most.
	Bits float64
	// Atom is the most frequent byte string that the engine searches the
	// pattern by, empty where the pattern has none: then it is tried at every
	// place.
	Atom []byte
	// AtomBits is how rare Atom is, in the unit of Bits.
	AtomBits float64
	// Cost is the number of places in a MiB of usual data that have to be
	// verified in vain, as the engine estimates it.
	Cost float64
	// MinLength is the least length of a match in bytes.
	MinLength int
	// At is the only offset at which conditions ask for the pattern, -1 where
	// they ask everywhere.
	At int64
}

// Traits returns the pattern's traits.
func (p Pattern) Traits() PatternTraits {
	pattern := &p.rule.rules.prog.Patterns[p.place()]
	t := PatternTraits{At: pattern.At, Cost: float64(pattern.Cost), Text: true, MinLength: math.MaxInt, AtomBits: math.Inf(1)}
	chance := 0.0
	for i := range pattern.Needles {
		n := &pattern.Needles[i]
		t.needle(n)
		chance += math.Exp2(-needleBits(n))
	}
	if t.MinLength == math.MaxInt {
		t.MinLength = 0
	}
	t.Bits = -math.Log2(max(chance, math.SmallestNonzeroFloat64))
	if math.IsInf(t.AtomBits, 0) {
		t.AtomBits = 0
	}
	return t
}

func (t *PatternTraits) needle(n *program.Needle) {
	t.FullWord = t.FullWord || n.Boundary != program.NoBoundary
	t.Xor = t.Xor || n.Kind == program.Xor
	t.Base64 = t.Base64 || n.Kind == program.Base64
	t.NoCase = t.NoCase || n.Fold
	least := len(n.Bytes)
	if n.Kind == program.Regexp {
		least = n.Expression.MinLen
	} else {
		t.bytes(n.Bytes)
		t.atom(n.Bytes, needleBits(n))
	}
	t.MinLength = min(t.MinLength, least)
	for _, a := range n.Atoms() {
		t.NoCase = t.NoCase || a.Fold
		t.atom(a.Bytes, float64(atom.Quality(a.Bytes, a.Fold))/atom.Bit)
		if n.Kind == program.Regexp {
			t.bytes(a.Bytes)
		}
	}
	if len(n.Atoms()) == 0 {
		t.Text = t.Text && n.Kind != program.Regexp
	}
}

// atom notes what the engine searches by, the most frequent of all.
func (t *PatternTraits) atom(b []byte, bits float64) {
	if len(b) > 1 && bits < t.AtomBits {
		t.Atom, t.AtomBits = slices.Clone(b), bits
	}
}

// bytes notes the encoding of fixed bytes.
func (t *PatternTraits) bytes(b []byte) {
	narrow, wide := isWide(b)
	t.Wide = t.Wide || wide
	t.Ascii = t.Ascii || !wide
	for _, c := range narrow {
		if (c < 0x20 || c > 0x7e) && c != '\t' && c != '\n' && c != '\r' {
			t.Text = false
		}
	}
}

// isWide reports whether b is text in 16-bit units, and returns it without its
// zeros.
func isWide(b []byte) ([]byte, bool) {
	if len(b) < 3 {
		return b, false
	}
	for shift := range 2 { // an atom may begin with the zero of the unit before
		var narrow []byte
		ok := true
		for i, c := range b {
			if i%2 == shift {
				narrow = append(narrow, c)
				ok = ok && c != 0
			} else {
				ok = ok && c == 0
			}
		}
		if ok {
			return narrow, true
		}
	}
	return b, false
}

// needleBits is how rare a needle is: its literal as a whole, or the atoms of a
// regexp.
func needleBits(n *program.Needle) float64 {
	if n.Kind != program.Regexp {
		bits := float64(atom.Quality(n.Bytes, n.Fold)) / atom.Bit
		if n.Kind == program.Xor {
			bits = max(0, min(bits, 8*float64(len(n.Bytes)))-math.Log2(float64(n.XorHi-n.XorLo)+1))
		}
		return bits
	}
	chance := 0.0
	for _, a := range n.Atoms() {
		chance += math.Exp2(-float64(atom.Quality(a.Bytes, a.Fold)) / atom.Bit)
	}
	if len(n.Atoms()) == 0 {
		return min(8, float64(n.Expression.MinLen)) // any place may match
	}
	return -math.Log2(max(chance, math.SmallestNonzeroFloat64))
}

// String returns the test as YARA writes it.
func (h HeaderTest) String() string {
	read := fmt.Sprintf("uint%d(%d)", 8*h.Width, h.Offset)
	if full := uint32(1<<(8*h.Width) - 1); h.Mask != full && h.Width < 4 || h.Width == 4 && h.Mask != math.MaxUint32 {
		read += fmt.Sprintf(" & 0x%X", h.Mask)
	}
	return fmt.Sprintf("%s == 0x%X", read, h.Value)
}
