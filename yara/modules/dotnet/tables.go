package dotnet

import (
	"math/bits"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// Numbers of tables, II.22.
const (
	tabModule       = 0x00
	tabTypeRef      = 0x01
	tabTypeDef      = 0x02
	tabField        = 0x04
	tabMethodDef    = 0x06
	tabParam        = 0x08
	tabInterface    = 0x09
	tabMemberRef    = 0x0a
	tabConstant     = 0x0b
	tabAttribute    = 0x0c
	tabSignature    = 0x11
	tabEvent        = 0x14
	tabProperty     = 0x17
	tabModuleRef    = 0x1a
	tabTypeSpec     = 0x1b
	tabFieldRVA     = 0x1d
	tabAssembly     = 0x20
	tabAssemblyRef  = 0x23
	tabFile         = 0x26
	tabExportedType = 0x27
	tabResource     = 0x28
	tabNestedClass  = 0x29
	tabGenericParam = 0x2a
	tabMethodSpec   = 0x2b
	tabConstraint   = 0x2c
	tableCount      = 0x2d
	tabNone         = 0xff
)

// cell is what a column of a table holds.
type cell uint8

// The cells: numbers, and references to heaps and tables. References to one of
// several tables are the numbers of codedTables from coded on.
const (
	u8 cell = iota
	u16
	u32
	str
	guid
	blob
	row
	coded
)

// The references to one of several tables, II.24.2.6.
const (
	typeDefOrRef cell = coded + iota
	hasConstant
	hasAttribute
	hasMarshal
	hasSecurity
	memberParent
	hasSemantics
	methodDefOrRef
	memberForwarded
	implementation
	resourceOwner
	attributeType
	resolutionScope
	typeOrMethodDef
)

// codedTables are the tables by the lowest bits of a reference. The order of
// those of resolutionScope does not matter, as the reference is not used.
var codedTables = [...][]uint8{
	typeDefOrRef - coded: {tabTypeDef, tabTypeRef, tabTypeSpec},
	hasConstant - coded:  {tabField, tabParam, tabProperty},
	hasAttribute - coded: {tabMethodDef, tabField, tabTypeRef, tabTypeDef, tabParam, tabInterface, tabMemberRef, tabModule,
		tabNone, tabProperty, tabEvent, tabSignature, tabModuleRef, tabTypeSpec, tabAssembly, tabAssemblyRef, tabFile,
		tabExportedType, tabResource, tabGenericParam, tabConstraint, tabMethodSpec},
	hasMarshal - coded:      {tabField, tabParam},
	hasSecurity - coded:     {tabTypeDef, tabMethodDef, tabAssembly},
	memberParent - coded:    {tabTypeDef, tabTypeRef, tabModuleRef, tabMethodDef, tabTypeSpec},
	hasSemantics - coded:    {tabEvent, tabProperty},
	methodDefOrRef - coded:  {tabMethodDef, tabMemberRef},
	memberForwarded - coded: {tabField, tabMethodDef},
	implementation - coded:  {tabFile, tabAssemblyRef, tabExportedType},
	resourceOwner - coded:   {tabFile, tabAssemblyRef, tabNone},
	attributeType - coded:   {tabNone, tabNone, tabMethodDef, tabMemberRef, tabNone},
	resolutionScope - coded: {tabModule, tabModuleRef, tabAssemblyRef, tabTypeRef},
	typeOrMethodDef - coded: {tabTypeDef, tabMethodDef},
}

// layouts are the columns of each table, II.22.
var layouts = [tableCount][]cell{
	tabModule:       {u16, str, guid, guid, guid},
	tabTypeRef:      {resolutionScope, str, str},
	tabTypeDef:      {u32, str, str, typeDefOrRef, row, row},
	0x03:            {row},
	tabField:        {u16, str, blob},
	0x05:            {row},
	tabMethodDef:    {u32, u16, u16, str, blob, row},
	0x07:            {row},
	tabParam:        {u16, u16, str},
	tabInterface:    {row, typeDefOrRef},
	tabMemberRef:    {memberParent, str, blob},
	tabConstant:     {u8, u8, hasConstant, blob},
	tabAttribute:    {hasAttribute, attributeType, blob},
	0x0d:            {hasMarshal, blob},
	0x0e:            {u16, hasSecurity, blob},
	0x0f:            {u16, u32, row},
	0x10:            {u32, row},
	tabSignature:    {blob},
	0x12:            {row, row},
	0x13:            {row},
	tabEvent:        {u16, str, typeDefOrRef},
	0x15:            {row, row},
	0x16:            {row},
	tabProperty:     {u16, str, blob},
	0x18:            {u16, row, hasSemantics},
	0x19:            {row, methodDefOrRef, methodDefOrRef},
	tabModuleRef:    {str},
	tabTypeSpec:     {blob},
	0x1c:            {u16, memberForwarded, str, row},
	tabFieldRVA:     {u32, row},
	0x1e:            {u32, u32},
	0x1f:            {u32},
	tabAssembly:     {u32, u16, u16, u16, u16, u32, blob, str, str},
	0x21:            {u32},
	0x22:            {u32, u32, u32},
	tabAssemblyRef:  {u16, u16, u16, u16, u32, blob, str, str, blob},
	0x24:            {u32, row},
	0x25:            {u32, u32, u32, row},
	tabFile:         {u32, str, blob},
	tabExportedType: {u32, u32, str, str, implementation},
	tabResource:     {u32, u32, str, resourceOwner},
	tabNestedClass:  {row, row},
	tabGenericParam: {u16, u16, typeOrMethodDef, str},
	tabMethodSpec:   {methodDefOrRef, blob},
	tabConstraint:   {row, typeDefOrRef},
}

// tables are the tables of metadata, cell after cell.
type tables struct {
	rows  [64]int // as the header counts, at most maxRows
	cells [tableCount][]uint32
	wide  [coded + cell(len(codedTables))]bool // which cells have four bytes
}

// len is the number of rows that were read of a table.
func (t *tables) len(table int) int { return len(t.cells[table]) / len(layouts[table]) }

// at returns a row of a table.
func (t *tables) at(table, i int) []uint32 {
	n := len(layouts[table])
	return t.cells[table][i*n : (i+1)*n]
}

// has reports whether a table has a row.
func (t *tables) has(table, i int) bool { return i >= 0 && i < t.len(table) }

// readTables reads the tables up to the first that is damaged, II.24.2.6.
func (f *file) readTables() *tables {
	t := new(tables)
	r := binfmt.NewReader(f.heap.tables, binfmt.Little)
	r.Skip(6) // reserved, version
	heaps := r.U8()
	r.Skip(1) // reserved
	present := r.U64()
	r.Skip(8) // which tables are sorted
	for i := range t.rows {
		if present>>i&1 != 0 {
			t.rows[i] = int(min(r.U32(), maxRows))
		}
	}
	if !r.OK() {
		return t
	}
	t.setWidths(heaps)
	for table := range layouts {
		if !t.read(r, table) {
			break
		}
	}
	return t
}

// setWidths decides which references have four bytes. References to one table
// never have, as more rows than fit two bytes are not read.
func (t *tables) setWidths(heaps uint8) {
	t.wide[str], t.wide[guid], t.wide[blob] = heaps&1 != 0, heaps&2 != 0, heaps&4 != 0
	for c := range codedTables {
		most := 0
		for _, table := range codedTables[c] {
			if table != tabNone {
				most = max(most, t.rows[table])
			}
		}
		t.wide[coded+cell(c)] = most > 1<<(16-tagBits(coded+cell(c)))
	}
}

// tagBits is how many bits of a reference say which table it is to.
func tagBits(c cell) int { return bits.Len(uint(len(codedTables[c-coded]) - 1)) }

// split takes a reference to one of several tables apart. The index counts
// from 0; what should refer to nothing refers to the first row, as in YARA-X.
func split(c cell, v uint32) (table uint8, index int) {
	n := tagBits(c)
	return codedTables[c-coded][v&(1<<n-1)], int(max(v>>n, 1) - 1)
}

// read reads a table, or nothing of it if it is damaged.
func (t *tables) read(r *binfmt.Reader, table int) bool {
	layout := layouts[table]
	var cells []uint32
	for range t.rows[table] {
		for _, c := range layout {
			v, ok := t.cell(r, c)
			if !ok {
				return false
			}
			cells = append(cells, v)
		}
		if table == tabConstant && !elementType(cells[len(cells)-len(layout)]) {
			return false
		}
	}
	t.cells[table] = cells
	return true
}

// cell reads one cell; ok is false where it is cut short or refers to no
// table.
func (t *tables) cell(r *binfmt.Reader, c cell) (v uint32, ok bool) {
	switch {
	case c == u8:
		v = uint32(r.U8())
	case c == u32 || t.wide[c]:
		v = r.U32()
	default:
		v = uint32(r.U16())
	}
	if c == row {
		return max(v, 1) - 1, r.OK()
	}
	if c >= coded && v&(1<<tagBits(c)-1) >= uint32(len(codedTables[c-coded])) {
		return 0, false
	}
	return v, r.OK()
}
