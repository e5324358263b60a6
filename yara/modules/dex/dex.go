// Package dex is the YARA module "dex": what is in a Dalvik executable, the
// format of Android programs.
//
// Both models of the format are offered. YARA-X's resolves names: strings,
// types, protos, fields, methods, class_defs, map_list.items, and the
// functions contains_string, contains_class, contains_method, checksum and
// signature. libyara's gives the tables as they are: string_ids, type_ids,
// proto_ids, field_ids, method_ids, class_data_item, field, method,
// map_list.map_item, and the functions has_method and has_class.
//
// Where both have a name the value is YARA-X's, and libyara's under the
// LibYARA dialect: which files are of the format, header.signature (bytes
// instead of hexadecimal digits), header.magic, map_list.size and which
// classes class_defs lists. libyara's header.magic is a string: here it is the
// integer that its 8 bytes spell, and the constants DEX_FILE_MAGIC_* are such
// integers, so that comparing them means the same. Strings and classes are
// found in unsorted tables too, where YARA-X misses them.
//
// # Laziness
//
// Loading reads the header. A table is read when a condition first asks for
// it, and kept for the scan. A target that does not begin with "dex" costs a
// look at eight bytes.
//
// # Bounds
//
// Whatever the file says, tables have at most 1,048,576 entries and end with
// the file. Strings are at most 64 KiB; together they are at most 4 times the
// file and 64 KiB, and the names of libyara's fields and methods 64 times the
// file and 1 MiB: tables are cut where this is used up. Prototypes have at
// most 255 parameters, code is given up to 16 MiB. Time is linear in the size
// of the file.
package dex

import (
	"encoding/binary"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits; see the package comment.
const (
	maxEntries    = 1 << 20
	maxString     = 1 << 16
	maxParameters = 255
	maxCode       = 16 << 20
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("dex", root)
	blank := column.Blank(typ, map[string]module.Value{"is_dex": module.Boolean(false)})
	return &module.Module{
		Name:   "dex",
		Doc:    "What is in a Dalvik executable: strings, types, fields, methods, classes.",
		Schema: typ,
		Magic:  []uint16{'d' | 'e'<<8},
		Load: func(in *module.Input) module.Value {
			if f := fileOf(in); f != nil {
				return column.Struct(root, f)
			}
			return blank
		},
	}
}

// file is a Dalvik executable of one scan, with what was read of it so far.
type file struct {
	data    []byte
	libyara bool
	header  header

	strings lazy[[]string]
	types   lazy[[]string]
	protos  lazy[[]proto]
	fields  lazy[[]field]
	methods lazy[[]method]
	classes lazy[[]class]
	mapped  lazy[mapList]

	tables  lazy[tables]
	members lazy[members]

	stringSet, classSet, methodSet lazy[map[string]struct{}]
	checksum, signature            lazy[module.Value]
}

// lazy is a value that is computed when first asked for.
type lazy[T any] struct {
	value T
	done  bool
}

func (l *lazy[T]) get(build func() T) T {
	if !l.done {
		l.value, l.done = build(), true
	}
	return l.value
}

type fileKey struct{}

// fileOf returns the target of the scan as a Dalvik executable, nil where it
// is none.
func fileOf(in *module.Input) *file {
	if len(in.Data) < 8 || string(in.Data[:4]) != "dex\n" {
		return nil
	}
	return in.Memo(fileKey{}, func() any {
		h, ok := parseHeader(in.Data)
		switch {
		case in.LibYARA && !libyaraKnows(in.Data):
			return (*file)(nil)
		case !in.LibYARA && !(ok && h.sound(uint32(len(in.Data)))):
			return (*file)(nil)
		}
		return &file{data: in.Data, libyara: in.LibYARA, header: h}
	}).(*file)
}

// fits reports whether the file has n bytes at an offset.
func (f *file) fits(off, n uint64) bool {
	return n <= uint64(len(f.data)) && off <= uint64(len(f.data))-n
}

// entries calls read for the entries of a table, until it ends, the file ends,
// or read gives false.
func (f *file) entries(off, count uint32, size int, read func(entry []byte) bool) {
	if uint64(off) > uint64(len(f.data)) {
		return
	}
	rest := f.data[off:]
	for range min(count, maxEntries) {
		if len(rest) < size || !read(rest[:size]) {
			return
		}
		rest = rest[size:]
	}
}

func u16(b []byte) uint32 { return uint32(binary.LittleEndian.Uint16(b)) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
