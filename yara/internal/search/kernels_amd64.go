//go:build !purego

package search

import "golang.org/x/sys/cpu"

// The kernels of kernels_avx512_amd64.s. Those of windows and samples look at whole
// groups of places: they return before the last bytes of buf, which the
// kernels in Go take.

//go:noescape
func windowAVX512(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func thinAVX512(w *sieve, buf []byte, list []uint32) int

//go:noescape
func sampleAVX512(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func sampleDiffAVX512(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairAVX512(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairDiffAVX512(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func tripleAVX512(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func tripleDiffAVX512(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// The kernels of kernels_avx2_amd64.s, which all leave the last bytes.

//go:noescape
func windowAVX2(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func sampleAVX2(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func sampleDiffAVX2(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairAVX2(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func pairDiffAVX2(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func tripleAVX2(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

//go:noescape
func tripleDiffAVX2(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)

// machineKernels are those that this machine can run, the fastest first.
func machineKernels() []kernels {
	var list []kernels
	bits := cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT
	if bits && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, kernels{"avx512", windowAVX512, thinAVX512, sampleAVX512, sampleDiffAVX512, pairAVX512, pairDiffAVX512,
			tripleAVX512, tripleDiffAVX512})
	}
	if bits && cpu.X86.HasAVX2 {
		list = append(list, kernels{"avx2", windowAVX2, thinGo, sampleAVX2, sampleDiffAVX2, pairAVX2, pairDiffAVX2,
			tripleAVX2, tripleDiffAVX2})
	}
	return list
}
