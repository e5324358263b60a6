package archive

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"io"
	"regexp"
)

func isPDF(_ string, content []byte) bool {
	return bytes.Contains(content[:min(len(content), 1024)], []byte("%PDF-"))
}

var (
	pdfObject = regexp.MustCompile(`(\d{1,10})\s+(\d{1,5})\s+obj\b`)
	pdfFilter = regexp.MustCompile(`/Filter\s*(\[[^\]]{0,256}\]|/\w+)`)
	pdfName   = regexp.MustCompile(`/\w+`)
)

// maxDictionary is how far before its stream an object may begin.
const maxDictionary = 64 << 10

// pdf yields the streams of a document that are packed, found by their
// keywords: a damaged or malicious document's cross-reference table proves
// nothing. A stream that is not packed lies in the document as it is, and is
// scanned with it.
func (w *walk) pdf() error {
	for at := 0; ; {
		i := bytes.Index(w.content[at:], []byte("stream"))
		if i < 0 {
			return nil
		}
		start := at + i + len("stream")
		at = start
		if bytes.HasSuffix(w.content[:start], []byte("endstream")) || start >= len(w.content) {
			continue
		}
		end, err := w.pdfStream(start)
		if err != nil {
			return err
		}
		at = max(at, end)
	}
}

// pdfStream yields the stream whose keyword ends at start, and returns where it
// ends itself.
func (w *walk) pdfStream(start int) (end int, err error) {
	body := bytes.TrimPrefix(w.content[start:], []byte("\r"))
	body = bytes.TrimPrefix(body, []byte("\n"))
	if len(body) == len(w.content)-start {
		return start, nil // the keyword is followed by an end of line
	}
	name, filters := w.pdfDictionary(start)
	if len(filters) == 0 {
		return start, nil
	}
	if i := bytes.Index(body, []byte("endstream")); i >= 0 {
		body = body[:i]
	}
	end = len(w.content) - len(w.content[start:]) + len(body)
	return end, w.yield(member{name: name, size: -1, open: func() (io.Reader, error) { return pdfUnpack(body, filters) }})
}

// pdfDictionary finds the object that a stream belongs to and its filters.
func (w *walk) pdfDictionary(start int) (name string, filters []string) {
	head := w.content[max(0, start-maxDictionary):start]
	name = "stream-" + itoa(int64(start))
	if all := pdfObject.FindAllSubmatchIndex(head, -1); len(all) > 0 {
		last := all[len(all)-1]
		name = "obj-" + string(head[last[2]:last[3]]) + "-" + string(head[last[4]:last[5]])
		head = head[last[1]:]
	}
	if m := pdfFilter.FindSubmatch(head); m != nil {
		for _, f := range pdfName.FindAll(m[1], -1) {
			filters = append(filters, string(f[1:]))
		}
	}
	return name, filters
}

// pdfUnpack undoes the filters (ISO 32000-1, 7.4) up to the first that holds an
// image, which is left as it is.
func pdfUnpack(body []byte, filters []string) (io.Reader, error) {
	var r io.Reader = bytes.NewReader(body)
	for _, f := range filters {
		switch f {
		case "FlateDecode", "Fl":
			z, err := zlib.NewReader(r)
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
