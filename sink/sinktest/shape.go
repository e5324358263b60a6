package sinktest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Shape is what the specification of a format says of the members that a sink
// writes, and nothing else: a member that it does not name is a mistake. It is
// written by us, a line a member:
//
//	event.kind  must  string  alert|event   # where the specification has it
//
// The path passes over lists, and is "." for the whole. The need is must (where
// what holds it is there) or may. The kind is one of [kinds] or object, with
// "[]" behind it for a list of them. Last come the values that are allowed, if
// there are few, as "4=High" where the format has a caption for a number.
type Shape struct {
	members map[string]member
	musts   map[string][]string // by the path of what holds them
}

type member struct {
	kind   string
	list   bool
	values map[string]string // to captions; nil for any value
}

// ReadShape reads a shape from a file.
func ReadShape(file string) (Shape, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Shape{}, err
	}
	s := Shape{map[string]member{}, map[string][]string{}}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "# ")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := s.add(fields); err != nil {
			return Shape{}, fmt.Errorf("%s: %q: %w", file, strings.TrimSpace(line), err)
		}
	}
	return s, nil
}

// LoadShape reads testdata/shape.txt of the package under test.
func LoadShape(t *testing.T) Shape {
	t.Helper()
	s, err := ReadShape(filepath.Join("testdata", "shape.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s Shape) add(fields []string) error {
	if len(fields) < 3 || fields[1] != "must" && fields[1] != "may" {
		return errors.New("not a path, must or may, and a kind")
	}
	kind, list := strings.CutSuffix(fields[2], "[]")
	if kinds[kind] == nil && kind != "object" {
		return fmt.Errorf("no kind %q", kind)
	}
	m := member{kind: kind, list: list}
	if len(fields) > 3 {
		m.values = map[string]string{}
		for word := range strings.SplitSeq(strings.Join(fields[3:], " "), "|") {
			value, caption, _ := strings.Cut(word, "=")
			m.values[value] = caption
		}
	}
	path := fields[0]
	s.members[path] = m
	if fields[1] == "must" && path != "." {
		i := strings.LastIndexByte(path, '.')
		s.musts[path[:max(i, 0)]] = append(s.musts[path[:max(i, 0)]], path[i+1:])
	}
	return nil
}

// Caption is that of a number at a path; "" where it has none.
func (s Shape) Caption(path string, number any) string {
	return s.members[path].values[fmt.Sprint(number)]
}

// Check says what is wrong with a document, as [encoding/json] decodes it.
func (s Shape) Check(doc any) error { return s.check(".", doc) }

// CheckJSON checks one document.
func (s Shape) CheckJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one document")
	}
	return s.Check(doc)
}

func (s Shape) check(path string, v any) error {
	m, ok := s.members[path]
	if !ok {
		return fmt.Errorf("%s is no member that the specification has", path)
	}
	if !m.list {
		return s.one(path, m, v)
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is %T, want a list", path, v)
	}
	for _, e := range list {
		if err := s.one(path, m, e); err != nil {
			return err
		}
	}
	return nil
}

func (s Shape) one(path string, m member, v any) error {
	if m.kind == "object" {
		return s.object(strings.TrimPrefix(path, "."), v)
	}
	if !kinds[m.kind](v) {
		return fmt.Errorf("%s is %.100q, want %s", path, fmt.Sprint(v), m.kind)
	}
	if _, ok := m.values[fmt.Sprint(v)]; m.values != nil && !ok {
		return fmt.Errorf("%s is %v, which is none of its values", path, v)
	}
	return nil
}

func (s Shape) object(path string, v any) error {
	obj, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %T, want an object", path, v)
	}
	for _, name := range s.musts[path] {
		if _, ok := obj[name]; !ok {
			return fmt.Errorf("%s has no %s", orRoot(path), name)
		}
	}
	for name, e := range obj {
		if path != "" {
			name = path + "." + name
		}
		if err := s.check(name, e); err != nil {
			return err
		}
	}
	return nil
}

func orRoot(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

// kinds are the kinds of value, besides objects. The last four are those of
// text in attributes of XML.
var kinds = map[string]func(v any) bool{
	"any":       func(any) bool { return true },
	"string":    text(func(string) bool { return true }),
	"text":      text(func(s string) bool { return s != "" }),
	"time":      text(func(s string) bool { _, err := time.Parse(time.RFC3339Nano, s); return err == nil }),
	"base64":    text(func(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil }),
	"uri":       text(func(s string) bool { u, err := url.Parse(s); return err == nil && u.IsAbs() }),
	"reference": text(func(s string) bool { _, err := url.Parse(s); return err == nil }),
	"hex":       text(regexp.MustCompile(`^[0-9A-Fa-f]+$`).MatchString),
	"boolean":   func(v any) bool { _, ok := v.(bool); return ok },
	"ip":        text(func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Zone() == "" }),
	"integer":   number(`^-?\d+$`),
	"count":     number(`^\d+$`),
	"digits":    text(regexp.MustCompile(`^\d+$`).MatchString),
	"decimal":   text(regexp.MustCompile(`^\d+(\.\d{1,3})?$`).MatchString),
	"seconds":   text(regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`).MatchString),
}

func text(is func(string) bool) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && is(s) }
}

func number(form string) func(any) bool {
	re := regexp.MustCompile(form)
	return func(v any) bool { n, ok := v.(json.Number); return ok && re.MatchString(n.String()) }
}

// Schemas is the environment's variable that names a folder with the public
// schemas of the formats, which are not ours to keep here: .ci/run says which
// packages they come in.
const Schemas = "BESRA_SCHEMAS"

// Schema returns the path of a public schema, and skips the test where it is
// not there.
func Schema(t *testing.T, elements ...string) string {
	t.Helper()
	dir := os.Getenv(Schemas)
	if dir == "" {
		t.Skip(Schemas + " names no folder of public schemas")
	}
	name := filepath.Join(slices.Concat([]string{dir}, elements)...)
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	return name
}

// CheckXML checks one document of XML: each element is a member that is a list
// of objects, its attributes begin with "@", and its text is "#text".
func (s Shape) CheckXML(b []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(b))
	root := map[string]any{}
	open := []map[string]any{root}
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return s.Check(root)
		}
		if err != nil {
			return err
		}
		at := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			element := map[string]any{}
			for _, a := range token.Attr {
				element["@"+a.Name.Local] = a.Value
			}
			same, _ := at[token.Name.Local].([]any)
			at[token.Name.Local] = append(same, element)
			open = append(open, element)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				at["#text"] = string(token)
			}
		}
	}
}
