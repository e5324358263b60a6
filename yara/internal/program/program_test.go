package program

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara/internal/regex"
	"github.com/besra-hunt/besra/yara/module"
)

// sample is a program that has one of everything that an encoding must keep.
func sample(t testing.TB) *Program {
	t.Helper()
	re, err := regex.Parse("ab+[c-e]", regex.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prog, err := regex.Compile(re, regex.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{
		Dialect:    LibYARA,
		Namespaces: []Namespace{{Name: "default", Globals: []int32{0}}, {Name: "other"}},
		Modules:    []Module{{Name: "pe", Shape: 1 << 63}},
		Externals: []External{{"b", module.Boolean(true)}, {"f", module.Float64(math.Inf(-1))},
			{"i", module.Int(math.MinInt64)}, {"s", module.Text("x\x00y")}},
		Texts:   []string{"", "text"},
		Regexps: []RegexpLit{{Source: "ab+[c-e]", Prog: prog}},
		Patterns: []Pattern{
			{Needles: []Needle{{Kind: Literal, Bytes: []byte("abc"), Fold: true, Boundary: WordBoundary}}, At: -1, Cost: 0.5},
			{Needles: []Needle{{Kind: Xor, Bytes: []byte("abc"), XorLo: 1, XorHi: 255}}, Positions: true, At: -1},
			{Needles: []Needle{{Kind: Base64, Bytes: []byte("YW"), Base64: &Base64Text{strings.Repeat("a", 64), 2, []byte("a"), true}}}, At: 0},
			{Needles: []Needle{{Kind: Regexp, Expression: &Expression{Forward: prog, Reverse: prog, MinLen: 2}}}, Longest: true, At: -1},
		},
		Lists: []int32{0, 1, 2, 0, 1},
	}
	none := Node{A: None, B: None, C: None, Quant: Quant{N: None}}
	add := func(n Node, set func(*Node)) {
		op, kind := n.Op, n.Kind
		n = none
		n.Op, n.Kind = op, kind
		set(&n)
		p.Nodes = append(p.Nodes, n)
	}
	add(Node{Op: OpFound, Kind: module.Bool}, func(n *Node) { n.V = 1 })
	add(Node{Op: OpBool, Kind: module.Bool}, func(n *Node) { n.V = 1 })
	add(Node{Op: OpMatches, Kind: module.Bool}, func(n *Node) { n.A = 3 })
	p.Nodes = append(p.Nodes[:2], none, p.Nodes[2])
	p.Nodes[2].Op, p.Nodes[2].Kind, p.Nodes[2].V = OpText, module.String, 1
	p.Nodes[3].A = 2
	p.Lists = []int32{0, 1, 3, 2, 3}
	add(Node{Op: OpAnd, Kind: module.Bool}, func(n *Node) { n.L, n.N = 0, 3 })
	add(Node{Op: OpRule, Kind: module.Bool}, func(n *Node) { n.V = 0 })
	add(Node{Op: OpFound, Kind: module.Bool}, func(n *Node) { n.V = -1 })
	add(Node{Op: OpForOf, Kind: module.Bool}, func(n *Node) { n.C, n.L, n.N, n.Quant.Kind = 6, 3, 2, QuantAny })
	p.Rules = []Rule{
		{Name: "a", Global: true, Patterns: []int32{1}, Condition: 4,
			Anchors: []int32{1}, Gate: Gate{MinSize: 3, MaxSize: math.MaxInt64, Headers: []Header{{4, 2, 0xFFFF, 0x5A4D}}}},
		{Name: "b", Namespace: 1, Private: true, Condition: 5, Gate: Gate{MaxSize: 10}},
		{Name: "c", Namespace: 1, Condition: 7, Slots: 1, Gate: Gate{MaxSize: 10}, Anchors: []int32{}},
	}
	p.Labels.Add(&Label{Tags: []string{"x", "y"}, Meta: []Meta{{"k", module.Int(-1)}, {"k", module.Text("v")}},
		Patterns: []PatternLabel{{ID: "$a", Private: true, Kind: HexPattern}}, Origin: "f.yar", Line: 3, Column: 4})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

func encoded(t testing.TB, p *Program) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dumped(t testing.TB, p *Program) string {
	t.Helper()
	var b bytes.Buffer
	if err := Dump(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	p := sample(t)
	data := encoded(t, p)
	q, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dumped(t, p), dumped(t, q)); diff != "" {
		t.Errorf("-made +read:\n%s", diff)
	}
	if again := encoded(t, q); !bytes.Equal(again, data) {
		t.Error("encoding what was read gives other bytes")
	}
	if q.Rules[1].Anchors != nil || q.Rules[2].Anchors == nil {
		t.Errorf("anchors: got %v and %v, want nil and an empty list", q.Rules[1].Anchors, q.Rules[2].Anchors)
	}
}

// TestLabels asks for a label from many sides at once, which all get the same.
func TestLabels(t *testing.T) {
	q, err := DecodeUnbound(bytes.NewReader(encoded(t, sample(t))))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if x := q.Label(0); x.Origin != "f.yar" || len(x.Meta) != 2 || x.Patterns[0].ID != "$a" {
				t.Errorf("got %+v", x)
			}
		})
	}
	wg.Wait()
	if first := q.Label(0); first != q.Label(0) {
		t.Error("a label is decoded again")
	}
	q.Labels.encoded[len(q.Labels.encoded)-1] ^= 0x80 // of the last rule
	if x := q.Label(2); len(x.Patterns) != len(q.Rules[2].Patterns) || x.Origin != "" {
		t.Errorf("a label that is not whole: got %+v", x)
	}
}

