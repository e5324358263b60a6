// Package httpbody undoes what HTTP does to a body on its way: content
// encodings, and the parts of a form. Sources that carry HTTP share it.
package httpbody

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/besra-hunt/besra/inflate"
	"github.com/klauspost/compress/zstd"
)

// Boundary returns what separates the parts of a multipart body; empty where
// the header announces none.
func Boundary(h http.Header) string {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return ""
	}
	return params["boundary"]
}

// PartName names the i-th part by its file, by its field, or by its place.
func PartName(p *multipart.Part, i int) string {
	switch {
	case p.FileName() != "":
		return p.FileName()
	case p.FormName() != "":
		return p.FormName()
	}
	return "part-" + strconv.Itoa(i)
}

// maxEncodings is how many encodings of one body are undone.
const maxEncodings = 5

// Decode undoes the content encodings of a body, as the header Content-Encoding
// lists them, the last one first.
func Decode(r io.Reader, encodings string) (io.Reader, error) {
	list := strings.Split(encodings, ",")
	if len(list) > maxEncodings {
		return nil, errors.New("too many content encodings")
	}
	var err error
	for i := len(list) - 1; i >= 0 && err == nil; i-- {
		switch strings.ToLower(strings.TrimSpace(list[i])) {
		case "", "identity":
		case "gzip", "x-gzip":
			r, err = inflate.NewGzipReader(r)
		case "deflate":
			r, err = deflated(r)
		case "br":
			r = brotli.NewReader(r)
		case "zstd":
			r, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		default:
			err = errors.New("content encoding " + strings.TrimSpace(list[i]) + " is not read")
		}
	}
	return r, err
}

// deflated takes both readings of "deflate": with zlib's header, and without.
func deflated(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	head, _ := in.Peek(2)
	if len(head) == 2 && head[0]&0xf == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return inflate.NewZlibReader(in)
	}
	return inflate.NewReader(in), nil
}
