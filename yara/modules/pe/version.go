package pe

import (
	"unicode/utf16"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of version information.
const (
	maxVersionStrings = 65536
	maxVersionBytes   = 16 << 20 // looked at
)

// versionString is a string of version information.
type versionString struct{ key, value string }

var pairColumns = []column.Column[versionString]{
	column.Text("key", "The name of the string, such as CompanyName.", func(v versionString) string { return v.key }),
	column.Text("value", "The string.", func(v versionString) string { return v.value }),
}

var pairType = column.Type("KeyValue", pairColumns)

// versionDict has the last string of each key.
func versionDict(f *file) module.Value {
	t := new(module.Table)
	for _, v := range f.versionStrings() {
		t.Put(v.key, module.Text(v.value))
	}
	return module.MapOf(t)
}

// versionStrings are the strings of all version resources.
func (f *file) versionStrings() []versionString {
	return f.versions.get(func() []versionString {
		r := versionReader{left: maxVersionBytes}
		for _, res := range f.resourceTable().resources {
			if t := res.number(levelType); t.ok && t.value == typeVersion && res.offset.ok {
				data, _ := binfmt.From(f.Data, uint64(res.offset.value))
				r.resource(data)
			}
		}
		if f.libyara {
			const maxKey, maxValue = 63, 255
			for i, v := range r.strings {
				r.strings[i] = versionString{narrow(v.key, maxKey), narrow(v.value, maxValue)}
			}
		}
		return r.strings
	})
}

const typeVersion = 16 // RESOURCE_TYPE_VERSION

// versionReader reads VS_VERSIONINFO structures. They are trees of nodes:
//
//	VS_VERSION_INFO   with a VS_FIXEDFILEINFO
//	  VarFileInfo     not of interest; sometimes first
//	  StringFileInfo
//	    040904b0      a table: language and code page
//	      CompanyName with its value
//
// https://learn.microsoft.com/windows/win32/menurc/version-information
type versionReader struct {
	strings []versionString
	left    int // bytes that may still be looked at
}

// versionNode is a node of the tree.
type versionNode struct {
	key      string
	hasValue bool
	// body is the value and the children, aligned to 32 bits.
	body []byte
}

// node reads a node, and returns what follows it.
func (v *versionReader) node(data []byte) (n versionNode, rest []byte, ok bool) {
	r := binfmt.NewReader(data, binfmt.Little)
	size := align4(int(r.U16()))
	if v.left -= size; !r.OK() || size > len(data) || v.left < 0 {
		return n, nil, false
	}
	data, rest = data[:size:size], data[size:]
	r = binfmt.NewReader(data, binfmt.Little)
	r.Skip(2)
	n.hasValue = r.U16() > 0
	r.Skip(2) // whether the value is text
	n.key, ok = readUTF16(r)
	if !ok || !r.OK() {
		return n, nil, false
	}
	n.body = data[align4(r.Pos()):]
	return n, rest, true
}

func align4(n int) int { return (n + 3) &^ 3 }

// readUTF16 reads a string up to and with its NUL, or all there is. Unpaired
// surrogates become U+FFFD. ok is false where there is half a character.
func readUTF16(r *binfmt.Reader) (s string, ok bool) {
	var units []uint16
	for len(r.Rest()) >= 2 {
		u := r.U16()
		if u == 0 {
			return string(utf16.Decode(units)), true
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units)), len(r.Rest()) == 0
}

// narrow is what libyara makes of a string: the low byte of each character, up
// to one that is zero, at most limit of them.
func narrow(s string, limit int) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if byte(u) == 0 || len(b) == limit {
			break
		}
		b = append(b, byte(u))
	}
	return string(b)
}

// resource reads the strings of one resource.
func (v *versionReader) resource(data []byte) {
	n, _, ok := v.node(data)
	if !ok || n.key != "VS_VERSION_INFO" {
		return
	}
	const fixedFileInfo = 13 * 4
	children := n.body
	if n.hasValue && len(children) >= fixedFileInfo {
		children = children[fixedFileInfo:]
	}
	first, rest, ok := v.node(children)
	if ok && first.key == "VarFileInfo" {
		first, _, ok = v.node(rest)
	}
	if ok && first.key == "StringFileInfo" {
		v.tables(first.body)
	}
}

// tables reads tables until one has no string.
func (v *versionReader) tables(data []byte) {
	for {
		table, rest, ok := v.node(data)
		if !ok || !v.table(table.body) {
			return
		}
		data = rest
	}
}

// table reads the strings of a table and reports whether there is one.
func (v *versionReader) table(data []byte) (found bool) {
	for len(v.strings) < maxVersionStrings {
		n, rest, ok := v.node(data)
		if !ok {
			return found
		}
		s := versionString{key: n.key}
		// The sizes that files give of values are not to be relied on.
		if value, ok := readUTF16(binfmt.NewReader(n.body, binfmt.Little)); ok && n.hasValue {
			s.value = value
		}
		v.strings = append(v.strings, s)
		data, found = rest, true
	}
	return found
}
