package macho

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

type certificate struct {
	issuer, subject string
	selfSigned      bool
}

// Tags of ASN.1.
const (
	tagInteger  = 2
	tagOID      = 6
	tagSequence = 16
	tagSet      = 17
)

// certificatesIn reads the certificates of a signed message, RFC 5652: those
// before the first that cannot be read.
func certificatesIn(message []byte) (list []certificate) {
	message, ok := open(message, tagSequence)
	if !ok {
		return nil
	}
	typ, rest, ok := binfmt.ReadBER(message)
	if !ok || !typ.Is(tagOID) {
		return nil
	}
	content, _, ok := binfmt.ReadBER(rest)
	if !ok || !content.IsContext(0) {
		return nil
	}
	signed, ok := open(content.Content, tagSequence)
	for _, tag := range []int{tagInteger, tagSet, tagSequence} { // version, digests, content
		if !ok {
			return nil
		}
		var e binfmt.BER
		if e, signed, ok = binfmt.ReadBER(signed); !e.Is(tag) {
			return nil
		}
	}
	set, _, ok := binfmt.ReadBER(signed)
	if !ok || !set.IsContext(0) {
		return nil
	}
	return readCertificates(set.Content)
}

func readCertificates(rest []byte) (list []certificate) {
	for len(rest) > 0 {
		var e binfmt.BER
		var ok bool
		if e, rest, ok = binfmt.ReadBER(rest); !ok || !e.Is(tagSequence) {
			break
		}
		c, ok := readCertificate(e.Content)
		if !ok {
			break
		}
		list = append(list, c)
	}
	return list
}

// open returns the content of the first element if it has this tag.
func open(b []byte, tag int) ([]byte, bool) {
	e, _, ok := binfmt.ReadBER(b)
	return e.Content, ok && e.Is(tag)
}

// readCertificate reads the names in a certificate, RFC 5280.
func readCertificate(b []byte) (c certificate, ok bool) {
	b, ok = open(b, tagSequence)
	if !ok {
		return c, false
	}
	e, rest, ok := binfmt.ReadBER(b)
	if ok && e.IsContext(0) { // the version
		e, rest, ok = binfmt.ReadBER(rest)
	}
	if !ok || !e.Is(tagInteger) {
		return c, false
	}
	var issuer, subject binfmt.BER
	for _, to := range []*binfmt.BER{{}, &issuer, {}, &subject} { // algorithm, issuer, validity, subject
		if *to, rest, ok = binfmt.ReadBER(rest); !ok || !to.Is(tagSequence) {
			return c, false
		}
	}
	c.issuer, ok = showName(issuer.Content)
	if !ok {
		return c, false
	}
	c.subject, ok = showName(subject.Content)
	c.selfSigned = string(issuer.Content) == string(subject.Content)
	return c, ok
}

// showName shows a distinguished name in the order it has.
func showName(b []byte) (string, bool) {
	var parts []string
	for len(b) > 0 {
		e, rest, ok := binfmt.ReadBER(b)
		if !ok || !e.Is(tagSet) {
			return "", false
		}
		part, ok := showAttributes(e.Content)
		if !ok {
			return "", false
		}
		parts, b = append(parts, part), rest
	}
	return strings.Join(parts, ", "), true
}

func showAttributes(b []byte) (string, bool) {
	var parts []string
	for len(b) > 0 {
		e, rest, ok := binfmt.ReadBER(b)
		if !ok || !e.Is(tagSequence) {
			return "", false
		}
		typ, value, ok := binfmt.ReadBER(e.Content)
		if !ok || !typ.Is(tagOID) {
			return "", false
		}
		v, _, ok := binfmt.ReadBER(value)
		if !ok {
			return "", false
		}
		parts, b = append(parts, attributeName(typ.Content)+"="+showValue(v)), rest
	}
	return strings.Join(parts, " + "), true
}

// attributeNames are the short names of RFC 4514 and, for the rest, those of
// X.520.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "surname", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "streetAddress", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description",
	"2.5.4.15": "businessCategory", "2.5.4.16": "postalAddress", "2.5.4.17": "postalCode", "2.5.4.41": "name",
	"2.5.4.42": "givenName", "2.5.4.43": "initials", "2.5.4.44": "generationQualifier", "2.5.4.45": "uniqueIdentifier",
	"2.5.4.46": "dnQualifier", "0.9.2342.19200300.100.1.1": "uid", "0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":     "Email",
	"1.3.6.1.4.1.311.60.2.1.1": "msJurisdictionLocality", "1.3.6.1.4.1.311.60.2.1.2": "msJurisdictionStateOrProvince",
	"1.3.6.1.4.1.311.60.2.1.3": "msJurisdictionCountry",
}

func attributeName(oid []byte) string {
	dotted := showOID(oid)
	if name, ok := attributeNames[dotted]; ok {
		return name
	}
	return "OID(" + dotted + ")"
}

// showOID shows an object identifier with dots.
func showOID(b []byte) string {
	var s strings.Builder
	value, first := uint64(0), true
	for _, c := range b {
		value = value<<7 | uint64(c&0x7f)
		if c >= 0x80 {
			continue
		}
		if first {
			top := min(value/40, 2)
			s.WriteString(strconv.FormatUint(top, 10))
			value, first = value-top*40, false
		}
		s.WriteString("." + strconv.FormatUint(value, 10))
		value = 0
	}
	return s.String()
}

// showValue shows a string of any of ASN.1's types; other values in hex.
func showValue(e binfmt.BER) string {
	const bmpString, universalString = 30, 28
	if e.Class == binfmt.ClassUniversal {
		switch e.Tag {
		case 12, 18, 19, 20, 21, 22, 25, 26, 27, 7:
			return strings.ToValidUTF8(string(e.Content), "\uFFFD")
		case bmpString:
			units := make([]uint16, len(e.Content)/2)
			for i := range units {
				units[i] = uint16(e.Content[2*i])<<8 | uint16(e.Content[2*i+1])
			}
			return string(utf16.Decode(units))
		}
	}
	return strings.ToUpper(hex.EncodeToString(e.Content))
}
