package macho

import (
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Magic numbers of parts of a signature, from kern/cs_blobs.h.
const (
	blobCMS          = 0xfade0b01
	blobEntitlements = 0xfade7171
	blobHeader       = 8
)

type signature struct {
	entitlements []string
	certificates []certificate
}

// readSignature looks at the parts of the signature, if its index is whole.
func (m *image) readSignature() (s signature) {
	if m.codeSignature == nil {
		return s
	}
	data := m.part(m.codeSignature[0], m.codeSignature[1])
	r := binfmt.NewReader(data, binfmt.Big)
	r.Skip(8) // magic, length
	count := r.U32()
	index := r.Bytes(int(min(uint64(count)*8, 1<<31-1)))
	if !r.OK() {
		return s
	}
	r = binfmt.NewReader(index, binfmt.Big)
	looked := 0
	for range count {
		r.Skip(4) // the slot
		magic, body := blob(data, uint64(r.U32()))
		if magic != blobCMS && magic != blobEntitlements {
			continue
		}
		if looked++; looked > maxBlobs {
			break
		}
		if magic == blobCMS {
			s.certificates = append(s.certificates, certificatesIn(body)...)
		} else {
			s.entitlements = append(s.entitlements, entitlementsIn(body)...)
		}
	}
	return s
}

// blob returns the part of a signature at an offset; magic is 0 where it is
// cut short.
func blob(data []byte, offset uint64) (magic uint32, body []byte) {
	rest, _ := binfmt.From(data, offset)
	r := binfmt.NewReader(rest, binfmt.Big)
	magic, length := r.U32(), r.U32()
	body, ok := binfmt.Range(rest, blobHeader, max(uint64(length), blobHeader)-blobHeader)
	if !r.OK() || !ok || length < blobHeader {
		return 0, nil
	}
	return magic, body
}

// element is an element of a property list, or text where name is empty.
type element struct {
	name     string
	text     string
	children []*element
}

// entitlementsIn reads the keys of a property list and the strings of its
// arrays; nothing where it is not sound XML.
func entitlementsIn(plist []byte) (names []string) {
	if len(plist) > maxEntitlements || !utf8.Valid(plist) {
		return nil
	}
	root, ok := parseXML(string(plist))
	if !ok {
		return nil
	}
	root.walk(func(e *element) {
		switch first := e.first(); {
		case first == "":
		case e.name == "key":
			names = append(names, first)
		case e.name == "array":
			names = append(names, e.texts()...)
		}
	})
	return names
}

// walk visits an element and all below it.
func (e *element) walk(visit func(*element)) {
	visit(e)
	for _, c := range e.children {
		c.walk(visit)
	}
}

// first is the text that an element begins with, or a text itself.
func (e *element) first() string {
	if e.name == "" {
		return e.text
	}
	if len(e.children) > 0 && e.children[0].name == "" {
		return e.children[0].text
	}
	return ""
}

// texts are the different texts in an element that are not blank.
func (e *element) texts() (texts []string) {
	seen := make(map[string]bool)
	e.walk(func(c *element) {
		if t := c.first(); strings.TrimSpace(t) != "" && !seen[t] {
			seen[t] = true
			texts = append(texts, t)
		}
	})
	return texts
}

// maxDepth bounds how deep elements are nested.
const maxDepth = 64

// parseXML reads a document with one root.
func parseXML(text string) (*element, bool) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	top := &element{name: "#document"}
	stack := []*element{top}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil || len(stack) > maxDepth {
			return nil, false
		}
		if stack = add(stack, token); stack == nil {
			return nil, false
		}
	}
	return top, len(stack) == 1 && len(top.children) == 1
}

// add puts a token into the tree; nil where it must not be there.
func add(stack []*element, token xml.Token) []*element {
	at := stack[len(stack)-1]
	switch t := token.(type) {
	case xml.StartElement:
		name := t.Name.Local
		if t.Name.Space != "" {
			name = t.Name.Space + ":" + name
		}
		e := &element{name: name}
		at.children = append(at.children, e)
		return append(stack, e)
	case xml.EndElement:
		return stack[:len(stack)-1]
	case xml.CharData:
		if len(stack) == 1 {
			if strings.TrimSpace(string(t)) != "" {
				return nil
			}
			return stack
		}
		if n := len(at.children); n > 0 && at.children[n-1].name == "" {
			at.children[n-1].text += string(t)
		} else {
			at.children = append(at.children, &element{text: string(t)})
		}
	case xml.Comment:
		at.children = append(at.children, &element{name: "#comment"})
		if len(stack) == 1 {
			at.children = at.children[:len(at.children)-1]
		}
	}
	return stack
}
