package regex

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCodec(t *testing.T) {
	for seed := range 500 {
		n := newNodeMaker(rand.New(rand.NewPCG(uint64(seed), 5))).node(3)
		p, err := Compile(n, Limits{Insts: 100000})
		if err != nil {
			t.Fatal(err)
		}
		b := p.AppendBinary([]byte("before"))
		q := new(Prog)
		rest, err := q.DecodeProg(append(b[len("before"):], "behind"...))
		if err != nil || string(rest) != "behind" {
			t.Fatalf("%v: rest %q, %v", n, rest, err)
		}
		if p.String() != q.String() || p.limit != q.limit || p.extent != q.extent {
			t.Errorf("got %v %v, want %v %v", q, q.extent, p, p.extent)
		}
		if again := q.AppendBinary(nil); !bytes.Equal(again, b[len("before"):]) {
			t.Errorf("%v: encoded anew %x, want %x", n, again, b)
		}
	}
}

func TestCodecIsCompact(t *testing.T) {
	n := Concat(Literal([]byte("abcdef")), Masked(0x40, 0xF0), Repeat(Class(AnyByte()), 4, 20, false), Class(setWord))
	p := mustCompile(t, n)
	if got, want := len(p.AppendBinary(nil)), 4+2+8+3+6+33; got > want {
		t.Errorf("got %d bytes, want at most %d", got, want)
	}
}

func TestDecodeProgRefuses(t *testing.T) {
	deep := append([]byte{codecVersion, 0}, bytes.Repeat([]byte{byte(OpRepeat), 1, 3}, 10000)...)
	tests := map[string]string{
		"empty":           "",
		"version":         "\x01\x00\x00",
		"no node":         "\x02\x00",
		"unknown tag":     "\x02\x00\x1F",
		"literal too big": "\x02\x00\x01\xFF\x01a",
		"number too big":  "\x02\x00\x05\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x00\x00",
		"number cut":      "\x02\x00\x05\x80",
		"too many subs":   "\x02\x00\x03\x7F\x00\x00",
		"assertion":       "\x02\x00\x06\x00",
		"assertion unit":  "\x02\x00\x06\xC3",
		"set cut":         "\x02\x00\x02" + strings.Repeat("a", 31),
		"too deep":        string(append(deep, byte(OpEmpty))),
		"no alternative":  "\x02\x00\x04\x00",
		"repeat of 0":     "\x02\x00\x05\x00\x01\x01\x01a",
		"bounds reversed": "\x02\x00\x05\x03\x03\x01\x01a",
		"too large":       "\x02\x00\x05\xA0\x8D\x06\x00\x05\xA0\x8D\x06\x00\x01\x01a",
	}
	for name, b := range tests {
		if _, err := new(Prog).DecodeProg([]byte(b)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDecodeProg(f *testing.F) {
	for seed := range uint64(20) {
		p, err := Compile(newNodeMaker(rand.New(rand.NewPCG(seed, 5))).node(3), Limits{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.AppendBinary(nil), []byte("aab-\n"))
	}
	m := new(Machine)
	f.Fuzz(func(t *testing.T, b, data []byte) {
		p, q := new(Prog), new(Prog)
		rest, err := p.DecodeProg(b)
		if err != nil {
			return
		}
		if len(rest) > len(b) {
			t.Fatal("rest is longer than all")
		}
		_, err = q.DecodeProg(appendNode(binary.AppendUvarint([]byte{codecVersion}, uint64(p.limit)), p.Node()))
		if err != nil || q.String() != p.String() {
			t.Fatalf("%v encoded and decoded is %v, %v", p, q, err)
		}
		if p.size < 2000 && len(data) < 64 {
			m.MatchAt(p, data, 0, 0)
			m.StartsBefore(p, data, len(data), 0, func(int) bool { return true })
			m.Find(p, data, 0)
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{`a(b|bc)*d??`, `\bab+?\B`, `[^a-c]{2,5}x`, `(?m)^a.*$`, `(a|b|)+c`, `.{3}a.{0,3}b`} {
		f.Add(s, []byte("abbcd\nab x"), false)
		f.Add(s, []byte("a\x00b\x00"), true)
	}
	machines := testMachines()
	f.Fuzz(func(t *testing.T, src string, data []byte, wide bool) {
		n, err := Parse(src, Options{Matches: true})
		if err != nil || len(data) > 24 || len(src) > 40 {
			return
		}
		if wide {
			n = n.Wide()
		}
		if size(n, 0) > 150 {
			return
		}
		checkNode(t, machines, n, data)
	})
}
