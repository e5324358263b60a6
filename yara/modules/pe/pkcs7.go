package pe

import (
	"strings"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Object identifiers of what signatures are made of.
const (
	oidSignedData         = "1.2.840.113549.1.7.2"
	oidContentType        = "1.2.840.113549.1.9.3"
	oidMessageDigest      = "1.2.840.113549.1.9.4"
	oidSigningTime        = "1.2.840.113549.1.9.5"
	oidCounterSignature   = "1.2.840.113549.1.9.6"
	oidMSIndirectData     = "1.3.6.1.4.1.311.2.1.4"
	oidMSOpusInfo         = "1.3.6.1.4.1.311.2.1.12"
	oidMSNestedSignature  = "1.3.6.1.4.1.311.2.4.1"
	oidMSCounterSignature = "1.3.6.1.4.1.311.3.3.1"
)

// Tags of ASN.1.
const (
	tagInteger         = 2
	tagBitString       = 3
	tagOctetString     = 4
	tagOID             = 6
	tagUTF8String      = 12
	tagSequence        = 16
	tagSet             = 17
	tagPrintableString = 19
	tagTeletexString   = 20
	tagIA5String       = 22
	tagUTCTime         = 23
	tagGeneralizedTime = 24
)

// maxParts is how many parts are read of anything that has any number of
// them: attributes, their values, names.
const maxParts = 256

// elements reads elements of ASN.1 one after the other, and remembers whether
// one was missing or another than asked for. Elements read inside of others
// share that.
type elements struct {
	rest   []byte
	failed *bool
}

func elementsOf(data []byte) *elements { return &elements{data, new(bool)} }

func (e *elements) ok() bool   { return !*e.failed }
func (e *elements) more() bool { return len(e.rest) > 0 && e.ok() }

// next reads any element.
func (e *elements) next() binfmt.BER {
	el, rest, ok := binfmt.ReadBER(e.rest)
	if !ok || *e.failed {
		*e.failed, e.rest = true, nil
		return binfmt.BER{}
	}
	e.rest = rest
	return el
}

// want reads an element with a universal tag.
func (e *elements) want(tag int) binfmt.BER {
	el := e.next()
	if !el.Is(tag) {
		*e.failed = true
		return binfmt.BER{}
	}
	return el
}

// inside reads an element with a universal tag, and returns its elements.
func (e *elements) inside(tag int) *elements { return &elements{e.want(tag).Content, e.failed} }

// optional reads an element with a context-specific tag, if there is one.
func (e *elements) optional(tag int) (el binfmt.BER, ok bool) {
	el, rest, ok := binfmt.ReadBER(e.rest)
	if !ok || !e.ok() || !el.IsContext(tag) {
		return binfmt.BER{}, false
	}
	e.rest = rest
	return el, true
}

func (e *elements) oid() string {
	s, ok := oidString(e.want(tagOID).Content)
	*e.failed = *e.failed || !ok
	return s
}

// algorithm reads an AlgorithmIdentifier, without its parameters.
func (e *elements) algorithm() string { return e.inside(tagSequence).oid() }

// contentInfo is a ContentInfo: something, and what it is.
type contentInfo struct {
	kind    string
	content binfmt.BER
}

func readContentInfo(e *elements) (c contentInfo, ok bool) {
	c.kind = e.oid()
	outer, ok := e.optional(0)
	in := elements{outer.Content, e.failed}
	c.content = in.next()
	return c, ok && e.ok()
}

// signedData is a SignedData, RFC 5652 section 5.1.
type signedData struct {
	version      int64
	digestAlgs   int
	content      contentInfo
	certificates []*certificate
	signers      []*signerInfo
}

func readSignedData(el binfmt.BER) (d *signedData, ok bool) {
	if !el.Is(tagSequence) {
		return nil, false
	}
	e := elementsOf(el.Content)
	d = &signedData{version: smallInteger(e.want(tagInteger).Content)}
	for algs := e.inside(tagSet); algs.more() && d.digestAlgs < maxParts; d.digestAlgs++ {
		algs.algorithm()
	}
	if d.content, ok = readContentInfo(e.inside(tagSequence)); !ok {
		return nil, false
	}
	if certs, ok := e.optional(0); ok {
		d.certificates = readCertificates(certs.Content)
	}
	e.optional(1) // revocation lists
	for set := e.inside(tagSet); set.more() && len(d.signers) < maxParts; {
		s, ok := readSignerInfo(set.want(tagSequence).Content)
		if !ok {
			return nil, false
		}
		d.signers = append(d.signers, s)
	}
	return d, e.ok()
}

// smallInteger is an INTEGER, -1 where it is larger than 32 bits.
func smallInteger(content []byte) int64 {
	if len(content) == 0 || len(content) > 4 {
		return -1
	}
	v := int64(int8(content[0]))
	for _, b := range content[1:] {
		v = v<<8 | int64(b)
	}
	return v
}

// signerInfo is a SignerInfo, RFC 5652 section 5.3.
type signerInfo struct {
	issuer    []byte // the encoded name
	serial    []byte // the INTEGER's content
	digestAlg string
	signed    []attribute
	rawSigned []byte // the attributes, without tag and length
	signature []byte
	unsigned  []attribute
	digest    []byte // the messageDigest attribute, nil without one
}

type attribute struct {
	kind   string
	values []binfmt.BER
}

func readSignerInfo(content []byte) (s *signerInfo, ok bool) {
	e := elementsOf(content)
	e.want(tagInteger) // version
	id := e.inside(tagSequence)
	s = &signerInfo{issuer: id.want(tagSequence).Full, serial: id.want(tagInteger).Content}
	s.digestAlg = e.algorithm()
	if attrs, ok := e.optional(0); ok {
		s.rawSigned = attrs.Content
		s.signed = readAttributes(attrs.Content)
	}
	e.algorithm()
	s.signature = e.want(tagOctetString).Content
	if attrs, ok := e.optional(1); ok {
		s.unsigned = readAttributes(attrs.Content)
	}
	if v, ok := s.attribute(oidMessageDigest); ok {
		s.digest = v.Content
	}
	return s, e.ok()
}

// readAttributes reads attributes up to the first that is malformed.
func readAttributes(content []byte) (list []attribute) {
	e := elementsOf(content)
	for e.more() && len(list) < maxParts {
		a := e.inside(tagSequence)
		at := attribute{kind: a.oid()}
		for set := a.inside(tagSet); set.more() && len(at.values) < maxParts; {
			at.values = append(at.values, set.next())
		}
		if !e.ok() {
			break
		}
		list = append(list, at)
	}
	return list
}

// attribute is the first value of a signed attribute.
func (s *signerInfo) attribute(kind string) (v binfmt.BER, ok bool) {
	for _, a := range s.signed {
		if a.kind == kind && len(a.values) > 0 {
			return a.values[0], true
		}
	}
	return v, false
}

// opusInfo reads an SpcSpOpusInfo: what the program is called and where there
// is more about it.
func opusInfo(s *signerInfo) (name, url maybe[string]) {
	v, ok := s.attribute(oidMSOpusInfo)
	if !ok {
		return name, url
	}
	e := elementsOf(v.Content)
	if outer, ok := e.optional(0); ok {
		if name = spcString(outer.Content); !name.ok {
			return name, url
		}
	}
	if outer, ok := e.optional(1); ok {
		link := elementsOf(outer.Content)
		if el, ok := link.optional(0); ok && isASCII(el.Content) {
			url = some(string(el.Content))
		}
	}
	return name, url
}

// spcString reads an SpcString: UTF-16 or ASCII.
func spcString(content []byte) maybe[string] {
	e := elementsOf(content)
	if el, ok := e.optional(0); ok {
		return utf16BE(el.Content)
	}
	el, ok := e.optional(1)
	return maybe[string]{string(el.Content), ok && isASCII(el.Content)}
}

func utf16BE(b []byte) maybe[string] {
	r := binfmt.NewReader(b, binfmt.Big)
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = r.U16()
	}
	s := string(utf16.Decode(units))
	return maybe[string]{s, len(b)%2 == 0 && !strings.ContainsRune(s, '\ufffd')}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
