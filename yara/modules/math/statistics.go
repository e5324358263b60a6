package math

import (
	"bytes"
	"math"

	"github.com/besra-hunt/besra/yara/module"
)

func statistics() []*module.Field {
	return []*module.Field{
		function("entropy", "Shannon entropy in bits a byte, of a range of the target or of a string.",
			overload(f, overRange(entropy), i, i), overload(f, overText(entropy), s)),
		function("mean", "Mean of the bytes.",
			overload(f, overRange(mean), i, i), overload(f, overText(mean), s)),
		function("deviation", "Mean absolute deviation of the bytes from the last argument.",
			overload(f, overRange(deviation), i, i, f), overload(f, overText(deviation), s, f)),
		function("serial_correlation", "How far a byte depends on the one before it, -1 to 1; -100000 where that has no meaning.",
			overload(f, rangeBytes(serialCorrelation), i, i), overload(f, textBytes(serialCorrelation), s)),
		function("monte_carlo_pi", "How far off, relative to pi, its estimate from the bytes is; undefined under six bytes.",
			overload(f, rangeBytes(monteCarloPi), i, i), overload(f, textBytes(monteCarloPi), s)),
		function("count", "How often the byte occurs, in the target or a range of it.",
			overload(i, countAll, i), overload(i, countRange, i, i, i)),
		function("percentage", "Part of the bytes, 0 to 1, that equal the byte, in the target or a range of it.",
			overload(f, percentageAll, i), overload(f, percentageRange, i, i, i)),
		function("mode", "The commonest byte, the least of them where several are, in the target or a range of it.",
			overload(i, modeAll), overload(i, modeRange, i, i)),
	}
}

// extent is a range of the target, start <= end <= its size.
type extent struct{ start, end int }

// cut returns the part of the target that an offset and a length name.
func cut(in *module.Input, args []module.Value) (extent, bool) {
	offset, length := integers(args)
	size := int64(len(in.Data))
	if offset < 0 || length < 0 || offset > size || in.LibYARA && offset == size {
		return extent{}, false
	}
	return extent{int(offset), int(offset + min(length, size-offset))}, true
}

// histogram counts the bytes of a range.
type histogram struct {
	count [256]int64
	total int64
}

func histogramOf(data []byte) *histogram {
	h := &histogram{total: int64(len(data))}
	for _, c := range data {
		h.count[c]++
	}
	return h
}

// Rules ask again and again for the statistics of the same few ranges of a
// target: those of keptSize and more are kept, up to keptRanges of them.
const (
	keptSize   = 4 << 10
	keptRanges = 16
)

type keptKey struct{}

func histogramIn(in *module.Input, x extent) *histogram {
	if x.end-x.start < keptSize {
		return histogramOf(in.Data[x.start:x.end])
	}
	kept := in.Memo(keptKey{}, func() any { return map[extent]*histogram{} }).(map[extent]*histogram)
	h := kept[x]
	if h == nil {
		h = histogramOf(in.Data[x.start:x.end])
		if len(kept) < keptRanges {
			kept[x] = h
		}
	}
	return h
}

// overRange makes a function of an offset and a length out of stat, which
// gets the arguments behind those two.
func overRange(stat func(h *histogram, rest []module.Value) module.Value) call {
	return func(c *module.Call, args []module.Value) module.Value {
		x, ok := cut(c.Input, args)
		if !ok {
			return module.Value{}
		}
		return stat(histogramIn(c.Input, x), args[2:])
	}
}

func overText(stat func(h *histogram, rest []module.Value) module.Value) call {
	return func(c *module.Call, args []module.Value) module.Value {
		text, _ := args[0].Text()
		return stat(histogramOf([]byte(text)), args[1:])
	}
}

func entropy(h *histogram, _ []module.Value) module.Value {
	sum := 0.0
	for _, n := range h.count {
		if n != 0 {
			p := float64(n) / float64(h.total)
			sum -= float64(p * math.Log2(p)) // the conversion keeps every processor from fusing
		}
	}
	return module.Float64(sum)
}

func mean(h *histogram, _ []module.Value) module.Value {
	if h.total == 0 {
		return module.Value{}
	}
	sum := 0.0
	for c, n := range h.count {
		sum += float64(float64(c) * float64(n))
	}
	return module.Float64(sum / float64(h.total))
}

func deviation(h *histogram, rest []module.Value) module.Value {
	if h.total == 0 {
		return module.Value{}
	}
	from, _ := rest[0].Float()
	sum := 0.0
	for c, n := range h.count {
		sum += float64(math.Abs(float64(c)-from) * float64(n))
	}
	return module.Float64(sum / float64(h.total))
}

