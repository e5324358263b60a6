package files

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/besra-hunt/besra"
)

// List is a source of the files and directories that a list names, one a line,
// or one up to each NUL where the list holds any, as find -print0 writes it. It
// is read as the run goes: memory does not grow with its length.
type List struct {
	// Config is that of each path; its own Paths do not count.
	Config Config
	// Open gives the list.
	Open func() (io.ReadCloser, error)
}

const (
	// listed is how many paths of a list are walked at a time.
	listed = 1024
	// maxListed bounds one path, in bytes.
	maxListed = 1 << 20
)

// Run implements [besra.Source]. A path that the list names twice is read twice,
// unless the two are near each other.
func (l *List) Run(ctx context.Context, to besra.Receiver) error {
	r, err := l.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(in.Size())
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxListed)
	if bytes.IndexByte(head, 0) >= 0 {
		lines.Split(splitNUL)
	} else {
		lines.Split(splitLines)
	}
	var paths []string
	for lines.Scan() {
		if p := lines.Text(); p != "" {
			paths = append(paths, p)
		}
		if len(paths) == listed {
			if err := l.walk(ctx, to, paths); err != nil {
				return err
			}
			paths = paths[:0]
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the list of files: %w", err)
	}
	return l.walk(ctx, to, paths)
}

func (l *List) walk(ctx context.Context, to besra.Receiver, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	c := l.Config
	c.Paths = paths
	s, err := New(c)
	if err != nil {
		return err
	}
	return s.Run(ctx, to)
}

func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	return splitAt(0, data, atEOF)
}

// splitLines splits at line ends. A carriage return belongs to a name, save
// where names cannot hold it.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	advance, token, err = splitAt('\n', data, atEOF)
	if runtime.GOOS == "windows" {
		token = bytes.TrimSuffix(token, []byte("\r"))
	}
	return advance, token, err
}

func splitAt(end byte, data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, end); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
