package pe

import (
	"bytes"
	"encoding/binary"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// maxRich is the most that is read of a rich header, in bytes.
const maxRich = 1 << 16

// richHeader is what Microsoft's linker leaves between the DOS and the PE
// header: "DanS", padding and pairs of a tool and a count, each xored with a
// key, then "Rich" and the key.
type richHeader struct {
	offset     int
	key        uint32
	raw, clear []byte
	tools      []richTool
}

// richTool is a tool and how many of its object files were linked.
type richTool struct{ id, version, times uint32 }

var toolColumns = []column.Column[richTool]{
	column.Int("toolid", "The tool.", func(t richTool) uint32 { return t.id }),
	column.Int("version", "The build of the tool.", func(t richTool) uint32 { return t.version }),
	column.Int("times", "How many of the linked files it made.", func(t richTool) uint32 { return t.times }),
}

var toolType = column.Type("RichTool", toolColumns)

var richColumns = []column.Column[*richHeader]{
	column.Int("offset", "The offset in the file.", func(h *richHeader) int { return h.offset }),
	column.Int("length", "The size without the tail, in bytes.", func(h *richHeader) int { return len(h.raw) }),
	column.Int("key", "What the header is xored with.", func(h *richHeader) uint32 { return h.key }),
	column.Text("raw_data", "The bytes as they are in the file.", func(h *richHeader) string { return string(h.raw) }),
	column.Text("clear_data", "The bytes xored with the key.", func(h *richHeader) string { return string(h.clear) }),
	column.Text("version_data", "The tools and builds without the counts, of clear_data.", (*richHeader).versionData),
	{Name: "tools", Doc: "The tools.", Type: column.ArrayOf(toolType), Get: func(h *richHeader) module.Value { return column.List(toolColumns, h.tools) }},
	{Name: "version", Doc: "How many of the linked files were made by a build of any tool, or of a tool.", Funcs: []*module.Func{
		richCount(func(args []int64, t richTool) bool { return args[0] == int64(t.version) }, module.Integer),
		richCount(func(args []int64, t richTool) bool { return args[0] == int64(t.version) && args[1] == int64(t.id) }, module.Integer, module.Integer),
	}},
	{Name: "toolid", Doc: "How many of the linked files were made by a tool, or by a build of it.", Funcs: []*module.Func{
		richCount(func(args []int64, t richTool) bool { return args[0] == int64(t.id) }, module.Integer),
		richCount(func(args []int64, t richTool) bool { return args[0] == int64(t.id) && args[1] == int64(t.version) }, module.Integer, module.Integer),
	}},
}

var richType = column.Type("RichSignature", richColumns)

const (
	richTag  = "Rich"
	dansTag  = 0x536e6144 // "DanS"
	richHead = 16         // DanS and three times padding
	richPair = 8
)

// richSignature is a struct of undefined fields where there is no header, so
// that its functions find nothing; libyara's are undefined.
func richSignature(f *file) module.Value {
	h := f.richHeader()
	if h == nil {
		return column.Blank(richType, nil)
	}
	return column.Struct(richColumns, h)
}

func (f *file) richHeader() *richHeader {
	return f.rich.get(func() *richHeader {
		stub, _ := binfmt.Clip(f.Data, 0, uint64(f.NTOffset))
		if f.libyara {
			return findRichLibYARA(stub, f.Data)
		}
		return findRich(stub)
	})
}

// findRich searches backwards for the tag at the end, then for the one at the
// start.
func findRich(stub []byte) *richHeader {
	end := bytes.LastIndex(stub, []byte(richTag))
	if end < 0 || len(stub)-end < len(richTag)+4 {
		return nil
	}
	key := binary.LittleEndian.Uint32(stub[end+len(richTag):])
	start := bytes.LastIndex(stub[:end], binary.LittleEndian.AppendUint32(nil, dansTag^key))
	if start < 0 {
		return nil
	}
	return newRich(stub, start, end, key)
}

// findRichLibYARA looks at every fourth byte only, counted from the PE header
// back to the end of the DOS header, and takes the key zero for none.
func findRichLibYARA(stub, data []byte) *richHeader {
	const dosHeader = 64
	key, end := uint32(0), 0
	for at := len(stub) - 4; at >= dosHeader; at -= 4 {
		word := binary.LittleEndian.Uint32(stub[at:])
		switch {
		case key != 0 && word^key == dansTag:
			return newRich(stub, at, end, key)
		case key == 0 && string(stub[at:at+4]) == richTag:
			end, key = at, binary.LittleEndian.Uint32(data[at+4:])
			if key == 0 {
				return nil
			}
		}
	}
	return nil
}

func newRich(stub []byte, start, end int, key uint32) *richHeader {
	end = min(end, start+maxRich)
	h := &richHeader{offset: start, key: key, raw: stub[start:end]}
	h.clear = bytes.Clone(h.raw)
	for i := range h.clear {
		h.clear[i] ^= byte(key >> (i % 4 * 8))
	}
	for i := richHead; i+richPair <= len(h.clear); i += richPair {
		r := binfmt.NewReader(h.clear[i:], binfmt.Little)
		version, id, times := r.U16(), r.U16(), r.U32()
		h.tools = append(h.tools, richTool{uint32(id), uint32(version), times})
	}
	return h
}

func (h *richHeader) versionData() string {
	var b []byte
	for i := richHead; i+richPair <= len(h.clear); i += richPair {
		b = append(b, h.clear[i:i+4]...)
	}
	return string(b)
}

// richCount is an overload that adds up the counts of tools.
func richCount(match func(args []int64, t richTool) bool, params ...module.Kind) *module.Func {
	return &module.Func{Params: params, Result: column.Scalar(module.Integer), Call: func(c *module.Call, args []module.Value) module.Value {
		f := fileOf(c.Input)
		if c.Input.LibYARA && (f == nil || f.richHeader() == nil || len(f.richHeader().raw) < richHead) {
			return module.Value{}
		}
		sum := int64(0)
		if f != nil && f.richHeader() != nil {
			for _, t := range f.richHeader().tools {
				if match(integers(args), t) {
					sum += int64(t.times)
				}
			}
		}
		return module.Int(sum)
	}}
}

func integers(args []module.Value) []int64 {
	list := make([]int64, len(args))
	for i, a := range args {
		list[i], _ = a.Int()
	}
	return list
}
