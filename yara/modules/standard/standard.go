// Package standard lists the modules that come with the engine. The list is
// passed in openly, so a program links no module that it does not name:
//
//	rules, err := yara.Compile(src, yara.WithModules(standard.Modules()...))
package standard

import (
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/console"
	"github.com/besra-hunt/besra/yara/modules/crx"
	"github.com/besra-hunt/besra/yara/modules/cuckoo"
	"github.com/besra-hunt/besra/yara/modules/dex"
	"github.com/besra-hunt/besra/yara/modules/dotnet"
	"github.com/besra-hunt/besra/yara/modules/elf"
	"github.com/besra-hunt/besra/yara/modules/hash"
	"github.com/besra-hunt/besra/yara/modules/lnk"
	"github.com/besra-hunt/besra/yara/modules/macho"
	"github.com/besra-hunt/besra/yara/modules/magic"
	"github.com/besra-hunt/besra/yara/modules/math"
	"github.com/besra-hunt/besra/yara/modules/msi"
	"github.com/besra-hunt/besra/yara/modules/olecf"
	"github.com/besra-hunt/besra/yara/modules/pe"
	stringmodule "github.com/besra-hunt/besra/yara/modules/string"
	"github.com/besra-hunt/besra/yara/modules/time"
	"github.com/besra-hunt/besra/yara/modules/vba"
	"github.com/besra-hunt/besra/yara/modules/vt"
	"github.com/besra-hunt/besra/yara/modules/zip"
)

// all are the standard modules, sorted by name.
var all = []struct {
	name string
	make func() *module.Module
}{
	{"console", console.Module},
	{"crx", crx.Module},
	{"cuckoo", cuckoo.Module},
	{"dex", dex.Module},
	{"dotnet", dotnet.Module},
	{"elf", elf.Module},
	{"hash", hash.Module},
	{"lnk", lnk.Module},
	{"macho", macho.Module},
	{"magic", magic.Module},
	{"math", math.Module},
	{"msi", msi.Module},
	{"olecf", olecf.Module},
	{"pe", pe.Module},
	{"string", stringmodule.Module},
	{"time", time.Module},
	{"vba", vba.Module},
	{"vt", vt.Module},
	{"zip", zip.Module},
}

// Modules returns the standard modules, sorted by name. They are immutable
// and may be shared by any number of compilers.
func Modules() []*module.Module {
	list := make([]*module.Module, len(all))
	for i := range all {
		list[i] = all[i].make()
	}
	return list
}

// Named makes the standard module of that name, or returns nil.
func Named(name string) *module.Module {
	for i := range all {
		if all[i].name == name {
			return all[i].make()
		}
	}
	return nil
}
