package macho

import (
	"bytes"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Bits of a symbol's type, from mach-o/nlist.h.
const (
	stabMask = 0xe0 // any of them: for debuggers only
	typeMask = 0x0e
	external = 0x01

	typeUndefined, typeAbsolute, typeIndirect, typeSection = 0x0, 0x2, 0xa, 0xe
)

type symbol struct {
	nameAt       uint32
	typ, section uint8
	desc         uint16
	value        uint64
	name         string
}

func (s symbol) debugging() bool { return s.typ&stabMask != 0 }

// exported and imported are as Apple's dyld_info tells.
func (s symbol) exported() bool {
	switch s.typ & typeMask {
	case typeSection, typeAbsolute, typeIndirect:
		return s.typ&external != 0 && !s.debugging()
	}
	return false
}

func (s symbol) imported() bool { return s.typ&typeMask == typeUndefined && !s.debugging() }

// readSymbols reads the symbols that have a name, until one is cut short.
func (m *image) readSymbols() (symbols []symbol) {
	if m.symtab == nil {
		return nil
	}
	table, ok := binfmt.From(m.data, uint64(m.symtab[0]))
	names, ok2 := binfmt.Range(m.data, uint64(m.symtab[2]), uint64(m.symtab[3]))
	if !ok || !ok2 {
		return nil
	}
	r := binfmt.NewReader(table, m.order)
	budget := nameBudget * len(m.data)
	for range m.symtab[1] {
		s := symbol{nameAt: r.U32(), typ: r.U8(), section: r.U8(), desc: r.U16(), value: r.Word(m.wide)}
		if !r.OK() || budget <= 0 {
			break
		}
		rest, ok := binfmt.From(names, uint64(s.nameAt))
		if !ok {
			continue
		}
		end := bytes.IndexByte(rest, 0)
		if end < 0 {
			break
		}
		if budget -= end + 1; end > 0 {
			s.name = string(rest[:end])
			symbols = append(symbols, s)
		}
	}
	return symbols
}

// namesOf are the names of the symbols that are wanted, as text.
func (m *image) namesOf(wanted func(symbol) bool) (names []string) {
	for _, s := range m.symbols() {
		if wanted(s) {
			names = append(names, column.UTF8([]byte(s.name)))
		}
	}
	return names
}

// readExports reads what the file offers to others: from the tries of the
// dynamic linker or, without those, from the symbols.
func (m *image) readExports() []string {
	if m.exportTrie == nil && m.dyld == nil {
		return m.namesOf(symbol.exported)
	}
	t := trie{budget: nameBudget * len(m.data)}
	if m.exportTrie != nil {
		t.read(m.part(m.exportTrie[0], m.exportTrie[1]))
	}
	if m.dyld != nil {
		t.read(m.part(m.dyld[8], m.dyld[9]))
	}
	return t.names
}

// part returns a part of the file, nil where the file does not have it whole.
func (m *image) part(offset, size uint32) []byte {
	b, _ := binfmt.Range(m.data, uint64(offset), uint64(size))
	return b
}

// trie reads a tree of names of which each edge has a part.
type trie struct {
	names  []string
	budget int // in bytes of names yet to be made
}

// Kinds of exports, from mach-o/loader.h.
const (
	exportReexport = 0x08
	exportResolver = 0x10
)

// node is a place in the tree with the name that leads there.
type node struct {
	offset uint64
	name   string
}

// read visits each node once, and stops at the first that is cut short.
func (t *trie) read(data []byte) {
	stack := []node{{}}
	visited := make(map[uint64]bool)
	for len(stack) > 0 && t.budget > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if visited[n.offset] || n.offset > uint64(len(data)) {
			continue
		}
		visited[n.offset] = true
		var ok bool
		if stack, ok = t.visit(data, n, stack); !ok {
			return
		}
	}
}

// visit reads a node and puts its children on the stack.
func (t *trie) visit(data []byte, n node, stack []node) ([]node, bool) {
	r := leb{binfmt.NewReader(data[n.offset:], binfmt.Little), true}
	terminal := r.unsigned() != 0
	if terminal {
		r.skipExport()
	}
	for range r.U8() {
		label := r.text()
		child := node{r.unsigned(), n.name + label}
		if !r.whole() || t.budget <= 0 {
			return nil, false
		}
		t.budget -= len(child.name) + 1
		if utf8.ValidString(label) {
			stack = append(stack, child)
		}
	}
	if r.whole() && terminal {
		t.names = append(t.names, n.name)
	}
	return stack, r.whole()
}