func TestDecodeErrors(t *testing.T) {
	data := encoded(t, sample(t))
	change := func(at int, b byte) []byte {
		d := bytes.Clone(data)
		d[at] ^= b
		return d
	}
	tests := []struct {
		name string
		data []byte
		want error
		text string
	}{
		{"empty", nil, ErrNotProgram, ""},
		{"other file", []byte(strings.Repeat("MZ", 100)), ErrNotProgram, ""},
		{"version", change(8, 0x40), nil, "compile the rules again"},
		{"cut", data[:len(data)-1], ErrDamaged, ""},
		{"flipped", change(len(data)-20, 1), ErrDamaged, "checksum"},
		{"size", change(18, 1), ErrDamaged, ""},
	}
	for _, test := range tests {
		_, err := Decode(bytes.NewReader(test.data))
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: got %v, want %v %q", test.name, err, test.want, test.text)
		}
	}
}

// TestDecodeFlips flips every bit of an encoded program behind a right
// checksum: what is accepted must be whole.
func TestDecodeFlips(t *testing.T) {
	data := encoded(t, sample(t))
	for i := headerSize; i < len(data); i++ {
		for bit := range 8 {
			d := bytes.Clone(data)
			d[i] ^= 1 << bit
			seal(d)
			if p, err := Decode(bytes.NewReader(d)); err == nil {
				dumped(t, p)
			}
		}
	}
}

// seal sets the checksum of an encoded program.
func seal(data []byte) {
	binary.LittleEndian.PutUint64(data[12:], uint64(len(data)-headerSize))
	binary.LittleEndian.PutUint32(data[20:], crc32.Checksum(data[headerSize:], castagnoli))
}

