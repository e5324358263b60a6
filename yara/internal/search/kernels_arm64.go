//go:build !purego

package search

// The kernels of kernels_arm64.s. All leave the last bytes to those in Go.
// Pairs and triples are looked for with NEON, which every arm64 processor has. It has no
// gathers, so what looks things up in large tables is ordinary instructions,
// chosen by hand. There is no tripleDiff: as samples, differences take no more
// instructions.

//go:noescape
func windowARM64(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func thinARM64(w *sieve, buf []byte, list []uint32) int

//go:noescape
func sampleARM64(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func sampleDiffARM64(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairNEON(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairDiffNEON(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func tripleNEON(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// machineKernels are those that this machine can run, the fastest first.
func machineKernels() []kernels {
	return []kernels{{name: "arm64", window: windowARM64, thin: thinARM64, sample: sampleARM64, sampleDiff: sampleDiffARM64,
		pair: pairNEON, pairDiff: pairDiffNEON, triple: tripleNEON}}
}
