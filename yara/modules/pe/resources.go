package pe

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of resources.
const (
	maxResources       = 65536
	maxResourceEntries = 1 << 18 // of directories, looked at
	maxResourceName    = 1000    // characters; longer ones are none
	maxResourceSize    = 0x3fffffff
	maxLanguage        = 0xfffff
)

// resourceTable is the tree of resources, flattened.
type resourceTable struct {
	timestamp maybe[uint32]
	version   version
	resources []*resource
}

// resource is a leaf of the tree. The levels are type, name and language; each
// has a number or a name in UTF-16.
type resource struct {
	path   path
	names  []byte // where the offsets of names count from
	offset maybe[uint32]
	rva    uint32
	length uint32
}

// path is the way to a leaf: what the entries at the first levels say.
type path struct {
	ids   [3]uint32
	depth int
}

const (
	levelType = iota
	levelName
	levelLanguage
)

var resourceColumns = []column.Column[*resource]{
	column.Int("length", "The size, in bytes.", func(r *resource) uint32 { return r.length }),
	column.Int("rva", "The address, relative to the image base.", func(r *resource) uint32 { return r.rva }),
	column.OptInt("offset", "The offset in the file.", func(r *resource) (uint32, bool) { return r.offset.get() }),
	column.OptInt("type", "The type, one of RESOURCE_TYPE_*; undefined where it has a name.", func(r *resource) (uint32, bool) { return r.number(levelType).get() }),
	column.OptInt("id", "The number; undefined where it has a name.", func(r *resource) (uint32, bool) { return r.number(levelName).get() }),
	column.OptInt("language", "The language identifier; undefined where it has a name.", func(r *resource) (uint32, bool) { return r.number(levelLanguage).get() }),
	column.OptText("type_string", "The name of the type, in UTF-16.", func(r *resource) (string, bool) { return r.name(levelType).get() }),
	column.OptText("name_string", "The name, in UTF-16.", func(r *resource) (string, bool) { return r.name(levelName).get() }),
	column.OptText("language_string", "The name of the language, in UTF-16.", func(r *resource) (string, bool) { return r.name(levelLanguage).get() }),
}

var resourceType = column.Type("Resource", resourceColumns)

// resourceVersion is undefined where there are no resources.
func resourceVersion(f *file) module.Value {
	t := f.resourceTable()
	if !t.timestamp.ok {
		return column.Blank(versionType, nil)
	}
	return column.Struct(versionPair, t.version)
}

func (f *file) resourceTable() resourceTable {
	return f.resources.get(func() resourceTable {
		d, data, ok := f.directory(directoryResource, false)
		if !ok || f.libyara && d.Address == 0 {
			return resourceTable{}
		}
		t := resourceReader{file: f, data: data, entries: maxResourceEntries}
		t.walk()
		if len(t.table.resources) == 0 && !f.libyara {
			return resourceTable{}
		}
		return t.table
	})
}

// resourceReader walks the tree, level by level.
type resourceReader struct {
	*file
	data    []byte // from the root directory to the end of the file
	table   resourceTable
	entries int // that may still be looked at
	queue   []resourceDirectory
}

// resourceDirectory is a directory whose entries are still to be read. Those
// that refer to each other end at the third level.
type resourceDirectory struct {
	offset uint32
	path   path
}

func (t *resourceReader) walk() {
	t.queue = append(t.queue, resourceDirectory{})
	for len(t.queue) > 0 && t.more() {
		d := t.queue[0]
		t.queue = t.queue[1:]
		t.read(d)
	}
}

func (t *resourceReader) more() bool { return t.entries > 0 && len(t.table.resources) < maxResources }

// read reads an IMAGE_RESOURCE_DIRECTORY and its entries, as many as there
// are; libyara reads all or none.
func (t *resourceReader) read(d resourceDirectory) {
	data, _ := binfmt.From(t.data, uint64(d.offset))
	r := binfmt.NewReader(data, binfmt.Little)
	characteristics, timestamp := r.U32(), r.U32()
	v := version{r.U16(), r.U16()}
	named, numbered := r.U16(), r.U16()
	const most = 32768
	sound := characteristics == 0 && named <= most && numbered <= most
	if d.path.depth == 0 && r.OK() && (sound || t.libyara) {
		t.table.timestamp, t.table.version = some(timestamp), v
	}
	count := int(named) + int(numbered)
	if !sound || t.libyara && len(r.Rest()) < count*resourceEntrySize {
		return
	}
	for range count {
		id, offset := r.U32(), r.U32()
		if !r.OK() || !t.more() {
			return
		}
		t.entries--
		t.entry(d.path, id, offset)
	}
}

// entry follows an IMAGE_RESOURCE_DIRECTORY_ENTRY. What claims to be a
// directory is read as data as well, of which it is not both. libyara believes
// it, and reads depth first.
func (t *resourceReader) entry(p path, id, offset uint32) {
	at := offset &^ highBit
	if at == 0 || uint64(at) >= uint64(len(t.data)) {
		return
	}
	p.ids[p.depth] = id
	p.depth++
	if p.depth > levelLanguage && id&highBit == 0 && id > maxLanguage && !t.libyara {
		return
	}
	child := resourceDirectory{at, p}
	switch isDirectory := offset&highBit != 0 && p.depth <= levelLanguage; {
	case isDirectory && t.libyara:
		t.read(child)
		return
	case isDirectory:
		t.queue = append(t.queue, child)
	}
	t.leaf(at, p)
}

const resourceEntrySize = 8

// highBit marks directories among offsets, and names among numbers.
const highBit = 1 << 31

// leaf reads an IMAGE_RESOURCE_DATA_ENTRY.
func (t *resourceReader) leaf(at uint32, p path) {
	r := binfmt.NewReader(t.data[at:], binfmt.Little)
	leaf := &resource{path: p, names: t.data, rva: r.U32(), length: r.U32()}
	r.Skip(8) // code page, reserved
	if !r.OK() || leaf.length == 0 || leaf.length >= maxResourceSize || leaf.rva == 0 && !t.libyara {
		return
	}
	if off, ok := t.offset(leaf.rva); ok {
		leaf.offset = some(off)
	}
	t.table.resources = append(t.table.resources, leaf)
}

// number is what the resource's entry at a level says, where that is no name.
func (r *resource) number(level int) maybe[uint32] {
	id := r.path.ids[level]
	return maybe[uint32]{id, level < r.path.depth && id&highBit == 0}
}

// name is the name at a level: a count of characters and as many.
func (r *resource) name(level int) maybe[string] {
	id := r.path.ids[level]
	if level >= r.path.depth || id&highBit == 0 {
		return maybe[string]{}
	}
	data, _ := binfmt.From(r.names, uint64(id&^highBit))
	b := binfmt.NewReader(data, binfmt.Little)
	n := int(b.U16())
	name := b.Bytes(2 * n)
	return maybe[string]{string(name), b.OK() && n < maxResourceName}
}

// hasLanguage reports whether a resource has a language, of which the bits of
// mask count.
func (f *file) hasLanguage(language int64, mask uint32) bool {
	for _, r := range f.resourceTable().resources {
		if n := r.number(levelLanguage); n.ok && int64(n.value&mask) == language {
			return true
		}
	}
	return false
}
