// Package dotnet is the YARA module "dotnet": the metadata of .NET assemblies,
// which are PE files: streams, GUIDs, strings, resources, references, types
// and their methods.
//
// A target is .NET where the PE file's CLI header and the metadata root are
// whole; is_dotnet is false elsewhere, all other fields are undefined and all
// lists empty. The tables are read when a condition first asks for something
// in them, types and methods when it asks for those. Reading stops at the
// first damaged table: it and those after it are empty. Meaning follows
// YARA-X, and libyara where a scan asks for its dialect. The format is
// ECMA-335, partition II.
//
// What hostile files may cost is bounded: at most [maxStreams] streams,
// [maxGUIDs] GUIDs, [maxRows] rows a table, as many methods as there are rows
// of methods however types share them, [maxSteps] parts of signatures in all,
// types nested [maxDepth] deep, names and constants of at most [readBudget]
// times the file's size, and names of types of [textBudget] bytes in all.
// What exceeds the last four is left out.
package dotnet

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of what is read. Those of rows, GUIDs, streams, depth, parameters and
// dimensions are YARA-X's, and change what it answers.
const (
	maxStreams    = 256
	maxGUIDs      = 16
	maxRows       = 15000
	maxDepth      = 16
	maxParameters = 1000
	maxDimensions = 50
	maxSteps      = 1 << 21
	readBudget    = 8
	textBudget    = 1 << 27
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	columns := rootColumns()
	schema := column.Type("dotnet", columns)
	blank := column.Blank(schema, nil)
	not := column.Blank(schema, map[string]module.Value{"is_dotnet": module.Boolean(false)})
	return &module.Module{
		Name:   "dotnet",
		Doc:    "Metadata of .NET assemblies.",
		Schema: schema,
		Magic:  []uint16{'M' | 'Z'<<8},
		Load: func(in *module.Input) module.Value {
			switch f, pe := scanned(in); {
			case f != nil:
				return column.Struct(columns, f)
			case in.LibYARA && !pe:
				return blank
			}
			return not
		},
	}
}

type fileKey struct{}

// scanned returns the target of the scan as .NET, nil where it is none, and
// whether it is a PE file; both are read once a scan.
func scanned(in *module.Input) (f *file, isPE bool) {
	if len(in.Data) < 2 || in.Data[0] != 'M' || in.Data[1] != 'Z' {
		return nil, false
	}
	pe := in.Memo(binfmt.PEKey{}, func() any { return binfmt.ParsePE(in.Data) }).(*binfmt.PE)
	if pe == nil {
		return nil, false
	}
	return in.Memo(fileKey{}, func() any { return open(pe, in.LibYARA) }).(*file), true
}

