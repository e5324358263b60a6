// Package spool keeps rows on disk until they are delivered: over the end of
// the process, also by kill -9, and over a day on which the other side is away.
//
// A spool is a folder of segments: files that are only appended to, each by one
// process, whose records carry a checksum. [Spool.Writer] appends; a row is in
// the file when Append has returned, and on the disk after a second or on Close.
// [Spool.Reader] reads what waits, for the one process at a time that delivers
// it; [Reader.Done] notes what was delivered, and a segment goes away when all of
// it was. Delivery is at least once: who is killed between delivering and noting
// delivers again.
//
// A spool is bounded. When it is full, new rows are dropped and counted: what
// was taken is never thrown away. Several processes may use one spool at once.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/filelock"
)

// DefaultMax is the size at which a spool is full, in bytes: some hundred
// thousand findings.
const DefaultMax = 512 << 20

// Spool is a folder of rows that wait. It is safe for concurrent use.
type Spool struct {
	dir string
	max int64
}

// Names of the files in a spool, besides the segments.
const (
	stateFile       = "state.json"
	lockFile        = "lock"        // held while the state is changed
	deliveringFile  = "delivering"  // held by who delivers
	destinationFile = "destination" // where the rows are meant to go
	quarantineFile  = "quarantine.ndjson"
	segmentSuffix   = ".seg"
)

// OtherDestinationError says that a spool has rows for somewhere else.
type OtherDestinationError struct{ Dir, Has, Want string }

// Error implements error.
func (e *OtherDestinationError) Error() string {
	return fmt.Sprintf("the spool %s is for %s, not for %s", e.Dir, e.Has, e.Want)
}

// Open opens the spool in a folder, and makes it where it is absent. It is full
// at max bytes, [DefaultMax] where that is 0. Destination names where the rows
// are meant to go: a spool serves one.
func Open(dir, destination string, max int64) (*Spool, error) {
	if max <= 0 {
		max = DefaultMax
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &Spool{dir, max}
	err := s.locked(func() error {
		name := filepath.Join(dir, destinationFile)
		has, err := os.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && len(has) == 0:
			return os.WriteFile(name, []byte(destination), 0o600)
		case err == nil && string(has) != destination:
			return &OtherDestinationError{dir, string(has), destination}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Look opens a spool that is there already, for [Spool.Status].
func Look(dir string) (*Spool, error) {
	if _, err := os.Stat(filepath.Join(dir, destinationFile)); err != nil {
		return nil, fmt.Errorf("%s is no spool: %w", dir, err)
	}
	return &Spool{dir, DefaultMax}, nil
}

// Dir returns the folder.
func (s *Spool) Dir() string { return s.dir }

// Counts are what has become of rows so far.
type Counts struct {
	Delivered   int64 `json:"delivered"`
	Dropped     int64 `json:"dropped"`     // came while the spool was full
	Quarantined int64 `json:"quarantined"` // refused by the other side for good
	// Damaged counts bytes of segments that held no record: the half-written
	// last one of a process that was killed, or damage to the disk.
	Damaged int64 `json:"damaged_bytes"`
}

// state is what is kept in the state file. A lost one makes everything that
// waits be delivered again, which is harmless.
type state struct {
	// Read holds how far each segment was delivered, in bytes.
	Read map[string]int64 `json:"read"`
	Counts
}

// update changes the state while no other process does.
func (s *Spool) update(f func(*state)) error {
	return s.locked(func() error {
		st := s.state()
		f(&st)
		text, err := json.Marshal(st)
		if err != nil {
			return err
		}
		name := filepath.Join(s.dir, stateFile)
		if err := os.WriteFile(name+".new", text, 0o600); err != nil {
			return err
		}
		return os.Rename(name+".new", name)
	})
}

func (s *Spool) state() state {
	st := state{}
	text, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if err == nil && json.Unmarshal(text, &st) != nil {
		st = state{}
	}
	if st.Read == nil {
		st.Read = map[string]int64{}
	}
	return st
}

func (s *Spool) locked(f func() error) error {
	file, err := os.OpenFile(filepath.Join(s.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := filelock.Lock(file); err != nil {
		return err
	}
	defer filelock.Unlock(file)
	return f()
}

// segments lists the names of the segments, oldest first, and their size.
func (s *Spool) segments() (names []string, size int64, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), segmentSuffix) {
			continue
		}
		if info, err := e.Info(); err == nil {
			names, size = append(names, e.Name()), size+info.Size()
		}
	}
	slices.Sort(names)
	return names, size, nil
}

// Status is what a spool holds.
type Status struct {
	Destination string `json:"destination"`
	Waiting     int64  `json:"waiting"` // rows
	Bytes       int64  `json:"bytes"`   // of all segments
	Segments    int    `json:"segments"`
	// Oldest is when the oldest segment was begun; zero where none waits.
	Oldest time.Time `json:"oldest,omitzero"`
	// Delivering says that a process delivers now.
	Delivering bool `json:"delivering"`
	Counts
}

// Status reads what a spool holds.
func (s *Spool) Status() (Status, error) {
	names, size, err := s.segments()
	if err != nil {
		return Status{}, err
	}
	st := s.state()
	out := Status{Segments: len(names), Bytes: size, Counts: st.Counts, Delivering: s.delivering()}
	text, err := os.ReadFile(filepath.Join(s.dir, destinationFile))
	out.Destination = string(text)
	for _, name := range names {
		rows := s.countRows(name, st.Read[name])
		if rows > 0 && out.Waiting == 0 {
			out.Oldest = timeOf(name)
		}
		out.Waiting += rows
	}
	return out, err
}

func (s *Spool) delivering() bool {
	f, err := os.Open(filepath.Join(s.dir, deliveringFile))
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := filelock.Try(f)
	return err == nil && !free
}

func (s *Spool) countRows(name string, from int64) int64 {
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil || from > int64(len(text)) {
		return 0 // it went away while we looked
	}
	rows, _, _, _ := scan(text[from:], len(text), true, true)
	return int64(len(rows))
}
