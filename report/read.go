// Package report reads the master record of runs back and renders it.
//
// A hunt writes ndjson (docs/records.md describes it). [Read] yields its
// records, [Render] passes them to any sink, so that every other format is a
// function of the record, and [ClosingLine] and [Notice] word a summary for
// the terminal. Several files concatenated are several runs in one record.
package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/besra-hunt/besra"
)

// MaxLine is the length of the longest line that is read, in bytes. A finding
// with its excerpts has some kilobytes; only a damaged file has more.
const MaxLine = 64 << 20

// ErrTruncated is what a [LineError] wraps where a line is cut off, as the last
// one is when the writer was killed or the disk was full.
var ErrTruncated = errors.New("the line is cut off: its writer was stopped in the middle of it")

// ErrLineTooLong is what a [LineError] wraps where a line exceeds [MaxLine].
var ErrLineTooLong = fmt.Errorf("the line is longer than %d MiB", MaxLine>>20)

// LineError reports a line that holds no record that can be used.
type LineError struct {
	Line int // counted from 1
	// Err is [ErrTruncated], [ErrLineTooLong], a [*besra.VersionError], a
	// [*besra.UnknownTypeError], or says what is wrong with the JSON.
	Err error
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

// Read yields the records of r in order. A line that cannot be used yields a
// [*LineError] and reading goes on with the next; after a line of another
// version, and after an error of r itself, it ends. A truncated line is told
// from its successor even where the two were concatenated without a line end.
// Empty lines and byte order marks are passed over. Memory holds one line.
func Read(r io.Reader) iter.Seq2[besra.Record, error] { return read(r, MaxLine) }

func read(r io.Reader, maxLine int) iter.Seq2[besra.Record, error] {
	return func(yield func(besra.Record, error) bool) {
		lr := lineReader{r: bufio.NewReaderSize(r, 64<<10), max: maxLine}
		for {
			line, err := lr.next()
			if err != nil {
				if err != io.EOF {
					yield(besra.Record{}, err)
				}
				return
			}
			if !lr.yieldLine(line, yield) {
				return
			}
		}
	}
}

type lineReader struct {
	r    *bufio.Reader
	max  int  // length of the longest line
	n    int  // lines read
	long bool // the line was longer than max, and dropped
	cut  bool // the line was the last one and had no line end
	buf  []byte
}

// next returns the next line without its end; it is valid until the next call.
// An error of the reader says after which line it came.
func (l *lineReader) next() ([]byte, error) {
	l.n++
	l.buf, l.long, l.cut = l.buf[:0], false, false
	for {
		part, err := l.r.ReadSlice('\n')
		if l.long = l.long || len(l.buf)+len(part) > l.max; !l.long {
			l.buf = append(l.buf, part...)
		}
		switch {
		case err == nil:
			return bytes.TrimRight(l.buf, "\r\n"), nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && (len(l.buf) > 0 || l.long):
			l.cut = true
			return l.buf, nil
		case err == io.EOF:
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("reading the record after line %d: %w", l.n-1, err)
		}
	}
}

// yieldLine yields what a line holds and reports whether to go on.
func (l *lineReader) yieldLine(line []byte, yield func(besra.Record, error) bool) bool {
	fail := func(err error) bool { return yield(besra.Record{}, &LineError{l.n, err}) }
	if l.long {
		return fail(ErrLineTooLong)
	}
	if l.n == 1 && isUTF16(line) {
		fail(errors.New("the file is UTF-16, as PowerShell's > writes it; let besra write the file itself (--output)"))
		return false
	}
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
	if len(line) == 0 {
		return true
	}
	rec, err := decode(line)
	if err == nil {
		return yield(rec, nil)
	}
	var version *besra.VersionError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &version) && version.Got != "":
		fail(err)
		return false
	case !errors.As(err, &syntax):
		return fail(err)
	}
	if rec, err := decodeTail(line); err == nil {
		return fail(ErrTruncated) && yield(rec, nil)
	}
	if l.cut {
		return fail(ErrTruncated)
	}
	return fail(fmt.Errorf("byte %d: %w", syntax.Offset, err))
}

// decode asks the record itself: json.Unmarshal would go through the line once
// more before.
func decode(line []byte) (besra.Record, error) {
	var rec besra.Record
	err := rec.UnmarshalJSON(line)
	return rec, err
}

// decodeTail finds a whole record behind a truncated one. In a string its
// beginning would have its quotes escaped.
func decodeTail(line []byte) (besra.Record, error) {
	i := bytes.LastIndex(line, []byte(`{"type":"`))
	if i <= 0 {
		return besra.Record{}, errors.New("no second record")
	}
	return decode(line[i:])
}

func isUTF16(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff})
}
