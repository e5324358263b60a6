package archive

import (
	"bytes"
	"encoding/ascii85"
	"encoding/hex"
	"io"

	"github.com/besra-hunt/besra/inflate"
	"github.com/besra-hunt/besra/lazyregexp"
)

func isPDF(_ string, content []byte) bool {
	return bytes.Contains(content[:min(len(content), 1024)], []byte("%PDF-"))
}

var (
	pdfFilter = lazyregexp.New(`^/Filter\s*(\[[^\]]{0,256}\]|/\w+)`)
	pdfName   = lazyregexp.New(`/\w+`)
)

// pdf yields the streams of a document that are packed, found by their
// keywords: a damaged or malicious document's cross-reference table proves
// nothing. A stream that is not packed lies in the document as it is, and is
// scanned with it.
func (w *walk) pdf() error {
	encrypted := bytes.Contains(w.content, []byte("/Encrypt"))
	var object pdfObject
	for at := 0; ; {
		i := bytes.Index(w.content[at:], []byte("stream"))
		if i < 0 {
			return nil
		}
		object.read(w.content[at : at+i])
		start := at + i + len("stream")
		at = start
		if bytes.HasSuffix(w.content[:start], []byte("endstream")) || start >= len(w.content) {
			continue
		}
		end, err := w.pdfStream(start, object, encrypted)
		if err != nil {
			return err
		}
		at = max(at, end)
	}
}

// pdfStream yields the stream of the object whose keyword ends at start, and
// returns where it ends itself. Of an encrypted document what does not unpack is
// taken for that.
func (w *walk) pdfStream(start int, object pdfObject, encrypted bool) (end int, err error) {
	body := bytes.TrimPrefix(w.content[start:], []byte("\r"))
	body = bytes.TrimPrefix(body, []byte("\n"))
	if len(body) == len(w.content)-start {
		return start, nil // the keyword is followed by an end of line
	}
	if len(object.filters) == 0 {
		return start, nil
	}
	if i := bytes.Index(body, []byte("endstream")); i >= 0 {
		body = body[:i]
	}
	end = len(w.content) - len(w.content[start:]) + len(body)
	name := object.name
	if name == "" {
		name = "stream-" + itoa(int64(start))
	}
	return end, w.yield(member{name: name, size: -1, open: func() (io.Reader, error) {
		r, err := pdfUnpack(body, object.filters)
		if err != nil && encrypted {
			err = errEncrypted
		}
		return r, err
	}})
}

// pdfObject is what was read last of the objects of a document: the name of the
// last one and the filters that its dictionary names first. Each byte is looked
// at once, so that a document of nothing but keywords costs no more than another.
type pdfObject struct {
	name    string
	filters []string
}

// read goes on over the text between two keywords.
func (o *pdfObject) read(text []byte) {
	for end := len(text); ; {
		i := bytes.LastIndex(text[:end], []byte("obj"))
		if i < 0 {
			break
		}
		if name := pdfHeader(text[:i], text[i+len("obj"):]); name != "" {
			*o, text = pdfObject{name: name}, text[i:]
			break
		}
		end = i
	}
	for len(o.filters) == 0 {
		i := bytes.Index(text, []byte("/Filter"))
		if i < 0 {
			return
		}
		if m := pdfFilter().FindSubmatch(text[i:]); m != nil {
			for _, f := range pdfName().FindAll(m[1], -1) {
				o.filters = append(o.filters, string(f[1:]))
			}
		}
		text = text[i+len("/Filter"):]
	}
}

// pdfHeader names the object that "obj" between the two texts begins
// (ISO 32000-1, 7.3.10), "" where it begins none.
func pdfHeader(before, after []byte) string {
	if len(after) > 0 && isWord(after[0]) {
		return ""
	}
	before, generation := lastNumber(before, 5)
	_, number := lastNumber(before, 10)
	if generation == "" || number == "" {
		return ""
	}
	return "obj-" + number + "-" + generation
}

// lastNumber splits off the number of so many digits at most, and the white
// space behind it, that a text ends in.
func lastNumber(text []byte, digits int) (rest []byte, number string) {
	const maxSpace = 256
	spaces := len(text)
	for spaces > max(0, len(text)-maxSpace) && isSpace(text[spaces-1]) {
		spaces--
	}
	first := spaces
	for first > max(0, spaces-digits) && '0' <= text[first-1] && text[first-1] <= '9' {
		first--
	}
	if spaces == len(text) || first == spaces {
		return nil, ""
	}
	return text[:first], string(text[first:spaces])
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' || c == 0 }

func isWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

// pdfUnpack undoes the filters (ISO 32000-1, 7.4) up to the first that holds an
// image, which is left as it is.
func pdfUnpack(body []byte, filters []string) (io.Reader, error) {
	var r io.Reader = bytes.NewReader(body)
	for _, f := range filters {
		switch f {
		case "FlateDecode", "Fl":
			z, err := inflate.NewZlibReader(r)
			if err != nil {
				return nil, err
			}
			r = lenient{z}
		case "ASCIIHexDecode", "AHx":
			r = hex.NewDecoder(&hexDigits{r})
		case "ASCII85Decode", "A85":
			r = ascii85.NewDecoder(&until{r: r, end: '~'})
		case "DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode":
			return r, nil
		default:
			return nil, unsupportedError("filter " + f)
		}
	}
	return r, nil
}

// lenient takes damage behind unpacked bytes for the end, as viewers do.
type lenient struct{ io.Reader }

func (r lenient) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF && n > 0 {
		err = nil
	}
	return n, err
}

// hexDigits passes on hexadecimal digits up to the closing ">".
type hexDigits struct{ r io.Reader }

func (h *hexDigits) Read(p []byte) (int, error) {
	for {
		n, err := h.r.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			if c == '>' {
				return len(kept), io.EOF
			}
			if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' {
				kept = append(kept, c)
			}
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}

// until passes on what stands before the byte end.
type until struct {
	r   io.Reader
	end byte
}

func (u *until) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], u.end); i >= 0 {
		return i, io.EOF
	}
	return n, err
}
