package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/besra-hunt/besra/filelock"
)

const (
	segmentSize = 8 << 20 // where a segment ends and the next begins, in bytes
	// measureEvery bounds by how much several processes can overfill a spool, in
	// bytes each.
	measureEvery = 256 << 10
	syncEvery    = time.Second
	// measureAgain is how often a full spool is looked at for room.
	measureAgain = 100 * time.Millisecond
)

// Writer appends rows to a spool. It is safe for concurrent use.
type Writer struct {
	s        *Spool
	mu       sync.Mutex
	file     *os.File
	buf      []byte
	size     int64 // of the segment
	used     int64 // of the spool, when it was last measured and by us since
	since    int64 // bytes appended since then
	measured time.Time
	synced   time.Time
	dropped  int64 // all of them
	noted    int64 // of those, in the state
	closed   bool
}

// Writer returns a writer with a segment of its own, which is made with the
// first row.
func (s *Spool) Writer() (*Writer, error) {
	w := &Writer{s: s, synced: time.Now()}
	return w, w.measure()
}

// ErrLong is a row longer than [MaxRow].
var ErrLong = fmt.Errorf("the row is longer than %d bytes", MaxRow)

// Append keeps a row, or drops and counts it where the spool is full: it then
// reports false. After an error nothing of the row is in the spool.
func (w *Writer) Append(row []byte) (bool, error) {
	kept, err := w.offer(row, measureAgain)
	if kept || err != nil {
		return kept, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped++
	if w.noted == 0 {
		return false, w.noteDropped()
	}
	return false, nil
}

// Offer is Append for a row that can wait: it counts nothing.
func (w *Writer) Offer(row []byte) (bool, error) { return w.offer(row, 0) }

// offer keeps a row where there is room. A full spool is measured anew where that
// was last done so long ago.
func (w *Writer) offer(row []byte, again time.Duration) (bool, error) {
	if len(row) > MaxRow {
		return false, ErrLong
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false, os.ErrClosed
	}
	room, err := w.room(int64(len(row)+headLength), again)
	if err != nil || !room {
		return false, err
	}
	return true, w.append(row)
}

// room reports whether n bytes more fit into the spool.
func (w *Writer) room(n int64, again time.Duration) (bool, error) {
	full := w.used+n > w.s.max
	if w.since > measureEvery || full && time.Since(w.measured) >= again {
		if err := w.measure(); err != nil {
			return false, err
		}
	}
	return w.used+n <= w.s.max, nil
}

func (w *Writer) measure() (err error) {
	_, w.used, err = w.s.segments()
	w.since, w.measured = 0, time.Now()
	return err
}

func (w *Writer) append(row []byte) error {
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.buf = appendRecord(w.buf[:0], row)
	if _, err := w.file.Write(w.buf); err != nil {
		return errors.Join(err, w.file.Truncate(w.size))
	}
	n := int64(len(w.buf))
	w.size, w.used, w.since = w.size+n, w.used+n, w.since+n
	switch {
	case w.size >= min(segmentSize, max(w.s.max/8, 1)):
		return w.end()
	case time.Since(w.synced) > syncEvery:
		w.synced = time.Now()
		return w.file.Sync()
	}
	return nil
}

// begin makes a segment. It is locked as long as it may grow, and nobody sees it
// without that lock.
func (w *Writer) begin() error {
	return w.s.locked(func() error {
		name := fmt.Sprintf("%020d-%08x%s", time.Now().UnixNano(), rand.Uint32(), segmentSuffix)
		f, err := os.OpenFile(filepath.Join(w.s.dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		if err := filelock.Lock(f); err != nil {
			return errors.Join(err, f.Close())
		}
		w.file, w.size = f, 0
		return nil
	})
}

// timeOf is when a segment was begun, by its name.
func timeOf(name string) time.Time {
	digits, _, _ := strings.Cut(name, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// end closes the segment, which gives its lock back.
func (w *Writer) end() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	return err
}

// Dropped returns how many rows this writer has dropped.
func (w *Writer) Dropped() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

func (w *Writer) noteDropped() error {
	n := w.dropped - w.noted
	w.noted = w.dropped
	return w.s.update(func(st *state) { st.Dropped += n })
}

// Close brings everything to the disk. The second time it does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	err := w.end()
	if w.dropped > w.noted {
		err = errors.Join(err, w.noteDropped())
	}
	return err
}
