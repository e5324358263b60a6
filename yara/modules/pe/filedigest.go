package pe

import (
	"cmp"
	"hash"
	"slices"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// maxDigested is how many times its size is read of a file for a digest, whose
// sections may overlap.
const maxDigested = 4

// fileDigest is Authenticode's digest of the file: without the checksum, the
// entry of the certificate table and the table itself. Where the file does not
// have what it is of, it is of what comes before that, as in YARA-X.
// https://learn.microsoft.com/windows/win32/debug/pe-format#process-for-generating-the-authenticode-pe-image-hash
func (a *authenticode) fileDigest(alg string) []byte {
	if d, ok := a.digests[alg]; ok {
		return d
	}
	h, _, ok := digestOf(alg)
	if !ok {
		return nil
	}
	switch {
	case a.write != nil:
		a.write(h)
	case a.libyara:
		a.digestLibYARA(h)
	default:
		a.digestSections(h)
	}
	if a.digests == nil {
		a.digests = make(map[string][]byte)
	}
	a.digests[alg] = h.Sum(nil)
	return a.digests[alg]
}

// rangeWriter writes ranges of a file until one is not there.
type rangeWriter struct {
	hash.Hash
	data   []byte
	left   uint64
	failed bool
}

func (w *rangeWriter) write(start, end uint64) {
	b, ok := binfmt.Range(w.data, start, end-start)
	if w.failed = w.failed || !ok || end < start || uint64(len(b)) > w.left; !w.failed {
		w.left -= uint64(len(b))
		_, _ = w.Write(b)
	}
}

// The parts of the headers that are left out.
const (
	checksumOffset = 64 // in the optional header
	checksumSize   = 4
	directorySize  = 8
)

// headers writes the headers up to an offset.
func (a *authenticode) headers(w *rangeWriter, end uint64) {
	checksum, entry := a.OptionalOffset()+checksumOffset, a.DirectoryOffset(directorySecurity)
	w.write(0, checksum)
	w.write(checksum+checksumSize, entry)
	w.write(entry+directorySize, end)
}

// digestSections follows Microsoft: the headers, the sections in the order of
// the file, and what follows as many bytes.
func (a *authenticode) digestSections(h hash.Hash) {
	size := uint64(len(a.Data))
	w := &rangeWriter{Hash: h, data: a.Data, left: maxDigested * size}
	sum := uint64(a.Optional.SizeOfHeaders)
	a.headers(w, sum)
	sections := a.sectionPointers()
	slices.SortStableFunc(sections, func(x, y section) int { return cmp.Compare(x.PointerToRawData, y.PointerToRawData) })
	for _, s := range sections {
		start := uint64(s.PointerToRawData)
		w.write(start, start+uint64(s.SizeOfRawData))
		sum += uint64(s.SizeOfRawData)
	}
	table, _ := a.Entry(directorySecurity)
	if end := size - uint64(table.Size); uint64(table.Size) <= size {
		w.write(sum, end)
	}
}

// digestLibYARA is of everything before the certificate table.
func (a *authenticode) digestLibYARA(h hash.Hash) {
	table, _ := a.Entry(directorySecurity)
	a.headers(&rangeWriter{Hash: h, data: a.Data, left: uint64(len(a.Data))}, uint64(table.Address))
}
