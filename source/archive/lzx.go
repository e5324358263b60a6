package archive

import (
	"encoding/binary"
	"errors"
)

// Sizes of LZX as cabinets use it (Microsoft LZX Data Compression Format, in the
// Cabinet SDK). A folder is one stream, cut into frames of 32 KiB: each data block
// of the cabinet holds one, padded to 16 bits.
const (
	lzxFrame     = 32 << 10
	lzxMinWindow = 15 // bits
	lzxMaxWindow = 21
	lzxMinMatch  = 2
	lzxLengths   = 249 // symbols of the tree of lengths
	lzxPretree   = 20
	lzxAligned   = 8
	// lzxCalls is how much of a folder has its calls translated.
	lzxCalls = 32768 * lzxFrame
)

// The kinds of blocks.
const (
	lzxVerbatim = 1 + iota
	lzxAlign
	lzxStored
)

var errLZX = errors.New("breaks the format of LZX")

// lzx unpacks one folder, frame by frame.
type lzx struct {
	bits   lzxBits
	window int
	out    []byte // what was unpacked last, a window at least
	at     int64  // offset of the frame under way

	begun  bool
	calls  int32 // size of the program whose calls are absolute; 0 for none
	recent [3]int

	kind int // of the block under way
	left int // bytes of it
	odd  bool

	mainLengths   []uint8 // those of the last block: the next states differences
	lengthLengths [lzxLengths]uint8
	main, length  prefixTree
	aligned       prefixTree
}

// newLZX begins a folder with a window of 1<<bits bytes.
func newLZX(bits int) (*lzx, error) {
	if bits < lzxMinWindow || bits > lzxMaxWindow {
		return nil, unsupportedError("LZX with a window of 2^" + itoa(int64(bits)))
	}
	return &lzx{window: 1 << bits, recent: [3]int{1, 1, 1}, mainLengths: make([]uint8, 256+8*lzxSlots(bits))}, nil
}

// lzxSlots is how many kinds of offsets a window has.
func lzxSlots(bits int) int {
	switch bits {
	case 20:
		return 42
	case 21:
		return 50
	}
	return 2 * bits
}

// frame unpacks the next data block to size bytes, which are valid until the
// next call. With an error they are what came before it, and there is no other call.
func (z *lzx) frame(packed []byte, size int) ([]byte, error) {
	if size > lzxFrame {
		return nil, errLZX
	}
	z.bits.feed(packed)
	if len(z.out) >= 2*z.window {
		z.out = append(z.out[:0], z.out[len(z.out)-z.window:]...)
	}
	z.begin()
	start := len(z.out)
	var err error
	for end := start + size; len(z.out) < end && err == nil; {
		err = z.run(end)
	}
	z.bits.align()
	plain := z.out[start:]
	if z.calls != 0 && z.at < lzxCalls && size > 10 {
		plain = append([]byte(nil), plain...) // matches refer to what was packed
		z.translate(plain)
	}
	z.at += int64(size)
	return plain, err
}

// begin reads what goes before the first block.
func (z *lzx) begin() {
	if z.begun {
		return
	}
	z.begun = true
	if z.bits.take(1) == 1 {
		high := z.bits.take(16)
		z.calls = int32(high<<16 | z.bits.take(16))
	}
}

// run unpacks up to the end of the frame or of the block under way.
func (z *lzx) run(end int) error {
	if z.left == 0 {
		if err := z.block(); err != nil {
			return err
		}
	}
	from := len(z.out)
	stop := min(end, from+z.left)
	var err error
	if z.kind == lzxStored {
		z.out, err = z.bits.raw(z.out, stop-from)
	} else {
		err = z.symbols(stop)
	}
	z.left -= len(z.out) - from
	return err
}

// block reads the head of the next block.
func (z *lzx) block() error {
	if z.odd {
		z.bits.skip() // a stored block is padded to 16 bits
		z.odd = false
	}
	z.kind = int(z.bits.take(3))
	high := z.bits.take(16)
	z.left = int(high<<8 | z.bits.take(8))
	switch {
	case z.bits.err != nil:
		return z.bits.err
	case z.left == 0:
		return errLZX
	}
	switch z.kind {
	case lzxStored:
		return z.stored()
	case lzxAlign:
		var lengths [lzxAligned]uint8
		for i := range lengths {
			lengths[i] = uint8(z.bits.take(3))
		}
		if err := z.aligned.build(lengths[:]); err != nil {
			return err
		}
		return z.trees()
	case lzxVerbatim:
		return z.trees()
	}
	return errLZX
}

