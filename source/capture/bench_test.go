package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/sourcetest"
)

var (
	mixedFile = flag.String("mixed", "", "write a capture of mixed traffic into this file, for measurements of the whole program")
	mixedSize = flag.Int64("mixed-size", 1<<30, "bytes of that capture")
)

// traffic makes mixed traffic: downloads by HTTP (text, gzip, programs), TLS and
// DNS, in many small and few large conversations of which 48 are open at once.
// Three of a hundred packets come late, one of a hundred twice.
type traffic struct {
	out     *bufio.Writer
	random  *rand.Rand
	written int64
	packets int
	texts   []byte
	program []byte
	noise   []byte
	late    []byte // a packet that comes after the next one
}

// exchange is one conversation under way.
type exchange struct {
	client, server [4]byte
	ports          [2]uint16
	seq            [2]uint32
	turns          [][]byte // the client's first
	turn, at       int
}

func newTraffic(w io.Writer) *traffic {
	tr := &traffic{out: bufio.NewWriterSize(w, 1<<20), random: rand.New(rand.NewPCG(1, 2))}
	head := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	head = binary.LittleEndian.AppendUint32(head, 2|4<<16)
	head = append(head, make([]byte, 8)...)
	head = binary.LittleEndian.AppendUint32(head, 1<<18)
	head = binary.LittleEndian.AppendUint32(head, 1)
	tr.out.Write(head)
	words := strings.Fields("the of div class span href src script function return var if else data value content width height style color font-size http://www.example.com/ 0 1 2 10 100 <p> </p> <li> </li> { } ; ( ) = + image title alt /> json true false null")
	for len(tr.texts) < 4<<20 {
		tr.texts = append(append(tr.texts, words[tr.random.IntN(len(words))]...), ' ')
	}
	tr.program, _ = os.ReadFile(os.Args[0])
	tr.noise = make([]byte, 8<<20)
	for i := 0; i < len(tr.noise); i += 8 {
		binary.LittleEndian.PutUint64(tr.noise[i:], tr.random.Uint64())
	}
	return tr
}

// some returns n bytes of a reservoir from anywhere in it.
func (tr *traffic) some(from []byte, n int) []byte {
	if n >= len(from) {
		return from
	}
	at := tr.random.IntN(len(from) - n)
	return from[at : at+n]
}

// size is that of a body: most are small, most bytes are in large ones.
func (tr *traffic) size() int {
	n := 500 << tr.random.IntN(8)
	if tr.random.IntN(20) == 0 {
		n <<= 6
	}
	return n + tr.random.IntN(n)
}

func (tr *traffic) begin() *exchange {
	e := &exchange{client: [4]byte{10, 0, byte(tr.random.Uint32()), byte(tr.random.Uint32())}, server: [4]byte{192, 0, 2, byte(tr.random.Uint32())},
		ports: [2]uint16{uint16(1024 + tr.random.IntN(60000)), 80}, seq: [2]uint32{tr.random.Uint32(), tr.random.Uint32()}}
	if tr.random.IntN(2) == 0 {
		e.ports[1] = 443
		hello := tr.some(tr.noise, 500)
		e.turns = [][]byte{hello, tr.some(tr.noise, 4000), hello[:100], tr.some(tr.noise, tr.size())}
		return e
	}
	for range 1 + tr.random.IntN(4) {
		e.turns = append(e.turns, fmt.Appendf(nil, "GET /a/%d HTTP/1.1\r\nHost: files.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n", tr.random.Uint32()), tr.body())
	}
	return e
}

func (tr *traffic) body() []byte {
	var b bytes.Buffer
	switch n := tr.size(); tr.random.IntN(4) {
	case 0:
		b.Write(tr.some(tr.texts, n))
	case 1:
		b.Write(tr.some(tr.program, n))
	case 2:
		b.Write(tr.some(tr.noise, n))
	default:
		z, _ := gzip.NewWriterLevel(&b, 1)
		z.Write(tr.some(tr.texts, n))
		z.Close()
		return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", b.Len()), b.Bytes()...)
	}
	return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", b.Len()), b.Bytes()...)
}

// write makes traffic until there are so many bytes of it.
func (tr *traffic) write(size int64) error {
	var open [48]*exchange
	for tr.written < size {
		i := tr.random.IntN(len(open))
		if open[i] == nil {
			open[i] = tr.begin()
			tr.segment(open[i], 0, 0x02, nil)
			tr.segment(open[i], 1, 0x12, nil)
			tr.lookUp(open[i])
		}
		// A sender has several segments under way.
		for range 1 + tr.random.IntN(8) {
			if !tr.step(open[i]) {
				open[i] = nil
				break
			}
		}
	}
	return tr.out.Flush()
}

