//go:build (!amd64 && !arm64) || purego

package search

// machineKernels are none: the kernels in Go run.
func machineKernels() []kernels { return nil }