func (z *lzx) stored() error {
	z.bits.pad()
	for i := range z.recent {
		b, err := z.bits.raw(nil, 4)
		if err != nil {
			return err
		}
		z.recent[i] = int(binary.LittleEndian.Uint32(b))
	}
	z.odd = z.left%2 == 1
	return nil
}

// trees reads the trees of a block, as differences to those of the last one.
func (z *lzx) trees() error {
	for _, lengths := range [][]uint8{z.mainLengths[:256], z.mainLengths[256:], z.lengthLengths[:]} {
		if err := z.readLengths(lengths); err != nil {
			return err
		}
	}
	return errors.Join(z.main.build(z.mainLengths), z.length.build(z.lengthLengths[:]))
}

func (z *lzx) readLengths(lengths []uint8) error {
	var packed [lzxPretree]uint8
	for i := range packed {
		packed[i] = uint8(z.bits.take(4))
	}
	var pretree prefixTree
	if err := pretree.build(packed[:]); err != nil {
		return err
	}
	for i := 0; i < len(lengths); {
		n, symbol := 1, pretree.read(&z.bits)
		value := uint8(0)
		switch symbol {
		case 17:
			n = 4 + int(z.bits.take(4))
		case 18:
			n = 20 + int(z.bits.take(5))
		case 19:
			n = 4 + int(z.bits.take(1))
			symbol = pretree.read(&z.bits)
			fallthrough
		default:
			if symbol > 16 {
				return errLZX
			}
			value = uint8((int(lengths[i]) - symbol + 17) % 17)
		}
		if z.bits.err != nil {
			return z.bits.err
		}
		for range min(n, len(lengths)-i) {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// symbols unpacks literals and matches up to stop, which none may exceed.
func (z *lzx) symbols(stop int) error {
	for len(z.out) < stop {
		symbol := z.main.read(&z.bits)
		if z.bits.err != nil {
			return z.bits.err
		}
		if symbol < 256 {
			z.out = append(z.out, byte(symbol))
			continue
		}
		length := symbol & 7
		if length == 7 {
			length += z.length.read(&z.bits)
		}
		offset, length := z.offset((symbol-256)>>3), length+lzxMinMatch
		switch from := len(z.out) - offset; {
		case z.bits.err != nil:
			return z.bits.err
		case offset <= 0, offset > z.window, from < 0, len(z.out)+length > stop:
			return errLZX
		default:
			z.copy(from, length)
		}
	}
	return nil
}

func (z *lzx) copy(from, length int) {
	if from+length <= len(z.out) {
		z.out = append(z.out, z.out[from:from+length]...)
		return
	}
	for range length { // it repeats itself
		z.out = append(z.out, z.out[from])
		from++
	}
}

// offset reads how far back a match lies: one of the last three, or another.
func (z *lzx) offset(slot int) int {
	r := &z.recent
	if slot < len(r) {
		r[0], r[slot] = r[slot], r[0]
		return r[0]
	}
	base, extra := lzxSlot(slot)
	offset := base - 2
	switch {
	case z.kind == lzxAlign && extra >= 3:
		offset += int(z.bits.take(extra-3)) << 3
		offset += z.aligned.read(&z.bits)
	default:
		offset += int(z.bits.take(extra))
	}
	r[0], r[1], r[2] = offset, r[0], r[1]
	return offset
}

// lzxSlot returns the first offset of a slot, and how many bits follow it.
func lzxSlot(slot int) (base int, extra uint) {
	const last = 36 // from here on each slot has 17 bits
	switch {
	case slot < 4:
		return slot, 0
	case slot < last:
		extra = uint(slot/2 - 1)
		return (2 + slot%2) << extra, extra
	}
	return (slot - last + 2) << 17, 17
}

// translate makes the calls of a program relative again: packers make them
// absolute, so that calls of one function look alike.
func (z *lzx) translate(frame []byte) {
	for i := 0; i < len(frame)-10; i++ {
		if frame[i] != 0xe8 {
			continue
		}
		here := int32(z.at) + int32(i)
		target := int32(binary.LittleEndian.Uint32(frame[i+1:]))
		switch {
		case target >= 0 && target < z.calls:
			binary.LittleEndian.PutUint32(frame[i+1:], uint32(target-here))
		case target < 0 && target >= -here:
			binary.LittleEndian.PutUint32(frame[i+1:], uint32(target+z.calls))
		}
		i += 4
	}
}
