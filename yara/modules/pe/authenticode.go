package pe

import (
	"bytes"
	"encoding/hex"
	"io"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// authenticode reads the signatures of a file.
type authenticode struct {
	*file
	signatures    []*signature
	count         int // of signatures begun
	verifications int // that may still be made
	digests       map[string][]byte
	write         func(io.Writer) // what is signed, where that is no PE file
}

// contentInfo reads a ContentInfo that holds a signature, and those nested in
// it.
func (a *authenticode) contentInfo(data []byte, nesting int) (list []*signature, ok bool) {
	return a.signature(elementsOf(data).inside(tagSequence), nesting)
}

// signature reads the inside of a ContentInfo.
func (a *authenticode) signature(e *elements, nesting int) (list []*signature, ok bool) {
	info, ok := readContentInfo(e)
	if !ok || info.kind != oidSignedData || nesting > maxSignatureNesting || a.count >= maxSignatures {
		return nil, false
	}
	d, ok := readSignedData(info.content)
	if !ok || !a.accepts(d) {
		return nil, false
	}
	alg, digest, ok := indirectData(d.content.content)
	if !ok {
		return nil, false
	}
	a.count++
	s := &signature{digest: hex.EncodeToString(digest), digestAlg: oidName(alg)}
	p := pool{file: a.file, verifications: &a.verifications}
	p.add(d.certificates)
	if len(d.signers) == 0 {
		s.certificates = p.certificates
		return []*signature{s}, true
	}
	signer := d.signers[0]
	if !a.libyara {
		alg = signer.digestAlg
	}
	fileDigest := a.fileDigest(alg)
	if list, ok = a.unsigned(s, signer, &p, nesting); !ok {
		return nil, false
	}
	s.fileDigest = hex.EncodeToString(fileDigest)
	s.verified = bytes.Equal(digest, fileDigest) &&
		isDigest(signer.digestAlg, d.content.content.Content, signer.digest) && p.verifies(signer)
	s.complete(signer, &p)
	return append([]*signature{s}, list...), true
}

// accepts reports whether a SignedData is what Authenticode says: of version
// 1, with one digest algorithm, one signer and the digest of the file as its
// content. libyara takes any that has a content.
func (a *authenticode) accepts(d *signedData) bool {
	if d.content.kind != oidMSIndirectData || a.libyara {
		return d.content.kind == oidMSIndirectData
	}
	if d.version != 1 || d.digestAlgs != 1 || len(d.signers) != 1 {
		return false
	}
	signer := d.signers[0]
	_, ok := signer.attribute(oidContentType)
	return ok && signer.digest != nil && knownDigest(signer.digestAlg)
}

// complete fills in what depends on all certificates.
func (s *signature) complete(signer *signerInfo, p *pool) {
	s.certificates = p.certificates
	s.signer = signerValue{
		digest: hex.EncodeToString(signer.digest), digestAlg: oidName(signer.digestAlg), chain: p.chain(p.signer(signer, byIssuer)),
	}
	s.signer.programName, s.signer.moreInfo = opusInfo(signer)
	for _, c := range s.counters {
		c.chain = p.chain(p.signer(c.signer, bySerial))
	}
}

// indirectData reads an SpcIndirectDataContent: the digest of the file.
func indirectData(el binfmt.BER) (alg string, digest []byte, ok bool) {
	e := elementsOf(el.Content)
	e.next() // what the digest is of
	info := e.inside(tagSequence)
	alg = info.algorithm()
	digest = info.want(tagOctetString).Content
	return alg, digest, el.Is(tagSequence) && info.ok()
}

// unsigned reads what was added to a signature: countersignatures, whose
// certificates join the pool, and more signatures.
func (a *authenticode) unsigned(s *signature, signer *signerInfo, p *pool, nesting int) (nested []*signature, ok bool) {
	for _, attr := range signer.unsigned {
		for _, v := range attr.values {
			var c *counterSignature
			ok := true
			switch attr.kind {
			case oidMSNestedSignature:
				if v.Is(tagSequence) {
					list, _ := a.signature(elementsOf(v.Content), nesting+1)
					nested = append(nested, list...)
				}
			case oidMSCounterSignature:
				c, ok = p.timestamp(v, signer)
			case oidCounterSignature:
				c, ok = p.counter(v, signer)
			}
			if !ok && !a.libyara {
				return nil, false
			}
			if c != nil && len(s.counters) < maxCounterSignatures {
				s.counters = append(s.counters, c)
			}
		}
	}
	return nested, true
}

// counter reads a countersignature of PKCS #9: a SignerInfo whose digest is
// that of the signature. ok is false where it has no digest.
func (p *pool) counter(v binfmt.BER, signer *signerInfo) (c *counterSignature, ok bool) {
	s, sound := readSignerInfo(v.Content)
	if !v.Is(tagSequence) || !sound {
		return nil, true
	}
	if c, ok = newCounter(s); ok {
		c.verified = isDigest(s.digestAlg, signer.signature, s.digest) && p.verifies(s)
	}
	return c, ok
}

// timestamp reads a countersignature of Microsoft: a SignedData whose content
// is a TSTInfo of RFC 3161, which has the digest of the signature.
func (p *pool) timestamp(v binfmt.BER, signer *signerInfo) (c *counterSignature, ok bool) {
	info, sound := readContentInfo(elementsOf(v.Content))
	if !v.Is(tagSequence) || !sound {
		return nil, true
	}
	d, sound := readSignedData(info.content)
	if !sound {
		return nil, true
	}
	p.add(d.certificates)
	if len(d.signers) == 0 {
		return nil, true
	}
	s := d.signers[0]
	if c, ok = newCounter(s); !ok {
		return nil, false
	}
	content := d.content.content.Content
	token, sound := readToken(content)
	if !sound {
		return nil, true
	}
	c.digestAlg, c.digest = oidName(token.alg), hex.EncodeToString(token.digest)
	if p.libyara {
		c.time = token.time
	}
	c.verified = isDigest(token.alg, signer.signature, token.digest) && isDigest(s.digestAlg, content, s.digest) && p.verifies(s)
	return c, true
}

// newCounter has what both kinds of countersignatures have.
func newCounter(s *signerInfo) (*counterSignature, bool) {
	c := &counterSignature{digest: hex.EncodeToString(s.digest), digestAlg: oidName(s.digestAlg), signer: s}
	if v, ok := s.attribute(oidSigningTime); ok && v.Is(tagUTCTime) {
		c.time = readTime(v)
	}
	return c, s.digest != nil
}

// token is what is of interest of a TSTInfo.
type token struct {
	alg    string
	digest []byte
	time   maybe[int64]
}

func readToken(content []byte) (t token, ok bool) {
	e := elementsOf(content).inside(tagSequence)
	e.want(tagInteger) // version
	e.next()           // policy
	imprint := e.inside(tagSequence)
	t.alg = imprint.algorithm()
	t.digest = imprint.next().Content
	ok = e.ok()
	e.next() // serial number
	t.time = readTime(e.next())
	return t, ok
}
