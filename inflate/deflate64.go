package inflate

import (
	"bufio"
	"errors"
	"io"
)

// reader64 unpacks Deflate64, byte by byte: it is rare.
type reader64 struct {
	in     *bufio.Reader
	bits   uint32
	have   uint // bits that are valid
	window [64 << 10]byte
	at     int64 // bytes unpacked

	final, inBlock, stored bool
	left                   int // bytes of a stored block
	literals, distances    prefixCode
	length, distance       int // of the copy under way
}

// NewReader64 returns a reader of what r packs by Deflate64: DEFLATE with a window of
// 64 KiB, of which the last length and two more distances reach further.
func NewReader64(r io.Reader) io.Reader { return &reader64{in: bufio.NewReader(r)} }

// Read implements [io.Reader].
func (z *reader64) Read(p []byte) (int, error) {
	for n := range p {
		c, err := z.next()
		if err != nil {
			return n, err
		}
		p[n], z.window[uint16(z.at)] = c, c
		z.at++
	}
	return len(p), nil
}

// next returns the next byte.
func (z *reader64) next() (byte, error) {
	for z.length == 0 {
		switch {
		case !z.inBlock && z.final:
			return 0, io.EOF
		case !z.inBlock:
			if err := z.begin(); err != nil {
				return 0, err
			}
		case z.stored && z.left == 0:
			z.inBlock = false
		case z.stored:
			z.left--
			c, err := z.take(8)
			return byte(c), err
		default:
			symbol, err := z.symbol(&z.literals)
			if err != nil || symbol < blockEnd {
				return byte(symbol), err
			}
			if err := z.repeat(symbol); err != nil {
				return 0, err
			}
		}
	}
	z.length--
	return z.window[uint16(z.at-int64(z.distance))], nil
}

// Symbols, and the bits that follow the last ones, which differ from deflate.
const (
	blockEnd      = 256
	lastLength    = 285
	lastBits      = 16
	maxDistance64 = 32
	literalCodes  = 288
	codesOfCodes  = 19
	maxCodeLength = 15
)

// repeat reads the rest of a length and its distance, or ends the block.
func (z *reader64) repeat(symbol int) error {
	if symbol == blockEnd {
		z.inBlock = false
		return nil
	}
	base, extra := 3, uint(lastBits)
	if symbol > lastLength {
		return ErrCorrupt
	}
	if symbol < lastLength {
		base, extra = steps(symbol-blockEnd-1, 4)
		base += 3
	}
	more, err := z.take(extra)
	if err != nil {
		return err
	}
	code, err := z.symbol(&z.distances)
	if err != nil {
		return err
	}
	from, extra := steps(code, 2)
	further, err := z.take(extra)
	z.length, z.distance = base+more, 1+from+further
	if err == nil && int64(z.distance) > z.at {
		err = ErrCorrupt
	}
	return err
}

// steps gives where the values of a code begin, and how many bits say which of
// them is meant: each group of codes has one bit more than the one before.
func steps(code, group int) (base int, extra uint) {
	if code < 2*group {
		return code, 0
	}
	extra = uint(code/group - 1)
	return (group + code%group) << extra, extra
}

// begin reads the header of a block.
func (z *reader64) begin() error {
	head, err := z.take(3)
	if err != nil {
		return err
	}
	z.inBlock, z.final, z.stored = true, head&1 != 0, head>>1 == 0
	switch head >> 1 {
	case 0:
		return z.beginStored()
	case 1:
		return z.fixedCodes()
	case 2:
		return z.readCodes()
	}
	return ErrCorrupt
}

func (z *reader64) beginStored() error {
	z.bits, z.have = z.bits>>(z.have%8), z.have-z.have%8
	size, err := z.take(16)
	if err != nil {
		return err
	}
	check, err := z.take(16)
	if err == nil && size != check^0xffff {
		err = ErrCorrupt
	}
	z.left = size
	return err
}

func (z *reader64) fixedCodes() error {
	var lengths [literalCodes + maxDistance64]byte
	for i := range lengths {
		switch {
		case i < 144, i >= 280 && i < literalCodes:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 5
		}
	}
	return errors.Join(z.literals.set(lengths[:literalCodes]), z.distances.set(lengths[literalCodes:]))
}

// codeOrder is the order in which the lengths of the codes for lengths come.
var codeOrder = [codesOfCodes]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readCodes reads the codes of a block.
func (z *reader64) readCodes() error {
	head, err := z.take(14)
	if err != nil {
		return err
	}
	literals, distances := head&31+257, head>>5&31+1
	var small [codesOfCodes]byte
	for _, i := range codeOrder[:head>>10+4] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		small[i] = byte(n)
	}
	var code prefixCode
	if err := code.set(small[:]); err != nil {
		return err
	}
	lengths := make([]byte, literals+distances)
	if err := z.readLengths(&code, lengths); err != nil {
		return err
	}
	return errors.Join(z.literals.set(lengths[:literals]), z.distances.set(lengths[literals:]))
}

// readLengths fills lengths, of which three symbols repeat some.
func (z *reader64) readLengths(code *prefixCode, lengths []byte) error {
	for i := 0; i < len(lengths); {
		symbol, err := z.symbol(code)
		if err != nil {
			return err
		}
		if symbol < 16 {
			lengths[i] = byte(symbol)
			i++
			continue
		}
		again, base, extra := byte(0), 3, uint(2)
		switch {
		case symbol == 16 && i == 0:
			return ErrCorrupt
		case symbol == 16:
			again = lengths[i-1]
		case symbol == 17:
			extra = 3
		default:
			base, extra = 11, 7
		}
		more, err := z.take(extra)
		if err != nil || i+base+more > len(lengths) {
			return errors.Join(ErrCorrupt, err)
		}
		for range base + more {
			lengths[i] = again
			i++
		}
	}
	return nil
}

// take reads so many bits, 16 at most, the lowest first.
func (z *reader64) take(n uint) (int, error) {
	for z.have < n {
		c, err := z.in.ReadByte()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		z.bits |= uint32(c) << z.have
		z.have += 8
	}
	v := z.bits & (1<<n - 1)
	z.bits, z.have = z.bits>>n, z.have-n
	return int(v), nil
}

// prefixCode is a canonical code: how many symbols have each length, and the
// symbols in the order of their codes.
type prefixCode struct {
	counts  [maxCodeLength + 1]int
	symbols []uint16
}

// set makes the code of which each symbol has the length given, 0 for none.
func (c *prefixCode) set(lengths []byte) error {
	c.counts, c.symbols = [maxCodeLength + 1]int{}, c.symbols[:0]
	for _, n := range lengths {
		c.counts[n]++
	}
	c.counts[0] = 0
	room := 1
	for n := 1; n <= maxCodeLength; n++ {
		if room = room*2 - c.counts[n]; room < 0 {
			return ErrCorrupt
		}
		for symbol, length := range lengths {
			if int(length) == n {
				c.symbols = append(c.symbols, uint16(symbol))
			}
		}
	}
	return nil
}

// symbol reads the next symbol of a code.
func (z *reader64) symbol(c *prefixCode) (int, error) {
	code, first, index := 0, 0, 0
	for n := 1; n <= maxCodeLength; n++ {
		bit, err := z.take(1)
		if err != nil {
			return 0, err
		}
		code |= bit
		if code-first < c.counts[n] {
			return int(c.symbols[index+code-first]), nil
		}
		index, first, code = index+c.counts[n], (first+c.counts[n])<<1, code<<1
	}
	return 0, ErrCorrupt
}
