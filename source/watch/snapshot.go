package watch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/besra-hunt/besra"
)

// Snapshot is a file that remembers which files were scanned and had nothing
// left undone: 16 bytes each, a digest over path, size and time of change. It
// holds for one content: with other rules everything is looked at again.
type Snapshot struct {
	// File is where it lies.
	File string
	// Tag names the content that files are scanned with.
	Tag string
}

// state is what a file looked like.
type state [16]byte

// stateOf digests what tells a changed file from an unchanged one.
func stateOf(t besra.Target) state {
	var b []byte
	b = append(append(b, t.Name...), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Size))
	for _, name := range []string{"file.ctime", "file.mtime", "file.mode", "file.owner.uid"} {
		b = fmt.Appendf(b, "%v\x00", t.Facts.Fact(context.Background(), name).Value)
	}
	sum := sha256.Sum256(b)
	return state(sum[:16])
}

// states are sorted.
type states []state

func (s states) has(st state) bool {
	_, ok := slices.BinarySearchFunc(s, st, func(a, b state) int { return bytes.Compare(a[:], b[:]) })
	return ok
}

const magic = "besra snapshot 1\n"

// head begins the file: what it is, and for which content.
func (s *Snapshot) head() []byte {
	sum := sha256.Sum256([]byte(s.Tag))
	return append([]byte(magic), sum[:]...)
}

// load reads the snapshot. One that is not there, or of another content, holds
// nothing.
func (s *Snapshot) load() (states, error) {
	b, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := s.decode(b)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", s.File, err)
	}
	return list, nil
}

// decode reads what save wrote. The last 32 bytes are a digest over the rest.
func (s *Snapshot) decode(b []byte) (states, error) {
	if len(b) < len(magic)+2*sha256.Size || string(b[:len(magic)]) != magic {
		return nil, errors.New("it is none of this version; remove it to begin anew")
	}
	end := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:end]); !bytes.Equal(sum[:], b[end:]) {
		return nil, errors.New("it is damaged; remove it to begin anew")
	}
	head := s.head()
	if !bytes.Equal(b[:len(head)], head) {
		return nil, nil
	}
	body := b[len(head):end]
	if len(body)%len(state{}) != 0 {
		return nil, errors.New("it is damaged; remove it to begin anew")
	}
	list := make(states, 0, len(body)/len(state{}))
	for ; len(body) > 0; body = body[len(state{}):] {
		list = append(list, state(body[:len(state{})]))
	}
	return list, nil
}

// save replaces the snapshot, wholly or not at all.
func (s *Snapshot) save(list states) error {
	slices.SortFunc(list, func(a, b state) int { return bytes.Compare(a[:], b[:]) })
	f, err := os.CreateTemp(filepath.Dir(s.File), filepath.Base(s.File)+".*")
	if err != nil {
		return err
	}
	sum := sha256.New()
	w := io.MultiWriter(f, sum)
	_, err = w.Write(s.head())
	buf := make([]byte, 0, 64<<10)
	for i, st := range list {
		if buf = append(buf, st[:]...); len(buf) == cap(buf) || i == len(list)-1 {
			_, writeErr := w.Write(buf)
			err, buf = errors.Join(err, writeErr), buf[:0]
		}
	}
	_, sumErr := f.Write(sum.Sum(nil))
	if err = errors.Join(err, sumErr, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.File)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
