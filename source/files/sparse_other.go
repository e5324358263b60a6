//go:build unix && !linux

package files

// mmap maps the first n bytes.
func (h handle) mmap(n int) ([]byte, error) { return h.mmapWhole(n) }
