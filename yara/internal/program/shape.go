package program

import (
	"hash"
	"hash/fnv"

	"github.com/besra-hunt/besra/yara/module"
)

// Shape digests the schema of a module: the names, kinds, constants and
// overloads, in order, that compiled conditions rely on, and the first bytes of
// its targets. Documentation does not count.
func Shape(m *module.Module) uint64 {
	s := shaper{Hash64: fnv.New64a(), seen: make(map[*module.Type]int)}
	s.text(m.Name)
	for _, magic := range m.Magic {
		s.Write([]byte{byte(magic), byte(magic >> 8)})
	}
	s.schema(m.Schema)
	return s.Sum64()
}

type shaper struct {
	hash.Hash64
	seen map[*module.Type]int // types may be recursive
}

func (s *shaper) byte(b byte) { s.Write([]byte{b}) }

func (s *shaper) text(t string) {
	s.Write([]byte(t))
	s.byte(0)
}

func (s *shaper) schema(t *module.Type) {
	if t == nil {
		s.byte(0xFF)
		return
	}
	if n, ok := s.seen[t]; ok {
		s.Write([]byte{0xFE, byte(n), byte(n >> 8)})
		return
	}
	s.seen[t] = len(s.seen)
	s.byte(byte(t.Kind))
	switch t.Kind {
	case module.Array:
		s.schema(t.Elem)
	case module.Map:
		s.byte(byte(t.Key))
		s.schema(t.Elem)
	case module.Struct:
		for _, f := range t.Fields {
			s.field(f)
		}
		s.byte(0xFD)
	}
}

func (s *shaper) field(f *module.Field) {
	s.text(f.Name)
	switch {
	case f.Funcs != nil:
		for _, fn := range f.Funcs {
			s.byte('(')
			for _, p := range fn.Params {
				s.byte(byte(p))
			}
			s.byte(')')
			s.schema(fn.Result)
		}
	case f.Const.Defined():
		s.constant(f.Const)
	default:
		s.schema(f.Type)
	}
}

func (s *shaper) constant(v module.Value) {
	s.byte(byte(v.Kind()))
	switch v.Kind() {
	case module.String:
		t, _ := v.Text()
		s.text(t)
	default:
		i, _ := v.Int()
		for shift := 0; shift < 64; shift += 8 {
			s.byte(byte(uint64(i) >> shift))
		}
	}
}
