package capture

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/inflate"
)

const portIMAP = 143

// isIMAPServer takes a server's greeting, or the port.
func isIMAPServer(f *streamFacts, b []byte) bool {
	if f.flow.proto != "tcp" || f.flow.dstPort == portIMAP {
		return false
	}
	return f.flow.srcPort == portIMAP || bytes.HasPrefix(b, []byte("* OK ")) || bytes.HasPrefix(b, []byte("* PREAUTH "))
}

// isIMAPClient takes a client's first command, or the port.
func isIMAPClient(f *streamFacts, b []byte) bool {
	if f.flow.proto != "tcp" || f.flow.dstPort == portIMAP {
		return f.flow.proto == "tcp"
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

// imapLines is where a direction of IMAP stands (RFC 9051).
type imapLines struct {
	begin    string          // the first line of a command or response; empty between them
	before   string          // what stands before the literal
	packs    bool            // compression was asked for, or granted
	deflated bool            // from some place on
	parts    string          // the message that is under way in parts
	mailbox  int             // how many were left
	asked    bool            // the other end has asked for a literal
	refused  map[string]bool // tags of commands whose literals never come
}

var errNoText = errors.New("what follows is no text")

// imapHead reads a line, up to a literal.
func imapHead(f *framer, b []byte) (int, error) {
	at := &f.imap
	if at.begin == "" && len(b) > 0 && (at.packs || !printable(b[0])) {
		if n, err := f.change(b); n == more || f.body.coding != 0 {
			return n, err
		}
	}
	line, n, err := wholeLine(b)
	if n == more {
		return more, err
	}
	text, size := cutLiteral(string(line))
	if at.begin == "" {
		at.begin, f.begins = text, !at.goesOn(text)
	}
	at.before = text
	unasked := bytes.HasSuffix(line, []byte("+}"))
	switch {
	case size < 0 || !unasked && f.refuses(at.begin):
		at.end()
		return n, nil
	case !unasked && len(b) == n:
		return more, nil // nor has the server answered
	}
	if _, offset, ok := cutSection(text); ok && offset >= 0 {
		at.parts = fetched(at.begin)
	}
	f.body = body{coding: counted, left: int64(size)}
	return n, nil
}

// end is the end of a command or response.
func (at *imapLines) end() {
	line := strings.ToUpper(at.begin)
	at.packs = compresses(line) && !at.deflated
	if strings.Contains(line, " OK [READ-") { // another mailbox, where messages have other numbers
		at.parts = ""
		at.mailbox++
	}
	at.begin = ""
}

// refuses reports whether the server said no to a command without having asked
// for what it announced (RFC 9051, 4.3).
func (f *framer) refuses(command string) bool {
	h, at := &f.heard, &f.imap
	for h.at < len(h.other) {
		line, n, _ := wholeLine(h.other[h.at:])
		if n == more {
			break
		}
		text, size := cutLiteral(string(line))
		h.at += n + max(size, 0)
		tag, answer, _ := strings.Cut(text, " ")
		if tag == "*" {
			continue
		}
		if no := strings.HasPrefix(answer, "NO ") || strings.HasPrefix(answer, "BAD "); no && !at.asked {
			at.refuse(tag)
		}
		at.asked = tag == "+"
	}
	tag, _, _ := strings.Cut(command, " ")
	return at.refused[tag]
}

// maxRefused bounds how many commands are remembered that were refused.
const maxRefused = 4096

func (at *imapLines) refuse(tag string) {
	if at.refused == nil || len(at.refused) >= maxRefused {
		at.refused = map[string]bool{}
	}
	at.refused[tag] = true
}

// goesOn reports whether a line belongs to a message that comes in parts: all
// lines do until another message is handed out.
func (at *imapLines) goesOn(line string) bool {
	message := fetched(line)
	if message != "" && message != at.parts {
		at.parts = ""
	}
	return at.parts != ""
}

// fetched is the message that a response hands out; empty for any other line.
func fetched(line string) string {
	fields := strings.Fields(line)
	if len(fields) < 3 || !strings.EqualFold(fields[2], "FETCH") {
		return ""
	}
	return fields[1]
}

// change looks at what follows where text ends, or may end: it is encrypted,
// compressed (RFC 4978), or text after all.
func (f *framer) change(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("\x16\x03")) {
		return more, io.EOF
	}
	f.imap.packs = false
	if !f.imap.deflated {
		var first [1]byte
		switch n, err := inflate.NewReader(bytes.NewReader(b)).Read(first[:]); {
		case n == 0 && err == io.ErrUnexpectedEOF:
			f.imap.packs = true
			return more, nil
		case n > 0 && printable(first[0]):
			f.body, f.imap.deflated = body{coding: compressed, left: toTheEnd}, true
			return 0, nil
		}
	}
	if !printable(b[0]) {
		return more, errNoText
	}
	return 0, nil
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
	n, err := strconv.ParseInt(strings.TrimRight(line[at+1:len(line)-1], "+-"), 10, strconv.IntSize-2)
	if err != nil || n < 0 {
		return line, -1
	}
	return strings.TrimSuffix(line[:at], "~"), int(n)
}

func (d *dialogue) cut(detail string) {
	d.tell(besra.GapError, d.outer.Name, ReasonCut, detail)
}

// imapWalk is one direction under way: what a server hands out with FETCH, or a
// client hands over with APPEND.
type imapWalk struct {
	*dialogue
	each    func(at imapLines, p portion) error
	count   int
	heads   map[string][]byte // headers that came, by message and section
	partial map[string]*runs  // bodies that come in parts, by message and section
	order   []string          // of their first parts
	last    imapLines         // where the last portion stood
}

func (d *dialogue) fetched() error {
	w := &imapWalk{dialogue: d, last: d.framer.imap, heads: map[string][]byte{}, partial: map[string]*runs{}}
	w.each = w.fetch
	return w.walk()
}

func (d *dialogue) appended() error {
	w := &imapWalk{dialogue: d, last: d.framer.imap}
	w.each = w.append
	return w.walk()
}

func (w *imapWalk) walk() error {
	rest, err := w.bodies(w.portion)
	var damage *objectError
	switch {
	case errors.As(err, &damage):
		w.cut(damage.Error())
	case err != nil:
		return err
	case len(rest) > 0 && !printable(rest[0]):
		w.cut(errNoText.Error())
	}
	return w.leave()
}

func (w *imapWalk) portion(f *framer, p portion) error {
	if w.last.mailbox != f.imap.mailbox {
		if err := w.leave(); err != nil {
			return err
		}
	}
	w.last = f.imap
	if p.coding == compressed {
		return w.inflate(p)
	}
	return w.each(f.imap, p)
}

// inflate goes on in what is compressed. Only its beginning is read where it is
// longer than a window.
func (w *imapWalk) inflate(p portion) error {
	if p.at > 0 {
		return nil
	}
	data, err := w.budget.Unpack(inflate.NewReader(bytes.NewReader(p.raw)))
	var limit *besra.LimitError
	if errors.As(err, &limit) {
		return err
	}
	if p.goesOn {
		w.cut("what is compressed is longer than what may be held")
	}
	outer := *w.dialogue
	defer func() { *w.dialogue = outer }()
	w.content = data.Bytes()
	w.window, w.framer = window{}, framer{head: imapHead, imap: imapLines{deflated: true}}
	return w.walk()
}

// append yields what a client hands over. The mailbox may be a literal, too.
func (w *imapWalk) append(at imapLines, p portion) error {
	fields := strings.Fields(at.begin)
	if len(fields) < 2 || !strings.EqualFold(fields[1], "APPEND") || at.before == at.begin && len(fields) == 2 {
		return nil
	}
	w.count++
	return w.message(w.count, p, nil)
}

// fetch yields what a server hands out.
func (w *imapWalk) fetch(at imapLines, p portion) error {
	message := fetched(at.begin)
	section, offset, ok := cutSection(at.before)
	if !ok || message == "" {
		return nil
	}
	key := message + "/" + section // of the number that the mailbox gives it
	if offset < 0 {
		return w.section(key, p)
	}
	if p.short && !p.goesOn {
		w.cut("a part of a message ends too early")
	}
	if w.partial[key] == nil {
		w.partial[key] = &runs{}
		w.order = append(w.order, key)
	}
	if len(w.partial[key].list) > maxPieces {
		return &besra.LimitError{Limit: "parts", Max: maxPieces}
	}
	w.partial[key].put(offset+p.at, p.raw)
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
		message, _, _ := strings.Cut(key, "/")
		list := w.partial[key].joined()
		if len(list) > 0 && list[0].at > 0 && message != w.framer.imap.parts {
			w.cut("a message was fetched in parts, and its beginning is missing")
		}
		for i, r := range list {
			p := portion{body: body{coding: counted, base: r.at}, raw: r.data, size: int64(len(r.data))}
			p.goesOn = i == len(list)-1 && w.window.goesOn && message == w.last.parts
			p.short = p.goesOn || i < len(list)-1
			if err := w.section(key, p); err != nil {
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
func (w *imapWalk) section(key string, p portion) error {
	message, section, _ := strings.Cut(key, "/")
	if section == "HEADER" || strings.HasPrefix(section, "HEADER.FIELDS ") || strings.HasSuffix(section, ".MIME") {
		section, _, _ = strings.Cut(section, " ")
		w.heads[message+"/"+section] = p.raw
		return nil
	}
	if strings.Contains(section, "HEADER") || p.size == 0 {
		return nil
	}
	w.count++
	head := w.heads[message+"/HEADER"]
	mime := w.heads[message+"/"+section+".MIME"]
	switch {
	case p.base+p.at > 0 || section == "":
	case section == "TEXT" && head != nil:
		section, p.raw = "", slices.Concat(head, p.raw)
	case mime != nil:
		around := slices.Concat(w.heads[message+"/HEADER.FIELDS"], head)
		section, p.raw = "", slices.Concat(envelopeOf(around), mime, p.raw)
	default:
		if plain, ok := unbase64(p.raw); ok {
			p.raw = plain
		}
	}
	if section == "" {
		return w.message(w.count, p, nil)
	}
	return w.yield(p.object("message-" + strconv.Itoa(w.count) + "-" + strings.ToLower(section)))
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
