package pe

import (
	"bytes"
	"crypto"
	//lint:ignore SA1019 old signatures use it, and they are only verified
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"math/big"
)

// Limits of verification.
const (
	maxVerifications = 256  // of a file
	maxKeyBits       = 8192 // of RSA and DSA
	maxExponentBits  = 33   // of RSA
	maxSignature     = maxKeyBits / 8
)

// digestOf returns a new hash for an algorithm: one of digests, or of
// signatures that names a digest. Old files are signed with MD2 and MD5; that
// they are weak is for rules to tell.
func digestOf(oid string) (h hash.Hash, prefix crypto.Hash, ok bool) {
	switch oid {
	case "1.2.840.113549.2.2", "1.2.840.113549.1.1.2":
		return newMD2(), 0, true
	case "1.2.840.113549.2.5", "1.2.840.113549.1.1.4":
		return md5.New(), crypto.MD5, true
	case "1.3.14.3.2.26", "1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.2.840.10040.4.3", "1.2.840.10045.4.1":
		return sha1.New(), crypto.SHA1, true
	case "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11", "2.16.840.1.101.3.4.3.2", "1.2.840.10045.4.3.2":
		return sha256.New(), crypto.SHA256, true
	case "2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3":
		return sha512.New384(), crypto.SHA384, true
	case "2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4":
		return sha512.New(), crypto.SHA512, true
	}
	return nil, 0, false
}

func knownDigest(oid string) bool {
	_, _, ok := digestOf(oid)
	return ok
}

// isDigest reports whether digest is that of message.
func isDigest(oid string, message, digest []byte) bool {
	h, _, ok := digestOf(oid)
	if !ok {
		return false
	}
	h.Write(message)
	return bytes.Equal(h.Sum(nil), digest)
}

// pool is the certificates that a signature comes with.
type pool struct {
	*file
	certificates  []*certificate
	verifications *int // that may still be made
}

func (p *pool) add(list []*certificate) {
	list = list[:min(len(list), maxCertificates-len(p.certificates))]
	show := nameText
	if p.libyara {
		show = nameTextLibYARA
	}
	for _, c := range list {
		c.issuer, c.subject = show(c.rawIssuer), show(c.rawSubject)
	}
	p.certificates = append(p.certificates, list...)
}

// Ways to tell a certificate that is not both of the issuer and the serial
// number that the signer names.
func byIssuer(c *certificate, s *signerInfo) bool { return bytes.Equal(c.rawIssuer, s.issuer) }
func bySerial(c *certificate, s *signerInfo) bool { return sameSerial(c.rawSerial, s.serial) }

// sameSerial ignores leading zeros.
func sameSerial(a, b []byte) bool {
	return bytes.Equal(bytes.TrimLeft(a, "\x00"), bytes.TrimLeft(b, "\x00"))
}

// signer returns the certificate of a signer, nil where there is none. For
// want of the right one it is one that is so by issuer or serial number alone.
func (p *pool) signer(s *signerInfo, otherwise func(*certificate, *signerInfo) bool) *certificate {
	for _, c := range p.certificates {
		if byIssuer(c, s) && bySerial(c, s) {
			return c
		}
	}
	for _, c := range p.certificates {
		if otherwise(c, s) {
			return c
		}
	}
	return nil
}

// chain goes from a certificate to that of its issuer, and so on, to one that
// is its own issuer, whose issuer is not in the pool, or was met before.
func (p *pool) chain(c *certificate) (list []*certificate) {
	seen := make(map[string]bool)
	for c != nil && len(list) < maxChain {
		list = append(list, c)
		if bytes.Equal(c.rawIssuer, c.rawSubject) {
			break
		}
		if c = p.issuer(c); c == nil || seen[string(c.rawSubject)] {
			break
		}
		seen[string(c.rawSubject)] = true
	}
	return list
}

func (p *pool) issuer(of *certificate) *certificate {
	for _, c := range p.certificates {
		if bytes.Equal(c.rawSubject, of.rawIssuer) {
			return c
		}
	}
	return nil
}

// verifies reports whether a signer's attributes are signed with the key of
// its certificate, and the certificates of its chain with the next one's, of
// which libyara takes no notice. What is signed are the attributes as a SET,
// though they are encoded otherwise.
func (p *pool) verifies(s *signerInfo) bool {
	chain := p.chain(p.signer(s, bySerial))
	if len(chain) == 0 {
		return false
	}
	for i, c := range chain[1:] {
		if !p.libyara && !p.signed(c, chain[i].algorithm, chain[i].signature, chain[i].signed) {
			return false
		}
	}
	return p.signed(chain[0], s.digestAlg, s.signature, setHeader(len(s.rawSigned)), s.rawSigned)
}

