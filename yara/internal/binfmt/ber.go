package binfmt

// Classes of ASN.1 tags, as in [BER.Class].
const (
	ClassUniversal = 0
	ClassContext   = 2
)

// BER is one element of ASN.1 in the basic encoding rules.
type BER struct {
	Class       int
	Tag         int
	Constructed bool
	// Content is the value without the header, and without the end-of-contents
	// octets where the length is indefinite.
	Content []byte
	// Full is the element with its header.
	Full []byte
}

// Is reports whether the element has a universal tag.
func (e BER) Is(tag int) bool { return e.Class == ClassUniversal && e.Tag == tag }

// IsContext reports whether the element has a context-specific tag.
func (e BER) IsContext(tag int) bool { return e.Class == ClassContext && e.Tag == tag }

// indefiniteDepth bounds the nesting of elements of indefinite length, each of
// which is walked to find its end.
const indefiniteDepth = 32

// ReadBER reads the first element of data and returns the bytes after it; ok
// is false where it is malformed or cut short. Tags and lengths beyond 31 bits
// are taken for malformed.
func ReadBER(data []byte) (e BER, rest []byte, ok bool) {
	return readBER(data, indefiniteDepth)
}

func readBER(data []byte, depth int) (e BER, rest []byte, ok bool) {
	r := NewReader(data, Big)
	id := r.U8()
	e.Class, e.Constructed, e.Tag = int(id>>6), id&0x20 != 0, int(id&0x1f)
	if e.Tag == 0x1f {
		e.Tag = int(longTag(r))
	}
	n, indefinite := berLength(r)
	if !r.OK() {
		return BER{}, nil, false
	}
	start := r.Pos()
	if indefinite {
		end, ok := endOfContents(data[start:], depth)
		if !ok || !e.Constructed {
			return BER{}, nil, false
		}
		e.Content, e.Full = data[start:start+end], data[:start+end+2]
		return e, data[start+end+2:], true
	}
	if e.Content = r.Bytes(n); !r.OK() {
		return BER{}, nil, false
	}
	e.Full = data[:start+n]
	return e, r.Rest(), true
}

// longTag reads a tag of more than one octet.
func longTag(r *Reader) uint32 {
	tag := uint32(0)
	for range 4 {
		b := r.U8()
		tag = tag<<7 | uint32(b&0x7f)
		if b&0x80 == 0 {
			return tag
		}
	}
	r.Bytes(-1)
	return 0
}

func berLength(r *Reader) (n int, indefinite bool) {
	b := r.U8()
	switch {
	case b < 0x80:
		return int(b), false
	case b == 0x80:
		return 0, true
	}
	for range b & 0x7f {
		if n >= 1<<23 {
			r.Bytes(-1)
			return 0, false
		}
		n = n<<8 | int(r.U8())
	}
	return n, false
}

// endOfContents returns where the two zero octets are that end an element of
// indefinite length.
func endOfContents(data []byte, depth int) (at int, ok bool) {
	rest := data
	for depth > 0 {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			return len(data) - len(rest), true
		}
		if _, rest, ok = readBER(rest, depth-1); !ok {
			return 0, false
		}
	}
	return 0, false
}