// rangeBytes makes a function of an offset and a length out of stat.
func rangeBytes(stat func(in *module.Input, data []byte) module.Value) call {
	return func(c *module.Call, args []module.Value) module.Value {
		x, ok := cut(c.Input, args)
		if !ok {
			return module.Value{}
		}
		return stat(c.Input, c.Input.Data[x.start:x.end])
	}
}

func textBytes(stat func(in *module.Input, data []byte) module.Value) call {
	return func(c *module.Call, args []module.Value) module.Value {
		text, _ := args[0].Text()
		return stat(c.Input, []byte(text))
	}
}

// uncorrelated is what both engines answer where the coefficient is 0/0.
const uncorrelated = -100000

// serialCorrelation is Knuth's coefficient, the last byte followed by the
// first (The Art of Computer Programming, volume 2, 3.3.2 K).
func serialCorrelation(_ *module.Input, data []byte) module.Value {
	if len(data) == 0 {
		return module.Float64(uncorrelated)
	}
	var products, sum, squares float64
	previous := float64(data[len(data)-1])
	for _, c := range data {
		x := float64(c)
		products += float64(previous * x)
		sum += x
		squares += float64(x * x)
		previous = x
	}
	n := float64(len(data))
	square := float64(sum * sum)
	r := (float64(n*products) - square) / (float64(n*squares) - square)
	if math.IsNaN(r) {
		r = uncorrelated
	}
	return module.Float64(r)
}

// monteCarloPi takes each six bytes as a point of a square, two 24-bit
// coordinates, and counts how many lie in the quarter circle.
func monteCarloPi(in *module.Input, data []byte) module.Value {
	const radius = 1<<24 - 1
	inside, points := 0, len(data)/6
	if points == 0 {
		return module.Value{}
	}
	coordinate := func(p []byte) int64 { return int64(p[0])<<16 | int64(p[1])<<8 | int64(p[2]) }
	for p := data; len(p) >= 6; p = p[6:] {
		x, y := coordinate(p), coordinate(p[3:])
		d := x*x + y*y
		if d < radius*radius || in.LibYARA && d == radius*radius {
			inside++
		}
	}
	pi := 4 * (float64(inside) / float64(points))
	return module.Float64(math.Abs(pi-math.Pi) / math.Pi)
}

// occurrences counts the byte that the first argument names in x.
func occurrences(in *module.Input, arg module.Value, x extent) (int64, bool) {
	c, _ := arg.Int()
	if c < 0 || c > 255 {
		return 0, false
	}
	return int64(bytes.Count(in.Data[x.start:x.end], []byte{byte(c)})), true
}

func countAll(c *module.Call, args []module.Value) module.Value {
	return count(c.Input, args[0], extent{0, len(c.Input.Data)})
}

func countRange(c *module.Call, args []module.Value) module.Value {
	x, ok := cut(c.Input, args[1:])
	if !ok {
		return module.Value{}
	}
	return count(c.Input, args[0], x)
}

func count(in *module.Input, arg module.Value, x extent) module.Value {
	n, ok := occurrences(in, arg, x)
	if !ok {
		return module.Value{}
	}
	return module.Int(n)
}

func percentageAll(c *module.Call, args []module.Value) module.Value {
	return percentage(c.Input, args[0], extent{0, len(c.Input.Data)})
}

func percentageRange(c *module.Call, args []module.Value) module.Value {
	x, ok := cut(c.Input, args[1:])
	if !ok {
		return module.Value{}
	}
	return percentage(c.Input, args[0], x)
}

// percentage divides; libyara does it in single precision.
func percentage(in *module.Input, arg module.Value, x extent) module.Value {
	n, ok := occurrences(in, arg, x)
	total := x.end - x.start
	switch {
	case !ok || total == 0:
		return module.Value{}
	case in.LibYARA:
		return module.Float64(float64(float32(n) / float32(total)))
	}
	return module.Float64(float64(n) / float64(total))
}

func modeAll(c *module.Call, _ []module.Value) module.Value {
	return mode(c.Input, extent{0, len(c.Input.Data)})
}

func modeRange(c *module.Call, args []module.Value) module.Value {
	x, ok := cut(c.Input, args)
	if !ok {
		return module.Value{}
	}
	return mode(c.Input, x)
}

// mode of no bytes is undefined, in libyara 0.
func mode(in *module.Input, x extent) module.Value {
	if x.start == x.end && !in.LibYARA {
		return module.Value{}
	}
	h := histogramIn(in, x)
	best := 0
	for c, n := range h.count {
		if n > h.count[best] {
			best = c
		}
	}
	return module.Int(int64(best))
}
