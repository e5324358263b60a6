package pe_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// The tests sign files by hand, so that a signature can be wrong in one place.

// tlv is an element of ASN.1.
func tlv(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	n := len(content)
	head := []byte{tag, byte(n)}
	switch {
	case n >= 1<<16:
		head = []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	case n >= 1<<8:
		head = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	case n >= 1<<7:
		head = []byte{tag, 0x81, byte(n)}
	}
	return append(head, content...)
}

const (
	seq, set, octets, null = 0x30, 0x31, 0x04, 0x05
	context0, context1     = 0xa0, 0xa1
)

func oid(arcs ...int) []byte {
	b, err := asn1.Marshal(asn1.ObjectIdentifier(arcs))
	if err != nil {
		panic(err)
	}
	return b
}

func algorithm(arcs ...int) []byte { return tlv(seq, oid(arcs...), tlv(null)) }

var (
	signedDataID   = oid(1, 2, 840, 113549, 1, 7, 2)
	indirectDataID = oid(1, 3, 6, 1, 4, 1, 311, 2, 1, 4)
	tstInfoID      = oid(1, 2, 840, 113549, 1, 9, 16, 1, 4)
	sha1ID         = algorithm(1, 3, 14, 3, 2, 26)
	sha256ID       = algorithm(2, 16, 840, 1, 101, 3, 4, 2, 1)
	rsaID          = algorithm(1, 2, 840, 113549, 1, 1, 1)
)

// attr is an attribute of a SignerInfo.
func attr(id []byte, values ...[]byte) []byte { return tlv(seq, id, tlv(set, values...)) }

// identity is a key and its certificate.
type identity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

var serials = int64(0x1234)

func newIdentity(t testing.TB, name string, by *identity, key crypto.Signer) *identity {
	t.Helper()
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 1024); err != nil {
			t.Fatal(err)
		}
	}
	serials++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials),
		Subject:      pkix.Name{Country: []string{"CH"}, Organization: []string{"Besra & Söhne"}, CommonName: name},
		NotBefore:    time.Unix(1600000000, 0),
		NotAfter:     time.Unix(2600000000, 0), // a GeneralizedTime
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{key, cert}
}

func newECDSA(t testing.TB) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signing is how a file is signed.
type signing struct {
	by           *identity
	certificates []*identity
	sha1         bool
	opus         []byte
	unsigned     func(signature []byte) [][]byte
	// spoil changes the digest of the file, or the attributes after they are signed.
	spoilDigest, spoilAttributes bool
	version                      byte
	signers                      int // besides the one
}

func (s *signing) hash(b []byte) ([]byte, crypto.Hash, []byte) {
	if s.sha1 {
		h := sha1.Sum(b)
		return h[:], crypto.SHA1, sha1ID
	}
	h := sha256.Sum256(b)
	return h[:], crypto.SHA256, sha256ID
}

// signerInfo signs content.
func (s *signing) signerInfo(contentID, content []byte) []byte {
	digest, _, alg := s.hash(content)
	attrs := append(attr(oid(1, 2, 840, 113549, 1, 9, 3), contentID), attr(oid(1, 2, 840, 113549, 1, 9, 4), tlv(octets, digest))...)
	attrs = append(attrs, attr(oid(1, 2, 840, 113549, 1, 9, 5), tlv(0x17, []byte("231114221320Z")))...)
	if s.opus != nil {
		attrs = append(attrs, attr(oid(1, 3, 6, 1, 4, 1, 311, 2, 1, 12), s.opus)...)
	}
	signed, h, _ := s.hash(tlv(set, attrs))
	signature, err := s.by.key.Sign(rand.Reader, signed, h)
	if err != nil {
		panic(err)
	}
	if s.spoilAttributes {
		attrs[len(attrs)-3]++
	}
	parts := [][]byte{{2, 1, 1}, tlv(seq, s.by.cert.RawIssuer, integer(s.by.cert.SerialNumber)), alg,
		tlv(context0, attrs), rsaID, tlv(octets, signature)}
	if s.unsigned != nil {
		parts = append(parts, tlv(context1, s.unsigned(signature)...))
	}
	return tlv(seq, parts...)
}

