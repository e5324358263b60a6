// Package magic is the YARA module "magic": what kind of file the target is,
// as file(1) would say.
//
// The reference engines ask libmagic, whose database tells some thousand
// formats apart and describes each at length. This package has no libmagic; it
// knows the formats that hunts meet: programs (ELF, PE, Mach-O, DOS, Java,
// Python, WebAssembly, Dalvik), archives, compressed files, documents, images,
// sound and video, fonts, databases, scripts and text. For these mime_type
// gives what libmagic 5.45 gives. type gives how libmagic's description
// begins, up to the first detail that takes more than the header to tell
// (linkage, section counts, names of members, dimensions): test it with
// contains or startswith, not with ==. What is not known is "data", and
// "application/octet-stream".
//
// At most the first 64 KiB are looked at, once for each function and scan.
package magic

import (
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// looked is how many bytes are looked at.
const looked = 64 << 10

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	return &module.Module{
		Name: "magic",
		Doc:  "What kind of file the target is, as file(1) would say.",
		Schema: column.Type("magic", []column.Column[none]{
			function("mime_type", "The MIME type.", func(k kind) string { return k.mime }),
			function("type", "A description, such as \"PDF document, version 1.5\".", func(k kind) string { return k.text }),
		}),
	}
}

type none struct{}

// kind is what a file is.
type kind struct{ mime, text string }

type kindKey struct{}

func function(name, doc string, of func(kind) string) column.Column[none] {
	return column.Func[none](name, doc, module.String, column.Overload{
		Call: func(c *module.Call, _ []module.Value) module.Value {
			data := c.Input.Data
			k := c.Input.Memo(kindKey{}, func() any { return classify(data[:min(len(data), looked)]) }).(kind)
			return module.Text(of(k))
		},
	})
}

// classify says what the beginning of a file is.
func classify(b []byte) kind {
	if len(b) == 0 {
		return kind{"application/x-empty", "empty"}
	}
	for _, look := range []func([]byte) (kind, bool){elf, macho, dos, zip, compound, pyc, tar, signed, text} {
		if k, ok := look(b); ok {
			return k
		}
	}
	return kind{"application/octet-stream", "data"}
}
