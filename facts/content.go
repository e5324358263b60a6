package facts

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"

	"io"

	"github.com/besra-hunt/besra"
)

// digestFact computes one digest: on a large file the slow ones cost more than
// reading it again, and rarely is more than one asked for.
func (f *File) digestFact(ctx context.Context, name string) besra.Fact {
	if f.held {
		return digestOf(ctx, bytes.NewReader(f.content), name, "content that was scanned")
	}
	file, err := f.reopen()
	if err != nil {
		return again(err)
	}
	defer file.Close()
	d := digestOf(ctx, file, name, "content, read again")
	if now, err := file.Stat(); err != nil || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return again(errors.Join(err, errChanged))
	}
	return d
}

// digester is the part of hash.Hash that is used here.
type digester interface {
	io.Writer
	Sum(b []byte) []byte
}

func digestOf(ctx context.Context, r io.Reader, name, source string) besra.Fact {
	var h digester
	switch name {
	case "file.md5":
		h = md5.New()
	case "file.sha1":
		h = sha1.New()
	case "file.sha512":
		h = sha512.New()
	default:
		h = sha256.New()
	}
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return again(err)
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return fact(hex.EncodeToString(h.Sum(nil)), besra.GradeVerified, source)
		}
		if err != nil {
			return again(err)
		}
	}
}

// magicBytes is how much of the content decides its class.
const magicBytes = 4096

func (f *File) magicFact(context.Context) besra.Fact {
	if f.held {
		return fact(Magic(f.content[:min(len(f.content), magicBytes)]), besra.GradeVerified, "content that was scanned")
	}
	file, err := f.reopen()
	if err != nil {
		return again(err)
	}
	defer file.Close()
	buf := make([]byte, magicBytes)
	n, err := io.ReadFull(file, buf)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return again(err)
	}
	return fact(Magic(buf[:n]), besra.GradeVerified, "content, read again")
}
