package image

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// hold bounds the bytes of files that wait for being scanned. It is safe for
// concurrent use.
type hold struct {
	max  int64
	mu   sync.Mutex
	used int64
	free chan struct{} // closed when some are given back
}

func newHold(max int64) *hold { return &hold{max: max, free: make(chan struct{})} }

// take waits until n bytes fit. What is larger than all fits alone.
func (h *hold) take(ctx context.Context, n int64) error {
	for {
		h.mu.Lock()
		if h.used == 0 || h.used+n <= h.max {
			h.used += n
			h.mu.Unlock()
			return nil
		}
		free := h.free
		h.mu.Unlock()
		late := time.NewTimer(time.Second)
		select {
		case <-free:
		case <-ctx.Done():
			late.Stop()
			return ctx.Err()
		case <-late.C:
			runtime.GC() // finds what was dropped, see content
		}
		late.Stop()
	}
}

func (h *hold) give(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used -= n
	close(h.free)
	h.free = make(chan struct{})
}

// content is a file in memory, until it is closed or, where a receiver drops
// the target without opening it, garbage.
type content struct {
	data []byte
	give func()
}

func newContent(data []byte, h *hold, n int64) *content {
	give := sync.OnceFunc(func() { h.give(n) })
	c := &content{data: data, give: give}
	runtime.AddCleanup(c, func(give func()) { give() }, give)
	return c
}

func (c *content) Bytes() []byte { return c.data }

func (c *content) Close() error {
	c.data = nil
	c.give()
	return nil
}
