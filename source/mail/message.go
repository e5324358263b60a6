package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
)

// known are headers that tell a message; two of them within the head are
// enough, and the first line must be a header at all.
var known = []string{"from", "to", "subject", "date", "received", "mime-version", "message-id", "return-path", "content-type", "delivered-to",
	"x-mailer", "dkim-signature", "reply-to", "cc", "sender", "authentication-results"}

// maxHead is how much of a content is looked at for headers.
const maxHead = 16 << 10

// isMessage takes a head of header lines of which some are of mail.
func isMessage(content []byte) bool {
	head := content[:min(len(content), maxHead)]
	seen := map[string]bool{}
	for first := true; len(head) > 0; first = false {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		head = rest
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if first {
				return false
			}
			continue
		}
		name, ok := headerName(line)
		if !ok {
			return false
		}
		if slices.Contains(known, name) {
			seen[name] = true
		}
		if len(seen) >= 2 && (seen["from"] || seen["received"] || seen["mime-version"] || seen["message-id"] || seen["return-path"]) {
			return true
		}
	}
	return false
}

// headerName returns the name of a header line in lower case.
func headerName(line []byte) (string, bool) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 76 {
		return "", false
	}
	for _, c := range line[:i] {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return strings.ToLower(string(line[:i])), true
}

const (
	maxDepth = 20
	maxParts = 10_000
)

// message yields the leaves of a MIME tree, and what stands in uuencode.
func (w *walk) message() error {
	h, body, err := readHeader(w.content)
	if err != nil {
		return err
	}
	w.header = &header{h}
	parts := 0
	err = w.entity(h, body, nil, &parts)
	if w.stopped == nil {
		err = errors.Join(err, w.uuencoded())
	}
	return err
}

// entity goes down the tree; place is where the entity stands in it.
func (w *walk) entity(h message.Header, body io.Reader, place []int, parts *int) error {
	kind, params, _ := h.ContentType()
	if !strings.HasPrefix(kind, "multipart/") || len(place) >= maxDepth {
		if place == nil {
			place = []int{1}
		}
		return w.yield(partName(h, place), decoded(h, body))
	}
	mr := textproto.NewMultipartReader(body, params["boundary"])
	for i := 1; ; i++ {
		if *parts++; *parts > maxParts {
			return errors.New("more parts than mail has")
		}
		inner, err := mr.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.entity(message.Header{Header: inner.Header}, inner, append(slices.Clone(place), i), parts); err != nil {
			return err
		}
	}
}

// partName is what the sender called a part, or its place with an ending by its
// type.
func partName(h message.Header, place []int) string {
	kind, params, _ := h.ContentType()
	_, disposition, _ := h.ContentDisposition()
	name := disposition["filename"]
	if name == "" {
		name = params["name"]
	}
	if decoded, err := new(mime.WordDecoder).DecodeHeader(name); err == nil {
		name = decoded
	}
	return clean(name, numbered(place, endings[strings.ToLower(kind)]))
}

var endings = map[string]string{"": ".txt", "text/plain": ".txt", "text/html": ".html", "message/rfc822": ".eml", "text/calendar": ".ics",
	"application/pdf": ".pdf", "application/zip": ".zip", "application/ms-tnef": ".dat"}

// isMbox takes a "From " line that is followed by a header.
func isMbox(content []byte) bool {
	if !bytes.HasPrefix(content, []byte("From ")) {
		return false
	}
	_, rest, ok := bytes.Cut(content[:min(len(content), maxHead)], []byte("\n"))
	return ok && isMessage(rest)
}

// mbox yields each message. A line that begins with "From " behind an empty one
// begins the next.
func (w *walk) mbox() error {
	rest := w.content
	for n := 1; len(rest) > 0; n++ {
		_, body, _ := bytes.Cut(rest, []byte("\n"))
		end := nextFrom(body)
		if err := w.yield("message-"+strconv.Itoa(n)+".eml", bytes.NewReader(unquote(body[:end]))); err != nil {
			return err
		}
		rest = body[end:]
	}
	return nil
}

// nextFrom returns where the next message begins, or the end.
func nextFrom(b []byte) int {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("\nFrom "))
		if i < 0 {
			return len(b)
		}
		at += i + 1
		if before := bytes.TrimSuffix(b[:at-1], []byte("\r")); len(before) == 0 || before[len(before)-1] == '\n' {
			return at
		}
	}
}

// unquote takes one ">" from lines that begin with some and "From ".
func unquote(b []byte) []byte {
	if !bytes.Contains(b, []byte("\n>")) {
		return b
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	for i, line := range lines {
		if bare := bytes.TrimLeft(line, ">"); len(bare) < len(line) && bytes.HasPrefix(bare, []byte("From ")) {
			lines[i] = line[1:]
		}
	}
	return bytes.Join(lines, nil)
}
