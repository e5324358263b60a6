package dotnet

import (
	"slices"
	"strconv"
	"strings"
)

// class is a type that the file defines.
type class struct {
	fullname, name, namespace optional[string]
	flags                     uint32
	bases, generics           []string
	methods                   []*method
}

type method struct {
	name       string
	flags      uint32
	returns    optional[string]
	generics   []string
	parameters []parameter
}

type parameter struct{ name, typ string }

// owner is what a generic parameter belongs to.
type owner struct {
	table uint8
	index int
}

// readGenerics are the names of generic parameters by what they belong to.
func (f *file) readGenerics() map[owner][]string {
	t := f.tables()
	names := make(map[owner][]string)
	for i := range t.len(tabGenericParam) {
		r := t.at(tabGenericParam, i)
		if name, ok := f.string(r[3]).get(); ok {
			table, index := split(typeOrMethodDef, r[2])
			o := owner{table, index}
			names[o] = append(names[o], name)
		}
	}
	return names
}

// readNesting says in which type a type is; the first that is not itself.
func (f *file) readNesting() map[int]int {
	t := f.tables()
	outer := make(map[int]int)
	for i := range t.len(tabNestedClass) {
		r := t.at(tabNestedClass, i)
		if _, ok := outer[int(r[0])]; !ok && r[0] != r[1] {
			outer[int(r[0])] = int(r[1])
		}
	}
	return outer
}

// interfaces are the references to interfaces by the type that has them.
func (f *file) interfaces() map[int][]uint32 {
	t := f.tables()
	refs := make(map[int][]uint32)
	for i := range t.len(tabInterface) {
		r := t.at(tabInterface, i)
		refs[int(r[0])] = append(refs[int(r[0])], r[1])
	}
	return refs
}

// readClasses reads the types but for those without name and the one that
// holds what is global.
func (f *file) readClasses() (list []*class) {
	t := f.tables()
	interfaces := f.interfaces()
	left := t.len(tabMethodDef)
	for i := range t.len(tabTypeDef) {
		r := t.at(tabTypeDef, i)
		name := f.string(r[1])
		if !name.ok || name.value == "" || name.value == "<Module>" {
			continue
		}
		c := &class{flags: r[0], fullname: f.fullName(i), generics: f.genericsByType()[owner{tabTypeDef, i}]}
		c.splitName(f.libyara)
		for _, ref := range slices.Insert(slices.Clone(interfaces[i]), 0, r[3]) {
			if base, ok := f.typeName(ref, c.generics); ok {
				c.bases = append(c.bases, base)
			}
		}
		from, to := f.methodRange(i)
		to = min(to, from+left)
		left -= to - from
		for j := from; j < to; j++ {
			if m := f.readMethod(j, c.generics); m != nil {
				c.methods = append(c.methods, m)
			}
		}
		list = append(list, c)
	}
	return list
}

// splitName splits the full name at its last point. libyara gives an empty
// namespace where there is no point.
func (c *class) splitName(libyara bool) {
	if !c.fullname.ok {
		return
	}
	point := strings.LastIndexByte(c.fullname.value, '.')
	c.name = some(c.fullname.value[point+1:])
	if point >= 0 {
		c.namespace = some(c.fullname.value[:point])
	} else if libyara {
		c.namespace = some("")
	}
}

// methodRange is which methods are a type's: up to the first of the next
// type. Where that makes no sense there are none.
func (f *file) methodRange(i int) (from, to int) {
	t := f.tables()
	from, to = int(t.at(tabTypeDef, i)[5]), t.len(tabMethodDef)
	if t.has(tabTypeDef, i+1) {
		to = int(t.at(tabTypeDef, i+1)[5])
	}
	if from > to || to > t.len(tabMethodDef) {
		return 0, 0
	}
	return from, to
}

// fullName is a type's name with its namespace and the types it is in.
func (f *file) fullName(i int) optional[string] {
	if s, ok := f.fullNames[i]; ok {
		return s
	}
	s := f.makeFullName(i)
	f.fullNames[i] = s
	return s
}

func (f *file) makeFullName(i int) (s optional[string]) {
	t := f.tables()
	var parts []string
	for {
		if !t.has(tabTypeDef, i) || len(parts) >= maxDepth {
			return s
		}
		r := t.at(tabTypeDef, i)
		name := notEmpty(f.string(r[1]))
		if !name.ok {
			return s
		}
		parts = append(parts, plain(name.value))
		if namespace := notEmpty(f.string(r[2])); namespace.ok {
			parts = append(parts, namespace.value)
		}
		outer, nested := f.enclosing()[i]
		if r[0]&7 < 2 || !nested {
			break
		}
		i = outer
	}
	slices.Reverse(parts)
	full := strings.Join(parts, ".")
	if f.text -= len(full); f.text < 0 {
		return s
	}
	return some(full)
}

// plain is a name without the number of generic parameters after a backtick.
func plain(name string) string {
	if tick := strings.LastIndexByte(name, '`'); tick >= 0 {
		return name[:tick]
	}
	return name
}

// typeName is the name of a type that a row refers to.
func (f *file) typeName(ref uint32, generics []string) (string, bool) {
	s := signature{file: f, classGenerics: generics}
	ok := s.reference(ref)
	return s.out.String(), ok
}

// readMethod reads a method, nil if its signature is damaged, II.23.2.1.
func (f *file) readMethod(i int, classGenerics []string) *method {
	t := f.tables()
	r := t.at(tabMethodDef, i)
	name, named := f.string(r[3]).get()
	blob, ok := f.blob(r[4])
	if !ok || !named {
		return nil
	}
	m := &method{name: name, flags: r[2], generics: f.genericsByType()[owner{tabMethodDef, i}]}
	s := signature{file: f, classGenerics: classGenerics, methodGenerics: m.generics}
	p := newPacked(blob)
	const generic = 0x10
	if p.U8()&generic != 0 {
		p.unsigned()
	}
	count := p.unsigned()
	result, ok := s.next(p)
	if !ok {
		return nil
	}
	if name != ".ctor" && name != ".cctor" {
		m.returns = some(result)
	}
	for n := range count {
		typ, ok := s.next(p)
		if !ok {
			return nil
		}
		m.parameters = append(m.parameters, parameter{f.parameterName(int(r[5])+int(n), n), typ})
	}
	return m
}

// parameterName is the name in a row of parameters, if it has one.
func (f *file) parameterName(row int, n uint32) string {
	if t := f.tables(); t.has(tabParam, row) {
		if name, ok := f.string(t.at(tabParam, row)[2]).get(); ok {
			return name
		}
	}
	return "P_" + strconv.Itoa(int(n))
}
