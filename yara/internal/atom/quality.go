package atom

import (
	_ "embed"
	"math"
	"sync"
)

// Bit is one bit in the unit of Quality.
const Bit = 8

// bigrams has, for each pair of bytes, first<<8|second, the negative binary
// logarithm of its probability in eighths. See train.go.
//
//go:embed bigrams.bin
var bigrams string

// Bigrams is the table of how rare pairs of bytes are: at first<<8|second, the
// negative binary logarithm of the pair's probability in usual data, in
// eighths of a bit.
func Bigrams() string { return bigrams }

// model is the probabilities that the tables tell.
type model struct {
	first [256]float64     // of a byte
	next  [1 << 16]float32 // of a byte behind another
	quads map[uint32]float64
}

var table = sync.OnceValue(func() *model {
	m := &model{quads: make(map[uint32]float64, len(quads))}
	for i := range bigrams {
		m.first[i>>8] += math.Exp2(-float64(bigrams[i]) / Bit)
	}
	for i := range m.next {
		m.next[i] = float32(math.Exp2(-float64(bigrams[i])/Bit) / m.first[i>>8])
	}
	for _, q := range quads {
		m.quads[q.bytes] = math.Exp2(-float64(q.bits) / Bit)
	}
	m.addRuns()
	return m
})

// padding are the bytes that executables are filled up with, of which there
// are long runs in some even where there is none in others.
const padding = "\x00\x20\x90\xCC\xFF"

// addRuns makes every byte likely to be followed by itself, and those of
// padding very likely: a table of pairs knows no runs.
func (m *model) addRuns() {
	for b := range 256 {
		same := &m.next[b<<8|b]
		*same = max(*same, 0.2)
	}
	for i := range len(padding) {
		b := uint32(padding[i])
		same := &m.next[b<<8|b]
		*same = max(*same, 0.75)
		four := b * 0x01010101
		m.quads[four] = max(m.quads[four], math.Exp2(-9))
	}
}

// Quality is how rare b is in usual data, where fold says that letters are of
// either case: the negative binary logarithm of the number of times that one
// meets it at a given place, in eighths of a bit. 20*Bit is once in a MiB.
// Runs of one byte, and what compilers put everywhere, are near 0 however long
// they are.
func Quality(b []byte, fold bool) int { return eighths(probability(b, fold)) }

// eighths is a probability as a quality.
func eighths(p float64) int {
	return int(min(-math.Log2(p)*Bit, math.MaxInt32))
}

// probability is that of meeting b at a place.
func probability(b []byte, fold bool) float64 {
	var c chain
	for i := range b {
		if x := b[i]; fold && upper(x) != lower(x) {
			c.extend([]byte{lower(x), upper(x)})
		} else {
			c.extend(b[i : i+1])
		}
	}
	return max(c.p, math.SmallestNonzeroFloat64)
}

// chain is the probability of a sequence of sets, by the Markov chain of the
// pairs, made one set at a time. Four certain bytes in a row that are known to
// be more frequent count as that.
type chain struct {
	model  *model
	length int
	p      float64
	last   []weighted // the last set's bytes
	spare  []weighted
	// recent are the last four bytes where they are certain, and before the
	// probabilities before each of them.
	recent  uint32
	certain int
	before  [4]float64
}

// weighted is a byte and the probability of all sequences that end in it.
type weighted struct {
	b byte
	p float64
}

// reset makes the chain of no sets.
func (c *chain) reset() { *c = chain{model: c.model, last: c.last[:0], spare: c.spare[:0]} }

// extend appends a set, given as its bytes.
func (c *chain) extend(members []byte) {
	if c.model == nil {
		c.model = table()
	}
	before := c.p
	if c.length == 0 {
		before = 1
	}
	now := c.spare[:0]
	c.p = 0
	for _, b := range members {
		p := c.model.first[b]
		if c.length > 0 {
			p = 0
			for _, l := range c.last {
				p += l.p * float64(c.model.next[int(l.b)<<8|int(b)])
			}
		}
		now = append(now, weighted{b, p})
		c.p += p
	}
	c.last, c.spare = now, c.last
	c.length++
	if len(members) != 1 {
		c.certain = 0
		return
	}
	c.recent = c.recent<<8 | uint32(members[0])
	c.before = [4]float64{c.before[1], c.before[2], c.before[3], before}
	if c.certain++; c.certain >= 4 {
		c.correct()
	}
}

// correct raises the probability where the last four bytes are a known four.
func (c *chain) correct() {
	if q, ok := c.model.quads[c.recent]; ok {
		c.p = max(c.p, c.before[0]*q)
		c.last[0].p = c.p
	}
}
