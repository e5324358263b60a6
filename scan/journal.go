package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
)

// JournalVersion is the version of the form that checkpoint journals have.
const JournalVersion = "besra-checkpoint/1"

// Opening is how a journal begins: what was asked, so that the run can go on
// with the same and with nothing else.
type Opening struct {
	Version string    `json:"checkpoint"`
	Run     besra.Run `json:"run"`
	Build   string    `json:"build"` // of the program
	// Dir is the working directory, Args and Flags the command line.
	Dir   string     `json:"dir"`
	Args  []string   `json:"args"`
	Flags []Flag     `json:"flags"`
	Files []FileHash `json:"files,omitempty"` // what the command line names to be read as input
}

// Flag is one flag with its values.
type Flag struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// FileHash names a file with its content.
type FileHash struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Key stands for a target in a journal: what names it in every run.
type Key [16]byte

// keyOf names a target across runs. A process is another one once it was
// started anew, and streams of a capture may bear one name. A file of a living
// host is the same however it grows meanwhile.
func keyOf(ctx context.Context, t besra.Target) Key {
	h := sha256.New()
	fmt.Fprintf(h, "%s %q", t.Context, t.Name)
	switch t.Context {
	case besra.ContextFile:
	case besra.ContextProcess:
		fmt.Fprint(h, t.Facts.Fact(ctx, "process.start").Value)
	case besra.ContextNetwork:
		fmt.Fprint(h, t.Size, t.Facts.Fact(ctx, "net.time").Value)
	default:
		fmt.Fprint(h, t.Size)
	}
	return Key(h.Sum(nil)[:len(Key{})])
}

// A journal is a file of frames, each written by one call and checked by its
// sum: a torn one at the end is what a killed process or a loss of power leaves.
//
//	frame   = length uint32, CRC-32C uint32, entries
//	entry   = 'H' size JSON            the [Opening], the first and only there
//	        | 'R' key size JSON        a record of the target that key names
//	        | 'T' key part               that target is done, with what lies in it: targets, bytes,
//	                             and targets whose answer was known
//	        | 'E' nanoseconds          time that the run has taken so far
//	        | 'P'                      the run goes on: another part begins
//
// Integers are little-endian, those within entries uvarints. Records of a
// target count where its 'T' is in the same part: what was under way when a
// part ended is scanned again in the next.
const (
	entryOpening = 'H'
	entryRecord  = 'R'
	entryTarget  = 'T'
	entryElapsed = 'E'
	entryPart    = 'P'

	frameHead = 8
	// maxFrame bounds the entries of one frame that is read, in bytes.
	maxFrame = 256 << 20
	// fullFrame is the size at which a frame is written at the latest.
	fullFrame = 64 << 10
	// syncEvery is how often a journal is brought to the disk: what a loss of
	// power takes is scanned again.
	syncEvery = time.Second
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Journal is the checkpoint of a run, open to append. It is of one goroutine
// at a time.
type Journal struct {
	// Before is called before the journal is brought to the disk, where what
	// it vouches for has to be there first; nil means nothing.
	Before func() error

	file   *os.File
	size   int64 // up to the end of the last whole frame
	frame  []byte
	synced time.Time
	dirty  bool
	past   past
}

// past is what an earlier part of the run has done.
type past struct {
	Opening
	keys    []doneKey // sorted
	part    uint32    // the one that begins now, counted from 0
	done    part      // with all targets
	elapsed time.Duration
	torn    int64 // bytes cut off at the end
}

// doneKey is a target that is done, and in which part of the run.
type doneKey struct {
	Key
	part uint32
}

// CreateJournal begins a journal in a new file.
func CreateJournal(name string, o Opening) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, frame: make([]byte, frameHead), synced: time.Now()}
	o.Version = JournalVersion
	j.past.Opening = o
	err = lockJournal(f)
	if err == nil {
		err = j.opening(o)
	}
	if err != nil {
		f.Close()
		os.Remove(name)
		return nil, err
	}
	return j, nil
}

func (j *Journal) opening(o Opening) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	j.frame = append(j.frame, entryOpening)
	j.frame = binary.AppendUvarint(j.frame, uint64(len(text)))
	j.frame = append(j.frame, text...)
	return errors.Join(j.write(), j.sync())
}

// record notes a record of a target that is under way.
func (j *Journal) record(key Key, r besra.Record) error {
	text, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	j.frame = append(append(j.frame, entryRecord), key[:]...)
	j.frame = binary.AppendUvarint(j.frame, uint64(len(text)))
	j.frame = append(j.frame, text...)
	return j.full()
}

// done notes that a target is done.
func (j *Journal) done(key Key, p part) error {
	j.frame = append(append(j.frame, entryTarget), key[:]...)
	for _, n := range []int64{p.targets, p.bytes, p.identical} {
		j.frame = binary.AppendUvarint(j.frame, uint64(n))
	}
	return j.full()
}

func (j *Journal) full() error {
	if len(j.frame) < fullFrame {
		return nil
	}
	return j.write()
}

// flush writes what was noted, and now and then brings it to the disk. elapsed
// is how long this part of the run has taken.
func (j *Journal) flush(elapsed time.Duration) error {
	if len(j.frame) == frameHead {
		return nil
	}
	if time.Since(j.synced) < syncEvery {
		return j.write()
	}
	return j.keep(elapsed)
}

// keep writes all that was noted and brings it to the disk.
func (j *Journal) keep(elapsed time.Duration) error {
	j.frame = binary.AppendUvarint(append(j.frame, entryElapsed), uint64(j.past.elapsed+elapsed))
	return errors.Join(j.write(), j.sync())
}

// write appends the frame. One that did not get in wholly is taken back.
func (j *Journal) write() error {
	if len(j.frame) == frameHead {
		return nil
	}
	body := j.frame[frameHead:]
	binary.LittleEndian.PutUint32(j.frame, uint32(len(body)))
	binary.LittleEndian.PutUint32(j.frame[4:], crc32.Checksum(body, castagnoli))
	if _, err := j.file.WriteAt(j.frame, j.size); err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(j.frame))
	j.frame, j.dirty = j.frame[:frameHead], true
	return nil
}

func (j *Journal) sync() error {
	j.synced = time.Now()
	if !j.dirty {
		return nil
	}
	if j.Before != nil {
		if err := j.Before(); err != nil {
			return err
		}
	}
	j.dirty = false
	return j.file.Sync()
}

// Close keeps the journal for the run to go on. The second time it does nothing.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.write(), j.sync(), j.file.Close())
	j.file = nil
	return err
}

// Remove ends a journal whose run is done.
func (j *Journal) Remove() error {
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Close(), os.Remove(j.file.Name()))
	j.file = nil
	return err
}

// known reports whether a target was done in an earlier part of the run.
func (p *past) known(key Key) bool {
	_, ok := p.find(key)
	return ok
}

func (p *past) find(key Key) (doneKey, bool) {
	i, ok := slices.BinarySearchFunc(p.keys, key, func(d doneKey, key Key) int { return bytes.Compare(d.Key[:], key[:]) })
	if !ok {
		return doneKey{}, false
	}
	return p.keys[i], true
}
