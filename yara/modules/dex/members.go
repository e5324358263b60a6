package dex

import "github.com/besra-hunt/besra/yara/module/column"

// maxIndex is the largest index that libyara looks up.
const maxIndex = 0x80000

// members are the fields and methods that classes have, as libyara counts
// them. whole is set where the last class was reached: only then are the
// numbers defined.
type members struct {
	data    [][4]uint32 // the four counts of each class with members
	fields  []member
	methods []member
	whole   bool
}

// member is a field or method of a class.
type member struct {
	f                  *file
	first              bool // static field or direct method
	diff, flags, code  uint32
	class, name, proto rawString
}

func (f *file) memberList() *members {
	m := f.members.get(func() (m members) {
		if t := f.tableList(); !t.classesFit {
			return m
		}
		w := &walk{f: f, m: &m, budget: 64*len(f.data) + 1<<20}
		m.whole = true
		f.entries(f.header.classDefs.off, f.header.classDefs.size, classSize, func(e []byte) bool {
			m.whole = w.class(u32(e[24:]))
			return m.whole
		})
		return m
	})
	return &m
}

// walk goes through the data of all classes. budget is what is left of the
// bytes of names.
type walk struct {
	f      *file
	m      *members
	pos    uint64
	budget int
}

// class reads the members of a class; false where its header is not whole.
func (w *walk) class(off uint32) bool {
	if off == 0 {
		return true
	}
	if !w.f.fits(uint64(off), 16) {
		return false
	}
	w.pos = uint64(off)
	var counts [4]uint32
	for i := range counts {
		var ok bool
		if counts[i], ok = w.number(); !ok {
			return false
		}
	}
	w.m.data = append(w.m.data, counts)
	w.members(counts[0], true, w.field)
	w.members(counts[1], false, w.field)
	w.members(counts[2], true, w.method)
	w.members(counts[3], false, w.method)
	return true
}

func (w *walk) number() (uint32, bool) {
	v, n, ok := uleb(w.f.data[w.pos:])
	w.pos += uint64(n)
	return v, ok
}

// members reads members until one cannot be read.
func (w *walk) members(count uint32, first bool, read func(index *uint32, first bool) bool) {
	index := uint32(0)
	for range count {
		start := w.pos
		if w.budget <= 0 || !read(&index, first) {
			w.pos = start
			return
		}
	}
}

func (w *walk) field(index *uint32, first bool) bool {
	if !w.f.fits(w.pos, 8) || len(w.m.fields) >= maxEntries {
		return false
	}
	m := member{f: w.f, first: first}
	var ok, ok2 bool
	m.diff, ok = w.number()
	m.flags, ok2 = w.number()
	*index += m.diff
	t := w.f.tableList()
	entry, found := lookup(t.fields, *index)
	if !ok || !ok2 || !found {
		return false
	}
	m.name, _ = lookup(t.strings, u32(entry[4:]))
	m.class = t.typeName(u16(entry))
	m.proto = t.typeName(u16(entry[2:]))
	w.m.fields = append(w.m.fields, m)
	w.spend(&m)
	return true
}

func (w *walk) method(index *uint32, first bool) bool {
	if !w.f.fits(w.pos, 12) || len(w.m.methods) >= maxEntries {
		return false
	}
	m := member{f: w.f, first: first}
	var ok, ok2, ok3 bool
	m.diff, ok = w.number()
	m.flags, ok2 = w.number()
	m.code, ok3 = w.number()
	*index += m.diff
	t := w.f.tableList()
	entry, found := lookup(t.methods, *index)
	if !ok || !ok2 || !ok3 || !found {
		return false
	}
	m.name, _ = lookup(t.strings, u32(entry[4:]))
	m.class = t.typeName(u16(entry))
	if p, ok := lookup(t.protos, u16(entry[2:])); ok {
		m.proto, _ = lookup(t.strings, u32(p))
	}
	w.m.methods = append(w.m.methods, m)
	w.spend(&m)
	return true
}

func (w *walk) spend(m *member) {
	w.budget -= len(m.name.value) + len(m.class.value) + len(m.proto.value)
}

