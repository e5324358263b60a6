package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/filelock"
)

// Line is one line of a ledger as it was read.
type Line struct {
	Entry  Entry
	Number int   // from 1
	Offset int64 // of its first byte
	// Err says what is wrong with the line by itself; Torn that it has no end.
	Err  error
	Torn bool
}

// Lines yields the lines of a ledger in order, without following the chain. The
// error of a line is in it; that of r is yielded as the error, and ends it.
func Lines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		var offset int64
		for n := 1; ; n++ {
			text, size, err := readLine(br)
			if err != nil && err != io.EOF {
				yield(Line{}, err)
				return
			}
			if size == 0 {
				return
			}
			l := Line{Number: n, Offset: offset, Torn: err == io.EOF}
			switch {
			case l.Torn:
				l.Err = errors.New("the entry is half-written")
			case text == nil:
				l.Err = fmt.Errorf("%w: it is longer than %d MiB", errNoEntry, MaxLine>>20)
			default:
				l.Entry, l.Err = decode(text)
			}
			offset += size
			if !yield(l, nil) {
				return
			}
		}
	}
}

// readLine returns a line without its end, nil where it is too long, and the
// number of bytes that it takes. The error is io.EOF where it has no end.
func readLine(r *bufio.Reader) (line []byte, size int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		size += int64(len(part))
		if size <= MaxLine {
			line = append(line, part...)
		} else {
			line = nil
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil || line == nil:
			return line, size, err
		default:
			return line[:len(line)-1], size, nil
		}
	}
}

// Problem is something that is wrong with a ledger, and where.
type Problem struct {
	Line    int    `json:"line,omitempty"` // from 1; 0 is the ledger as a whole
	Offset  int64  `json:"offset"`         // of the line, in bytes
	Message string `json:"message"`
}

// Error implements error.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Message
	}
	return fmt.Sprintf("line %d (byte %d): %s", p.Line, p.Offset, p.Message)
}

