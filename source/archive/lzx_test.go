package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// packer makes LZX: the reverse of lzx, with short matches and no care for size.
type packer struct {
	frames [][]byte
	acc    uint64
	n      uint
	out    []byte
	done   int // bytes packed

	slots  int
	recent [3]int
	main   []uint8
	length [lzxLengths]uint8
}

func (p *packer) put(v uint32, n uint) {
	p.acc = p.acc<<n | uint64(v)
	for p.n += n; p.n >= 16; p.n -= 16 {
		p.out = binary.LittleEndian.AppendUint16(p.out, uint16(p.acc>>(p.n-16)))
	}
}

func (p *packer) align() {
	if p.n > 0 {
		p.put(0, 16-p.n)
	}
}

// advance counts packed bytes, and ends a frame where it is full.
func (p *packer) advance(n int, last bool) {
	p.done += n
	if p.done%lzxFrame == 0 || last {
		p.align()
		p.frames = append(p.frames, p.out)
		p.out = nil
	}
}

// token is a literal, or a match of a length at a distance.
type token struct {
	length, offset int
	literal        byte
}

// tokens finds matches that stay in their frame; at is where data begins.
func tokens(all []byte, from, to, window int) []token {
	var list []token
	last := map[string]int{}
	for i := max(0, from-window); i < from && i+3 <= to; i++ {
		last[string(all[i:i+3])] = i
	}
	for i := from; i < to; {
		end := min(to, (i/lzxFrame+1)*lzxFrame, i+257)
		t := token{length: 1, literal: all[i]}
		if i+3 <= end {
			if at, ok := last[string(all[i:i+3])]; ok && i-at <= window-3 {
				n := 3
				for i+n < end && all[at+n] == all[i+n] {
					n++
				}
				t = token{length: n, offset: i - at}
			}
		}
		for range t.length {
			if i+3 <= len(all) {
				last[string(all[i:i+3])] = i
			}
			i++
		}
		list = append(list, t)
	}
	return list
}

// coded is a token as symbols: of the main tree, of the tree of lengths, and bits.
type coded struct {
	main, length int // length -1 for none
	slot         int
	extra        uint32
	size         int
}

func (p *packer) code(t token) coded {
	if t.offset == 0 {
		return coded{main: int(t.literal), length: -1, size: 1}
	}
	c := coded{length: -1, size: t.length}
	r := &p.recent
	switch i := slices.Index(r[:], t.offset); {
	case i >= 0:
		r[0], r[i] = r[i], r[0]
		c.slot = i
	default:
		for c.slot = 3; ; c.slot++ {
			base, extra := lzxSlot(c.slot)
			if d := t.offset + 2 - base; d < 1<<extra {
				c.extra = uint32(d)
				break
			}
		}
		r[0], r[1], r[2] = t.offset, r[0], r[1]
	}
	head := min(t.length-lzxMinMatch, 7)
	if head == 7 {
		c.length = t.length - lzxMinMatch - 7
	}
	c.main = 256 + c.slot*8 + head
	return c
}

// block packs all[from:to] as one block.
func (p *packer) block(kind int, all []byte, from, to, window int) {
	p.put(uint32(kind), 3)
	p.put(uint32(to-from)>>8, 16)
	p.put(uint32(to-from)&0xff, 8)
	if kind == lzxStored {
		p.store(all[from:to], to == len(all))
		return
	}
	var list []coded
	mains, lengths := make([]int, 256+8*p.slots), make([]int, lzxLengths)
	for _, t := range tokens(all, from, to, window) {
		c := p.code(t)
		mains[c.main]++
		if c.length >= 0 {
			lengths[c.length]++
		}
		list = append(list, c)
	}
	if kind == lzxAlign {
		for range lzxAligned {
			p.put(3, 3)
		}
	}
	main, length := codeLengths(mains), codeLengths(lengths)
	p.tree(p.main[:256], main[:256])
	p.tree(p.main[256:], main[256:])
	p.tree(p.length[:], length)
	mainCodes, lengthCodes := codes(main), codes(length)
	for i, c := range list {
		p.put(mainCodes[c.main], uint(main[c.main]))
		if c.length >= 0 {
			p.put(lengthCodes[c.length], uint(length[c.length]))
		}
		if c.slot > 3 {
			_, extra := lzxSlot(c.slot)
			p.put(c.extra, extra) // the code of an aligned symbol is the symbol
		}
		p.advance(c.size, i == len(list)-1 && to == len(all))
	}
}

