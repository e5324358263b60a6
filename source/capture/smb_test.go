package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/besra-hunt/besra/source/sourcetest"
)

// smbNumbers puts little-endian numbers of the sizes of their types together.
func smbNumbers(values ...any) string {
	var b bytes.Buffer
	for _, v := range values {
		if s, ok := v.(string); ok {
			b.WriteString(s)
			continue
		}
		binary.Write(&b, binary.LittleEndian, v)
	}
	return b.String()
}

func smbText(s string) string { return smbNumbers(utf16.Encode([]rune(s))) }

// smbHead is the header of a message.
type smbHead struct {
	command uint16
	status  uint32
	flags   uint32
	id      uint64
	tree    uint32
}

func (h smbHead) with(body string) string {
	return smbNumbers("\xfeSMB", uint16(64), uint16(1), h.status, h.command, uint16(1), h.flags, uint32(0), h.id, uint32(0), h.tree, uint64(9), strings.Repeat("s", 16)) + body
}

// smbFramed puts messages that are chained behind their length.
func smbFramed(messages ...string) string {
	for i := range messages[:len(messages)-1] {
		messages[i] += strings.Repeat("\x00", -len(messages[i])&7)
		messages[i] = messages[i][:20] + smbNumbers(uint32(len(messages[i]))) + messages[i][24:]
	}
	all := strings.Join(messages, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(all)))) + all
}

func smbID(n byte) string { return strings.Repeat(string([]byte{n}), 16) }

// What a client asks, and what a server answers.

func askTree(id uint64, share string) string {
	return smbFramed(smbHead{command: smbTreeConnect, id: id}.with(smbNumbers(uint16(9), uint16(0), uint16(72), uint16(2*len(share)), smbText(share))))
}

func sayTree(id uint64, tree uint32, kind byte) string {
	return smbFramed(smbHead{command: smbTreeConnect, id: id, tree: tree, flags: smbResponse}.with(smbNumbers(uint16(16), kind, strings.Repeat("\x00", 13))))
}

func createBody(path string) string {
	return smbNumbers(uint16(57), strings.Repeat("\x00", 42), uint16(120), uint16(2*len(path)), uint64(0), smbText(path))
}

func createdBody(id string, size int64) string {
	return smbNumbers(uint16(89), strings.Repeat("\x00", 46), size, uint64(0), id, uint64(0))
}

func askCreate(id uint64, path string) string {
	return smbFramed(smbHead{command: smbCreate, id: id, tree: 5}.with(createBody(path)))
}

func sayCreate(id uint64, file string, size int64) string {
	return smbFramed(smbHead{command: smbCreate, id: id, tree: 5, flags: smbResponse}.with(createdBody(file, size)))
}

func readBody(file string, at int64, size uint32) string {
	return smbNumbers(uint16(49), uint16(0), size, at, file, strings.Repeat("\x00", 17))
}

func askRead(id uint64, file string, at int64, size uint32) string {
	return smbFramed(smbHead{command: smbRead, id: id, tree: 5}.with(readBody(file, at, size)))
}

func dataBody(data string) string {
	return smbNumbers(uint16(17), byte(80), byte(0), uint32(len(data)), uint64(0), data)
}

func sayRead(id uint64, data string) string {
	return smbFramed(smbHead{command: smbRead, id: id, flags: smbResponse}.with(dataBody(data)))
}

func writeBody(file string, at int64, data string) string {
	return smbNumbers(uint16(49), uint16(112), uint32(len(data)), at, file, strings.Repeat("\x00", 16), data)
}

func askWrite(id uint64, file string, at int64, data string) string {
	return smbFramed(smbHead{command: smbWrite, id: id, tree: 5}.with(writeBody(file, at, data)))
}

func closeBody(file string) string { return smbNumbers(uint16(24), uint16(0), uint32(0), file) }

