package pe

import (
	"crypto/sha1"
	"encoding/hex"
	"github.com/besra-hunt/besra/yara/module/column"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Limits of certificates.
const (
	maxCertificates    = 256     // of a signature
	maxCertificateSize = 1 << 18 // in bytes; a larger one ends the list
	maxChain           = 32
)

// certificate is an X.509 certificate. The parts that are shown are text, the
// others alias the file.
type certificate struct {
	issuer, subject     string
	thumbprint          string
	version             int64
	algorithm           string // that it is signed with, an object identifier
	serial              string
	notBefore, notAfter maybe[int64]

	rawIssuer, rawSubject, rawSerial []byte
	signed                           []byte // the TBSCertificate
	signature                        []byte
	key                              []byte // the SubjectPublicKeyInfo's content
}

var certificateColumns = []column.Column[*certificate]{
	column.Text("subject", "Whose certificate it is, as in /C=US/O=Example/CN=Example Code Signing.", func(c *certificate) string { return c.subject }),
	column.Text("issuer", "Who issued it.", func(c *certificate) string { return c.issuer }),
	column.Text("thumbprint", "Its SHA-1, lower-case hex.", func(c *certificate) string { return c.thumbprint }),
	column.Int("version", "The version of the format, 3 as a rule.", func(c *certificate) int64 { return c.version }),
	column.Text("algorithm", "What it is signed with, such as sha256WithRSAEncryption.", func(c *certificate) string { return oidName(c.algorithm) }),
	column.Text("algorithm_oid", "What it is signed with, as an object identifier.", func(c *certificate) string { return c.algorithm }),
	column.Text("serial", "The serial number, lower-case hex with colons between bytes.", func(c *certificate) string { return c.serial }),
	column.OptInt("not_before", "When its validity begins, in seconds since 1970.", func(c *certificate) (int64, bool) { return c.notBefore.get() }),
	column.OptInt("not_after", "When its validity ends, in seconds since 1970.", func(c *certificate) (int64, bool) { return c.notAfter.get() }),
}

// The indexes of fields in certificateColumns.
const (
	notBeforeField = 7
	notAfterField  = 8
)

var certificateType = column.Type("Certificate", certificateColumns)

// readCertificates reads certificates up to the first that is malformed.
func readCertificates(data []byte) (list []*certificate) {
	for len(list) < maxCertificates {
		el, rest, ok := binfmt.ReadBER(data)
		if !ok {
			break
		}
		c, ok := readCertificate(el)
		if !ok {
			break
		}
		list, data = append(list, c), rest
	}
	return list
}

func readCertificate(el binfmt.BER) (c *certificate, ok bool) {
	if !el.Is(tagSequence) || len(el.Full) > maxCertificateSize {
		return nil, false
	}
	e := elementsOf(el.Content)
	tbs := e.want(tagSequence)
	c = &certificate{version: 1, signed: tbs.Full, algorithm: e.algorithm()}
	if c.signature = e.want(tagBitString).Content; len(c.signature) > 0 {
		c.signature = c.signature[1:] // the number of unused bits
	}
	t := &elements{tbs.Content, e.failed}
	if v, ok := t.optional(0); ok {
		in := elements{v.Content, e.failed}
		c.version = smallInteger(in.want(tagInteger).Content) + 1
	}
	c.rawSerial = t.want(tagInteger).Content
	t.algorithm()
	c.rawIssuer = t.want(tagSequence).Full
	validity := t.inside(tagSequence)
	c.notBefore, c.notAfter = readTime(validity.next()), readTime(validity.next())
	c.rawSubject = t.want(tagSequence).Full
	c.key = t.want(tagSequence).Content
	if !e.ok() || !c.notBefore.ok || !c.notAfter.ok {
		return nil, false
	}
	c.serial = colons(c.rawSerial)
	sum := sha1.Sum(el.Full)
	c.thumbprint = hex.EncodeToString(sum[:])
	return c, true
}

// colons is lower-case hex with colons between bytes.
func colons(b []byte) string {
	var s strings.Builder
	for i := range b {
		if i > 0 {
			s.WriteByte(':')
		}
		s.WriteString(hex.EncodeToString(b[i : i+1]))
	}
	return s.String()
}

// readTime reads a UTCTime or a GeneralizedTime. Two digits are of the years
// 1950 to 2049.
func readTime(v binfmt.BER) maybe[int64] {
	s := string(v.Content)
	layouts := []string{"20060102150405Z0700"}
	if v.Is(tagUTCTime) {
		layouts = []string{"060102150405Z0700", "0601021504Z0700"}
	} else if !v.Is(tagGeneralizedTime) {
		return maybe[int64]{}
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if v.Is(tagUTCTime) && t.Year() >= 2050 {
			t = t.AddDate(-100, 0, 0)
		}
		return some(t.Unix())
	}
	return maybe[int64]{}
}