func (p *packer) store(plain []byte, last bool) {
	p.put(0, 16-p.n)
	for _, r := range p.recent {
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(r))
	}
	odd := len(plain)%2 == 1
	for len(plain) > 0 {
		n := min(len(plain), lzxFrame-p.done%lzxFrame)
		p.out = append(p.out, plain[:n]...)
		plain = plain[n:]
		if odd && len(plain) == 0 {
			p.out = append(p.out, 0)
		}
		p.advance(n, last && len(plain) == 0)
	}
}

// tree writes lengths as differences, with every way of writing runs.
func (p *packer) tree(old, lengths []uint8) {
	pretree := make([]uint8, lzxPretree) // 12 codes of 4 bits, 8 of 5
	for i := range pretree {
		pretree[i] = 4
		if i >= 12 {
			pretree[i] = 5
		}
		p.put(uint32(pretree[i]), 4)
	}
	c := codes(pretree)
	symbol := func(s int) { p.put(c[s], uint(pretree[s])) }
	for i := 0; i < len(lengths); {
		n := 1
		for i+n < len(lengths) && lengths[i+n] == lengths[i] {
			n++
		}
		delta := (int(old[i]) - int(lengths[i]) + 17) % 17
		switch {
		case lengths[i] == 0 && n >= 20:
			n = min(n, 51)
			symbol(18)
			p.put(uint32(n-20), 5)
		case lengths[i] == 0 && n >= 4:
			symbol(17)
			p.put(uint32(n-4), 4)
		case n >= 4:
			n = min(n, 5)
			symbol(19)
			p.put(uint32(n-4), 1)
			symbol(delta)
		default:
			n = 1
			symbol(delta)
		}
		i += n
	}
	copy(old, lengths)
}

// codeLengths makes a prefix code by Huffman; of few symbols one with at least two.
func codeLengths(counts []int) []uint8 {
	lengths := make([]uint8, len(counts))
	type node struct {
		count   int
		symbols []int
	}
	var nodes []node
	for s, n := range counts {
		if n > 0 {
			nodes = append(nodes, node{n, []int{s}})
		}
	}
	for s := 0; len(nodes) == 1; s++ {
		if counts[s] == 0 {
			nodes = append(nodes, node{1, []int{s}})
		}
	}
	for len(nodes) > 1 {
		slices.SortStableFunc(nodes, func(a, b node) int { return b.count - a.count })
		a, b := nodes[len(nodes)-1], nodes[len(nodes)-2]
		both := append(slices.Clone(a.symbols), b.symbols...)
		for _, s := range both {
			if lengths[s]++; lengths[s] > 16 {
				panic("the counts are too uneven for codes of 16 bits")
			}
		}
		nodes = append(nodes[:len(nodes)-2], node{a.count + b.count, both})
	}
	return lengths
}

// codes are the canonical codes of lengths.
func codes(lengths []uint8) []uint32 {
	out := make([]uint32, len(lengths))
	code := uint32(0)
	for n := uint8(1); n <= 16; n++ {
		code <<= 1
		for s, l := range lengths {
			if l == n {
				out[s] = code
				code++
			}
		}
	}
	return out
}

// pack makes the frames of a folder of blocks of the kinds, in turn.
func pack(plain []byte, windowBits, blockSize int, calls uint32, kinds ...int) [][]byte {
	slots := lzxSlots(windowBits)
	p := &packer{slots: slots, recent: [3]int{1, 1, 1}, main: make([]uint8, 256+8*slots)}
	if calls == 0 {
		p.put(0, 1)
	} else {
		p.put(1, 1)
		p.put(calls>>16, 16)
		p.put(calls&0xffff, 16)
		plain = absolute(plain, int32(calls))
	}
	for i, from := 0, 0; from < len(plain); i++ {
		to := min(from+blockSize, len(plain))
		p.block(kinds[i%len(kinds)], plain, from, to, 1<<windowBits)
		from = to
	}
	return p.frames
}