func askClose(id uint64, file string) string {
	return smbFramed(smbHead{command: smbClose, id: id, tree: 5}.with(closeBody(file)))
}

func sayClose(id uint64) string {
	return smbFramed(smbHead{command: smbClose, id: id, flags: smbResponse}.with(smbNumbers(uint16(60), strings.Repeat("\x00", 58))))
}

const (
	smbUp   = "c!tcp:10.0.0.5:5000>192.0.2.44:445!"
	smbDown = "c!tcp:192.0.2.44:445>10.0.0.5:5000!"
)

// smbLine is a turn of a talk: who speaks, and what.
type smbLine struct {
	from int
	data string
}

// smbBegin connects a share.
func smbBegin() []smbLine {
	return []smbLine{{0, askTree(1, `\\fs\pub`)}, {1, sayTree(1, 5, smbShareDisk)}}
}

func smbTrace(t testing.TB, size int, lines ...smbLine) *talk {
	k := newTrace(t).dial("10.0.0.5", 5000, "192.0.2.44", portSMB).open()
	for _, l := range lines {
		k.say(l.from, l.data, size)
	}
	return k
}

// files are the carved files among what was seen.
func (s seen) files() map[string]string {
	files := map[string]string{}
	for name, content := range s.content {
		if strings.Contains(name, `!\\`) {
			files[name] = content
		}
	}
	return files
}

