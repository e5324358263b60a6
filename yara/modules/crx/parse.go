package crx

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/internal/container"
)

const (
	magic      = "Cr24"
	signedText = "CRX3 SignedData\x00" // before what signatures of version 3 cover
)

// Numbers of fields of the header of version 3, which is a protocol buffer:
// https://chromium.googlesource.com/chromium/src/+/main/components/crx_file/crx3.proto.
const (
	fieldRSA       = 2
	fieldECDSA     = 3
	fieldSigned    = 10000
	fieldPublicKey = 1
	fieldSignature = 2
	fieldID        = 1
)

// extension is a package of one scan.
type extension struct {
	version, headerSize uint32
	id                  string
	proofs              []*proof
	archive             *container.Zip

	manifest *manifest
	digest   []byte
	sum      func() []byte
}

// parse reads the header; nil where data is no package.
func parse(data []byte) *extension {
	r := binfmt.NewReader(data[len(magic):], binfmt.Little)
	p := &extension{version: r.U32()}
	ok := false
	var archive []byte
	switch p.version {
	case 2:
		archive, ok = p.header2(r)
	case 3:
		archive, ok = p.header3(r)
	}
	if !ok {
		return nil
	}
	if p.archive = container.ParseZip(archive); p.archive == nil || !p.archive.Whole() {
		return nil
	}
	return p
}

// header2 reads a key and a signature of the archive.
func (p *extension) header2(r *binfmt.Reader) (archive []byte, ok bool) {
	keySize, signatureSize := r.U32(), r.U32()
	key, _ := binfmt.Clip(r.Rest(), 0, uint64(keySize))
	rest, _ := binfmt.From(r.Rest(), uint64(len(key)))
	signature, ok := binfmt.Range(rest, 0, uint64(signatureSize))
	if !r.OK() || !ok || len(key) != int(keySize) {
		return nil, false
	}
	archive = rest[len(signature):]
	p.headerSize = keySize + signatureSize
	id := sha256.Sum256(key)
	p.id = letters(id[:16])
	p.sum = func() []byte { sum := sha1.Sum(archive); return sum[:] }
	p.proofs = []*proof{{of: p, key: key, signature: signature, hash: crypto.SHA1, rsa: true}}
	return archive, true
}

// header3 reads a protocol buffer with any number of keys and signatures.
func (p *extension) header3(r *binfmt.Reader) (archive []byte, ok bool) {
	p.headerSize = r.U32()
	header, ok := binfmt.Range(r.Rest(), 0, uint64(p.headerSize))
	if !r.OK() || !ok {
		return nil, false
	}
	archive = r.Rest()[len(header):]
	var signed []byte
	has := false
	ok = fields(header, func(number uint64, value []byte) bool {
		switch number {
		case fieldRSA, fieldECDSA:
			return p.addProof(value, number == fieldRSA)
		case fieldSigned:
			signed, has = value, true
		}
		return true
	})
	var id []byte
	okSigned := fields(signed, func(number uint64, value []byte) bool {
		if number == fieldID {
			id = value
		}
		return true
	})
	if !ok || !has || !okSigned {
		return nil, false
	}
	p.id = letters(id)
	p.sum = func() []byte { return sum3(signed, archive) }
	return archive, true
}

// addProof adds a key and its signature; those of RSA come first.
func (p *extension) addProof(b []byte, rsa bool) bool {
	pr := &proof{of: p, hash: crypto.SHA256, rsa: rsa}
	hasKey, hasSignature := false, false
	ok := fields(b, func(number uint64, value []byte) bool {
		switch number {
		case fieldPublicKey:
			pr.key, hasKey = value, true
		case fieldSignature:
			pr.signature, hasSignature = value, true
		}
		return true
	})
	if !ok || !hasKey || !hasSignature || len(p.proofs) >= maxSignatures {
		return ok
	}
	at := len(p.proofs)
	for rsa && at > 0 && !p.proofs[at-1].rsa {
		at--
	}
	p.proofs = append(p.proofs[:at:at], append([]*proof{pr}, p.proofs[at:]...)...)
	return true
}

// sum3 is the digest that signatures of version 3 sign.
func sum3(signed, archive []byte) []byte {
	h := sha256.New()
	h.Write([]byte(signedText))
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signed))))
	h.Write(signed)
	h.Write(archive)
	return h.Sum(nil)
}

// fields calls read for the fields of a protocol buffer that are bytes; false
// where it is malformed. See https://protobuf.dev/programming-guides/encoding.
func fields(b []byte, read func(number uint64, value []byte) bool) bool {
	const varint, fixed64, bytes, fixed32 = 0, 1, 2, 5
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 {
			return false
		}
		b = b[n:]
		size := uint64(0)
		switch key & 7 {
		case varint:
			_, n := binary.Uvarint(b)
			size = uint64(max(n, 0))
			if n <= 0 {
				return false
			}
		case fixed64:
			size = 8
		case fixed32:
			size = 4
		case bytes:
			var n int
			if size, n = binary.Uvarint(b); n <= 0 {
				return false
			}
			b = b[n:]
		default:
			return false
		}
		if size > uint64(len(b)) || key&7 == bytes && !read(key>>3, b[:size]) {
			return false
		}
		b = b[size:]
	}
	return true
}

// letters spells an identifier as Chrome does: hexadecimal digits, but from a
// to p.
func letters(id []byte) string {
	s := make([]byte, 0, 2*len(id))
	for _, b := range id {
		s = append(s, 'a'+b>>4, 'a'+b&15)
	}
	return string(s)
}
