package capture

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/besra-hunt/besra"
)

// buffers are what windows lie in, used again once nobody looks at them: growing
// windows would otherwise leave more to the collector than a capture holds. They
// are safe for concurrent use.
type buffers struct {
	pools [bits.UintSize]sync.Pool // of *[]byte, by the logarithm of their size
	spoil bool                     // see [Config]
}

// smallest is the size of the smallest buffer.
const smallest = 512

// grow returns a buffer with the bytes of old and room for n in all. The old one
// must not be looked at again.
func (b *buffers) grow(old []byte, n int) []byte {
	class := bits.Len(uint(max(n, smallest) - 1))
	grown, ok := b.pools[class].Get().(*[]byte)
	if !ok {
		fresh := make([]byte, 0, 1<<class)
		grown = &fresh
	}
	data := append((*grown)[:0], old...)
	b.giveBack(old)
	return data
}

func (b *buffers) giveBack(old []byte) {
	if cap(old) == 0 {
		return
	}
	old = old[:cap(old)]
	if b.spoil {
		clear(old)
	}
	b.pools[bits.Len(uint(cap(old)-1))].Put(&old)
}

// lend makes a lease of buffers.
func (b *buffers) lend(lent ...[]byte) *lease {
	l := &lease{from: b, lent: lent}
	l.holders.Store(1)
	return l
}

// lease is buffers that targets lie in. They are given back once all targets are
// closed and he who made the lease is done; where a target is never opened, they
// are left to the collector.
type lease struct {
	from    *buffers
	lent    [][]byte
	holders atomic.Int32
}

// target makes t hold the buffers until its content is closed.
func (l *lease) target(t besra.Target) besra.Target {
	l.holders.Add(1)
	open := t.Open
	t.Open = func(ctx context.Context) (besra.Content, error) {
		c, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &leased{c, l}, nil
	}
	return t
}

func (l *lease) done() {
	if l.holders.Add(-1) > 0 {
		return
	}
	for _, b := range l.lent {
		l.from.giveBack(b)
	}
}

// leased is content in buffers.
type leased struct {
	besra.Content
	lease *lease
}

// Close implements [besra.Content].
func (c *leased) Close() error {
	if c.lease != nil {
		c.lease.done()
	}
	*c = leased{Content: held(nil)}
	return nil
}
