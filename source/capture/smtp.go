package capture

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
)

// isSMTP takes what a client says: a greeting, and a sender within the first
// commands.
func isSMTP(f *streamFacts, b []byte) bool {
	if f.peer == nil || len(b) < 5 {
		return false
	}
	switch strings.ToUpper(string(b[:5])) {
	case "EHLO ", "HELO ", "LHLO ":
		return bytes.Contains(bytes.ToUpper(b[:min(len(b), 4096)]), []byte("MAIL FROM:"))
	}
	return false
}

// smtp yields each message that a client hands over, by DATA (RFC 5321, 4.1.1.4)
// or in chunks by BDAT (RFC 3030).
func (d *dialogue) smtp() error {
	rest, n := d.content, 0
	var chunks []byte
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		verb, args, _ := strings.Cut(strings.ToUpper(string(line[:min(len(line), 64)])), " ")
		switch verb {
		case "DATA":
			var message []byte
			message, rest = dotted(rest)
			n++
			if err := d.message(n, message); err != nil {
				return err
			}
		case "BDAT":
			size, last := chunk(args)
			size = min(size, len(rest))
			chunks, rest = append(chunks, rest[:size]...), rest[size:]
			if last {
				n++
				if err := d.message(n, chunks); err != nil {
					return err
				}
				chunks = nil
			}
		case "STARTTLS":
			return nil // what follows is encrypted
		}
	}
	return nil
}

func chunk(args string) (size int, last bool) {
	number, rest, _ := strings.Cut(args, " ")
	size, err := strconv.Atoi(number)
	if err != nil || size < 0 {
		return 0, false
	}
	return size, strings.TrimSpace(rest) == "LAST"
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// dotted reads a message up to the line that is a dot, and undoes the dots that
// were put before lines that begin with one.
func dotted(b []byte) (message, rest []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n') + 1
		if end == 0 {
			end = len(b)
		}
		line := b[:end]
		b = b[end:]
		if string(bytes.TrimRight(line, "\r\n")) == "." {
			return message, b
		}
		message = append(message, bytes.TrimPrefix(line, []byte("."))...)
	}
	return message, nil
}

func (d *dialogue) message(n int, message []byte) error {
	if len(message) == 0 {
		return nil
	}
	return d.yield(object{name: "message-" + strconv.Itoa(n) + ".eml", context: besra.ContextMail,
		body: func() (io.Reader, error) { return bytes.NewReader(message), nil }})
}
