// Package zip is the YARA module "zip": the central directory of a ZIP
// archive, such as an APK, a JAR or an Office document.
//
// The archive may come after other data, as in programs that unpack
// themselves. Names that are not UTF-8 have U+FFFD in place of what is not.
//
// The directory is read when a condition first asks for a field: the last
// 64 KiB of any target are searched for its end. At most 100,000 entries are
// read, and nothing is inflated. Time and memory are linear in the size of the
// directory.
package zip

import (
	"slices"

	"github.com/besra-hunt/besra/yara/internal/container"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("zip", root)
	blank := column.Blank(typ, map[string]module.Value{"is_zip": module.Boolean(false)})
	return &module.Module{
		Name:   "zip",
		Doc:    "The central directory of a ZIP archive.",
		Schema: typ,
		Load: func(in *module.Input) module.Value {
			z := in.Memo(container.ZipKey{}, func() any { return container.ParseZip(in.Data) }).(*container.Zip)
			if z == nil {
				return blank
			}
			return column.Struct(root, z)
		},
	}
}

var root = slices.Concat([]column.Column[*container.Zip]{
	column.Bool("is_zip", "Whether the target is a ZIP archive.", func(*container.Zip) bool { return true }),
	column.Rows("entries", "The archive's entries.", "Entry", entries, (*container.Zip).Entries),
}, column.Constants[*container.Zip]("A value of compression.", methods))

var entries = []column.Column[container.ZipEntry]{
	column.Text("file_path", "The name, with slashes between directories.", func(e container.ZipEntry) string { return column.UTF8(e.Name) }),
	column.Int("compression", "The compression method; UNKNOWN for one that has no name here.", compression),
	column.Int("uncompressed_size", "The size of the content as the archive says, in bytes.", func(e container.ZipEntry) uint64 { return e.UncompressedSize }),
	column.Int("compressed_size", "The size in the archive as the archive says, in bytes.", func(e container.ZipEntry) uint64 { return e.CompressedSize }),
}

const unknown = 255

func compression(e container.ZipEntry) int64 {
	for _, m := range methods {
		if m == int64(e.Method) {
			return m
		}
	}
	return unknown
}

// methods are those of the format's description, APPNOTE.TXT 4.4.5.
var methods = map[string]int64{
	"STORED":           container.MethodStored,
	"SHRUNK":           1,
	"REDUCED_1":        2,
	"REDUCED_2":        3,
	"REDUCED_3":        4,
	"REDUCED_4":        5,
	"IMPLODED":         6,
	"DEFLATED":         container.MethodDeflated,
	"DEFLATE64":        9,
	"PKWARE_IMPLODING": 10,
	"BZIP2":            12,
	"LZMA":             14,
	"ZSTD":             93,
	"XZ":               95,
	"UNKNOWN":          unknown,
}
