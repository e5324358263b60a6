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

// Modules returns the standard modules, sorted by name. They are immutable
// and may be shared by any number of compilers.
func Modules() []*module.Module {
	return []*module.Module{
		console.Module(),
		crx.Module(),
		cuckoo.Module(),
		dex.Module(),
		dotnet.Module(),
		elf.Module(),
		hash.Module(),
		lnk.Module(),
		macho.Module(),
		magic.Module(),
		math.Module(),
		msi.Module(),
		olecf.Module(),
		pe.Module(),
		stringmodule.Module(),
		time.Module(),
		vba.Module(),
		vt.Module(),
		zip.Module(),
	}
}
