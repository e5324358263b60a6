package vba

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module/column"
)

// The types of modules.
const (
	typeStandard = 1
	typeClass    = 2
	typeUnknown  = 3
)

var root = slices.Concat(
	[]column.Column[*project]{
		column.Bool("has_macros", "Whether the document has macros.", func(*project) bool { return true }),
		column.Rows("modules", "The modules that have code.", "Module", modules, func(p *project) []macro { return p.modules }),
		column.Sub("project_info", "The project.", "ProjectInfo", projectInfo, func(p *project) (*project, bool) { return p, true }),
	},
	column.Constants[*project]("The type of a module.", map[string]int64{
		"MODULE_TYPE_STANDARD": typeStandard,
		"MODULE_TYPE_CLASS":    typeClass,
		"MODULE_TYPE_UNKNOWN":  typeUnknown,
	}),
)

var modules = []column.Column[macro]{
	column.Text("name", "The module's name.", func(m macro) string { return m.name }),
	column.Int("type", "One of MODULE_TYPE_*.", func(m macro) int { return m.kind }),
	column.Text("code", "The source code.", func(m macro) string { return m.pages.decode(m.code) }),
}

var projectInfo = []column.Column[*project]{
	column.Text("name", "The project's name.", func(p *project) string { return p.name }),
	column.Text("version", "The project's version, such as \"1769106437.10\".", func(p *project) string { return p.version }),
	column.Texts("references", "The names of the libraries and projects that the project refers to.", func(p *project) []string { return p.references }),
	column.Int("module_count", "The number of modules that the project says it has.", func(p *project) uint16 { return p.count }),
}
