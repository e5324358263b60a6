// Package pe is the YARA module "pe": what is in a portable executable, the
// file format of Windows programs, libraries and drivers.
//
// The fields, their types and their values are YARA-X's, and those that only
// libyara has. Where the two give different values for the same file, YARA-X's
// count; under the LibYARA dialect addresses, imports, exports, entry points
// and what a function gives of a file that is no PE are libyara's.
//
// # Laziness
//
// Loading reads the headers and the section table. Imports, exports,
// resources, version information, the rich header, the debug directory and
// signatures are read when a condition first asks for one of their fields, and
// kept for the scan. A target that does not begin with MZ costs a look at two
// bytes.
//
// # Bounds
//
// Nothing that a file says is believed without a bound. These hold whatever
// the file:
//
//   - 96 sections, 16 data directories;
//   - 16,384 imported libraries; 16,384 functions of one library, and no
//     further library once there are as many in all; 262,144 thunks looked at;
//     names of 512 (library) and 1,024 bytes (function);
//   - 16,384 exports, names of 1,024 bytes;
//   - 65,536 resources in three levels, of 262,144 directory entries looked
//     at; names of 999 characters;
//   - 65,536 strings of version information, from 16 MiB looked at;
//   - 65,536 entries of the debug directory; section names, the rich header
//     and the PDB path of 64 KiB;
//   - 64 signatures, of which 32 nested and 8 levels deep, 256 certificates a
//     signature, chains of 32, attributes and names of 256 parts, RSA keys of
//     16,384 bits; digests are computed once for each algorithm.
//
// Time is linear in the size of the file, plus these.
package pe

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	return &module.Module{
		Name:   "pe",
		Doc:    "What is in a portable executable: headers, sections, imports, exports, resources, signatures.",
		Schema: rootType,
		Magic:  []uint16{'M' | 'Z'<<8},
		Load:   load,
	}
}

var (
	root     = rootColumns()
	rootType = column.Type("pe", root)
	noPE     = column.Blank(rootType, map[string]module.Value{"is_pe": module.Boolean(false)})
)

func load(in *module.Input) module.Value {
	if f := fileOf(in); f != nil {
		return column.Struct(root, f)
	}
	return noPE
}

// file is a PE file of one scan, with what was read of it so far.
type file struct {
	*binfmt.PE
	libyara bool

	imports, delayed lazy[[]library]
	exports          lazy[exportTable]
	resources        lazy[resourceTable]
	versions         lazy[[]versionString]
	rich             lazy[*richHeader]
	signatures       lazy[[]*signature]
	values           [lists]lazy[module.Value]
	imphash          lazy[module.Value]
	checksum         lazy[module.Value]
	pdbPath          lazy[module.Value]
}

// The values that are kept because rules go through them in loops.
const (
	sectionList = iota
	directoryList
	importList
	delayedList
	exportList
	resourceList
	versionMap
	versionList
	richStruct
	signatureList
	lists
)

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

// maybe is a value that a file may lack.
type maybe[T any] struct {
	value T
	ok    bool
}

func some[T any](v T) maybe[T] { return maybe[T]{v, true} }

func (m maybe[T]) get() (T, bool) { return m.value, m.ok }

type fileKey struct{}

// fileOf returns the target of the scan as a PE file, nil where it is none.
func fileOf(in *module.Input) *file {
	if len(in.Data) < 2 || in.Data[0] != 'M' || in.Data[1] != 'Z' {
		return nil
	}
	return in.Memo(fileKey{}, func() any {
		p := in.Memo(binfmt.PEKey{}, func() any { return binfmt.ParsePE(in.Data) }).(*binfmt.PE)
		if p == nil || in.LibYARA && !p.Strict() {
			return (*file)(nil)
		}
		return &file{PE: p, libyara: in.LibYARA}
	}).(*file)
}

// offset is where in the file an address is.
func (f *file) offset(rva uint32) (uint32, bool) {
	if f.libyara {
		return f.offsetLibYARA(uint64(rva))
	}
	return f.Offset(rva)
}

// offsetLibYARA differs from [binfmt.PE.Offset]: the offset must be within the
// file, no address of a file with a cut section table has one, and addresses
// of a file without sections are their own.
func (f *file) offsetLibYARA(rva uint64) (uint32, bool) {
	if len(f.Sections) < min(int(f.NumberOfSections), binfmt.MaxPESections) || rva >= 1<<32-1 {
		return 0, false
	}
	off, ok := uint32(rva), len(f.Sections) == 0
	if !ok {
		off, ok = f.Offset(uint32(rva))
	}
	return off, ok && uint64(off) < uint64(len(f.Data))
}

// at returns the bytes from an address on to the end of the file.
func (f *file) at(rva uint32) ([]byte, bool) {
	off, ok := f.offset(rva)
	if !ok {
		return nil, false
	}
	return binfmt.From(f.Data, uint64(off))
}

// directory returns where entry i of the data directories says something is,
// and the bytes from there on: to the end of the file, or as many as the entry
// says where clip is set.
func (f *file) directory(i int, clip bool) (d binfmt.DataDirectory, data []byte, ok bool) {
	d, ok = f.Entry(i)
	if !ok {
		return d, nil, false
	}
	off := d.Address
	if i != directorySecurity { // which alone has an offset
		if off, ok = f.offset(d.Address); !ok {
			return d, nil, false
		}
	}
	if clip {
		data, ok = binfmt.Clip(f.Data, uint64(off), uint64(d.Size))
	} else {
		data, ok = binfmt.From(f.Data, uint64(off))
	}
	return d, data, ok
}
