package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
)

// Expand implements [besra.Expander].
func (e *Expander) Expand(ctx context.Context, outer besra.Target, content []byte, budget *besra.Budget, to besra.Receiver) error {
	f := e.find(outer.Name, content)
	if f == nil {
		return nil
	}
	w := &walk{Expander: e, ctx: ctx, outer: outer, kind: f.kind, content: content, budget: budget, to: to}
	err := guard(func() error { return f.walk(w) })
	if err == nil || errors.Is(err, errStop) {
		return w.stopped
	}
	return &Error{Format: f.kind, Err: err}
}

// walk is one archive on its way to the receiver.
type walk struct {
	*Expander
	ctx     context.Context
	outer   besra.Target
	kind    string
	content []byte
	budget  *besra.Budget
	to      besra.Receiver
	stopped error // why the walk ended before the archive did

	under    string   // goes before the names of members
	pkg      string   // the package that the archive is; empty for other archives
	manifest manifest // of a package: what it says of its members
}

// errStop ends a walk whose reason is in walk.stopped.
var errStop = errors.New("stopped")

// member is what an archive says of one of its members.
type member struct {
	name string
	size int64 // as stated; -1 where it is not
	mode fs.FileMode
	// uid, gid, owner, group and mtime are what the header states; nil, empty
	// or zero where it does not.
	uid, gid     *int64
	owner, group string
	mtime        time.Time
	expect       *digest // what a manifest in the archive says; nil where none does

	// data is the content where it lies in the archive as it is; otherwise
	// open unpacks it. A member is opened once at most.
	data []byte
	open func() (io.Reader, error)
	// metered members come from a stream that spends the budget itself.
	metered bool
}

// yield hands a member to the receiver. Only regular files come here.
func (w *walk) yield(m member) error {
	if err := w.ctx.Err(); err != nil {
		return w.stop(err)
	}
	switch {
	case w.budget.Members <= 0:
		return w.stop(&besra.LimitError{Limit: "members"})
	case w.budget.Bytes <= 0 && m.open != nil:
		return w.stop(&besra.LimitError{Limit: "bytes"})
	}
	w.budget.Members--
	if err := w.to.Target(w.target(m)); err != nil {
		return w.stop(err)
	}
	return nil
}

func (w *walk) stop(err error) error {
	w.stopped = err
	return errStop
}

// target makes the target of a member.
func (w *walk) target(m member) besra.Target {
	m.name = innerName(m.name)
	if m.expect == nil {
		m.expect = w.manifest[m.name]
	}
	m.name = w.under + m.name
	f := memberFacts(w, m)
	size := m.size
	if m.data != nil {
		size = int64(len(m.data))
	}
	return besra.Target{Name: w.outer.Name + "!" + m.name, Context: besra.ContextArchive, Size: size, Facts: f,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return w.unpack(m)
		}}
}

// innerName cleans a member's name as the archive has it: slashes, no leading
// "/" or "./". It may hold ".." elements; nothing is ever written under it.
func innerName(name string) string {
	name = strings.TrimRight(strings.ReplaceAll(name, `\`, "/"), "/")
	for strings.HasPrefix(name, "./") || strings.HasPrefix(name, "/") {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "."), "/")
	}
	if name == "" {
		return "content"
	}
	return name
}

// unpack gives the content of a member.
func (w *walk) unpack(m member) (besra.Content, error) {
	if m.open == nil {
		return &inPlace{m.data}, nil
	}
	limit := min(w.budget.Member, w.budget.Bytes)
	if m.size > limit {
		return nil, w.limit(limit, m.size)
	}
	buf := w.buffers.Get().(*[]byte)
	data, err := readLimited(w.ctx, m.open, (*buf)[:0], m.size, limit)
	*buf = data[:0]
	if !m.metered {
		w.budget.Bytes -= int64(len(data))
	}
	if err == errTooLong {
		err = w.limit(limit, -1)
	}
	if err != nil && !w.partial(m, data, err) {
		w.buffers.Put(buf)
		return nil, memberError(err)
	}
	return &unpacked{data: data, buf: buf, walk: w}, nil
}

// partial reports a member that is damaged behind data, which can be scanned all
// the same; false where there is nothing to scan, or no damage but a limit.
func (w *walk) partial(m member, data []byte, err error) bool {
	var damage *Error
	if len(data) == 0 || !errors.As(memberError(err), &damage) || damage.Reason() != ReasonDamaged {
		return false
	}
	w.damaged(m.name, err)
	return true
}

// limit says that a member is larger than what may be unpacked.
func (w *walk) limit(limit, size int64) error {
	e := &besra.LimitError{Limit: "member size", Max: limit, Size: size}
	if limit < w.budget.Member {
		e.Limit = "bytes"
	}
	return e
}

// errTooLong says that there is more to read than the limit.
var errTooLong = errors.New("longer than the limit")

// readStep is how much is unpacked between two looks at the context.
const readStep = 1 << 20

// readLimited appends what open yields to buf, up to limit bytes. expect is how
// many are announced, which decides how much is reserved but never what is read.
func readLimited(ctx context.Context, open func() (io.Reader, error), buf []byte, expect, limit int64) (data []byte, err error) {
	data = buf
	err = guard(func() error {
		r, err := open()
		if err != nil {
			return err
		}
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(data) == cap(data) {
				data = grow(data, expect)
			}
			step := min(len(data)+readStep, cap(data))
			n, err := r.Read(data[len(data):step])
			data = data[:len(data)+n]
			if int64(len(data)) > limit {
				return errTooLong
			}
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	return data, err
}

// grow gives room: the announced size at once where it is modest, otherwise
// twice what there is. A byte more than announced shows that no more comes.
func grow(data []byte, expect int64) []byte {
	size := max(2*cap(data), 64<<10)
	if expect > int64(len(data)) && expect < readStep*16 {
		size = max(size, int(expect)+1)
	}
	return append(make([]byte, 0, size), data...)
}

// keepBuffer is the capacity up to which a buffer is kept for the next member.
const keepBuffer = 32 << 20

// unpacked is a member's content in a pooled buffer.
type unpacked struct {
	data []byte
	buf  *[]byte
	walk *walk
}

func (c *unpacked) Bytes() []byte { return c.data }

func (c *unpacked) Close() error {
	if c.buf != nil && cap(*c.buf) <= keepBuffer {
		c.walk.buffers.Put(c.buf)
	}
	c.data, c.buf = nil, nil
	return nil
}

// inPlace is content that lies in the archive as it is.
type inPlace struct{ data []byte }

func (c *inPlace) Bytes() []byte { return c.data }

func (c *inPlace) Close() error {
	c.data = nil
	return nil
}

// damaged reports a member, or what follows it, that cannot be read.
func (w *walk) damaged(name string, err error) {
	err = memberError(err)
	w.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(w.outer.Name + "!" + innerName(name)), Reason: reasonOf(err), Detail: err.Error(), Count: 1})
}

// stem is the outer target's own name without its directory and without one of
// the endings: what a stream holds.
func (w *walk) stem(endings ...string) string {
	name := w.outer.Name[strings.LastIndexByte(w.outer.Name, '!')+1:]
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	for _, end := range endings {
		if len(name) > len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			return name[:len(name)-len(end)]
		}
	}
	return "content"
}

// guard turns a panic of a format's library into an error: hostile input must
// not end the hunt. A fault of mapped memory goes on to who mapped it.
func guard(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			panic(p)
		default:
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	return f()
}
