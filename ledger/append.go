package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/filelock"
)

// syncEvery bounds what a loss of power can take: entries are in the file at
// once, and on the disk after this time or on [Ledger.Close].
const syncEvery = time.Second

// Ledger is a ledger that is open to append. It is safe for concurrent use.
type Ledger struct {
	mu        sync.Mutex
	name      string
	file      *os.File
	head      Head
	size      int64 // of the file after the last entry that we know
	appended  int64
	synced    time.Time
	dirty     bool
	recovered []Recovery
	err       error // the first failure of the file: nothing is appended after it
}

// ErrTruncated says that a ledger has lost entries at its end.
var ErrTruncated = errors.New("the ledger has lost entries at its end")

// Open opens the ledger in a file to append, and makes it where the file is
// absent or empty. It looks at the last entry and the head beside the file, not
// at the whole chain: that is the business of [Verify]. A half-written entry at
// the end is cut off and told by [Ledger.Recovered].
func Open(name string) (*Ledger, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &Ledger{name: name, file: f, synced: time.Now()}
	if err := l.locked(l.begin); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// begin brings l to the end of the file, or writes the first entry.
func (l *Ledger) begin() error {
	if err := l.catchUp(); err != nil {
		return err
	}
	anchor, err := readHead(l.name)
	if err != nil {
		return err
	}
	if anchor.Seq > 0 && l.head.Seq > 0 && anchor.Ledger != l.head.Ledger {
		return errors.New("it is another ledger than the one that was here")
	}
	if anchor.Seq > l.head.Seq {
		return fmt.Errorf("%w: it ends with entry %d, and once had %d", ErrTruncated, l.head.Seq, anchor.Seq)
	}
	if anchor.Seq == l.head.Seq && anchor.Hash != l.head.Hash {
		return fmt.Errorf("entry %d is not the one that was written", anchor.Seq)
	}
	if l.head.Seq > 0 {
		return nil
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return l.write(Entry{Kind: KindOpen, Opening: &Opening{Version: Version, ID: hex.EncodeToString(id)}})
}

// locked runs f while no other process appends.
func (l *Ledger) locked(f func() error) error {
	if err := filelock.Lock(l.file); err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	defer filelock.Unlock(l.file)
	return f()
}

// append adds one entry behind whatever others have added meanwhile.
func (l *Ledger) append(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.err = l.locked(func() error {
		if err := l.catchUp(); err != nil {
			return err
		}
		return l.write(e)
	})
	if l.err != nil {
		l.err = fmt.Errorf("%s: %w", l.name, l.err)
		return l.err
	}
	if time.Since(l.synced) >= syncEvery {
		l.err = l.sync()
	}
	return l.err
}

// write appends one entry; the lock is held and l knows the file's end. A line
// that did not get in wholly is taken back.
func (l *Ledger) write(e Entry) error {
	e.Seq, e.Prev, e.Time = l.head.Seq+1, l.head.Hash, time.Now().UTC()
	if e.Seq == 1 {
		e.Prev = firstPrev
	}
	line, err := e.encode()
	if err != nil {
		return err
	}
	if _, err := l.file.Write(line); err != nil {
		return errors.Join(err, l.file.Truncate(l.size))
	}
	if e.Kind == KindOpen {
		l.head.Ledger = e.Opening.ID
	}
	l.head.Seq, l.head.Hash = e.Seq, e.Hash
	l.size += int64(len(line))
	l.appended++
	l.dirty = true
	return nil
}

// catchUp moves to the end of the file, which another process may have moved.
// The lock is held, so that what has no line end is nobody's to complete: it is
// cut off.
func (l *Ledger) catchUp() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(l.name)
	if err != nil || !os.SameFile(info, named) {
		return errors.New("the file was replaced while it was in use")
	}
	size := info.Size()
	if size == l.size {
		return nil
	}
	if size < l.size {
		return fmt.Errorf("%w while it was in use", ErrTruncated)
	}
	if l.head.Ledger == "" {
		if l.head.Ledger, err = readID(l.file); err != nil {
			return err
		}
	}
	last, end, err := lastLine(l.file, size)
	if err != nil {
		return err
	}
	if end > 0 {
		e, err := decode(last)
		if err != nil {
			return fmt.Errorf("its last entry cannot be followed: %w", err)
		}
		l.head.Seq, l.head.Hash = e.Seq, e.Hash
	}
	l.size = end
	if end == size {
		return nil
	}
	return l.recover(size)
}

// maxOpening bounds the first entry, in bytes.
const maxOpening = 1 << 10

// readID returns the id of a ledger from its first entry; "" where that is
// half-written. A file that holds something else is not to be touched.
func readID(r io.ReaderAt) (string, error) {
	buf := make([]byte, maxOpening)
	n, err := r.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	buf = buf[:n]
	line, _, whole := bytes.Cut(buf, []byte{'\n'})
	if !whole {
		if head := line[:min(len(line), len(before))]; n < maxOpening && strings.HasPrefix(before, string(head)) {
			return "", nil
		}
		return "", errNoLedger
	}
	e, err := decode(line)
	if err != nil || e.Kind != KindOpen {
		return "", errors.Join(errNoLedger, err)
	}
	return e.Opening.ID, nil
}

// recover cuts off the bytes behind l.size and notes that.
func (l *Ledger) recover(size int64) error {
	torn := make([]byte, size-l.size)
	if _, err := l.file.ReadAt(torn, l.size); err != nil {
		return err
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	r := Recovery{Bytes: int64(len(torn)), SHA256: hashOf(torn)}
	l.recovered = append(l.recovered, r)
	if l.head.Seq == 0 {
		return nil // nothing was committed yet: there is no chain to note it in
	}
	return l.write(Entry{Kind: KindRecovery, Recovery: &r})
}

// lastLine returns the last line that has an end, without it, and the offset
// behind it. Both are zero where there is none.
func lastLine(r io.ReaderAt, size int64) (line []byte, end int64, err error) {
	var tail []byte
	for start := size; ; {
		n := min(start, 64<<10)
		start -= n
		part := make([]byte, n, int(n)+len(tail))
		if _, err := r.ReadAt(part, start); err != nil && err != io.EOF {
			return nil, 0, err
		}
		tail = append(part, tail...)
		last := bytes.LastIndexByte(tail, '\n')
		first := -1
		if last > 0 {
			first = bytes.LastIndexByte(tail[:last], '\n')
		}
		switch {
		case last >= 0 && (first >= 0 || start == 0):
			return tail[first+1 : last], start + int64(last) + 1, nil
		case start == 0:
			return nil, 0, nil
		case len(tail) > 2*MaxLine:
			return nil, 0, errNoEntry
		}
	}
}

// sync brings the file to the disk and notes its head beside it.
func (l *Ledger) sync() error {
	l.synced = time.Now()
	if !l.dirty {
		return nil
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.dirty = false
	return l.locked(func() error { return writeHead(l.name, l.head) })
}

// Sync brings what was appended to the disk.
func (l *Ledger) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	return l.sync()
}

// Recovered lists what was cut off since the ledger was opened.
func (l *Ledger) Recovered() []Recovery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recovered
}

// Head names the last entry that l has appended or seen, and how many entries
// were appended by l.
func (l *Ledger) Head() (head Head, appended int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head, l.appended
}

// Mark notes what somebody found out about a finding.
func (l *Ledger) Mark(m Mark) error {
	if err := m.check(); err != nil {
		return err
	}
	return l.append(Entry{Kind: KindMark, Mark: &m})
}

// Close brings everything to the disk and closes the file. The second time it
// does nothing.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.sync()
	err = errors.Join(err, l.file.Close())
	l.file, l.err = nil, errors.New("the ledger is closed")
	return err
}

// Sink returns a sink that appends the run, the findings and the summary of a
// hunt. Gaps have no entry: the summary counts them, and the record of the hunt
// has them. Closing the sink syncs the ledger and leaves it open.
func (l *Ledger) Sink() besra.Sink { return &sink{l: l} }

type sink struct {
	l      *Ledger
	run    string // id of the run under way
	closed bool
}

// Write implements [besra.Sink].
func (s *sink) Write(_ context.Context, r besra.Record) error {
	switch {
	case s.closed:
		return errors.New("ledger: written to after Close")
	case r.Gap != nil:
		return nil
	case r.Run == nil && r.Finding == nil && r.Summary == nil:
		return errors.New("ledger: a record without its content")
	}
	if r.Run != nil {
		s.run = r.Run.ID
	}
	return s.l.append(Entry{Kind: KindRecord, Run: s.run, Record: &r})
}

// Close implements [besra.Sink].
func (s *sink) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.l.Sync()
}