// Verification is what [Verify] found.
type Verification struct {
	Ledger   string    `json:"ledger"` // id
	Entries  int64     `json:"entries"`
	Findings int64     `json:"findings"` // entries with a finding
	Marks    int64     `json:"marks"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Head     string    `json:"head"` // SEQ:HASH of the last entry
	// Anchors counts the anchors that were found in their place.
	Anchors int `json:"anchors"`
	// Problems say that the ledger is not what was written. There are at most
	// MaxProblems; More counts the others.
	Problems []Problem `json:"problems,omitempty"`
	More     int       `json:"more_problems,omitempty"`
	// Notes are worth knowing and no proof of anything: a half-written end, a
	// run without a summary, no anchor.
	Notes []string `json:"notes,omitempty"`
}

// MaxProblems is how many problems are told.
const MaxProblems = 100

// Verify reads the ledger in a file and follows its chain. Anchors are heads
// that were noted elsewhere; the one beside the file is looked at, too. The
// error says that the file could not be read, not that it is not whole.
func Verify(name string, anchors ...Head) (Verification, error) {
	v := &verifier{}
	err := v.file(name, anchors)
	return v.v, err
}

// verifier follows the chain of a ledger.
type verifier struct {
	v       Verification
	anchors []Head
	prev    Entry    // the last entry that could be read
	lost    bool     // the line before could not be read
	open    []string // ids of runs without a summary
	each    func(Entry) error
}

func (v *verifier) file(name string, anchors []Head) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := committedSize(f)
	if err != nil {
		return err
	}
	beside, err := readHead(name)
	if err != nil {
		v.problem(Line{}, "%v", err)
	}
	if beside.Seq > 0 {
		anchors = append(anchors[:len(anchors):len(anchors)], beside)
	}
	v.anchors = anchors
	if err := v.read(io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	if beside.Seq == 0 && err == nil {
		v.v.Notes = append(v.v.Notes, fmt.Sprintf("there is no %s: entries that were cut off at the end would not be noticed", HeadFile(name)))
	}
	return nil
}

// committedSize returns the size of a ledger while nobody is in the middle of
// an append. On a medium that knows no locks nobody appends.
func committedSize(f *os.File) (int64, error) {
	if filelock.Lock(f) == nil {
		defer filelock.Unlock(f)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, errNoLedger
	}
	return info.Size(), nil
}

func (v *verifier) read(r io.Reader) error {
	for l, err := range Lines(r) {
		if err != nil {
			return err
		}
		if err := v.line(l); err != nil {
			return err
		}
	}
	return v.end()
}

func (v *verifier) problem(l Line, format string, args ...any) {
	if len(v.v.Problems) == MaxProblems {
		v.v.More++
		return
	}
	v.v.Problems = append(v.v.Problems, Problem{l.Number, l.Offset, fmt.Sprintf(format, args...)})
}

func (v *verifier) line(l Line) error {
	switch {
	case l.Torn:
		v.v.Notes = append(v.v.Notes, fmt.Sprintf("line %d (byte %d): the entry is half-written; it was not committed, and the next append cuts it off", l.Number, l.Offset))
		return nil
	case l.Number == 1 && (l.Err != nil || l.Entry.Kind != KindOpen):
		if errors.Is(l.Err, errNoEntry) {
			return errNoLedger
		}
		v.problem(l, "the ledger does not begin with its opening: its beginning was cut off or changed")
	case l.Err != nil:
		v.problem(l, "%v", l.Err)
	}
	if l.Err != nil && !errors.Is(l.Err, errChanged) || l.Entry.Seq == 0 {
		v.lost = true
		return nil
	}
	return v.follow(l)
}

// follow holds an entry against the one before it.
func (v *verifier) follow(l Line) error {
	e, p := l.Entry, v.prev
	switch {
	case l.Number == 1:
		if e.Seq != 1 || e.Prev != firstPrev {
			v.problem(l, "entry %d is not the first of its ledger: those before it were taken out", e.Seq)
		}
	case v.lost:
		// Where an entry cannot be read there is nothing to hold the next against.
	case e.Seq == p.Seq && e.Hash == p.Hash:
		v.problem(l, "entry %d is there twice", e.Seq)
	case e.Seq > p.Seq+1:
		v.problem(l, "entry %d follows entry %d: %d were taken out or moved", e.Seq, p.Seq, e.Seq-p.Seq-1)
	case e.Seq <= p.Seq:
		v.problem(l, "entry %d follows entry %d: they were reordered, or another ledger was joined on", e.Seq, p.Seq)
	case e.Prev != p.Hash:
		v.problem(l, "entry %d does not continue entry %d: one of the two was replaced", e.Seq, p.Seq)
	}
	v.lost, v.prev = false, e
	v.count(e)
	v.anchor(l)
	if v.each != nil {
		return v.each(e)
	}
	return nil
}

func (v *verifier) count(e Entry) {
	v.v.Entries++
	if v.v.First.IsZero() {
		v.v.First = e.Time
	}
	v.v.Last = e.Time
	switch {
	case e.Opening != nil && v.v.Ledger == "":
		v.v.Ledger = e.Opening.ID
	case e.Mark != nil:
		v.v.Marks++
	case e.Record != nil && e.Record.Finding != nil:
		v.v.Findings++
	case e.Record != nil && e.Record.Run != nil:
		v.open = append(v.open, e.Run)
	case e.Record != nil && e.Record.Summary != nil:
		v.open = slices.DeleteFunc(v.open, func(id string) bool { return id == e.Run })
	}
}

// anchor notes that an anchor is where it should be, or is not.
func (v *verifier) anchor(l Line) {
	v.anchors = slices.DeleteFunc(slices.Clone(v.anchors), func(a Head) bool {
		switch {
		case a.Seq != l.Entry.Seq:
			return false
		case !strings.HasPrefix(l.Entry.Hash, a.Hash):
			v.problem(l, "entry %d is not the one that was noted (%s): the ledger was rewritten", a.Seq, a)
		case a.Ledger != "" && a.Ledger != v.v.Ledger:
			v.problem(l, "this is another ledger than the one that was noted")
		default:
			v.v.Anchors++
		}
		return true
	})
}

func (v *verifier) end() error {
	for _, a := range v.anchors {
		v.problem(Line{}, "the ledger ends with entry %d and once had entry %d: %d were cut off at its end", v.prev.Seq, a.Seq, a.Seq-v.prev.Seq)
	}
	if v.prev.Seq > 0 {
		v.v.Head = Head{Seq: v.prev.Seq, Hash: v.prev.Hash}.String()
	}
	for _, id := range v.open {
		v.v.Notes = append(v.v.Notes, fmt.Sprintf("run %s has no summary: it was stopped, or still goes on", id))
	}
	if v.v.Entries == 0 && len(v.v.Problems) == 0 {
		return errNoLedger
	}
	return nil
}
