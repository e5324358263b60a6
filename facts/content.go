package facts

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/besra-hunt/besra"
)

// digests are the content's digests, all computed in one pass: reading costs
// more than hashing.
type digests struct {
	md5    [md5.Size]byte
	sha1   [sha1.Size]byte
	sha256 [sha256.Size]byte
	source string
}

func (f *File) digestFact(ctx context.Context, name string) besra.Fact {
	d, err := f.digest(ctx)
	if err != nil {
		return again(err)
	}
	switch name {
	case "file.md5":
		return fact(hex.EncodeToString(d.md5[:]), besra.GradeVerified, d.source)
	case "file.sha1":
		return fact(hex.EncodeToString(d.sha1[:]), besra.GradeVerified, d.source)
	}
	return fact(hex.EncodeToString(d.sha256[:]), besra.GradeVerified, d.source)
}

// digest returns the digests of the content, computed once.
func (f *File) digest(ctx context.Context) (*digests, error) {
	if f.sums != nil {
		return f.sums, nil
	}
	d, err := f.computeDigest(ctx)
	if err == nil {
		f.sums = d
	}
	return d, err
}

func (f *File) computeDigest(ctx context.Context) (*digests, error) {
	if f.held {
		return sum(ctx, bytes.NewReader(f.content), "content that was scanned")
	}
	file, err := f.reopen()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	d, err := sum(ctx, file, "content, read again")
	if err != nil {
		return nil, err
	}
	if now, err := file.Stat(); err != nil || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return nil, errors.Join(err, errChanged)
	}
	return d, nil
}

func sum(ctx context.Context, r io.Reader, source string) (*digests, error) {
	m, s1, s2 := md5.New(), sha1.New(), sha256.New()
	all := io.MultiWriter(m, s1, s2)
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	d := &digests{source: source}
	m.Sum(d.md5[:0])
	s1.Sum(d.sha1[:0])
	s2.Sum(d.sha256[:0])
	return d, nil
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