// FuzzDecode reads any bytes as a program, behind a right header. It must not
// panic, and what it accepts must be whole and survive being written again.
func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, sample(f)))
	f.Add(encoded(f, &Program{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < headerSize {
			return
		}
		data = bytes.Clone(data)
		copy(data, magic)
		binary.LittleEndian.PutUint32(data[8:], version)
		seal(data)
		p, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		dumped(t, p)
		if _, err := Decode(bytes.NewReader(encoded(t, p))); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		break_ func(p *Program)
	}{
		{"root of another kind", func(p *Program) { p.Rules[0].Condition = 2 }},
		{"root past the end", func(p *Program) { p.Rules[0].Condition = 99 }},
		{"operand behind its user", func(p *Program) { p.Nodes[3].A = 5 }},
		{"operand missing", func(p *Program) { p.Nodes[3].A = None }},
		{"operand too many", func(p *Program) { p.Nodes[3].B = 0 }},
		{"operand of a wrong kind", func(p *Program) { p.Nodes[3].A = 1 }},
		{"node used twice", func(p *Program) { p.Lists[1] = 0 }},
		{"list past the end", func(p *Program) { p.Nodes[4].N = 10 }},
		{"list where none is taken", func(p *Program) { p.Nodes[3].N = 1 }},
		{"pattern past the end", func(p *Program) { p.Nodes[0].V = 4 }},
		{"pattern slot not set", func(p *Program) { p.Nodes[0].V = -1 }},
		{"slot past the end", func(p *Program) { p.Nodes[7].V = 1 }},
		{"value slot read as pattern", func(p *Program) { p.Nodes[7].Op = OpForList }},
		{"rule refers to itself", func(p *Program) { p.Nodes[5].V = 1 }},
		{"text past the end", func(p *Program) { p.Nodes[2].V = 2 }},
		{"regexp past the end", func(p *Program) { p.Nodes[3].V = 1 }},
		{"unknown operation", func(p *Program) { p.Nodes[3].Op = 255 }},
		{"quantifier where none is taken", func(p *Program) { p.Nodes[4].Quant.N = 0 }},
		{"unknown quantifier", func(p *Program) { p.Nodes[7].Quant.Kind = 9 }},
		{"anchor past the end", func(p *Program) { p.Rules[0].Anchors[0] = 4 }},
		{"rule pattern past the end", func(p *Program) { p.Rules[0].Patterns[0] = -1 }},
		{"namespace past the end", func(p *Program) { p.Rules[0].Namespace = 2 }},
		{"global of another namespace", func(p *Program) { p.Namespaces[0].Globals[0] = 1 }},
		{"header width", func(p *Program) { p.Rules[0].Gate.Headers[0].Width = 3 }},
		{"needle without bytes", func(p *Program) { p.Patterns[0].Needles[0].Bytes = nil }},
		{"regexp without program", func(p *Program) { p.Patterns[3].Needles[0].Expression.Forward = nil }},
		{"alphabet", func(p *Program) { p.Patterns[2].Needles[0].Base64.Alphabet = "abc" }},
		{"no needles", func(p *Program) { p.Patterns[0].Needles = nil }},
		{"dialect", func(p *Program) { p.Dialect = 7 }},
		{"meta", func(p *Program) { p.Label(0).Meta[0].Value = module.Value{} }},
		{"external", func(p *Program) { p.Externals[0].Value = module.Value{} }},
	}
	for _, test := range tests {
		p := sample(t)
		test.break_(p)
		if p.Check() == nil {
			t.Errorf("%s: got no error", test.name)
		}
	}
}

func TestShape(t *testing.T) {
	schema := func(change func(*module.Type)) uint64 {
		s := &module.Type{Kind: module.Struct, Fields: []*module.Field{
			{Name: "a", Type: &module.Type{Kind: module.Integer}},
			{Name: "c", Const: module.Int(3)},
			{Name: "f", Funcs: []*module.Func{{Params: []module.Kind{module.String}, Result: &module.Type{Kind: module.Bool}}}},
		}}
		change(s)
		return Shape(&module.Module{Name: "m", Schema: s})
	}
	base := schema(func(*module.Type) {})
	if doc := schema(func(s *module.Type) { s.Fields[0].Doc = "words" }); doc != base {
		t.Error("documentation changes the shape")
	}
	for name, change := range map[string]func(*module.Type){
		"name":     func(s *module.Type) { s.Fields[0].Name = "b" },
		"kind":     func(s *module.Type) { s.Fields[0].Type.Kind = module.Float },
		"constant": func(s *module.Type) { s.Fields[1].Const = module.Int(4) },
		"overload": func(s *module.Type) { s.Fields[2].Funcs[0].Params = nil },
		"order":    func(s *module.Type) { s.Fields[0], s.Fields[1] = s.Fields[1], s.Fields[0] },
	} {
		if schema(change) == base {
			t.Errorf("%s: got the same shape", name)
		}
	}
}
