package files

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// minSparse is the least size of a file, in bytes, whose holes are looked
	// for.
	minSparse = 64 << 20
	// maxExtents is how many runs of data are mapped one by one.
	maxExtents = 1024
)

// mmap maps the first n bytes and says that they are read from front to back.
// The holes of a sparse file are mapped to the system's one page of zeros: a
// disk image of terabytes is read at the speed of memory and needs none.
func (h handle) mmap(n int) ([]byte, error) {
	extents, ok := h.extents(n)
	if !ok {
		return h.mmapWhole(n)
	}
	data, err := unix.Mmap(-1, 0, n, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(data, unix.MADV_HUGEPAGE) // only advice: a fault for 2 MiB of zeros, not for 4 KiB
	for _, e := range extents {
		at := unsafe.Pointer(unsafe.SliceData(data[e.start:]))
		_, err := unix.MmapPtr(h.fd, e.start, at, uintptr(e.end-e.start), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_FIXED)
		if err != nil {
			return nil, errors.Join(err, unix.Munmap(data))
		}
	}
	_ = unix.Madvise(data, unix.MADV_SEQUENTIAL) // only advice
	return data, nil
}

// extent is a run of data between holes, its start at a page.
type extent struct{ start, end int64 }

// extents lists the runs of data in the first n bytes. It is not ok where the
// file is not sparse enough to care, or cannot say.
func (h handle) extents(n int) (list []extent, ok bool) {
	var st unix.Stat_t
	if n < minSparse || unix.Fstat(h.fd, &st) != nil || st.Blocks*512 > int64(n)/2 {
		return nil, false
	}
	page := int64(os.Getpagesize())
	for at := int64(0); at < int64(n); {
		start, err := unix.Seek(h.fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // only a hole is left
		}
		if err != nil || len(list) == maxExtents {
			return nil, false
		}
		end, err := unix.Seek(h.fd, start, unix.SEEK_HOLE)
		if err != nil {
			return nil, false
		}
		e := extent{start / page * page, min(end, int64(n))}
		if e.start < e.end {
			list = append(list, e)
		}
		at = end
	}
	return list, true
}