// absolute makes calls absolute, as packers do.
func absolute(plain []byte, size int32) []byte {
	out := slices.Clone(plain)
	for start := 0; start < len(out); start += lzxFrame {
		frame := out[start:min(start+lzxFrame, len(out))]
		for i := 0; i < len(frame)-10; i++ {
			if frame[i] != 0xe8 {
				continue
			}
			here, v := int32(start+i), int32(binary.LittleEndian.Uint32(frame[i+1:]))
			switch {
			case v >= -here && v < size-here:
				v += here
			case v >= size-here && v < size:
				v -= size
			}
			binary.LittleEndian.PutUint32(frame[i+1:], uint32(v))
			i += 4
		}
	}
	return out
}

// lzxCab makes a cabinet of one folder of the given frames, with files one behind the other.
func lzxCab(windowBits int, frames [][]byte, total int, files ...int) []byte {
	var entries []byte
	at := 0
	for i, size := range files {
		entries = binary.LittleEndian.AppendUint32(entries, uint32(size))
		entries = binary.LittleEndian.AppendUint32(entries, uint32(at))
		entries = append(entries, 0, 0, 0x21, 0x5b, 0, 0, 0x20, 0)
		entries = append(entries, fmt.Sprintf("file%d\x00", i)...)
		at += size
	}
	var data []byte
	for i, f := range frames {
		data = binary.LittleEndian.AppendUint32(data, 0)
		data = binary.LittleEndian.AppendUint16(data, uint16(len(f)))
		data = binary.LittleEndian.AppendUint16(data, uint16(min(lzxFrame, total-i*lzxFrame)))
		data = append(data, f...)
	}
	start := cabHeader + cabFolder + len(entries)
	out := append([]byte("MSCF"), make([]byte, 4)...)
	out = binary.LittleEndian.AppendUint32(out, uint32(start+len(data)))
	out = append(out, 0, 0, 0, 0)
	out = binary.LittleEndian.AppendUint32(out, cabHeader+cabFolder)
	out = append(out, 0, 0, 0, 0, 3, 1, 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(files)))
	out = append(out, 0, 0, 1, 0, 0, 0)
	out = binary.LittleEndian.AppendUint32(out, uint32(start))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(frames)))
	out = binary.LittleEndian.AppendUint16(out, uint16(cabLZX|windowBits<<8))
	return append(append(out, entries...), data...)
}

// program is text and noise with calls in it, which repeat near and far.
func program(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "line %d of a text that goes on, ", r.IntN(1000))
		case 1:
			b.WriteByte(0xe8)
			binary.Write(&b, binary.LittleEndian, int32(r.IntN(40_000)-20_000))
		case 2:
			b.WriteString(strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(300)))
		case 3:
			for range r.IntN(40) {
				b.WriteByte(byte(min(r.ExpFloat64()*20, 255)))
			}
		}
	}
	return b.Bytes()[:size]
}

