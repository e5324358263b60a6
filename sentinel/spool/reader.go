package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/filelock"
)

// Reader reads what waits in a spool, in order of the segments. It belongs to
// one goroutine; while it is open, no other process delivers from the spool.
type Reader struct {
	s    *Spool
	lock *os.File
	// read is how far each segment was read, ahead of what was delivered.
	read map[string]int64
}

// Reader returns a reader; it is nil where another process delivers.
func (s *Spool) Reader() (*Reader, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, deliveringFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	got, err := filelock.Try(f)
	if err != nil || !got {
		return nil, errors.Join(err, f.Close())
	}
	r := &Reader{s, f, s.state().Read}
	if err := r.clear(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// Close lets others deliver. What was read and not [Reader.Done] waits on.
func (r *Reader) Close() error { return errors.Join(r.clear(), r.lock.Close()) }

// Batch is some rows that were read together.
type Batch struct {
	Rows  [][]byte
	Bytes int // of the rows
	// More says that more waited when the batch was read.
	More    bool
	end     map[string]int64
	damaged int64
}

// Next returns rows of at most that many bytes together, or one row that is
// longer. Without rows there is nothing that waits now. Damaged counts what it
// had to step over, also where there are no rows.
func (r *Reader) Next(most int) (Batch, error) {
	b := Batch{end: map[string]int64{}}
	names, _, err := r.s.segments()
	if err != nil {
		return b, err
	}
	for _, name := range names {
		full, err := r.fill(&b, name, most)
		if err != nil || full {
			b.More = full
			return b, err
		}
	}
	return b, nil
}

// fill adds rows of a segment, and reports whether the batch is full.
func (r *Reader) fill(b *Batch, name string, most int) (bool, error) {
	f, gone, err := r.open(name)
	if f == nil {
		return false, err
	}
	defer f.Close()
	for {
		buf := make([]byte, most+MaxRow+headLength) // the longest record fits in any case
		n, err := f.ReadAt(buf, r.read[name])
		if err != nil && err != io.EOF {
			return false, err
		}
		rows, used, damaged, full := scan(buf[:n], most-b.Bytes, len(b.Rows) == 0, gone && err == io.EOF)
		for _, row := range rows {
			b.Rows, b.Bytes = append(b.Rows, row), b.Bytes+len(row)
		}
		if used > 0 {
			r.read[name] += int64(used)
			b.end[name] = r.read[name]
			b.damaged += int64(damaged)
		}
		if full || used == 0 || err == io.EOF {
			return full, nil
		}
	}
}

// open opens a segment, and reports whether its writer is gone, so that nothing
// is appended any more: the writer's lock ends with its process. The file is nil
// where there is no such segment.
func (r *Reader) open(name string) (f *os.File, gone bool, err error) {
	err = r.s.locked(func() error {
		f, err = os.Open(filepath.Join(r.s.dir, name))
		if err != nil {
			f = nil
			return err
		}
		gone, err = filelock.Try(f)
		if gone {
			filelock.Unlock(f)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return f, gone, err
}

// Done notes that a batch was delivered, or set aside: delivered is how many of
// its rows were. Batches are done in the order in which they were read.
func (r *Reader) Done(b Batch, delivered int) error {
	err := r.s.update(func(st *state) {
		for name, end := range b.end {
			st.Read[name] = end
		}
		st.Delivered += int64(delivered)
		st.Damaged += b.damaged
	})
	if err != nil {
		return err
	}
	return r.clear()
}

// clear removes the segments that were delivered wholly and that nobody appends
// to.
func (r *Reader) clear() error {
	names, _, err := r.s.segments()
	if err != nil {
		return err
	}
	st, gone := r.s.state(), []string{}
	for _, name := range names {
		if r.finished(name, st.Read[name]) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	for _, name := range gone {
		if err := os.Remove(filepath.Join(r.s.dir, name)); err != nil {
			return err
		}
		delete(r.read, name)
	}
	return r.s.update(func(st *state) {
		for _, name := range gone {
			delete(st.Read, name)
		}
	})
}

func (r *Reader) finished(name string, end int64) bool {
	f, gone, err := r.open(name)
	if f == nil || err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && gone && info.Size() <= end
}
