package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
)

// Sizes and marks of an RPM package (rpm's docs/manual/format.md).
const (
	rpmLead        = 96
	rpmHeaderIntro = 16
	rpmEntry       = 16
	maxRPMHeader   = 256 << 20
)

// Tags of the main header that are read.
const (
	rpmName        = 1000
	rpmDigests     = 1035
	rpmDirIndexes  = 1116
	rpmBaseNames   = 1117
	rpmDirNames    = 1118
	rpmDigestAlgo  = 5011
	rpmTypeInt32   = 4
	rpmTypeString  = 6
	rpmTypeStrings = 8
)

var errRPM = errors.New("no rpm header where one must be")

// rpm yields what a package installs, under its path. The header's digests say
// whether each is what was packed.
func (w *walk) rpm() error {
	rest, _, err := rpmHeader(w.content[min(rpmLead, len(w.content)):], 8)
	if err != nil {
		return err
	}
	payload, header, err := rpmHeader(rest, 1)
	if err != nil {
		return err
	}
	w.pkg = header.text(rpmName)
	w.manifest = header.manifest()
	r, err := decompress(payload)
	if err != nil {
		return err
	}
	defer closeReader(r)
	in := bufio.NewReader(&metered{r, w.budget})
	head, _ := in.Peek(512)
	if isTar("", head) {
		return w.tarFrom(in, nil)
	}
	return w.cpioFrom(in, nil)
}

// rpmTags is one header: its index and its store.
type rpmTags struct {
	index, store []byte
}

// rpmHeader splits a header from what follows it at the next multiple of align.
func rpmHeader(b []byte, align int) (rest []byte, h rpmTags, err error) {
	if len(b) < rpmHeaderIntro || !hasPrefix(b, "\x8e\xad\xe8\x01") {
		return nil, h, errRPM
	}
	entries, size := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	total := int64(rpmHeaderIntro) + int64(entries)*rpmEntry + int64(size)
	if total > maxRPMHeader || total > int64(len(b)) {
		return nil, h, io.ErrUnexpectedEOF
	}
	at := rpmHeaderIntro + int(entries)*rpmEntry
	h = rpmTags{b[rpmHeaderIntro:at], b[at:total]}
	end := min(int(total)+int(padding(total, int64(align))), len(b))
	return b[end:], h, nil
}

// find returns the store from a tag's data on, with its type and count.
func (h rpmTags) find(tag uint32) (data []byte, kind, count uint32) {
	for e := h.index; len(e) >= rpmEntry; e = e[rpmEntry:] {
		if binary.BigEndian.Uint32(e) == tag {
			if at := binary.BigEndian.Uint32(e[8:]); int64(at) <= int64(len(h.store)) {
				return h.store[at:], binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[12:])
			}
		}
	}
	return nil, 0, 0
}

func (h rpmTags) text(tag uint32) string {
	data, kind, _ := h.find(tag)
	if kind != rpmTypeString {
		return ""
	}
	s, _, _ := bytes.Cut(data, []byte{0})
	return string(s)
}

func (h rpmTags) strings(tag uint32) []string {
	data, kind, count := h.find(tag)
	if kind != rpmTypeStrings {
		return nil
	}
	var list []string
	for ; count > 0; count-- {
		s, rest, ok := bytes.Cut(data, []byte{0})
		if !ok {
			return list
		}
		list, data = append(list, string(s)), rest
	}
	return list
}

func (h rpmTags) ints(tag uint32) []uint32 {
	data, kind, count := h.find(tag)
	if kind != rpmTypeInt32 {
		return nil
	}
	var list []uint32
	for ; count > 0 && len(data) >= 4; count, data = count-1, data[4:] {
		list = append(list, binary.BigEndian.Uint32(data))
	}
	return list
}

// rpmAlgorithms are the numbers of RFC 4880, section 9.4.
var rpmAlgorithms = map[uint32]string{1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}

// manifest returns the digests of the files by path.
func (h rpmTags) manifest() manifest {
	names, dirs, dirOf, sums := h.strings(rpmBaseNames), h.strings(rpmDirNames), h.ints(rpmDirIndexes), h.strings(rpmDigests)
	algorithm := "md5"
	if a := h.ints(rpmDigestAlgo); len(a) > 0 {
		algorithm = rpmAlgorithms[a[0]]
	}
	m := manifest{}
	for i, name := range names {
		if i >= len(sums) || i >= len(dirOf) || int(dirOf[i]) >= len(dirs) {
			break
		}
		if sum, err := hex.DecodeString(sums[i]); err == nil && len(sum) > 0 {
			m[innerName(dirs[dirOf[i]]+name)] = &digest{algorithm, sum, "the package's header"}
		}
	}
	return m
}
