package search

import (
	"sync/atomic"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// Tables are what all scanners of a program share. They are immutable to
// their users; sets that a scan needs first are built then, once.
type Tables struct {
	prog    *program.Program
	kernels kernels
	needles []needle
	lits    []lit
	// first is where a pattern's needles and literals begin; they end where
	// those of the next pattern begin.
	first       []place
	classes     classes
	alphabets   map[string]*[256]byte // decoding tables
	expressions []expression          // of the Regexp needles
	// singles holds the sets of patterns that were looked for alone.
	singles []atomic.Pointer[set]
}

type place struct{ needle, lit int32 }

// needle is a needle of the program and the pattern it belongs to.
type needle struct {
	*program.Needle
	index   int32
	lit     int32 // the first of its literals, where it has any
	pattern int32
	values  *[256]byte  // of the alphabet, for Base64
	expr    *expression // for Regexp
}

// lit is a string of bytes that every match of a needle contains, or one of
// several such (the atoms of a regexp).
type lit struct {
	// bytes is what to look for: lower case where fold is set, the
	// differences of neighbouring bytes where diff is set.
	bytes      []byte
	needle     int32
	atom       int32 // index into the needle's Atoms
	pattern    int32
	fold, diff bool
}

// New makes the tables of a program.
func New(p *program.Program) *Tables {
	t := &Tables{prog: p, kernels: bestKernels(), singles: make([]atomic.Pointer[set], len(p.Patterns))}
	t.first = make([]place, 0, len(p.Patterns)+1)
	t.reserve()
	for i := range p.Patterns {
		t.first = append(t.first, place{int32(len(t.needles)), int32(len(t.lits))})
		t.addPattern(int32(i))
	}
	t.first = append(t.first, place{int32(len(t.needles)), int32(len(t.lits))})
	t.classes = newClasses(t)
	return t
}

// reserve makes room for all needles and literals.
func (t *Tables) reserve() {
	needles, lits, expressions := 0, 0, 0
	for i := range t.prog.Patterns {
		list := t.prog.Patterns[i].Needles
		needles += len(list)
		for j := range list {
			if list[j].Kind == program.Regexp {
				expressions++
				lits += len(list[j].Atoms())
			} else {
				lits++
			}
		}
	}
	t.needles, t.lits = make([]needle, 0, needles), make([]lit, 0, lits)
	t.expressions = make([]expression, 0, expressions)
}

func (t *Tables) addPattern(p int32) {
	list := t.prog.Patterns[p].Needles
	for i := range list {
		n := needle{Needle: &list[i], index: int32(len(t.needles)), lit: int32(len(t.lits)), pattern: p}
		switch n.Kind {
		case program.Base64:
			n.values = t.valuesOf(n.Base64.Alphabet)
		case program.Regexp:
			n.expr = t.addExpression(n.Expression)
		}
		t.addLits(&n)
		t.needles = append(t.needles, n)
	}
}

// addExpression must not grow the slice: needles point into it.
func (t *Tables) addExpression(like *program.Expression) *expression {
	ordinal := len(t.expressions)
	t.expressions = t.expressions[:ordinal+1]
	x := &t.expressions[ordinal]
	x.ordinal = int32(ordinal)
	x.setLimits(like)
	return x
}

// valuesOf returns the decoding table of a base64 alphabet, made once.
func (t *Tables) valuesOf(alphabet string) *[256]byte {
	if t.alphabets[alphabet] == nil {
		if t.alphabets == nil {
			t.alphabets = make(map[string]*[256]byte)
		}
		t.alphabets[alphabet] = base64Values(alphabet)
	}
	return t.alphabets[alphabet]
}

func (t *Tables) addLits(n *needle) {
	switch n.Kind {
	case program.Xor:
		t.addLit(n, differences(n.Bytes), false, 0)
	case program.Regexp:
		for i, a := range n.Atoms() {
			t.addLit(n, a.Bytes, a.Fold, i)
		}
	default:
		t.addLit(n, n.Bytes, n.Fold, 0)
	}
}

func (t *Tables) addLit(n *needle, b []byte, fold bool, atom int) {
	if len(b) == 0 {
		return
	}
	if fold {
		b = lowered(b)
	}
	t.lits = append(t.lits, lit{bytes: b, needle: n.index, atom: int32(atom), pattern: n.pattern, fold: fold, diff: n.Kind == program.Xor})
}

// litsOf are the literals of a pattern.
func (t *Tables) litsOf(p int32) (from, to int32) { return t.first[p].lit, t.first[p+1].lit }

// needlesOf are the needles of a pattern.
func (t *Tables) needlesOf(p int32) (from, to int32) { return t.first[p].needle, t.first[p+1].needle }

// slow reports whether the needle has no literal to look for, so that every
// offset must be tried.
func (n *needle) slow() bool {
	switch n.Kind {
	case program.Regexp:
		return len(n.Atoms()) == 0
	case program.Xor:
		return len(n.Bytes) == 1
	}
	return false
}

// slow reports whether a needle of the pattern is slow.
func (t *Tables) slow(p int32) bool {
	from, to := t.needlesOf(p)
	for i := from; i < to; i++ {
		if t.needles[i].slow() {
			return true
		}
	}
	return false
}

// single returns the set of one pattern's literals.
func (t *Tables) single(p int32) *set {
	if have := t.singles[p].Load(); have != nil {
		return have
	}
	from, to := t.litsOf(p)
	ids := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		ids = append(ids, i)
	}
	t.singles[p].CompareAndSwap(nil, t.newSet(ids, false))
	return t.singles[p].Load()
}

// differences are the XORs of neighbouring bytes: one byte less than b, and
// the same for b XORed with any key.
func differences(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	d := make([]byte, len(b)-1)
	for i := range d {
		d[i] = b[i] ^ b[i+1]
	}
	return d
}