// TestLZX unpacks what the packer made: all windows, all kinds of blocks, within
// a frame and over several, of even and odd sizes.
func TestLZX(t *testing.T) {
	v, a, s := lzxVerbatim, lzxAlign, lzxStored
	tests := []struct {
		name          string
		window, block int
		calls         uint32
		size          int
		kinds         []int
	}{
		{"verbatim", 15, 1 << 20, 0, 100_000, []int{v}},
		{"aligned", 16, 1 << 20, 0, 100_001, []int{a}},
		{"stored", 17, 1 << 20, 0, 99_999, []int{s}},
		{"all in turn", 18, 10_001, 0, 150_000, []int{v, s, a, s}},
		{"stored ones that end with the frame", 19, lzxFrame - 1, 0, 3 * lzxFrame, []int{s, v}},
		{"calls", 20, 50_000, 120_000, 130_000, []int{v, a, s}},
		{"far matches", 21, 700_000, 0, 1 << 20, []int{a, v}},
		{"one byte", 15, 1, 0, 1, []int{v}},
		{"blocks of a byte", 15, 1, 0, 50, []int{v, a, s}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain := program(tt.size)
			if tt.name == "far matches" {
				plain = append(plain[:tt.size/2:tt.size/2], plain[:tt.size/2]...)
			}
			rest := len(plain) - len(plain)/3
			in := expand(t, "c.cab", lzxCab(tt.window, pack(plain, tt.window, tt.block, tt.calls, tt.kinds...), len(plain), len(plain)/3, rest))
			got := append(in.Content["c.cab!file0"], in.Content["c.cab!file1"]...)
			if !bytes.Equal(got, plain) || in.Err != nil || len(in.Gaps) > 0 {
				t.Errorf("got %d bytes of %d, gaps %q, error %v", len(got), len(plain), in.Gaps, in.Err)
			}
		})
	}
}

// TestLZXDamaged: what comes before the damage is scanned, what comes behind it
// is told and not made up.
func TestLZXDamaged(t *testing.T) {
	plain := program(100_000)
	frames := pack(plain, 16, 1<<20, 0, lzxVerbatim)
	frames[2] = frames[2][:len(frames[2])/2]
	in := expand(t, "c.cab", lzxCab(16, frames, len(plain), 40_000, 58_000, 2_000))
	if got := in.Content["c.cab!file0"]; !bytes.Equal(got, plain[:40_000]) {
		t.Errorf("the first file: got %d bytes", len(got))
	}
	if got := in.Content["c.cab!file1"]; len(got) <= 2*lzxFrame-40_000 || !bytes.HasPrefix(plain[40_000:], got) {
		t.Errorf("the damaged file: got %d bytes", len(got))
	}
	if in.Content["c.cab!file2"] != nil || !slices.Equal(in.Gaps, []string{"damaged", "damaged"}) {
		t.Errorf("got %q and gaps %q", keys(in.Content), in.Gaps)
	}
}

// TestCabBackwards: files that are listed from the last to the first unpack
// their folder anew each, and pay for it.
func TestCabBackwards(t *testing.T) {
	plain := program(200_000)
	cab := lzxCab(15, pack(plain, 15, 1<<20, 0, lzxVerbatim), len(plain), slices.Repeat([]int{100}, 2000)...)
	at := cabHeader + cabFolder
	for i := range 2000 {
		binary.LittleEndian.PutUint32(cab[at+4:], uint32(199_900-i*100))
		at += cabFile + bytes.IndexByte(cab[at+cabFile:], 0) + 1
	}
	b := &besra.Budget{Members: 10_000, Bytes: 1 << 20, Member: 1 << 20}
	in := sourcetest.Expand(t.Context(), expander(), sourcetest.Packed{Name: "c.cab", Content: cab}, b)
	if len(in.Content) > 20 || in.Err == nil || !strings.Contains(in.Err.Error(), "the limit of bytes") {
		t.Errorf("got %d files and error %v, want few and the limit of bytes", len(in.Content), in.Err)
	}
}

func FuzzLZX(f *testing.F) {
	plain := program(5_000)
	for _, kind := range []int{lzxVerbatim, lzxAlign, lzxStored} {
		f.Add(15, pack(plain, 15, 2_000, 4_000, kind)[0], []byte(nil), 5_000)
	}
	f.Fuzz(func(t *testing.T, window int, first, second []byte, size int) {
		z, err := newLZX(window)
		if err != nil || size < 0 {
			return
		}
		for _, packed := range [][]byte{first, second} {
			plain, err := z.frame(packed, size)
			if len(plain) > min(size, lzxFrame) || err == nil && len(plain) != size {
				t.Errorf("%d bytes of %d, error %v", len(plain), size, err)
			}
			if err != nil {
				return
			}
		}
	})
}
