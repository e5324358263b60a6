package capture

import (
	"bytes"
	"io"
)

// portion is what a window holds of a body.
type portion struct {
	body          // as it was before
	raw    []byte // in its coding
	size   int64  // without it
	short  bool   // the body does not end here
	goesOn bool   // but in another window
}

// bodies calls each with what there is of every body, and returns what is left
// behind the last of them that is no whole head.
func (d *dialogue) bodies(each func(f *framer, p portion) error) (rest []byte, err error) {
	f, at := d.framer, d.window.from
	for ok := true; ok; {
		var n int
		before := f.body
		n, ok = f.step(d.content[at:])
		if before.coding != 0 && (n > 0 || ok) {
			if err := each(&f, d.portion(before, &f, at, n)); err != nil {
				return nil, err
			}
		}
		at += n
	}
	switch f.err {
	case nil:
		return d.content[at:], nil
	case io.EOF:
		return nil, nil
	}
	return nil, &objectError{f.err}
}

// portion is the n bytes of a body that f went over last. One that is not coded
// begins with what the window before held of it, too.
func (d *dialogue) portion(before body, f *framer, at, n int) portion {
	p := portion{body: before, size: f.came, short: f.body.coding != 0}
	if p.left == toTheEnd && p.coding != dotted {
		p.short = d.window.goesOn || d.window.broken
	}
	p.goesOn = p.short && d.window.goesOn
	back := 0
	if at == d.window.from && p.coding == counted {
		back = int(min(int64(at), p.at))
	}
	p.at -= int64(back)
	p.raw = d.content[at-back : at+n]
	return p
}

// bytes are those of the body.
func (p portion) bytes() []byte {
	if p.coding == counted {
		return p.raw
	}
	out := make([]byte, 0, p.size)
	p.take(p.raw, &out) // a copy of the body, which went over this before
	return out
}

// object makes the body, or a portion of it, an object.
func (p portion) object(name string) object {
	o := object{name: name, at: p.base + p.at, short: p.short, goesOn: p.goesOn}
	if p.coding == counted {
		o.place = p.raw
	} else {
		o.body = func() (io.Reader, error) { return bytes.NewReader(p.bytes()), nil }
	}
	return o
}
