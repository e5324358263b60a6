package facts

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// gitEntry is a file in a git index: the name of its blob, of 20 or 32 bytes.
type gitEntry struct{ blob [32]byte }

// maxGitEntries bounds an index; the largest known repositories have a tenth.
const maxGitEntries = 20 << 20

var (
	errGitIndex = errors.New("an index that makes no sense")
	errGitSplit = errors.New("an index that is only part of another")
)

// readGitIndex reads an index of version 2, 3 or 4: entries of a fixed part and
// a path, then extensions. Only entries that are merged count.
func readGitIndex(r *bufio.Reader, nameSize int) (map[string]gitEntry, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "DIRC" {
		return nil, errGitIndex
	}
	version, count := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:])
	if version < 2 || version > 4 || count > maxGitEntries {
		return nil, errGitIndex
	}
	x := &gitIndex{r: r, version: version, nameSize: nameSize, files: map[string]gitEntry{}}
	for range count {
		if err := x.entry(); err != nil {
			return nil, err
		}
	}
	return x.files, x.extensions()
}

type gitIndex struct {
	r        *bufio.Reader
	version  uint32
	nameSize int
	last     []byte // path of the entry before
	files    map[string]gitEntry
}

// The parts of an entry: ten numbers of four bytes, the blob's name, flags.
const (
	gitStats    = 40
	gitExtended = 0x4000
	gitStage    = 0x3000
	gitMode     = 24 // offset of the mode
	gitTree     = 0o40000
)

func (x *gitIndex) entry() error {
	var fixed [gitStats + 32 + 2]byte
	size := gitStats + x.nameSize + 2
	if _, err := io.ReadFull(x.r, fixed[:size]); err != nil {
		return errGitIndex
	}
	flags := binary.BigEndian.Uint16(fixed[size-2:])
	if flags&gitExtended != 0 && x.version >= 3 {
		if _, err := x.r.Discard(2); err != nil {
			return errGitIndex
		}
		size += 2
	}
	if err := x.path(size); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(fixed[gitMode:])&0o170000 == gitTree {
		return errGitSplit // a directory stands for its files
	}
	if flags&gitStage == 0 {
		var e gitEntry
		copy(e.blob[:], fixed[gitStats:][:x.nameSize])
		x.files[string(x.last)] = e
	}
	return nil
}

// path reads the path behind a fixed part of size bytes: ended by a zero and
// filled up to a multiple of eight, or, in version 4, as what differs from the
// path before.
func (x *gitIndex) path(size int) error {
	kept := 0
	if x.version == 4 {
		cut, err := gitVarint(x.r)
		if err != nil || cut > len(x.last) {
			return errGitIndex
		}
		kept = len(x.last) - cut
	}
	rest, err := x.r.ReadSlice(0)
	if err != nil {
		return errGitIndex // longer than any path, or cut off
	}
	x.last = append(x.last[:kept], rest[:len(rest)-1]...)
	if x.version < 4 {
		if _, err := x.r.Discard((8 - (size+len(rest))%8) % 8); err != nil {
			return errGitIndex
		}
	}
	return nil
}

// gitVarint reads an offset as pack files spell it.
func gitVarint(r *bufio.Reader) (int, error) {
	v := 0
	for range 4 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if v = v<<7 | int(b&0x7f); b < 0x80 {
			return v, nil
		}
		v++
	}
	return 0, errGitIndex
}

// extensions looks for one that makes the entries a part of the truth: a name of
// four letters, a size, the rest; a digest ends the file.
func (x *gitIndex) extensions() error {
	for {
		head, err := x.r.Peek(8)
		if err != nil || head[0] < 'A' || head[0] > 'z' {
			return nil
		}
		if name := string(head[:4]); name == "link" || name == "sdir" {
			return errGitSplit
		}
		if _, err := x.r.Discard(8 + int(binary.BigEndian.Uint32(head[4:]))); err != nil {
			return nil // the digest, which looked like a name
		}
	}
}
