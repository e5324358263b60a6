package dotnet

import (
	"math"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

type version [4]uint32

// assembly is this file's assembly or one that it refers to.
type assembly struct {
	version            version
	name, culture, key optional[string]
}

type resource struct {
	name           optional[string]
	offset, length optional[uint32]
}

func (f *file) moduleName() (string, bool) {
	t := f.tables()
	if !t.has(tabModule, 0) {
		return "", false
	}
	return f.string(t.at(tabModule, 0)[1]).get()
}

func (f *file) assembly() (a assembly, ok bool) {
	t := f.tables()
	if !t.has(tabAssembly, 0) {
		return a, false
	}
	r := t.at(tabAssembly, 0)
	a.version = version(r[1:5])
	a.name, a.culture = f.string(r[7]), notEmpty(f.string(r[8]))
	return a, true
}

func (f *file) readAssemblyRefs() []assembly {
	t := f.tables()
	list := make([]assembly, t.len(tabAssemblyRef))
	for i := range list {
		r := t.at(tabAssemblyRef, i)
		list[i] = assembly{version: version(r[:4]), name: f.string(r[6]), key: notEmpty(f.blobText(r[5]))}
	}
	return list
}

func (f *file) readModuleRefs() (names []string) {
	t := f.tables()
	for i := range t.len(tabModuleRef) {
		if name, ok := f.string(t.at(tabModuleRef, i)[0]).get(); ok {
			names = append(names, name)
		}
	}
	return names
}

func (f *file) readResources() []resource {
	t := f.tables()
	list := make([]resource, t.len(tabResource))
	for i := range list {
		r := t.at(tabResource, i)
		list[i].name = f.string(r[2])
		if table, index := split(resourceOwner, r[3]); table == tabFile && index == 0 {
			list[i].locate(f, r[0])
		}
	}
	return list
}

// locate finds a resource in this file: its length and its data are at an
// offset from where all resources begin.
func (r *resource) locate(f *file, at uint32) {
	rest, ok := binfmt.From(f.resourceData, uint64(at))
	b := binfmt.NewReader(rest, binfmt.Little)
	length := b.U32()
	if !ok || !b.OK() || f.resourceData == nil {
		return
	}
	if uint64(length) <= uint64(len(b.Rest())) {
		r.length = some(length)
	}
	offset := uint64(f.resourceBase.value) + min(uint64(at)+4, math.MaxUint32)
	r.offset = some(uint32(min(offset, math.MaxUint32)))
}

// readConstants are the constants that are strings.
func (f *file) readConstants() (list []string) {
	t := f.tables()
	for i := range t.len(tabConstant) {
		r := t.at(tabConstant, i)
		if r[0] != typString {
			continue
		}
		if s, ok := f.blobText(r[3]).get(); ok {
			list = append(list, s)
		}
	}
	return list
}

func (f *file) readFieldOffsets() (list []uint32) {
	t := f.tables()
	for i := range t.len(tabFieldRVA) {
		if off, ok := f.pe.Offset(t.at(tabFieldRVA, i)[0]); ok {
			list = append(list, off)
		}
	}
	return list
}

// readTypelib reads the value of the assembly's first GuidAttribute, II.23.3.
func (f *file) readTypelib() (s optional[string]) {
	t := f.tables()
	for i := range t.len(tabAttribute) {
		r := t.at(tabAttribute, i)
		if parent, _ := split(hasAttribute, r[0]); parent != tabAssembly || !f.isGUIDAttribute(r[1]) {
			continue
		}
		b, ok := f.blob(r[2])
		value := binfmt.NewReader(b, binfmt.Little)
		value.Skip(2) // prolog
		text := value.Bytes(int(value.U8()))
		if ok && value.OK() {
			s.value, s.ok = valid(text)
		}
		return s
	}
	return s
}

// isGUIDAttribute reports whether an attribute's constructor is a member of
// System.Runtime.InteropServices.GuidAttribute.
func (f *file) isGUIDAttribute(constructor uint32) bool {
	t := f.tables()
	table, i := split(attributeType, constructor)
	if table != tabMemberRef || !t.has(tabMemberRef, i) {
		return false
	}
	table, i = split(memberParent, t.at(tabMemberRef, i)[0])
	if table != tabTypeRef || !t.has(tabTypeRef, i) {
		return false
	}
	return f.string(t.at(tabTypeRef, i)[1]) == some("GuidAttribute")
}
