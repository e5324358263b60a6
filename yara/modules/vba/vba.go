// Package vba is the YARA module "vba": the Visual Basic macros of Office
// documents, in OLE compound files and in the vbaProject.bin of newer ones.
//
// Macros are read from the project's directory stream, as MS-OVBA describes
// it. Where a module's code is not where the directory says, the first stream
// of code in the module's stream is taken. A document whose directory is
// damaged has no macros for this module, as for YARA-X. Text is decoded from
// the project's code page: the Windows, Mac and ISO 8859 ones of one byte, 932,
// 936, 949, 950 and 65001; characters of four bytes in 936 are replaced by
// U+FFFD, and other code pages are taken for UTF-8.
//
// # Bounds
//
// A target that is neither a ZIP archive nor a compound file costs a look at
// eight bytes. A vbaProject.bin is at most 64 MiB, and so is the sum of all
// code and of what had to be decompressed to find it; modules beyond are left
// out. Streams read are together at most 16 times the file and 1 MiB. Time is
// linear in these.
package vba

import (
	"strings"
	"unicode"

	"github.com/besra-hunt/besra/yara/internal/container"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits; see the package comment.
const (
	maxProject = 64 << 20
	maxCode    = 64 << 20
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("vba", root)
	blank := column.Blank(typ, map[string]module.Value{"has_macros": module.Boolean(false)})
	return &module.Module{
		Name:   "vba",
		Doc:    "The Visual Basic macros of Office documents.",
		Schema: typ,
		Load: func(in *module.Input) module.Value {
			if p := find(in); p != nil {
				return column.Struct(root, p)
			}
			return blank
		},
	}
}

// find reads the project of a document, nil where it has none.
func find(in *module.Input) *project {
	if !strings.HasPrefix(string(in.Data[:min(4, len(in.Data))]), "PK\x03\x04") {
		c := in.Memo(container.CompoundKey{}, func() any { return container.ParseCompound(in.Data) }).(*container.Compound)
		return fromCompound(c)
	}
	z := in.Memo(container.ZipKey{}, func() any { return container.ParseZip(in.Data) }).(*container.Zip)
	if z == nil {
		return nil
	}
	for _, name := range []string{"word/vbaProject.bin", "xl/vbaProject.bin", "ppt/vbaProject.bin", "vbaProject.bin"} {
		if e := z.Find(name); e != nil {
			if data, ok := z.Read(e, maxProject); ok {
				return fromCompound(container.ParseCompound(data))
			}
		}
	}
	return nil
}

func fromCompound(c *container.Compound) *project {
	if c == nil {
		return nil
	}
	s := newStreams(c)
	dir := s.directory()
	if dir == nil {
		return nil
	}
	work := maxCode
	text, ok := decompress(dir, &work)
	if !ok {
		return nil
	}
	p, ok := parseProject(text, s, &work)
	if !ok {
		return nil
	}
	return p
}

// streams finds a compound file's streams by name, in whatever case and
// accents it is written.
type streams struct {
	c      *container.Compound
	byName map[string][]*container.Entry
	budget int
}

func newStreams(c *container.Compound) *streams {
	s := &streams{c: c, byName: make(map[string][]*container.Entry), budget: 16*len(c.Data) + 1<<20}
	entries := c.Entries()
	for i := range entries {
		if e := &entries[i]; !isDirectory(e.Name) {
			key := normalize(e.Name)
			s.byName[key] = append(s.byName[key], e)
		}
	}
	return s
}

func isDirectory(name string) bool {
	return strings.EqualFold(strings.TrimSpace(name), "dir")
}

// directory is the stream that describes the project.
func (s *streams) directory() []byte {
	entries := s.c.Entries()
	for i := range entries {
		if isDirectory(entries[i].Name) {
			return s.read(&entries[i])
		}
	}
	return nil
}

// find returns the last stream with a name that has content.
func (s *streams) find(name string) []byte {
	list := s.byName[normalize(name)]
	for i := len(list) - 1; i >= 0; i-- {
		if b := s.read(list[i]); len(b) > 0 {
			return b
		}
	}
	return nil
}

func (s *streams) read(e *container.Entry) []byte {
	if e.Size == 0 || s.budget <= 0 {
		return nil
	}
	s.budget -= int(e.Size) + 64
	b, ok := s.c.Read(e)
	if !ok {
		return nil
	}
	return b
}

// normalize makes names equal that a wrong code page made different: letters
// are small and have no accents.
func normalize(name string) string {
	return strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if plain, ok := accents[r]; ok {
			return plain
		}
		return r
	}, name)
}

var accents = map[rune]rune{
	'ç': 'c', 'ć': 'c', 'č': 'c',
	'ş': 's', 'ś': 's', 'š': 's', 'þ': 's',
	'ı': 'i', 'í': 'i', 'ì': 'i', 'î': 'i', 'ï': 'i', 'ý': 'i',
	'ğ': 'g',
	'ö': 'o', 'ó': 'o', 'ò': 'o', 'ô': 'o', 'õ': 'o',
	'ü': 'u', 'ú': 'u', 'ù': 'u', 'û': 'u',
	'ä': 'a', 'á': 'a', 'à': 'a', 'â': 'a', 'ã': 'a',
	'ñ': 'n',
}
