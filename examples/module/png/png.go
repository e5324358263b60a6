// Package png is a YARA module for PNG images, made as an example of a module
// that lives outside the engine. docs/modules.md builds it step by step.
//
// At most 65,536 chunks are read; the pixels are not looked at.
package png

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

const (
	signature = "\x89PNG\r\n\x1a\n"
	maxChunks = 65_536
	around    = 12 // the bytes of a chunk that are not its data: length, type, CRC
)

// image is what the module knows of a file.
type image struct {
	width, height uint32
	depth, color  uint8
	chunks        []chunk
	tail          int // bytes after the last chunk
}

type chunk struct {
	name   string
	offset int // of the data
	length uint32
	sound  bool // the CRC is that of the type and the data
}

// read reads the chunks up to IEND or the first that the file does not have
// whole; nil where data is no PNG file.
func read(data []byte) *image {
	if !bytes.HasPrefix(data, []byte(signature)) {
		return nil
	}
	p := &image{}
	rest := data[len(signature):]
	for len(p.chunks) < maxChunks && len(rest) >= around {
		n := uint64(binary.BigEndian.Uint32(rest))
		if n > uint64(len(rest)-around) {
			break
		}
		body := rest[4 : 8+n] // type and data
		c := chunk{name: string(body[:4]), offset: len(data) - len(rest) + 8, length: uint32(n),
			sound: crc32.ChecksumIEEE(body) == binary.BigEndian.Uint32(rest[8+n:])}
		p.chunks = append(p.chunks, c)
		rest = rest[around+n:]
		if c.name == "IHDR" && n >= 10 {
			p.width, p.height, p.depth, p.color = binary.BigEndian.Uint32(body[4:]), binary.BigEndian.Uint32(body[8:]), body[12], body[13]
		}
		if c.name == "IEND" {
			break
		}
	}
	p.tail = len(rest)
	return p
}

var chunkColumns = []column.Column[chunk]{
	column.Text("type", "The four letters that name the chunk.", func(c chunk) string { return c.name }),
	column.Int("offset", "Where its data are in the file.", func(c chunk) int { return c.offset }),
	column.Int("length", "The size of its data, in bytes.", func(c chunk) uint32 { return c.length }),
	column.Bool("sound", "Whether its checksum is right.", func(c chunk) bool { return c.sound }),
}

var columns = append([]column.Column[*image]{
	column.Bool("is_png", "Whether the target is a PNG image.", func(*image) bool { return true }),
	column.OptInt("width", "In pixels; undefined without a header.", func(p *image) (uint32, bool) { return p.width, p.width > 0 }),
	column.OptInt("height", "In pixels; undefined without a header.", func(p *image) (uint32, bool) { return p.height, p.height > 0 }),
	column.Int("bit_depth", "Bits of a sample.", func(p *image) uint8 { return p.depth }),
	column.Int("color_type", "One of COLOR_*.", func(p *image) uint8 { return p.color }),
	column.Rows("chunks", "The chunks, in the order of the file.", "Chunk", chunkColumns, func(p *image) []chunk { return p.chunks }),
	column.Int("tail", "How many bytes follow the last chunk.", func(p *image) int { return p.tail }),
	column.Func[*image]("has", "Whether there is a chunk of a type.", module.Bool,
		column.Overload{Params: []module.Kind{module.String}, Call: has}),
}, column.Constants[*image]("A value of color_type.", map[string]int64{
	"COLOR_GRAY": 0, "COLOR_RGB": 2, "COLOR_PALETTE": 3, "COLOR_GRAY_ALPHA": 4, "COLOR_RGB_ALPHA": 6,
})...)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("png", columns)
	none := column.Blank(typ, map[string]module.Value{"is_png": module.Boolean(false)})
	return &module.Module{
		Name: "png", Doc: "PNG images: dimensions, chunks and what follows them.", Schema: typ,
		Magic: []uint16{0x89 | 'P'<<8},
		Load: func(in *module.Input) module.Value {
			if p := imageOf(in); p != nil {
				return column.Struct(columns, p)
			}
			return none
		},
	}
}

type imageKey struct{}

// imageOf reads the target once a scan.
func imageOf(in *module.Input) *image {
	return in.Memo(imageKey{}, func() any { return read(in.Data) }).(*image)
}

func has(c *module.Call, args []module.Value) module.Value {
	want, _ := args[0].Text()
	p := imageOf(c.Input)
	if p == nil {
		return module.Value{}
	}
	for _, ch := range p.chunks {
		if ch.name == want {
			return module.Boolean(true)
		}
	}
	return module.Boolean(false)
}
