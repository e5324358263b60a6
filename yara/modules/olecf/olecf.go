// Package olecf is the YARA module "olecf": the directory of an OLE compound
// file, such as a Word document before 2007 or an MSI package.
//
// Names come without the control character that those of system streams begin
// with; where two entries have the same name one of them is listed, a stream
// before others.
//
// The directory is read when a condition first asks for a field, and shared
// with the modules vba and msi. No stream is read. A target that does not
// begin with the format's magic number costs a look at eight bytes. There are
// at most as many entries as the file has room for; time and memory are linear
// in the size of the file.
package olecf

import (
	"slices"

	"github.com/besra-hunt/besra/yara/internal/container"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("olecf", root)
	blank := column.Blank(typ, map[string]module.Value{"is_olecf": module.Boolean(false)})
	return &module.Module{
		Name:   "olecf",
		Doc:    "The directory of an OLE compound file.",
		Schema: typ,
		Load: func(in *module.Input) module.Value {
			c := in.Memo(container.CompoundKey{}, func() any { return container.ParseCompound(in.Data) }).(*container.Compound)
			if c == nil {
				return blank
			}
			return column.Struct(root, c)
		},
	}
}

type none struct{}

var root = []column.Column[*container.Compound]{
	column.Bool("is_olecf", "Whether the target is an OLE compound file.", func(*container.Compound) bool { return true }),
	column.Rows("streams", "The storages and streams.", "Stream", streams, (*container.Compound).Entries),
	column.Sub("StreamType", "The types of streams.", "StreamType", types, func(*container.Compound) (none, bool) { return none{}, false }),
}

var streams = []column.Column[container.Entry]{
	column.Text("name", "The name.", func(e container.Entry) string { return e.Name }),
	column.Int("type", "One of StreamType.", func(e container.Entry) uint8 { return e.Type }),
	column.Int("size", "In bytes; 0 for storages.", func(e container.Entry) uint64 { return e.Size }),
}

var types = slices.Concat(
	column.Constants[none]("Another type; no stream that is listed has it.", map[string]int64{"UNKNOWN": 0}),
	column.Constants[none]("A storage, which is like a directory.", map[string]int64{"STORAGE": container.TypeStorage}),
	column.Constants[none]("A stream, which is like a file.", map[string]int64{"STREAM": container.TypeStream}),
	column.Constants[none]("The root, which holds the small streams.", map[string]int64{"ROOT": container.TypeRoot}),
)
