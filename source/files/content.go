package files

import (
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/besra-hunt/besra"
)

const (
	// maxBuffered is the size up to which a file is read rather than mapped:
	// for small files setting up a mapping costs more than copying.
	maxBuffered = 1 << 20
	// maxCopied is the size up to which a file that cannot be mapped is read.
	maxCopied = 64 << 20
)

func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, maxBuffered)
		return &b
	}}
}

// content returns the first size bytes of the open file: a file that grows is
// read as far as it went when it was opened.
func (s *Source) content(h handle, size int64) (besra.Content, error) {
	switch {
	case size == 0:
		return &buffered{}, nil
	case size > math.MaxInt:
		return nil, errTooLarge
	case size <= maxBuffered:
		buf := s.buffers.Get().(*[]byte)
		n, err := readFull(h, (*buf)[:size])
		if err != nil {
			s.buffers.Put(buf)
			return nil, err
		}
		return &buffered{data: (*buf)[:n], buf: buf, pool: s.buffers}, nil
	}
	data, err := h.mmap(int(size))
	if err == nil {
		return &mapped{data: data}, nil
	}
	if size > maxCopied {
		return nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	buf := make([]byte, size)
	n, err := readFull(h, buf)
	return &buffered{data: buf[:n]}, err
}

// readFull reads until p is full or the file ends.
func readFull(h handle, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = h.read(p[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// buffered is content that was read into memory.
type buffered struct {
	data []byte
	buf  *[]byte // goes back to pool; nil where it does not come from there
	pool *sync.Pool
}

func (c *buffered) Bytes() []byte { return c.data }

func (c *buffered) Close() error {
	if c.buf != nil {
		c.pool.Put(c.buf)
	}
	c.data, c.buf = nil, nil
	return nil
}

// mapped is content that the system reads as it is looked at.
type mapped struct {
	data     []byte
	released int64
}

func (c *mapped) Bytes() []byte { return c.data }

// Release tells that the bytes before upTo will hardly be looked at again, so
// that scanning a file larger than memory does not fill it. They stay valid.
func (c *mapped) Release(upTo int64) {
	page := int64(os.Getpagesize())
	end := min(upTo, int64(len(c.data))) / page * page
	from := c.released
	if end <= from {
		from = 0 // it was looked at again
	}
	if end > from {
		forget(c.data[from:end])
		c.released = end
	}
}

func (c *mapped) Close() error {
	data := c.data
	c.data = nil
	if data == nil {
		return nil
	}
	return unmap(data)
}
