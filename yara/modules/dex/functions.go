package dex

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"hash/adler32"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/module"
)

// Where in the file what checksum and signature cover begins.
const (
	checksumStart  = 12
	signatureStart = 32
)

func checksum(c *module.Call, _ []module.Value) module.Value {
	f := fileOf(c.Input)
	if f == nil {
		return module.Value{}
	}
	return f.checksum.get(func() module.Value { return module.Int(int64(adler32.Checksum(f.data[checksumStart:]))) })
}

func signature(c *module.Call, _ []module.Value) module.Value {
	f := fileOf(c.Input)
	if f == nil {
		return module.Value{}
	}
	return f.signature.get(func() module.Value {
		sum := sha1.Sum(f.data[signatureStart:])
		return module.Text(hex.EncodeToString(sum[:]))
	})
}

// contains makes a function that looks for a name; it is false for a target
// that is no Dalvik executable, and undefined for a name that is not UTF-8.
func contains(names func(*file) map[string]struct{}) func(*module.Call, []module.Value) module.Value {
	return func(c *module.Call, args []module.Value) module.Value {
		s, _ := args[0].Text()
		if !utf8.ValidString(s) {
			return module.Value{}
		}
		f := fileOf(c.Input)
		if f == nil {
			return module.Boolean(false)
		}
		_, ok := names(f)[s]
		return module.Boolean(ok)
	}
}

func (f *file) stringNames() map[string]struct{} {
	return f.stringSet.get(func() map[string]struct{} { return setOf(f.stringList(), func(s string) string { return s }) })
}

func (f *file) classNames() map[string]struct{} {
	return f.classSet.get(func() map[string]struct{} { return setOf(f.classList(), func(c class) string { return c.name }) })
}

func (f *file) methodNames() map[string]struct{} {
	return f.methodSet.get(func() map[string]struct{} { return setOf(f.methodList(), func(m method) string { return m.name }) })
}

func setOf[T any](list []T, name func(T) string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, item := range list {
		set[name(item)] = struct{}{}
	}
	return set
}

// test says whether a name of a member will do.
type test func(name []byte) bool

// testOf makes a test of an argument: a string is equal, a regexp matches.
// Names and strings end at a NUL, as they do in libyara.
func testOf(arg module.Value) test {
	if re := arg.Regexp(); re != nil {
		return func(name []byte) bool { return re.MatchString(string(untilNUL(name))) }
	}
	s, _ := arg.Text()
	want := untilNUL([]byte(s))
	return func(name []byte) bool { return bytes.Equal(untilNUL(name), want) }
}

func untilNUL(b []byte) []byte {
	before, _, _ := bytes.Cut(b, []byte{0})
	return before
}

// hasMethod takes a name, or a class and a name.
func hasMethod(c *module.Call, args []module.Value) module.Value {
	name := testOf(args[len(args)-1])
	if len(args) == 1 {
		return anyMethod(c, func(m *member) bool { return m.name.ok && name(m.name.value) })
	}
	class := testOf(args[0])
	return anyMethod(c, func(m *member) bool {
		return (!m.class.ok || class(m.class.value)) && m.name.ok && name(m.name.value)
	})
}

func hasClass(c *module.Call, args []module.Value) module.Value {
	class := testOf(args[0])
	return anyMethod(c, func(m *member) bool { return m.class.ok && class(m.class.value) })
}

// anyMethod is undefined where the classes cannot be read to the end.
func anyMethod(c *module.Call, ok func(*member) bool) module.Value {
	f := fileOf(c.Input)
	if f == nil || !f.memberList().whole {
		return module.Value{}
	}
	methods := f.memberList().methods
	for i := range methods {
		if ok(&methods[i]) {
			return module.Int(1)
		}
	}
	return module.Int(0)
}
