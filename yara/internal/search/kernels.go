package search

// Kernels are the inner loops of the filters: they look at a block of data and
// put the places that pass into a list. For all of them there is one in Go,
// which says what they must find; some machines have faster ones that find
// exactly the same places in the same order. The build tag purego leaves
// those out.
type kernels struct {
	name               string
	window             windowKernel
	thin               thinKernel
	sample, sampleDiff sampleKernel
	pair, pairDiff     pairKernel
	// triple and tripleDiff are nil where the machine has nothing for them: then
	// other means are faster.
	triple, tripleDiff tripleKernel
}

// windowKernel looks at every second byte of buf[from:to] and puts candidates
// into out: the place relative to from, shifted left by buckets, and the mask
// of buckets. It returns their number and where to go on: before to where out
// is nearly full or where there are too few bytes behind. It may look at some
// places behind to. A kernel that returns from leaves the rest to windowGo.
type windowKernel func(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// thinKernel drops, in place, the candidates of a windowKernel that the sieve
// has no gram of, and returns how many are left. Their places are offsets in
// buf, which has eight bytes at each.
type thinKernel func(w *sieve, buf []byte, list []uint32) int

// sampleKernel looks at every sampleStride-th byte of buf[from:to] and puts the
// places that pass the filter into out, relative to from. It returns their
// number and where to go on, as a windowKernel does. keep masks the bytes of a
// gram.
type sampleKernel func(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// pairKernel looks for two bytes at a distance and puts the places of the first
// that lie in from..to-1 into out, relative to from. It returns their number
// and where to go on: to, or before where out is nearly full or the last places
// are left to the kernel in Go. The second byte
// must lie in buf for all these places; so must, for a kernel that looks at
// differences, the bytes behind both.
type pairKernel func(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// tripleKernel looks for three neighbouring bytes at from..to-1 and puts the
// places that pass the masks into out: the place relative to from, shifted left
// by eight, and the mask of buckets. It returns their number and where to go
// on, as a pairKernel does. The bytes must lie in buf for all these places; so
// must, for a kernel that looks at differences, the byte behind them.
type tripleKernel func(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// goKernels run everywhere.
var goKernels = kernels{name: "go", window: windowGo, thin: thinGo, sample: sampleGo, sampleDiff: sampleDiffGo,
	pair: pairGo, pairDiff: pairDiffGo}

// bestKernels are the fastest that the machine can run.
func bestKernels() kernels {
	return append(machineKernels(), goKernels)[0]
}
