package capture

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/inflate"
)

const portIMAP = 143

// isIMAP takes a server's greeting, a client's first command, or the port.
func isIMAP(f *streamFacts, b []byte) bool {
	if f.peer == nil {
		return false
	}
	if f.flow.srcPort == portIMAP || f.flow.dstPort == portIMAP || bytes.HasPrefix(b, []byte("* OK ")) || bytes.HasPrefix(b, []byte("* PREAUTH ")) {
		return true
	}
	line, _ := cutLine(b[:min(len(b), 128)])
	_, rest, _ := strings.Cut(string(line), " ")
	verb, _, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(verb) {
	case "CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "COMPRESS":
		return true
	}
	return false
}

// imap yields the messages of one direction (RFC 9051): those that a server
// hands out with FETCH, or those that a client hands over with APPEND.
func (d *dialogue) imap() error {
	w := &imapWalk{dialogue: d, heads: map[string][]byte{}, partial: map[string]*runs{}}
	each := w.append
	if bytes.HasPrefix(d.content, []byte("* ")) || d.facts.flow.srcPort == portIMAP {
		each = w.fetch
	} else {
		w.refused = refusals(d.facts.peer.other)
	}
	if err := w.lines(d.content, each); err != nil {
		return err
	}
	return w.leave()
}

// imapWalk is one direction under way.
type imapWalk struct {
	*dialogue
	deflated bool // from some place on
	refused  map[string]bool
	count    int
	heads    map[string][]byte // headers that came, by message and section
	partial  map[string]*runs  // bodies that come in parts, by message and section
	order    []string          // of their first parts
}

// lines calls each with every literal, and what stands before it: the first
// line of its command or response, and the text right before the literal.
func (w *imapWalk) lines(rest []byte, each func(begin, before string, literal []byte) error) error {
	begin := ""
	for len(rest) > 0 {
		var line []byte
		if begin == "" && !printable(rest[0]) {
			inner, err := w.changed(rest)
			if inner == nil || err != nil {
				return err
			}
			rest = inner
		}
		line, rest = cutLine(rest)
		text, size := cutLiteral(string(line))
		if begin == "" {
			begin = text
		}
		if tag, _, _ := strings.Cut(begin, " "); size < 0 || w.refused[tag] && !bytes.HasSuffix(line, []byte("+}")) {
			var err error
			if rest, err = w.end(begin, rest); err != nil {
				return err
			}
			begin = ""
			continue
		}
		if size > len(rest) {
			w.cut(fmt.Sprintf("%d of %d bytes of a literal are there", len(rest), size))
			size = len(rest)
		}
		if err := each(begin, text, rest[:size]); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}

// end is the end of a command or response; it returns what is left.
func (w *imapWalk) end(begin string, rest []byte) ([]byte, error) {
	upper := strings.ToUpper(begin)
	switch {
	case strings.Contains(upper, " OK [READ-"): // another mailbox, where messages have other numbers
		return rest, w.leave()
	case compresses(upper) && len(rest) > 0 && !w.deflated:
		inner, err := w.inflate(rest)
		if inner == nil {
			inner = rest
		}
		return inner, err
	}
	return rest, nil
}

// refusals are the tags of commands that a server said no to without having asked
// for what they announced (RFC 9051, 4.3): their literals never came.
func refusals(server []byte) map[string]bool {
	refused, goOn := map[string]bool{}, false
	for len(server) > 0 {
		var line []byte
		line, server = cutLine(server)
		text, size := cutLiteral(string(line))
		server = server[min(max(size, 0), len(server)):]
		tag, answer, _ := strings.Cut(text, " ")
		switch {
		case tag == "+":
			goOn = true
		case tag != "*":
			no := strings.HasPrefix(answer, "NO ") || strings.HasPrefix(answer, "BAD ")
			if no && !goOn {
				refused[tag] = true
			}
			goOn = false
		}
	}
	return refused
}

func printable(b byte) bool { return b >= ' ' && b <= '~' || b == '\r' || b == '\n' }

// compresses reports whether a line asks for compression, or grants it in words
// such as "DEFLATE active" and "Begin compression".
func compresses(line string) bool {
	return strings.Contains(line, " COMPRESS DEFLATE") ||
		strings.Contains(line, " OK ") && (strings.Contains(line, "DEFLATE") || strings.Contains(line, "COMPRESS")) && !strings.Contains(line, "CAPABILITY")
}

// cutLiteral takes "{12}", "{12+}" or "~{12}" off a line; size is -1 without one.
func cutLiteral(line string) (text string, size int) {
	at := strings.LastIndexByte(line, '{')
	if at < 0 || !strings.HasSuffix(line, "}") {
		return line, -1
	}
	n, err := strconv.Atoi(strings.TrimRight(line[at+1:len(line)-1], "+-"))
	if err != nil || n < 0 {
		return line, -1
	}
	return strings.TrimSuffix(line[:at], "~"), n
}

// changed goes on where the text ends: with what is compressed (RFC 4978). What
// is encrypted is counted with its conversation, what is neither is told.
func (w *imapWalk) changed(rest []byte) ([]byte, error) {
	if bytes.HasPrefix(rest, []byte("\x16\x03")) {
		return nil, nil
	}
	if !w.deflated {
		if inner, err := w.inflate(rest); inner != nil || err != nil {
			return inner, err
		}
	}
	w.cut("what follows is no text")
	return nil, nil
}

// inflate unpacks the rest of a direction; nil where it is not compressed.
func (w *imapWalk) inflate(rest []byte) ([]byte, error) {
	var first [1]byte
	if n, _ := inflate.NewReader(bytes.NewReader(rest)).Read(first[:]); n == 0 || !printable(first[0]) {
		return nil, nil
	}
	data, err := w.budget.Unpack(inflate.NewReader(bytes.NewReader(rest)))
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		return nil, err
	}
	w.deflated = true
	return data.Bytes(), nil
}

