package pe_test

import (
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/pe"
)

// FuzzPE asks for everything of a file in both dialects. The seeds are made
// by hand: the fuzzer finds its own way to the damage.
func FuzzPE(f *testing.F) {
	for _, b := range []*builder{sample(false), sample(true), visualC6(), {}} {
		f.Add(b.bytes())
	}
	c := newCast(f)
	stamp := &signing{by: c.stamper, certificates: []*identity{c.stamper}}
	for _, unsigned := range []func([]byte) [][]byte{nil, countersign(stamp), timestamp(stamp)} {
		s := c.signing()
		s.opus = opusInfo("a", "b")
		s.unsigned = unsigned
		b := &builder{}
		file := b.bytes()
		f.Add(sign(file, s.contentInfo(file)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		visit(data, false)
		visit(data, true)
	})
}

// FuzzSignature gives the fuzzer a signature alone, in a file that is sound.
func FuzzSignature(f *testing.F) {
	c := newCast(f)
	file := unsignedFile(false)
	stamp := &signing{by: c.stamper, certificates: []*identity{c.stamper}}
	inner := c.signing().contentInfo(file)
	for _, unsigned := range []func([]byte) [][]byte{nil, countersign(stamp), timestamp(stamp), nest(inner)} {
		s := c.signing()
		s.unsigned = unsigned
		f.Add(s.contentInfo(file))
	}
	f.Fuzz(func(t *testing.T, signature []byte) {
		data := sign(unsignedFile(false), signature)
		visit(data, false)
		visit(data, true)
	})
}

// BenchmarkLoad is what a rule pays that asks for one field of a header, and
// for the import hash.
func BenchmarkLoad(b *testing.B) {
	m := pe.Module()
	data := sample(false).bytes()
	in := new(module.Input)
	b.Run("header", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in.Reset(b.Context(), data, in.Time)
			m.Load(in).Field(1)
		}
	})
	b.Run("imphash", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in.Reset(b.Context(), data, in.Time)
			call(in, m.Load(in), module.Value{}, imphash(m))
		}
	})
}

func imphash(m *module.Module) *module.Func {
	for _, f := range m.Schema.Fields {
		if f.Name == "imphash" {
			return f.Funcs[0]
		}
	}
	return nil
}
