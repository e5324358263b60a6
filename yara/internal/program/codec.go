package program

import (
	"github.com/besra-hunt/besra/yara/internal/atom"
	"github.com/besra-hunt/besra/yara/internal/regex"
)

// atomSize is the least number of bytes of an encoded atom.
const atomSize = 5

// prog writes a regexp, which may be nil.
func (e *encoder) prog(p *regex.Prog) {
	e.bool(p != nil)
	if p != nil {
		e.data = p.AppendBinary(e.data)
	}
}

func (d *decoder) prog() *regex.Prog {
	if !d.bool() || d.failed {
		return nil
	}
	p := &carve(&d.rooms.progs, 1)[0]
	rest, err := p.DecodeProg(d.data)
	if err != nil {
		d.fail()
		d.err = err
		return nil
	}
	d.data = rest
	return p
}

func (e *encoder) atom(a *atom.Atom) {
	e.bytes(a.Bytes)
	e.bool(a.Fold)
	e.int(int64(a.Offset))
	e.int(int64(a.Delta))
	e.bool(a.Exact)
}

func (d *decoder) atom(a *atom.Atom) {
	a.Bytes, a.Fold, a.Offset = d.bytes(), d.bool(), int(d.int32())
	a.Delta, a.Exact = int(d.int32()), d.bool()
}