func (d *dialogue) cut(detail string) {
	d.to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(d.outer.Name), Reason: ReasonCut, Detail: detail, Count: 1})
}

// append yields what a client hands over. The mailbox may be a literal, too.
func (w *imapWalk) append(begin, before string, literal []byte) error {
	fields := strings.Fields(begin)
	if len(fields) < 2 || !strings.EqualFold(fields[1], "APPEND") || before == begin && len(fields) == 2 {
		return nil
	}
	w.count++
	return w.message(w.count, literal, nil)
}

// fetch yields what a server hands out.
func (w *imapWalk) fetch(begin, before string, literal []byte) error {
	fields := strings.Fields(begin)
	if len(fields) < 3 || !strings.EqualFold(fields[2], "FETCH") {
		return nil
	}
	section, offset, ok := cutSection(before)
	if !ok {
		return nil
	}
	key := fields[1] + "/" + section // of the number that the mailbox gives it
	if offset < 0 {
		return w.section(key, literal)
	}
	if w.partial[key] == nil {
		w.partial[key] = &runs{}
		w.order = append(w.order, key)
	}
	if len(w.partial[key].list) > maxPieces {
		return &besra.LimitError{Limit: "parts", Max: maxPieces}
	}
	w.partial[key].put(offset, literal)
	return nil
}

// cutSection reads which part of a message a literal is: "" for all of it,
// "TEXT", "2.1", "2.1.MIME"; offset is -1 where it comes at once.
func cutSection(before string) (section string, offset int64, ok bool) {
	text := strings.ToUpper(strings.TrimRight(before, " "))
	offset = -1
	if strings.HasSuffix(text, ">") {
		at := strings.LastIndexByte(text, '<')
		n, err := strconv.ParseInt(text[at+1:len(text)-1], 10, 64)
		if at < 0 || err != nil || n < 0 {
			return "", 0, false
		}
		text, offset = text[:at], n
	}
	if strings.HasSuffix(text, "]") {
		at := strings.LastIndexByte(text, '[')
		name := text[:max(at, 0)]
		return text[at+1 : len(text)-1], offset, strings.HasSuffix(name, "BODY") || strings.HasSuffix(name, "BINARY")
	}
	for _, s := range []string{"TEXT", "HEADER"} {
		if strings.HasSuffix(text, "RFC822."+s) {
			return s, offset, true
		}
	}
	return "", offset, strings.HasSuffix(text, "RFC822")
}

// leave ends a mailbox: it yields the bodies that came in parts.
func (w *imapWalk) leave() error {
	defer clear(w.heads)
	for _, key := range w.order {
		list := w.partial[key].joined()
		if len(list) == 0 {
			continue
		}
		if len(list) > 1 || list[0].at > 0 {
			w.cut("a message was fetched in parts, and some are missing")
		}
		for _, r := range list {
			if err := w.section(key, r.data); err != nil {
				return err
			}
		}
	}
	clear(w.partial)
	w.order = nil
	return nil
}

// section yields a part of a message: with the header that says how it is
// encoded, where that came before.
func (w *imapWalk) section(key string, data []byte) error {
	message, section, _ := strings.Cut(key, "/")
	if section == "" {
		w.count++
		return w.message(w.count, data, nil)
	}
	if section == "HEADER" || strings.HasPrefix(section, "HEADER.FIELDS ") || strings.HasSuffix(section, ".MIME") {
		section, _, _ = strings.Cut(section, " ")
		w.heads[message+"/"+section] = data
		return nil
	}
	if strings.Contains(section, "HEADER") || len(data) == 0 {
		return nil
	}
	w.count++
	if head := w.heads[message+"/HEADER"]; section == "TEXT" && head != nil {
		return w.message(w.count, slices.Concat(head, data), nil)
	}
	if mime := w.heads[message+"/"+section+".MIME"]; mime != nil {
		around := slices.Concat(w.heads[message+"/HEADER.FIELDS"], w.heads[message+"/HEADER"])
		return w.message(w.count, slices.Concat(envelopeOf(around), mime, data), nil)
	}
	if plain, ok := unbase64(data); ok {
		data = plain
	}
	return w.yield(object{name: "message-" + strconv.Itoa(w.count) + "-" + strings.ToLower(section),
		body: func() (io.Reader, error) { return bytes.NewReader(data), nil }})
}

// envelopeOf is what a message's header says of it and not of its content, which
// the header of a part does.
func envelopeOf(head []byte) []byte {
	var fields []byte
	keep := false
	for line := range bytes.Lines(head) {
		if folded := line[0] == ' ' || line[0] == '\t'; !folded {
			name, _, field := strings.Cut(strings.ToLower(string(line)), ":")
			keep = field && !strings.HasPrefix(name, "content-")
		}
		if keep {
			fields = append(fields, line...)
		}
	}
	return fields
}

// unbase64 decodes what is nothing but lines of base64, as the body of a part is
// whose header was not fetched with it.
func unbase64(data []byte) ([]byte, bool) {
	if len(data) < 4 {
		return nil, false
	}
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(plain, bytes.TrimRight(data, "\r\n"))
	return plain[:n], err == nil
}
