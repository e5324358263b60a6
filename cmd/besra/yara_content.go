package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
)

// yaraContent lends files, one after the other: small ones are read into one
// buffer, large ones are mapped.
type yaraContent struct {
	stdin io.Reader // stands behind the name -
	buf   []byte
	unmap func() error
}

// mapFrom is the size from which a file is mapped: for smaller ones setting up
// a mapping costs more than reading.
const mapFrom = 1 << 20

// lend calls use with the bytes of a file, which are valid during the call. A
// mapped file that another program makes shorter faults where it is read; the
// fault becomes an error.
func (c *yaraContent) lend(name string, use func(data []byte) error) (err error) {
	defer c.close()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = errors.New("the file became shorter while it was read")
		default:
			panic(p)
		}
	}()
	data, err := c.open(name)
	if err != nil {
		return err
	}
	return use(data)
}

// open returns the bytes of a file, valid until close. A file that grows is
// read as far as it goes when it is opened; a pipe or device is read to its
// end.
func (c *yaraContent) open(name string) ([]byte, error) {
	if name == "-" && isMissing(name) {
		return io.ReadAll(c.stdin)
	}
	f, err := openYARAFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mode, size, err := f.stat()
	switch {
	case err != nil:
		return nil, err
	case mode.IsDir():
		return nil, fmt.Errorf("%s is a directory", name)
	case !mode.IsRegular() || size == 0: // /proc says 0 of files that have content
		return io.ReadAll(f)
	case size > math.MaxInt:
		return nil, fmt.Errorf("%s is larger than the address space", name)
	}
	n := int(size)
	if n >= mapFrom {
		data, unmap, err := f.mmap(n)
		if err == nil {
			c.unmap = unmap
			return data, nil
		}
	}
	return c.read(f, n)
}

func (c *yaraContent) read(r io.Reader, n int) ([]byte, error) {
	if cap(c.buf) < n {
		c.buf = make([]byte, max(n, mapFrom))
	}
	n, err := io.ReadFull(r, c.buf[:n])
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return c.buf[:n], err
}

// close lets the bytes go.
func (c *yaraContent) close() {
	if c.unmap != nil {
		_ = c.unmap() // fails for no mapping of ours
		c.unmap = nil
	}
}