func rootColumns() []column.Column[*file] {
	return []column.Column[*file]{
		column.Bool("is_dotnet", "Whether the target is .NET.", func(*file) bool { return true }),
		column.OptText("module_name", "The name of the module, mostly a file's name.", (*file).moduleName),
		column.Text("version", "The version of the runtime that the file was made for.", func(f *file) string { return f.version }),
		counted("streams", "streams", func(f *file) int { return len(f.streams) }),
		counted("guids", "GUIDs", func(f *file) int { return len(f.guids()) }),
		fromTable(tabResource, "resources", "resources", func(f *file) int { return len(f.resources()) }),
		column.OptInt("number_of_generic_parameters", "Always undefined.", func(*file) (int, bool) { return 0, false }),
		counted("classes", "types", func(f *file) int { return len(f.classes()) }),
		counted("assembly_refs", "assemblies that the file refers to", func(f *file) int { return len(f.assemblyRefs()) }),
		fromTable(tabModuleRef, "modulerefs", "modules that the file refers to", func(f *file) int { return len(f.moduleRefs()) }),
		counted("user_strings", "string literals", func(f *file) int { return len(f.userStrings()) }),
		fromTable(tabConstant, "constants", "string constants", func(f *file) int { return len(f.constants()) }),
		fromTable(tabFieldRVA, "field_offsets", "fields with data in the file", func(f *file) int { return len(f.fieldOffsets()) }),
		column.OptText("typelib", "The GUID that the assembly is known by to COM.", func(f *file) (string, bool) { return f.typelib().get() }),
		column.Rows("streams", "The streams of metadata.", "Stream", streamColumns, func(f *file) []stream { return f.streams }),
		column.Texts("guids", "The GUIDs, in lower-case hex.", func(f *file) []string { return f.guids() }),
		column.Texts("constants", "String constants, in UTF-16LE.", func(f *file) []string { return f.constants() }),
		column.Sub("assembly", "The assembly.", "Assembly", assemblyColumns, func(f *file) (assembly, bool) { return f.assembly() }),
		column.Rows("assembly_refs", "The assemblies that the file refers to.", "AssemblyRef", assemblyRefColumns, func(f *file) []assembly { return f.assemblyRefs() }),
		column.Rows("resources", "The resources.", "Resource", resourceColumns, func(f *file) []resource { return f.resources() }),
		column.Rows("classes", "The types that the file defines.", "Class", classColumns, func(f *file) []*class { return f.classes() }),
		column.Ints("field_offsets", "Where in the file fields have their data.", func(f *file) []uint32 { return f.fieldOffsets() }),
		column.Texts("user_strings", "String literals, in UTF-16LE.", func(f *file) []string { return f.userStrings() }),
		column.Texts("modulerefs", "The modules that the file refers to.", func(f *file) []string { return f.moduleRefs() }),
	}
}

// counted is the number of items in a list, which the list's length gives too.
func counted(list, what string, get func(*file) int) column.Column[*file] {
	c := column.Int("number_of_"+list, "The number of "+what+".", get)
	c.Deprecated = "use `dotnet." + list + ".len()` instead"
	return c
}

// fromTable is a number of items from a table of metadata, which libyara does
// not set where there is no such table.
func fromTable(table int, list, what string, get func(*file) int) column.Column[*file] {
	c := counted(list, what, get)
	always := c.Get
	c.Get = func(f *file) module.Value {
		if f.libyara && f.tables().rows[table] == 0 {
			return module.Value{}
		}
		return always(f)
	}
	return c
}

var streamColumns = []column.Column[stream]{
	column.OptText("name", "Such as #Strings.", func(s stream) (string, bool) { return valid(s.name) }),
	column.Int("offset", "Where the stream is in the file.", func(s stream) uint32 { return s.offset }),
	column.Int("size", "In bytes.", func(s stream) uint32 { return s.size }),
}

var versionColumns = []column.Column[version]{
	column.Int("major", "The first number.", func(v version) uint32 { return v[0] }),
	column.Int("minor", "The second number.", func(v version) uint32 { return v[1] }),
	column.Int("build_number", "The third number.", func(v version) uint32 { return v[2] }),
	column.Int("revision_number", "The fourth number.", func(v version) uint32 { return v[3] }),
}

var versionColumn = column.Sub("version", "The version.", "Version", versionColumns,
	func(a assembly) (version, bool) { return a.version, true })

var assemblyColumns = []column.Column[assembly]{
	column.OptText("name", "The assembly's name.", func(a assembly) (string, bool) { return a.name.get() }),
	column.OptText("culture", "The language, such as en-US.", func(a assembly) (string, bool) { return a.culture.get() }),
	versionColumn,
}

var assemblyRefColumns = []column.Column[assembly]{
	column.OptText("name", "The assembly's name.", func(a assembly) (string, bool) { return a.name.get() }),
	column.OptText("public_key_or_token", "The publisher's public key, or a hash of it.", func(a assembly) (string, bool) { return a.key.get() }),
	versionColumn,
}