func (tr *traffic) step(e *exchange) bool {
	if e.turn == len(e.turns) {
		tr.segment(e, 0, 0x11, nil)
		tr.segment(e, 1, 0x11, nil)
		return false
	}
	data, from := e.turns[e.turn], e.turn%2
	n := min(1448, len(data)-e.at)
	tr.segment(e, from, 0x18, data[e.at:e.at+n])
	if e.at += n; e.at%(2*1448) == 0 {
		tr.segment(e, 1-from, 0x10, nil)
	}
	if e.at == len(data) {
		e.turn, e.at = e.turn+1, 0
	}
	return true
}

func (tr *traffic) segment(e *exchange, from int, flags byte, data []byte) {
	p := tr.ip(e, from, 6, 20+len(data))
	p = binary.BigEndian.AppendUint16(p, e.ports[from])
	p = binary.BigEndian.AppendUint16(p, e.ports[1-from])
	p = binary.BigEndian.AppendUint32(p, e.seq[from])
	p = binary.BigEndian.AppendUint32(p, e.seq[1-from])
	p = append(p, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	p = append(p, data...)
	e.seq[from] += uint32(len(data))
	if flags&3 != 0 {
		e.seq[from]++
	}
	tr.packet(p, len(data) > 0)
}

func (tr *traffic) ip(e *exchange, from int, proto byte, size int) []byte {
	p := make([]byte, 0, 14+20+size)
	p = append(p, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0)
	p = append(p, 0x45, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(20+size))
	p = append(p, 0, 0, 0x40, 0, 64, proto, 0, 0)
	ends := [2][4]byte{e.client, e.server}
	return append(append(p, ends[from][:]...), ends[1-from][:]...)
}

// lookUp asks DNS for a name.
func (tr *traffic) lookUp(e *exchange) {
	question := fmt.Appendf(nil, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08%08x\x07example\x00\x00\x01\x00\x01", tr.random.Uint32())
	p := tr.ip(e, 0, 17, 8+len(question))
	p = binary.BigEndian.AppendUint16(p, e.ports[0])
	p = binary.BigEndian.AppendUint16(p, portDNS)
	p = binary.BigEndian.AppendUint16(p, uint16(8+len(question)))
	tr.packet(append(append(p, 0, 0), question...), false)
}

func (tr *traffic) packet(p []byte, mayBeLate bool) {
	dice := tr.random.IntN(100)
	if mayBeLate && dice < 3 && tr.late == nil {
		tr.late = p
		return
	}
	tr.record(p)
	if dice == 99 {
		tr.record(p)
	}
	if tr.late != nil {
		tr.record(tr.late)
		tr.late = nil
	}
}

func (tr *traffic) record(p []byte) {
	tr.packets++
	var head [16]byte
	at := uint64(tr.written / 125) // microseconds at a gigabit a second
	binary.LittleEndian.PutUint32(head[0:], uint32(1700000000+at/1e6))
	binary.LittleEndian.PutUint32(head[4:], uint32(at%1e6))
	binary.LittleEndian.PutUint32(head[8:], uint32(len(p)))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(p)))
	tr.out.Write(head[:])
	tr.out.Write(p)
	tr.written += int64(len(head) + len(p))
}

// BenchmarkCapture reads mixed traffic and opens what is in it, without an
// engine. With -mixed it only writes the traffic into a file.
func BenchmarkCapture(b *testing.B) {
	if *mixedFile != "" {
		f, err := os.Create(*mixedFile)
		if err == nil {
			err = newTraffic(f).write(*mixedSize)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		b.SkipNow()
	}
	var traffic bytes.Buffer
	if err := newTraffic(&traffic).write(64 << 20); err != nil {
		b.Fatal(err)
	}
	for _, opened := range []bool{false, true} {
		b.Run(fmt.Sprintf("opened=%v", opened), func(b *testing.B) {
			b.SetBytes(int64(traffic.Len()))
			b.ReportAllocs()
			for b.Loop() {
				readTraffic(b, traffic.Bytes(), opened)
			}
		})
	}
}

// tally takes targets and forgets them.
type tally struct {
	on   func(besra.Target) error
	gaps int64
}

func (c *tally) Target(t besra.Target) error { return c.on(t) }
func (c *tally) Gap(g besra.Gap)             { c.gaps += g.Count }

func readTraffic(b *testing.B, traffic []byte, opened bool) {
	src, err := New(Config{Reader: bytes.NewReader(traffic), Name: "c"})
	if err != nil {
		b.Fatal(err)
	}
	inside := &tally{on: func(t besra.Target) error {
		_, err := t.Open(b.Context())
		return err
	}}
	to := &tally{on: func(t besra.Target) error {
		c, err := t.Open(b.Context())
		if err == nil && opened {
			err = Expander{}.Expand(b.Context(), t, c.Bytes(), sourcetest.Ample(), inside)
		}
		return err
	}}
	if err := src.Run(b.Context(), to); err != nil {
		b.Fatal(err)
	}
}