// skipExport passes over what a node says of an exported symbol.
func (r *leb) skipExport() {
	switch r.unsigned() {
	case exportResolver:
		r.unsigned()
		r.unsigned()
	case exportReexport:
		r.unsigned()
		r.text()
	default:
		r.unsigned()
	}
}

// leb reads numbers of variable length and strings that end in NUL.
type leb struct {
	*binfmt.Reader
	fits bool
}

// whole reports whether all that was asked for was there, and no number too
// large.
func (r *leb) whole() bool { return r.OK() && r.fits }

// unsigned reads a number in ULEB128.
func (r *leb) unsigned() (v uint64) {
	for shift := 0; r.whole(); shift += 7 {
		b := r.U8()
		if r.fits = shift < 64; !r.fits {
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	return v
}

func (r *leb) text() string {
	rest := r.Rest()
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		r.Skip(len(rest) + 1) // fails
		return ""
	}
	b := r.Bytes(end)
	r.Skip(1)
	return string(b)
}

// readImports reads what the file needs of others: from what the dynamic
// linker binds or, without that, from the symbols.
func (m *image) readImports() []string {
	if m.fixups == nil && m.dyld == nil {
		return m.namesOf(symbol.imported)
	}
	var names []string
	if m.dyld != nil {
		seen := make(map[string]bool)
		for _, i := range []int{2, 6, 4} { // bind, lazy, weak
			names = appendBound(names, m.part(m.dyld[i], m.dyld[i+1]), seen)
		}
	}
	if m.fixups != nil {
		names = m.appendFixups(names, m.part(m.fixups[0], m.fixups[1]))
	}
	return names
}

// Instructions to the dynamic linker, from mach-o/loader.h; the lower half of
// a byte is an operand.
const (
	bindOrdinal      = 0x20
	bindSymbol       = 0x40
	bindAddend       = 0x60
	bindSegment      = 0x70
	bindAddAddress   = 0x80
	bindDoAddAddress = 0xa0
	bindDoTimes      = 0xc0
)

// appendBound appends the names that the instructions bind and that were not
// seen before.
func appendBound(names []string, data []byte, seen map[string]bool) []string {
	r := leb{binfmt.NewReader(data, binfmt.Little), true}
	for len(r.Rest()) > 0 && r.whole() {
		switch r.U8() & 0xf0 {
		case bindOrdinal, bindSegment, bindAddAddress, bindDoAddAddress, bindAddend:
			r.unsigned()
		case bindDoTimes:
			r.unsigned()
			r.unsigned()
		case bindSymbol:
			name := r.text()
			if r.whole() && utf8.ValidString(name) && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// wideImport is the format of chained imports of 16 bytes.
const wideImport = 3

// appendFixups appends the names in chained fixups, whose header and formats
// are from mach-o/fixup-chains.h.
func (m *image) appendFixups(names []string, data []byte) []string {
	r := binfmt.NewReader(data, m.order)
	r.Skip(8) // version, offset of starts
	imports, symbols := r.U32(), r.U32()
	count, format := r.U32(), r.U32()
	r.Skip(4) // format of symbols
	size, found := uint64(4), false
	switch format {
	case 2:
		size = 8
	case wideImport:
		size = 16
	}
	table, found := binfmt.Range(data, uint64(imports), uint64(count)*size)
	if !r.OK() || !found {
		return names
	}
	budget := nameBudget * len(m.data)
	for ; len(table) > 0 && budget > 0; table = table[size:] {
		offset := min(uint64(symbols)+m.chainedName(table, format), 1<<32-1)
		rest, ok := binfmt.From(data, offset)
		if !ok {
			continue
		}
		end := bytes.IndexByte(rest, 0)
		if end < 0 {
			break
		}
		budget -= end + 1
		if utf8.Valid(rest[:end]) {
			names = append(names, string(rest[:end]))
		}
	}
	return names
}

// chainedName is where an import's name is among the names.
func (m *image) chainedName(entry []byte, format uint32) uint64 {
	r := binfmt.NewReader(entry, m.order)
	if format == wideImport {
		return r.U64() >> 32
	}
	return uint64(r.U32() >> 9)
}