// setHeader is the tag and the length of a SET.
func setHeader(n int) []byte {
	const tag, long = 0x31, 0x80
	if n < long {
		return []byte{tag, byte(n)}
	}
	length := bytes.TrimLeft([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, "\x00")
	return append([]byte{tag, long | byte(len(length))}, length...)
}

// signed reports whether a message, in parts, is signed with the key of a
// certificate.
func (p *pool) signed(by *certificate, alg string, signature []byte, message ...[]byte) bool {
	h, prefix, ok := digestOf(alg)
	if *p.verifications--; !ok || *p.verifications < 0 || len(signature) > maxSignature {
		return false
	}
	for _, part := range message {
		h.Write(part)
	}
	return verifyKey(by.key, prefix, h.Sum(nil), signature)
}

// verifyKey verifies the signature of a digest with a SubjectPublicKeyInfo.
func verifyKey(info []byte, prefix crypto.Hash, digest, signature []byte) bool {
	e := elementsOf(info)
	alg := e.inside(tagSequence)
	kind := alg.oid()
	parameters := alg.rest
	key := e.want(tagBitString).Content
	if !e.ok() || len(key) < 2 {
		return false
	}
	switch key = key[1:]; kind {
	case "1.2.840.113549.1.1.1":
		return verifyRSA(key, prefix, digest, signature)
	case "1.2.840.10040.4.1":
		return verifyDSA(key, parameters, digest, signature)
	case "1.2.840.10045.2.1":
		return verifyECDSA(key, parameters, digest, signature)
	}
	return false
}

func unsigned(e *elements) *big.Int { return new(big.Int).SetBytes(e.want(tagInteger).Content) }

// verifyRSA verifies PKCS #1 v1.5 with keys and digests of any age, which
// crypto/rsa refuses. The digest may come without the identifier of its
// algorithm, as some signers leave that away.
func verifyRSA(key []byte, prefix crypto.Hash, digest, signature []byte) bool {
	e := elementsOf(key).inside(tagSequence)
	n, exponent := unsigned(e), unsigned(e)
	size := (n.BitLen() + 7) / 8
	s := new(big.Int).SetBytes(signature)
	if !e.ok() || n.BitLen() > maxKeyBits || exponent.BitLen() > maxExponentBits || exponent.BitLen() < 2 ||
		n.Bit(0) == 0 || len(signature) != size || s.Cmp(n) >= 0 {
		return false
	}
	got := s.Exp(s, exponent, n).FillBytes(make([]byte, size))
	return bytes.Equal(got, padded(size, append(digestInfo(prefix, len(digest)), digest...))) || bytes.Equal(got, padded(size, digest))
}

// padded is a message with the padding of PKCS #1 v1.5, nil where there is no
// room for it.
func padded(size int, message []byte) []byte {
	const overhead = 11
	if len(message)+overhead > size {
		return nil
	}
	b := bytes.Repeat([]byte{0xff}, size-len(message))
	b[0], b[1], b[len(b)-1] = 0, 1, 0
	return append(b, message...)
}

// digestInfo is what precedes a digest in a DigestInfo, RFC 8017 section 9.2.
func digestInfo(h crypto.Hash, size int) []byte {
	var oid []byte
	switch h {
	case crypto.SHA1:
		oid = []byte{0x2b, 0x0e, 0x03, 0x02, 0x1a}
	case crypto.SHA256:
		oid = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}
	case crypto.SHA384:
		oid = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}
	case crypto.SHA512:
		oid = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}
	case crypto.MD5:
		oid = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05}
	default: // MD2
		oid = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x02}
	}
	n := byte(len(oid))
	b := []byte{0x30, n + 8 + byte(size), 0x30, n + 4, 0x06, n}
	return append(append(b, oid...), 0x05, 0x00, 0x04, byte(size))
}

func verifyDSA(key, parameters, digest, signature []byte) bool {
	e := elementsOf(parameters).inside(tagSequence)
	k := dsa.PublicKey{Parameters: dsa.Parameters{P: unsigned(e), Q: unsigned(e), G: unsigned(e)}}
	y := elementsOf(key)
	k.Y = unsigned(y)
	rs := elementsOf(signature).inside(tagSequence)
	r, s := unsigned(rs), unsigned(rs)
	const maxOrder = 512
	if !e.ok() || !y.ok() || !rs.ok() || k.P.BitLen() > maxKeyBits || k.Q.BitLen() > maxOrder || k.P.Sign() == 0 || k.Q.Sign() == 0 ||
		k.G.Cmp(k.P) >= 0 || k.Y.Cmp(k.P) >= 0 {
		return false
	}
	return dsa.Verify(&k, digest[:min(len(digest), (k.Q.BitLen()+7)/8)], r, s)
}

func verifyECDSA(key, parameters, digest, signature []byte) bool {
	e := elementsOf(parameters)
	var curve elliptic.Curve
	switch e.oid() {
	case "1.2.840.10045.3.1.7":
		curve = elliptic.P256()
	case "1.3.132.0.34":
		curve = elliptic.P384()
	case "1.3.132.0.35":
		curve = elliptic.P521()
	default:
		return false
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, key)
	return err == nil && ecdsa.VerifyASN1(k, digest, signature)
}