func TestSMB(t *testing.T) {
	a, b := smbID(1), smbID(2)
	begin := smbBegin()
	opened := append(begin, smbLine{0, askCreate(2, `d\a.bin`)}, smbLine{1, sayCreate(2, a, 25)})
	created := append(begin, smbLine{0, askCreate(2, `d\a.bin`)}, smbLine{1, sayCreate(2, a, 0)})
	ended := []smbLine{{0, askClose(90, a)}, {1, sayClose(90)}}
	tests := []struct {
		name  string
		lines []smbLine
		want  map[string]string
		gaps  []string
	}{
		{"read at once", slices.Concat(opened, []smbLine{{0, askRead(3, a, 0, 100)}, {1, sayRead(3, marked[:25])}}, ended),
			map[string]string{smbDown + `\\fs\pub\d\a.bin`: marked[:25]}, nil},
		{"read out of order", slices.Concat(opened, []smbLine{{0, askRead(3, a, 0, 10)}, {0, askRead(4, a, 10, 10)}, {0, askRead(5, a, 20, 5)},
			{1, sayRead(5, marked[20:25])}, {1, sayRead(3, marked[:10])}, {1, sayRead(4, marked[10:20])}}, ended),
			map[string]string{smbDown + `\\fs\pub\d\a.bin`: marked[:25]}, nil},
		{"written out of order, no close", slices.Concat(created, []smbLine{{0, askWrite(4, a, 10, marked[10:])}, {0, askWrite(3, a, 0, marked[:10])}}),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: marked}, nil},
		{"written over", slices.Concat(created, []smbLine{{0, askWrite(3, a, 0, "0123456789")}, {0, askWrite(4, a, 8, "XYZ")}, {0, askWrite(5, a, 2, "ab")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "01ab4567XYZ"}, nil},
		{"two files at once", slices.Concat(created, []smbLine{{0, askCreate(3, "b")}, {1, sayCreate(3, b, 0)},
			{0, askWrite(4, a, 0, "aaa")}, {0, askWrite(5, b, 0, "bbb")}, {0, askWrite(6, a, 3, "AAA")}, {0, askWrite(7, b, 3, "BBB")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "aaaAAA", smbUp + `\\fs\pub\b`: "bbbBBB"}, nil},
		{"the same file twice", slices.Concat(created, []smbLine{{0, askWrite(3, a, 0, "one")}}, ended, created[2:], []smbLine{{0, askWrite(3, a, 0, "two")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "one", smbUp + `\\fs\pub\d\a.bin#2`: "two"}, nil},
		{"a chain", slices.Concat(begin, []smbLine{
			{0, smbFramed(smbHead{command: smbCreate, id: 2, tree: 5}.with(createBody("x")), smbHead{command: smbRead, id: 3, tree: 5, flags: smbRelated}.with(readBody(string(smbSame[:]), 0, 100)),
				smbHead{command: smbClose, id: 4, tree: 5, flags: smbRelated}.with(closeBody(string(smbSame[:]))))},
			{1, smbFramed(smbHead{command: smbCreate, id: 2, tree: 5, flags: smbResponse}.with(createdBody(a, 5)), smbHead{command: smbRead, id: 3, flags: smbResponse}.with(dataBody("hello")),
				smbHead{command: smbClose, id: 4, flags: smbResponse}.with(smbNumbers(uint16(60), strings.Repeat("\x00", 58))))}}),
			map[string]string{smbDown + `\\fs\pub\x`: "hello"}, nil},
		{"an answer that comes later", slices.Concat(opened, []smbLine{{0, askRead(3, a, 0, 100)},
			{1, smbFramed(smbHead{command: smbRead, id: 3, status: statusPending, flags: smbResponse | smbAsync}.with(smbNumbers(uint16(9), "1234567")))}, {1, sayRead(3, marked[:25])}}, ended),
			map[string]string{smbDown + `\\fs\pub\d\a.bin`: marked[:25]}, nil},
		{"a part only", slices.Concat(opened, []smbLine{{0, askRead(3, a, 0, 4)}, {1, sayRead(3, "head")}, {0, askRead(4, a, 20, 3)}, {1, sayRead(4, "end")}}, ended),
			map[string]string{smbDown + `\\fs\pub\d\a.bin`: "head", smbDown + `\\fs\pub\d\a.bin@20`: "end"}, []string{ReasonPartial}},
		{"no beginning", []smbLine{{0, askRead(3, a, 0, 100)}, {1, sayRead(3, marked)}},
			map[string]string{smbDown + `\\192.0.2.44\tree-5\handle-0101010101010101`: marked}, nil},
		{"no beginning, and no end", []smbLine{{0, askRead(3, a, 0, 4)}, {1, sayRead(3, "head")}},
			map[string]string{smbDown + `\\192.0.2.44\tree-5\handle-0101010101010101`: "head"}, []string{ReasonPartial}},
		{"in the middle of a message", slices.Concat([]smbLine{{0, askWrite(1, a, 0, strings.Repeat("0", 30))[100:]}}, begin, created[2:], []smbLine{{0, askWrite(3, a, 0, "one")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "one"}, nil},
		{"an answer alone", []smbLine{{1, sayRead(3, "data")}}, map[string]string{}, []string{ReasonMissing}},
		{"a pipe", slices.Concat([]smbLine{{0, askTree(1, `\\fs\IPC$`)}, {1, sayTree(1, 5, 2)}, {0, askCreate(2, "srvsvc")}, {1, sayCreate(2, a, 0)}, {0, askWrite(3, a, 0, "rpc")}}, ended),
			map[string]string{}, nil},
		{"encrypted, compressed", []smbLine{{0, smbFramed("\xfdSMB" + strings.Repeat("e", 60))}, {1, smbFramed("\xfcSMB" + strings.Repeat("e", 60))}},
			map[string]string{}, []string{ReasonCompressed, ReasonEncrypted}},
		{"SMB1", []smbLine{{0, smbFramed("\xffSMB\x72" + strings.Repeat("n", 60))}, {1, smbFramed("\xffSMB\x72" + strings.Repeat("n", 60))}},
			map[string]string{}, []string{ReasonUndecoded}},
		{"SMB1 that goes on as SMB2", slices.Concat([]smbLine{{0, smbFramed("\xffSMB\x72" + strings.Repeat("n", 60))}}, created, []smbLine{{0, askWrite(3, a, 0, "one")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "one"}, nil},
		{"keep-alives", slices.Concat(created, []smbLine{{0, "\x85\x00\x00\x00"}, {0, askWrite(3, a, 0, "one")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin`: "one"}, nil},
		{"far away", slices.Concat(created, []smbLine{{0, askWrite(3, a, 1<<50, "far")}}, ended),
			map[string]string{smbUp + `\\fs\pub\d\a.bin@1125899906842624`: "far"}, []string{ReasonPartial}},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 1000} {
			t.Run(fmt.Sprint(tt.name, " in ", size), func(t *testing.T) {
				s := see(t, Config{}, smbTrace(t, size, tt.lines...).pcap())
				if got := s.files(); fmt.Sprint(got) != fmt.Sprint(tt.want) || !slices.Equal(s.gaps, tt.gaps) {
					t.Errorf("got %q and gaps %q, want %q and %q", got, s.gaps, tt.want, tt.gaps)
				}
			})
		}
	}
}

func TestSMBFacts(t *testing.T) {
	a := smbID(1)
	lines := append(smbBegin(), smbLine{0, askCreate(2, `d\a.bin`)}, smbLine{1, sayCreate(2, a, 5)}, smbLine{0, askRead(3, a, 0, 9)}, smbLine{1, sayRead(3, "hello")})
	name := smbDown + `\\fs\pub\d\a.bin`
	s := see(t, Config{}, smbTrace(t, 100, lines...).pcap())
	s.fact(t, name, "net.src.ip", "192.0.2.44")
	s.fact(t, name, "net.dst.port", 5000)
	s.fact(t, name, "net.host", "fs")
	s.fact(t, name, "net.url", "smb://fs/pub/d/a.bin")
	s = see(t, Config{}, smbTrace(t, 100, append(lines[:3:3], smbLine{1, sayCreate(2, a, 6)}, smbLine{0, askRead(3, a, 0, 5)}, smbLine{1, sayRead(3, "hello")})...).pcap())
	if f := s.facts[name].Fact(t.Context(), "file.sha256"); f.Known() {
		t.Errorf("the digest of a part: got %v, want none", f.Value)
	}
}

// TestSMBHole: a message whose middle is missing gives what there is of it, and
// what comes behind it is read.
func TestSMBHole(t *testing.T) {
	a := smbID(1)
	k := smbTrace(t, 1000, append(smbBegin(), smbLine{0, askCreate(2, "a")}, smbLine{1, sayCreate(2, a, 0)})...)
	long := askWrite(3, a, 0, strings.Repeat("0", 400))
	k.say(0, long[:300], 100)
	k.seq[0] += uint32(len(long) - 300)
	k.say(0, askWrite(4, a, 400, "more"), 100)
	s := see(t, Config{}, k.pcap())
	s.want(t, smbUp+`\\fs\pub\a`, strings.Repeat("0", 300-4-112))
	s.want(t, smbUp+`\\fs\pub\a@400`, "more")
	if want := []string{ReasonMissing, ReasonPartial}; !slices.Equal(s.gaps, want) {
		t.Errorf("gaps: got %q, want %q", s.gaps, want)
	}
}

// TestSMBParts: a file that is larger than may be held is scanned in parts that
// overlap.
func TestSMBParts(t *testing.T) {
	a := smbID(1)
	lines := append(smbBegin(), smbLine{0, askCreate(2, "a")}, smbLine{1, sayCreate(2, a, 0)})
	content := strings.Repeat("0123456789abcdef", 1000)
	for at := 0; at < len(content); at += 500 {
		lines = append(lines, smbLine{0, askWrite(3, a, int64(at), content[at:at+500])})
	}
	s := see(t, Config{Held: 20_000, Window: 2000, Overlap: 100}, smbTrace(t, 1000, lines...).pcap())
	joined := map[int]string{}
	for name, part := range s.files() {
		at := 0
		fmt.Sscanf(name, smbUp+`\\fs\pub\a@%d`, &at)
		joined[at] = part
		if len(part) > 6000 {
			t.Errorf("%s has %d bytes", name, len(part))
		}
	}
	got := ""
	for len(joined) > 0 {
		at := max(0, len(got)-100)
		part, ok := joined[at]
		if !ok {
			t.Fatalf("no part at %d, names %q", at, s.names())
		}
		delete(joined, at)
		got = got[:at] + part
	}
	if got != content || !slices.Equal(s.gaps, []string{ReasonPartial}) {
		t.Errorf("got %d bytes and gaps %q, want %d", len(got), s.gaps, len(content))
	}
}

// TestSMBHeld: whatever clients send, what is held is bounded and given back.
func TestSMBHeld(t *testing.T) {
	tr := newTrace(t)
	for i := range 30 {
		k := tr.dial("10.0.0.5", uint16(5000+i), "192.0.2.44", portSMB).open()
		for _, l := range smbBegin() {
			k.say(l.from, l.data, 1000)
		}
		for j := range 30 {
			k.say(0, askCreate(uint64(10+j), "a"), 1000)
			k.say(1, sayCreate(uint64(10+j), smbID(byte(j)), 0), 1000)
			k.say(0, askWrite(uint64(100+j), smbID(byte(j)), int64(9999-j*300), strings.Repeat("z", 250)), 1000)
		}
		k.say(0, "\x00\xff\xff\xff\xfeSMB"+strings.Repeat("x", 1000), 1000)
	}
	defaults, err := New(Config{Reader: bytes.NewReader(nil), Name: "c", Held: 300_000, Overlap: 10})
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder(t.Context(), &defaults.config, &sourcetest.Recorder{})
	in, err := readPackets(bytes.NewReader(tr.pcap()))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.run(in); err != nil {
		t.Fatal(err)
	}
	if d.streams.held != 0 || len(d.streams.smb.files) != 0 {
		t.Errorf("%d bytes of %d files are left", d.streams.held, len(d.streams.smb.files))
	}
}

// FuzzSMB holds the carver to its books: no panic, and nothing is left.
func FuzzSMB(f *testing.F) {
	a := smbID(1)
	f.Add([]byte(askTree(1, `\\fs\pub`)+askCreate(2, "a")+askRead(3, a, 0, 10)+askWrite(4, a, 5, "hello")+askClose(5, a)),
		[]byte(sayTree(1, 5, 1)+sayCreate(2, a, 20)+sayRead(3, "0123456789")+sayClose(5)), uint8(7))
	f.Add([]byte("\x00\x00\x00\x40\xfdSMB"+strings.Repeat("e", 60)), []byte("\x00\x00\x00\x40\xffSMB\x72"+strings.Repeat("e", 59)), uint8(50))
	f.Fuzz(func(t *testing.T, up, down []byte, step uint8) {
		src, err := New(Config{Reader: bytes.NewReader(nil), Name: "c", Held: 1 << 16, Overlap: 16})
		if err != nil {
			t.Fatal(err)
		}
		d := &decoder{ctx: t.Context(), config: &src.config, to: &sourcetest.Recorder{}}
		d.streams = newStreams(d)
		c := &conversation{streams: d.streams}
		c.smb = newSMBTalk(c)
		n := int(step) + 1
		for len(up)+len(down) > 0 {
			for i, b := range []*[]byte{&up, &down} {
				k := min(n, len(*b))
				c.smb.feed(i, (*b)[:k])
				*b = (*b)[k:]
			}
			if c.held > d.config.Held {
				c.smb.relieve()
			}
		}
		c.smb.finish()
		if c.held != 0 || len(c.smb.open) != 0 || len(d.streams.smb.files) != 0 {
			t.Errorf("%d bytes, %d open files are left", c.held, len(c.smb.open))
		}
	})
}