// typeName is the name of the type with that index.
func (t *tables) typeName(i uint32) rawString {
	descriptor, ok := lookup(t.types, i)
	if !ok {
		return rawString{}
	}
	s, _ := lookup(t.strings, descriptor)
	return s
}

func lookup[T any](list []T, i uint32) (v T, ok bool) {
	if i > maxIndex {
		return v, false
	}
	return at(list, i)
}

// codeItem is the header of a method's code; nil where there is none.
func (m member) codeItem() []byte {
	if m.code == 0 || !m.f.fits(uint64(m.code), codeItemSize) {
		return nil
	}
	return m.f.data[m.code : m.code+codeItemSize]
}

const codeItemSize = 16

// instructions are the bytes of a method's code.
func (m member) instructions() (string, bool) {
	item := m.codeItem()
	if item == nil {
		return "", false
	}
	start, n := uint64(m.code)+codeItemSize, uint64(u32(item[12:]))*2
	if !m.f.fits(start, n) || n > maxCode {
		return "", false
	}
	return string(m.f.data[start : start+n]), true
}

var dataColumns = []column.Column[[4]uint32]{
	column.Int("static_fields_size", "The number of static fields.", func(c [4]uint32) uint32 { return c[0] }),
	column.Int("instance_fields_size", "The number of fields of instances.", func(c [4]uint32) uint32 { return c[1] }),
	column.Int("direct_methods_size", "The number of direct methods.", func(c [4]uint32) uint32 { return c[2] }),
	column.Int("virtual_methods_size", "The number of virtual methods.", func(c [4]uint32) uint32 { return c[3] }),
}

func nameColumns(of string) []column.Column[member] {
	return []column.Column[member]{
		column.OptText("class_name", "The class that the "+of+" is of.", func(m member) (string, bool) { return string(m.class.value), m.class.ok }),
		column.OptText("name", "The "+of+"'s name.", func(m member) (string, bool) { return string(m.name.value), m.name.ok }),
		column.OptText("proto", "The "+of+"'s type, or its prototype in short form.", func(m member) (string, bool) { return string(m.proto.value), m.proto.ok }),
		column.Int("access_flags", "Flags, a sum of ACC_*.", func(m member) uint32 { return m.flags }),
	}
}

var memberFieldColumns = append(nameColumns("field"),
	column.Int("static", "1 where the field is static, else 0.", func(m member) int { return number(m.first) }),
	column.Int("instance", "1 where instances have the field, else 0.", func(m member) int { return number(!m.first) }),
	column.Int("field_idx_diff", "The index, less that of the field before.", func(m member) uint32 { return m.diff }),
)

var memberMethodColumns = append(nameColumns("method"),
	column.Int("direct", "1 where the method is direct, else 0.", func(m member) int { return number(m.first) }),
	column.Int("virtual", "1 where the method is virtual, else 0.", func(m member) int { return number(!m.first) }),
	column.Int("method_idx_diff", "The index, less that of the method before.", func(m member) uint32 { return m.diff }),
	column.Int("code_off", "The offset of the code, 0 where there is none.", func(m member) uint32 { return m.code }),
	column.Sub("code_item", "The method's code.", "CodeItem", codeColumns, func(m member) (member, bool) { return m, m.codeItem() != nil }),
)

var codeColumns = []column.Column[member]{
	column.Int("registers_size", "The number of registers.", func(m member) uint32 { return u16(m.codeItem()) }),
	column.Int("ins_size", "The number of words of arguments.", func(m member) uint32 { return u16(m.codeItem()[2:]) }),
	column.Int("outs_size", "The number of words of arguments of calls.", func(m member) uint32 { return u16(m.codeItem()[4:]) }),
	column.Int("tries_size", "The number of try blocks.", func(m member) uint32 { return u16(m.codeItem()[6:]) }),
	column.Int("debug_info_off", "The offset of what debuggers need.", func(m member) uint32 { return u32(m.codeItem()[8:]) }),
	column.Int("insns_size", "The size of the instructions, in units of two bytes.", func(m member) uint32 { return u32(m.codeItem()[12:]) }),
	column.OptText("insns", "The instructions.", member.instructions),
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
