// Package lnk is the YARA module "lnk": what is in a Windows shortcut. See
// [MS-SHLLINK] for the format; the items of the target's path, which Microsoft
// does not describe, are read as the "Windows Shell Item format" by Joachim
// Metz has it.
//
// A target is a shortcut where its header is whole; what comes after a part
// that is malformed is undefined. Text in a code page is taken for UTF-8.
//
// The file is parsed when a condition first asks for a field. A target that
// does not begin with the header's size and class identifier costs a look at
// 20 bytes. Lists have at most 32,767 items, strings at most 64 KiB. Time and
// memory are linear in the size of the file.
package lnk

import (
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("lnk", root)
	blank := column.Blank(typ, map[string]module.Value{"is_lnk": module.Boolean(false)})
	return &module.Module{
		Name:   "lnk",
		Doc:    "What is in a Windows shortcut.",
		Schema: typ,
		Magic:  []uint16{'L'},
		Load: func(in *module.Input) module.Value {
			if l := parse(in.Data); l != nil {
				return column.Struct(root, l)
			}
			return blank
		},
	}
}
