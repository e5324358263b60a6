package pe

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// nameText shows a name in the way of OpenSSL's X509_NAME_oneline, with
// YARA-X's names of attributes. Values that are no text are shown in hex. The
// name ends before the first part without a sound attribute.
func nameText(raw []byte) string {
	var s strings.Builder
	e := elementsOf(raw).inside(tagSequence)
	for range maxParts {
		part := attributesText(e.want(tagSet).Content)
		if part == "" {
			break
		}
		s.WriteString("/" + part)
	}
	return s.String()
}

// attributesText shows the attributes of a part of a name, up to the first
// that is damaged.
func attributesText(content []byte) string {
	var s strings.Builder
	for set := elementsOf(content); set.more(); {
		pair := set.inside(tagSequence)
		if oid, v := pair.oid(), pair.next(); pair.ok() {
			s.WriteString(oidName(oid) + "=" + valueText(v))
		}
	}
	return s.String()
}

func valueText(v binfmt.BER) string {
	ok := false
	switch {
	case v.Is(tagPrintableString):
		ok = isPrintable(v.Content)
	case v.Is(tagUTF8String):
		ok = utf8.Valid(v.Content)
	case v.Is(tagIA5String):
		ok = isASCII(v.Content)
	case v.Is(tagTeletexString):
		ok = isASCII(v.Content) && bytes.IndexFunc(v.Content, func(r rune) bool { return r < ' ' }) < 0
	}
	if ok {
		return string(v.Content)
	}
	return "#" + hex.EncodeToString(v.Content)
}

// isPrintable reports whether a PrintableString has only what it may have.
func isPrintable(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case !strings.ContainsRune(" '()+,-./:=?", rune(c)):
			return false
		}
	}
	return true
}

// nameTextLibYARA is what X509_NAME_oneline itself makes of a name, in a
// buffer of 256 bytes.
func nameTextLibYARA(raw []byte) string {
	const buffer = 256
	s := ""
	e := elementsOf(raw).inside(tagSequence)
	for parts := 0; e.more() && parts < maxParts; parts++ {
		for set := e.inside(tagSet); set.more(); {
			pair := set.inside(tagSequence)
			oid := pair.oid()
			name, ok := openSSLNames[oid]
			if !ok {
				name = oidName(oid)
			}
			next := s + "/" + name + "=" + escaped(pair.next().Content)
			if len(next) >= buffer {
				return s
			}
			s = next
		}
	}
	return s
}

func escaped(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&s, "\\x%02X", c)
		} else {
			s.WriteByte(c)
		}
	}
	return s.String()
}

// openSSLNames are OpenSSL's names of attributes where YARA-X has others.
var openSSLNames = map[string]string{
	"0.9.2342.19200300.100.1.1": "UID",
	"1.2.840.113549.1.9.1":      "emailAddress",
	"1.2.840.113549.1.9.2":      "unstructuredName",
	"1.2.840.113549.1.9.8":      "unstructuredAddress",
	"2.5.4.4":                   "SN",
	"2.5.4.42":                  "GN",
	"2.5.4.97":                  "organizationIdentifier",
}
