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
	return f.sum(ctx, digesterOf(name))
}

// digesterOf returns what computes the digest of a fact.
func digesterOf(name string) digester {
	switch name {
	case "file.md5":
		return md5.New()
	case "file.sha1":
		return sha1.New()
	case "file.sha512":
		return sha512.New()
	}
	return sha256.New()
}

// digester is the part of hash.Hash that is used here.
type digester interface {
	io.Writer
	Sum(b []byte) []byte
}

// sum adds the content to a digest and returns it in hex.
func (f *File) sum(ctx context.Context, h digester) besra.Fact {
	if f.held {
		return sumOf(ctx, bytes.NewReader(f.content), h, "content that was scanned")
	}
	file, err := f.reopen()
	if err != nil {
		return again(err)
	}
	defer file.Close()
	d := sumOf(ctx, file, h, "content, read again")
	if now, err := file.Stat(); err != nil || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return again(errors.Join(err, errChanged))
	}
	return d
}

func sumOf(ctx context.Context, r io.Reader, h digester, source string) besra.Fact {
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
