package scan

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
)

// ErrNoJournal says that a file is no checkpoint of a run.
var ErrNoJournal = errors.New("it is no checkpoint of a hunt")

// OpenJournal opens the journal of a run that was interrupted, to go on with it.
// Memory holds 20 bytes for each target that is done. A torn end is cut off.
func OpenJournal(name string) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, frame: append(make([]byte, frameHead), entryPart), synced: time.Now()}
	if err := lockJournal(f); err != nil {
		f.Close()
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		j.size, err = j.past.read(f)
	}
	if err == nil && j.size < info.Size() {
		j.past.torn = info.Size() - j.size
		err = f.Truncate(j.size)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return j, nil
}

// Opening returns how the run began.
func (j *Journal) Opening() Opening { return j.past.Opening }

// Done returns how many targets an earlier part of the run has done, those that
// lie in others not counted.
func (j *Journal) Done() int { return len(j.past.keys) }

// Torn returns how many bytes were cut off at the end: the process was killed
// while it wrote them.
func (j *Journal) Torn() int64 { return j.past.torn }

// read reads a journal and returns where its last whole frame ends.
func (p *past) read(r io.Reader) (end int64, err error) {
	for e, err := range entries(r, &end) {
		switch {
		case err != nil:
			return end, err
		case e.kind == entryOpening:
			if err := json.Unmarshal(e.text, &p.Opening); err != nil {
				return end, errors.Join(ErrNoJournal, err)
			}
			if p.Version != JournalVersion {
				return end, fmt.Errorf("its version is %q and not %s: the besra that wrote it goes on with it", p.Version, JournalVersion)
			}
		case e.kind == entryTarget:
			p.keys = append(p.keys, doneKey{e.key, p.part})
			p.done.add(e.part)
		case e.kind == entryElapsed:
			p.elapsed = time.Duration(e.elapsed)
		case e.kind == entryPart:
			p.part++
		}
	}
	p.part++
	if p.Version == "" {
		return end, ErrNoJournal
	}
	slices.SortFunc(p.keys, func(a, b doneKey) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return end, nil
}

// records yields the records of the targets that are done.
func (j *Journal) records() iter.Seq2[besra.Record, error] {
	return func(yield func(besra.Record, error) bool) {
		var end int64
		part := uint32(0)
		for e, err := range entries(io.NewSectionReader(j.file, 0, j.size), &end) {
			if err == nil && e.kind == entryPart {
				part++
			}
			if done, ok := j.past.find(e.key); err == nil && (e.kind != entryRecord || !ok || done.part != part) {
				continue
			}
			var rec besra.Record
			if err == nil {
				err = json.Unmarshal(e.text, &rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// entry is one entry of a journal. Its text is valid until the next.
type entry struct {
	kind    byte
	key     Key
	text    []byte
	part    part
	elapsed int64
}

// entries yields what the whole frames hold, and moves end behind each. It ends
// silently at a frame that is torn: nothing behind it was vouched for.
func entries(r io.Reader, end *int64) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var body []byte
		for {
			var err error
			if body, err = readFrame(in, body); err != nil {
				if err != io.EOF {
					yield(entry{}, err)
				}
				return
			}
			for rest := body; len(rest) > 0; {
				e, n := parseEntry(rest)
				if n == 0 {
					yield(entry{}, fmt.Errorf("%w: an entry in the frame at byte %d cannot be read", ErrNoJournal, *end))
					return
				}
				if !yield(e, nil) {
					return
				}
				rest = rest[n:]
			}
			*end += int64(frameHead + len(body))
		}
	}
}

// readFrame returns the entries of the next frame, in buf where they fit; io.EOF
// at the end, be it torn.
func readFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, tornIsEnd(err)
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size == 0 || size > maxFrame {
		return nil, io.EOF
	}
	body := bytes.NewBuffer(buf[:0])
	if _, err := io.CopyN(body, r, int64(size)); err != nil {
		return nil, tornIsEnd(err)
	}
	if crc32.Checksum(body.Bytes(), castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, io.EOF
	}
	return body.Bytes(), nil
}

func tornIsEnd(err error) error {
	if err == io.ErrUnexpectedEOF {
		return io.EOF
	}
	return err
}

// parseEntry reads the first entry of b and returns its length; 0 where there
// is none.
func parseEntry(b []byte) (entry, int) {
	p := parser{rest: b[1:]}
	e := entry{kind: b[0]}
	switch e.kind {
	case entryOpening:
		e.text = p.text()
	case entryRecord:
		e.key, e.text = p.key(), p.text()
	case entryTarget:
		e.key, e.part = p.key(), part{p.number(), p.number(), p.number()}
	case entryElapsed:
		e.elapsed = p.number()
	case entryPart:
	default:
		return e, 0
	}
	if p.failed {
		return e, 0
	}
	return e, len(b) - len(p.rest)
}

// parser reads the parts of an entry; after the first that is not there it has
// failed.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) take(n int64) []byte {
	if p.failed || n < 0 || n > int64(len(p.rest)) {
		p.failed = true
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *parser) number() int64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || v > 1<<62 {
		p.failed = true
		return 0
	}
	p.rest = p.rest[n:]
	return int64(v)
}

func (p *parser) text() []byte { return p.take(p.number()) }

func (p *parser) key() (k Key) {
	copy(k[:], p.take(int64(len(k))))
	return k
}
