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

	rest     *member  // what follows the window that was opened last; nil where nothing does
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
	// at is where this window of the member begins, 0 for a whole one; most is
	// how far further windows go.
	at, most int64
	buf      *[]byte // memory of the window before; nil for the first
}

// yield hands a member to the receiver, in windows where it is larger than what
// may be in memory. Only regular files come here.
func (w *walk) yield(m member) error {
	m.most = w.budget.Bytes / 2 // what comes behind it shall be seen, too
	for {
		if err := w.ctx.Err(); err != nil {
			return w.stop(err)
		}
		switch {
		case w.budget.Members <= 0:
			return w.stop(&besra.LimitError{Limit: "members"})
		case w.budget.Bytes <= 0 && m.open != nil:
			return w.stop(w.budget.Spent())
		}
		w.budget.Members--
		w.rest = nil
		if err := w.to.Target(w.target(m)); err != nil {
			return w.stop(err)
		}
		if w.rest == nil {
			return nil
		}
		m = *w.rest
	}
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
	name, size := w.outer.Name+"!"+m.name, m.size
	switch {
	case m.data != nil:
		size = int64(len(m.data))
	case m.at > 0:
		name, size = name+"@"+itoa(m.at), -1
		f.Partial(windowed)
	}
	return besra.Target{Name: name, Context: besra.ContextArchive, Size: size, Facts: f,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c, err := w.unpack(m)
			if w.rest != nil {
				f.Partial(windowed)
			}
			return c, err
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

// unpack gives the content of a member, or the next window of it.
func (w *walk) unpack(m member) (besra.Content, error) {
	if m.open == nil {
		return &inPlace{m.data}, nil
	}
	limit := min(w.budget.Member, w.budget.Bytes)
	if m.size > limit && (limit < leastWindow || limit > m.most) {
		return nil, w.limit(limit, m.size)
	}
	buf := m.buf
	if buf == nil {
		buf = w.buffers.Get().(*[]byte)
	}
	data, r, err := readLimited(w.ctx, m.open, (*buf)[:0], m.size, limit)
	*buf = data[:0]
	if !m.metered {
		w.budget.Bytes -= int64(len(data))
	}
	if err == errTooLong {
		data, err = w.window(m, data, r, buf), w.limit(limit, m.size)
	}
	switch {
	case err == nil && m.at > 0:
		w.gap(m.name, fmt.Errorf("%w: searched in windows", w.limit(w.budget.Member, -1)))
	case err != nil && !w.partial(m, data, err):
		w.buffers.Put(buf)
		return nil, memberError(err)
	}
	return &unpacked{data: data, buf: buf, walk: w}, nil
}

// partial reports why a member is read no further than data, which can be
// scanned all the same; false where there is nothing to scan.
func (w *walk) partial(m member, data []byte, err error) bool {
	var why *Error
	var limit *besra.LimitError
	if err = memberError(err); len(data) == 0 || !errors.As(err, &limit) && (!errors.As(err, &why) || why.Reason() != ReasonDamaged) {
		return false
	}
	if w.rest == nil {
		w.gap(m.name, fmt.Errorf("%w: searched up to byte %d", err, m.at+int64(len(data))))
	}
	return true
}

// limit says that a member is larger than what may be unpacked.
func (w *walk) limit(limit, size int64) error {
	if limit < w.budget.Member {
		return w.budget.Spent()
	}
	e := &besra.LimitError{Limit: "member size", Max: limit}
	if size > limit {
		e.Size = size
	}
	return e
}

// errTooLong says that there is more to read than the limit.
var errTooLong = errors.New("longer than the limit")

// readStep is how much is unpacked between two looks at the context.
const readStep = 1 << 20

// readLimited appends what open yields to buf: up to limit bytes, and one that
// shows that more follow from r. expect is how many are announced, which decides
// how much is reserved but never what is read.
func readLimited(ctx context.Context, open func() (io.Reader, error), buf []byte, expect, limit int64) (data []byte, r io.Reader, err error) {
	data = buf
	err = guard(func() error {
		if r, err = open(); err != nil {
			return err
		}
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(data) == cap(data) {
				data = grow(data, expect, limit)
			}
			step := int(min(int64(min(len(data)+readStep, cap(data))), limit+1))
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
	return data, r, err
}

// grow gives room, up to limit: the announced size at once where it is modest,
// otherwise twice what there is. A byte more shows that no more comes.
func grow(data []byte, expect, limit int64) []byte {
	size := max(2*int64(cap(data)), 64<<10)
	if expect > int64(len(data)) && expect < readStep*16 {
		size = max(size, expect+1)
	}
	return append(make([]byte, 0, min(size, limit+1)), data...)
}

// keepBuffer is the capacity up to which a buffer is kept for the next member.
const keepBuffer = 32 << 20

// unpacked is a member's content in a pooled buffer, or in one that goes on to the
// member's next window.
type unpacked struct {
	data []byte
	buf  *[]byte
	walk *walk
}

func (c *unpacked) Bytes() []byte { return c.data }

func (c *unpacked) Close() error {
	next := c.walk.rest
	if c.buf != nil && cap(*c.buf) <= keepBuffer && (next == nil || next.buf != c.buf) {
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

// gap reports a member, or what follows it, that is not read.
func (w *walk) gap(name string, err error) {
	err = memberError(err)
	kind := besra.GapError
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		kind = besra.GapSkip
	}
	w.to.Gap(besra.Gap{Kind: kind, Target: besra.Text(w.outer.Name + "!" + innerName(name)), Reason: reasonOf(err), Detail: err.Error(), Count: 1})
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
