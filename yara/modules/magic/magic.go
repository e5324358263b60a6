// Package magic is the YARA module "magic": what kind of file the target is,
// as file(1) would say.
//
// The reference engines ask libmagic, whose database tells some thousand
// formats apart and describes each at length. This package has no libmagic; it
// knows some 330 signatures and 40 kinds of text and programs that are most
// usual: programs, archives, compressed files, documents, file systems, images,
// sound and video, fonts, databases, keys, scripts and source code. For these
// mime_type gives what libmagic 5.44 gives, on nineteen of twenty files of a
// Debian system; source code, which libmagic guesses from words, differs most.
// type gives how libmagic's description begins, up to the first detail that
// takes more than the header to tell (linkage, section counts, names of
// members, dimensions): test it with contains or startswith, not with ==. What
// is not known is "data", and "application/octet-stream".
//
// At most the first MiB is looked at, for text the first 64 KiB, once a scan;
// patterns of source code see 8 KiB. Only ELF files are followed farther, to
// their dynamic section.
package magic

import (
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// looked is how many bytes are looked at.
const looked = 1 << 20

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

// octets is the MIME type of what is not known.
const octets = "application/octet-stream"

type kindKey struct{}

func function(name, doc string, of func(kind) string) column.Column[none] {
	return column.Func[none](name, doc, module.String, column.Overload{
		Call: func(c *module.Call, _ []module.Value) module.Value {
			data := c.Input.Data
			k := c.Input.Memo(kindKey{}, func() any { return classify(data) }).(kind)
			return module.Text(of(k))
		},
	})
}

// classify says what a file is.
func classify(data []byte) kind {
	if len(data) == 0 {
		return kind{"application/x-empty", "empty"}
	}
	if k, ok := elf(data); ok { // whose tables may be anywhere
		return k
	}
	b := data[:min(len(data), looked)]
	for _, look := range []func([]byte) (kind, bool){macho, dos, zip, compound, pyc, terminfo, coff, certificate, tar, signed, text} {
		if k, ok := look(b); ok {
			return k
		}
	}
	return kind{octets, "data"}
}
