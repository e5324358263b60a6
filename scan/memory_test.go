package scan

import (
	"context"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/besra-hunt/besra"
)

// fakeMemory is a memory of some regions.
type fakeMemory struct{ regions map[int64]string }

func (m *fakeMemory) Bytes() []byte { return nil }
func (m *fakeMemory) Close() error  { return nil }

func (m *fakeMemory) ReadAt(p []byte, at int64) (int, error) {
	for base, text := range m.regions {
		if at >= base && at < base+int64(len(text)) {
			if n := copy(p, text[at-base:]); n < len(p) {
				return n, io.EOF
			}
			return len(p), nil
		}
	}
	return 0, io.EOF
}

func (m *fakeMemory) Regions() iter.Seq[besra.Region] {
	return func(yield func(besra.Region) bool) {
		for _, base := range slices.Sorted(maps.Keys(m.regions)) {
			if !yield(besra.Region{Base: base, Size: int64(len(m.regions[base]))}) {
				return
			}
		}
	}
}

func (m *fakeMemory) target(name string) besra.Target {
	return besra.Target{Name: name, Context: besra.ContextProcess, Size: -1, Facts: besra.NoFacts{},
		Open: func(context.Context) (besra.Content, error) { return m, nil }}
}