var resourceColumns = []column.Column[resource]{
	column.OptInt("offset", "Where the resource is in the file; undefined if elsewhere.", func(r resource) (uint32, bool) { return r.offset.get() }),
	column.OptInt("length", "In bytes; undefined if elsewhere.", func(r resource) (uint32, bool) { return r.length.get() }),
	column.OptText("name", "The resource's name.", func(r resource) (string, bool) { return r.name.get() }),
}

// shorter says what to use instead of a number of items.
func shorter[T any](list, what string, get func(T) int) column.Column[T] {
	c := column.Int("number_of_"+list, "The number of "+what+".", get)
	c.Deprecated = "use `" + list + ".len()` instead"
	return c
}

var classColumns = []column.Column[*class]{
	column.OptText("fullname", "The name with its namespace.", func(c *class) (string, bool) { return c.fullname.get() }),
	column.OptText("name", "The part after the last point.", func(c *class) (string, bool) { return c.name.get() }),
	column.OptText("namespace", "The part before the last point.", func(c *class) (string, bool) { return c.namespace.get() }),
	column.Text("visibility", "public, private, internal, protected and so on.", func(c *class) string { return typeVisibility[c.flags&7] }),
	column.Text("type", "class or interface.", (*class).kind),
	column.Bool("abstract", "Whether only what derives from the type can be made.", func(c *class) bool { return c.flags&0x80 != 0 }),
	column.Bool("sealed", "Whether nothing can derive from the type.", func(c *class) bool { return c.flags&0x100 != 0 }),
	shorter("base_types", "types that this one derives from", func(c *class) int { return len(c.bases) }),
	shorter("generic_parameters", "generic parameters", func(c *class) int { return len(c.generics) }),
	shorter("methods", "methods", func(c *class) int { return len(c.methods) }),
	column.Texts("base_types", "The types that this one derives from.", func(c *class) []string { return c.bases }),
	column.Texts("generic_parameters", "The names of the generic parameters.", func(c *class) []string { return c.generics }),
	column.Rows("methods", "The methods.", "Method", methodColumns, func(c *class) []*method { return c.methods }),
}

var methodColumns = []column.Column[*method]{
	column.Text("name", "The method's name.", func(m *method) string { return m.name }),
	column.Text("visibility", "public, private, internal, protected and so on.", func(m *method) string { return methodVisibility[m.flags&7] }),
	column.Bool("abstract", "Whether the method has no body.", func(m *method) bool { return m.flags&0x400 != 0 }),
	column.Bool("static", "Whether the method belongs to the type.", func(m *method) bool { return m.flags&0x10 != 0 }),
	column.Bool("virtual", "Whether derived types may have their own.", func(m *method) bool { return m.flags&0x40 != 0 }),
	column.Bool("final", "Whether derived types may not have their own.", func(m *method) bool { return m.flags&0x20 != 0 }),
	column.OptText("return_type", "The type of the result; undefined for constructors.", func(m *method) (string, bool) { return m.returns.get() }),
	shorter("generic_parameters", "generic parameters", func(m *method) int { return len(m.generics) }),
	shorter("parameters", "parameters", func(m *method) int { return len(m.parameters) }),
	column.Texts("generic_parameters", "The names of the generic parameters.", func(m *method) []string { return m.generics }),
	column.Rows("parameters", "The parameters.", "Parameter", parameterColumns, func(m *method) []parameter { return m.parameters }),
}

var parameterColumns = []column.Column[parameter]{
	column.Text("name", "The parameter's name, P_ and a number if it has none.", func(p parameter) string { return p.name }),
	column.Text("type", "The parameter's type.", func(p parameter) string { return p.typ }),
}

// The words for the lowest three bits of flags, ECMA-335 II.23.1.15 and 10.
var (
	typeVisibility   = [8]string{"internal", "public", "public", "private", "protected", "internal", "private protected", "protected internal"}
	methodVisibility = [8]string{"private", "private", "private protected", "internal", "protected", "protected internal", "public", "private"}
)

func (c *class) kind() string {
	if c.flags&0x20 != 0 {
		return "interface"
	}
	return "class"
}