func integer(i *big.Int) []byte {
	b, err := asn1.Marshal(i)
	if err != nil {
		panic(err)
	}
	return b
}

// signedData is a ContentInfo with a SignedData of content, which is within an
// element already.
func (s *signing) signedData(contentID, element, content []byte) []byte {
	var certificates []byte
	for _, c := range s.certificates {
		certificates = append(certificates, c.cert.Raw...)
	}
	info := s.signerInfo(contentID, content)
	var infos []byte
	for range 1 + s.signers {
		infos = append(infos, info...)
	}
	_, _, alg := s.hash(nil)
	return tlv(seq, signedDataID, tlv(context0, tlv(seq, []byte{2, 1, max(s.version, 1)}, tlv(set, alg),
		tlv(seq, contentID, tlv(context0, element)), tlv(context0, certificates), tlv(set, infos))))
}

// indirect is the content of a signature: the digest of a file.
func (s *signing) indirect(file []byte) (element, content []byte) {
	nt := int(le.Uint32(file[60:]))
	checksum, entry := nt+24+64, nt+24+96+4*8
	if le.Uint16(file[nt+24:]) == 0x20b {
		entry += 16
	}
	covered := append(append([]byte{}, file[:checksum]...), file[checksum+4:entry]...)
	digest, _, alg := s.hash(append(covered, file[entry+8:]...))
	if s.spoilDigest {
		digest[0]++
	}
	content = append(tlv(seq, oid(1, 3, 6, 1, 4, 1, 311, 2, 1, 15)), tlv(seq, alg, tlv(octets, digest))...)
	return tlv(seq, content), content
}

// contentInfo is the signature of a file that has no certificate table yet,
// and whose size is a multiple of 8.
func (s *signing) contentInfo(file []byte) []byte {
	element, content := s.indirect(file)
	return s.signedData(indirectDataID, element, content)
}

// sign adds a certificate table with entries.
func sign(file []byte, entries ...[]byte) []byte {
	nt := int(le.Uint32(file[60:]))
	entry := nt + 24 + 96 + 4*8
	if le.Uint16(file[nt+24:]) == 0x20b {
		entry += 16
	}
	at := len(file)
	for _, e := range entries {
		file = append(file, u32s(uint32(len(e)+8))...)
		file = append(file, u16s(0x200, 2)...)
		file = append(file, e...)
		for len(file)%8 != 0 {
			file = append(file, 0)
		}
	}
	copy(file[entry:], u32s(uint32(at), uint32(len(file)-at)))
	return file
}

// countersign is a countersignature of PKCS #9 as an attribute.
func countersign(s *signing) func(signature []byte) [][]byte {
	return func(signature []byte) [][]byte {
		return [][]byte{attr(oid(1, 2, 840, 113549, 1, 9, 6), s.signerInfo(oid(1, 2, 840, 113549, 1, 7, 1), signature))}
	}
}

// timestamp is a countersignature of Microsoft as an attribute.
func timestamp(s *signing) func(signature []byte) [][]byte {
	return func(signature []byte) [][]byte {
		digest, _, alg := s.hash(signature)
		token := tlv(seq, []byte{2, 1, 1}, oid(1, 2, 3), tlv(seq, alg, tlv(octets, digest)), []byte{2, 1, 9}, tlv(0x18, []byte("20231114221320Z")))
		return [][]byte{attr(oid(1, 3, 6, 1, 4, 1, 311, 3, 3, 1), s.signedData(tstInfoID, tlv(octets, token), token))}
	}
}

// nest is another signature as an attribute.
func nest(contentInfo []byte) func(signature []byte) [][]byte {
	return func([]byte) [][]byte {
		return [][]byte{attr(oid(1, 3, 6, 1, 4, 1, 311, 2, 4, 1), contentInfo)}
	}
}

// opusInfo names a program and a URL.
func opusInfo(name, url string) []byte {
	be := append([]byte(nil), utf16le(name)...)
	for i := 0; i+1 < len(be); i += 2 {
		be[i], be[i+1] = be[i+1], be[i]
	}
	return tlv(seq, tlv(context0, tlv(0x80, be)), tlv(context1, tlv(0x80, []byte(url))))
}
