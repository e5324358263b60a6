package besra

import (
	"io"
	"iter"
)

// Memory is implemented by contents that are no single run of bytes but regions
// at addresses, such as the memory of a process. Bytes is then nil, and matches
// have addresses as their offsets.
type Memory interface {
	Content
	// ReadAt reads from an address on, as [io.ReaderAt] says.
	io.ReaderAt
	// Regions yields the readable regions by ascending address, none of them
	// within another.
	Regions() iter.Seq[Region]
}

// Region is a run of bytes of a [Memory]: Size bytes from the address Base on.
type Region struct{ Base, Size int64 }
