package yara

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/besra-hunt/besra/yara/internal/eval"
	"github.com/besra-hunt/besra/yara/internal/search"
)

// Region is a run of bytes of a [Memory]: Size bytes from the address Base on.
type Region struct{ Base, Size int64 }

// End is the address behind the region.
func (r Region) End() int64 { return r.Base + r.Size }

// Memory is a target of bytes at addresses, with nothing between its regions:
// the memory of a process, a core dump, a sparse image.
type Memory interface {
	// ReadAt reads from an address on, as [io.ReaderAt] says: what is less
	// than was asked for comes with an error. It may be asked for any address.
	io.ReaderAt
	// Regions yields the regions by ascending address, none of them within
	// another. Regions that touch are one run of bytes to the patterns.
	Regions() iter.Seq[Region]
}

// Blocks is a [Memory] of bytes at hand. The blocks are sorted by address and
// do not overlap.
type Blocks []Block

// Block is a piece of a [Memory].
type Block struct {
	// Base is the address of the first byte of Data.
	Base int64
	// Data are the bytes, which must not change during a scan.
	Data []byte
}

// Regions implements [Memory].
func (b Blocks) Regions() iter.Seq[Region] {
	return func(yield func(Region) bool) {
		for _, block := range b {
			if !yield(Region{block.Base, int64(len(block.Data))}) {
				return
			}
		}
	}
}

// ReadAt implements [Memory]. It reads on from one block into the next where
// they touch.
func (b Blocks) ReadAt(p []byte, address int64) (n int, err error) {
	i, _ := slices.BinarySearchFunc(b, address, func(block Block, a int64) int {
		if block.Base+int64(len(block.Data)) <= a {
			return -1
		}
		return 1
	})
	for ; n < len(p); i++ {
		at := address + int64(n)
		if i == len(b) || at < b[i].Base || at >= b[i].Base+int64(len(b[i].Data)) {
			return n, io.EOF
		}
		n += copy(p[n:], b[i].Data[at-b[i].Base:])
	}
	return n, nil
}

// Gap is a part of a [Memory] that could not be read, and why.
type Gap struct {
	Region
	// Err is why: io.EOF where the memory ends before its region does.
	Err error
}

// The sizes of the pieces in which memory is read.
const (
	memoryPiece = 4 << 20
	// memoryOverlap is how long a match can be that is found for certain,
	// wherever it lies in a run of regions.
	memoryOverlap = 64 << 10
	// memoryBefore is how many bytes before a match are seen, by \b and
	// fullword.
	memoryBefore = 64
)

// ScanMemory scans a target that is not in one piece. It reads it once, in
// pieces of 4 MiB, and holds no more than one of them, whatever the target's
// size; conditions may read single integers again.
//
// Offsets are addresses: those of matches, those that conditions ask for with
// `at`, `in` and @, and those of uint32() and its like, which read across
// regions that touch. Matches are found across regions that touch, up to a
// length of 64 KiB for certain. filesize, entrypoint and what modules say of a
// file are undefined, as is everything else that needs the target as a whole;
// so a rule that asks for filesize < 100KB does not match. Functions that
// compute on their arguments alone work. `^` and `$` stand for the start and
// the end of a run of regions.
//
// What could not be read is left out, and is listed by [Results.Gaps]. The
// error is as for [Scanner.Scan], or tells that m yields impossible regions.
func (s *Scanner) ScanMemory(ctx context.Context, m Memory) (*Results, error) {
	return s.run(ctx, func(ctx context.Context) error { return s.scanMemory(ctx, m) })
}

func (s *Scanner) scanMemory(ctx context.Context, m Memory) error {
	var first [1]byte
	n, _ := m.ReadAt(first[:], 0)
	s.search.BeginWindows(s.options, n == 1)
	r := memoryReader{scanner: s, memory: m}
	for region := range m.Regions() {
		if err := r.region(ctx, region); err != nil {
			return err
		}
	}
	if err := r.flush(ctx, true); err != nil {
		return err
	}
	s.results.gaps = r.gaps
	if s.profile != nil {
		s.profile.Bytes += r.done
	}
	return s.evaluate(eval.Scan{Context: ctx, Memory: m, Patterns: s.search, Externals: s.externals, Ask: s.ask, Time: time.Now()})
}

// memoryReader brings the regions of a memory to the search. buf holds the end
// of the last piece, as far as matches that begin there may go on, and what was
// read since.
type memoryReader struct {
	scanner *Scanner
	memory  Memory
	base    int64 // the address of buf[0]
	buf     []byte
	from    int // matches that begin before are done
	done    int64
	gaps    []Gap
}

var errRegion = errors.New("yara: the memory has an impossible region")

func (r *memoryReader) region(ctx context.Context, region Region) error {
	if region.Base < 0 || region.Size < 0 || region.Base > math.MaxInt64-region.Size {
		return fmt.Errorf("%w: %d bytes at %#x", errRegion, region.Size, region.Base)
	}
	for region.Size > 0 {
		if region.Base != r.base+int64(len(r.buf)) {
			if err := r.flush(ctx, true); err != nil {
				return err
			}
			r.base = region.Base
		}
		n, err := r.read(region)
		region.Base, region.Size = region.Base+int64(n), region.Size-int64(n)
		if err != nil {
			r.gaps = append(r.gaps, Gap{region, err})
			return nil
		}
		if len(r.buf) == cap(r.buf) {
			if err := r.flush(ctx, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads the front of a region, as far as there is room. The error says
// that nothing more of it is there.
func (r *memoryReader) read(region Region) (int, error) {
	if r.buf == nil {
		r.buf = r.scanner.piece()
	}
	have := len(r.buf)
	want := int(min(region.Size, int64(cap(r.buf)-have)))
	n, err := r.memory.ReadAt(r.buf[have:have+want], region.Base)
	r.buf = r.buf[:have+n]
	if n == want {
		return n, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// flush searches what was read. Unless the run of regions ends here, what
// begins near the end is left for the next piece.
func (r *memoryReader) flush(ctx context.Context, ends bool) error {
	to := len(r.buf)
	if !ends {
		to -= memoryOverlap
	}
	if to <= 0 {
		return nil
	}
	limit := to
	if ends {
		limit++ // matches of no bytes at the very end
	}
	s := r.scanner
	err := s.search.Window(ctx, search.Window{Data: r.buf, Base: r.base, From: r.from, To: limit})
	r.done += int64(to - r.from)
	if s.options.Progress != nil {
		s.options.Progress(r.done)
	}
	keep := max(to-memoryBefore, 0)
	if ends {
		keep, to = len(r.buf), len(r.buf)
	}
	kept := copy(r.buf[:cap(r.buf)], r.buf[keep:])
	r.base, r.from, r.buf = r.base+int64(keep), to-keep, r.buf[:kept]
	return err
}

// piece returns the buffer that memory is read into.
func (s *Scanner) piece() []byte {
	if s.buffer == nil {
		s.buffer = make([]byte, memoryPiece+memoryOverlap+memoryBefore)
	}
	return s.buffer[:0]
}

// Gaps lists what [Scanner.ScanMemory] could not read, in the order of
// addresses.
func (r *Results) Gaps() []Gap { return r.gaps }
