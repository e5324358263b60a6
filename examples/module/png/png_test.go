package png_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	stdpng "image/png"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/examples/module/png"
	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func sample() []byte {
	var b bytes.Buffer
	_ = stdpng.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2)))
	return b.Bytes()
}

func TestFields(t *testing.T) {
	in := &module.Input{Data: append(sample(), "hidden"...)}
	for path, want := range map[string]string{
		"is_png": "true", "width": "3", "height": "2", "bit_depth": "8", "color_type": "0", "tail": "6",
		"chunks.0.type": `"IHDR"`, "chunks.0.offset": "16", "chunks.0.length": "13", "chunks.0.sound": "true",
		"chunks.2.type": `"IEND"`, "chunks.3.type": "undefined", "COLOR_PALETTE": "undefined", // constants are folded
	} {
		if got := yaratest.Show(yaratest.Get(t, png.Module(), in, path)); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	for name, want := range map[string]string{"IDAT": "true", "tEXt": "false"} {
		if got := yaratest.Show(yaratest.Call(t, png.Module(), in, "has", name)); got != want {
			t.Errorf("has(%q): got %s, want %s", name, got, want)
		}
	}
}

// TestHostile reads what is damaged, cut or no image.
func TestHostile(t *testing.T) {
	changed := sample()
	changed[16]++ // in the header's data
	long := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 0xffffffff)
	empty := binary.BigEndian.AppendUint32([]byte("\x00\x00\x00\x00tEXt"), crc32.ChecksumIEEE([]byte("tEXt")))
	many := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat(empty, 65_537)...)
	for _, test := range []struct {
		name, path, want string
		data             []byte
	}{
		{"nothing", "is_png", "false", nil},
		{"nothing", "width", "undefined", nil},
		{"signature", "width", "undefined", sample()[:8]},
		{"changed", "chunks.0.sound", "false", changed},
		{"cut", "chunks.1.type", "undefined", sample()[:50]},
		{"4 GiB long", "chunks.0.type", "undefined", append(long, "IDAT..............."...)},
		{"many", "tail", "12", many},
	} {
		in := &module.Input{Data: test.data}
		if got := yaratest.Show(yaratest.Get(t, png.Module(), in, test.path)); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.path, got, test.want)
		}
	}
}

func FuzzPNG(f *testing.F) {
	f.Add(sample())
	m := png.Module()
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		root := m.Load(in)
		for i := range m.Schema.Fields {
			root.Field(i)
		}
		yaratest.Call(t, m, in, "has", "IHDR")
	})
}

// Example compiles a rule with the module beside the standard ones.
func Example() {
	rules, err := yara.Compile(`
import "png"
import "hash"

rule appended {
	condition:
		png.color_type == png.COLOR_GRAY and png.tail > 0 and png.has("IEND")
		and hash.md5(filesize - png.tail, png.tail) == "662f707d5491e9bce8238a6c0be92190"
}`, yara.WithModules(append(standard.Modules(), png.Module())...))
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := rules.NewScanner().Scan(context.Background(), append(sample(), "hidden"...))
	if err != nil {
		fmt.Println(err)
		return
	}
	for rule := range results.Matching() {
		fmt.Println(rule.Name())
	}
	// Output: appended
}

// TestGuide holds the guide to the code: what it shows of Go is in these files.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	var code string
	for _, name := range []string{"png.go", "png_test.go", "../main.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code += string(b)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(guide, -1)
	if len(blocks) < 6 {
		t.Errorf("the guide has %d blocks of Go", len(blocks))
	}
	for _, b := range blocks {
		for part := range strings.SplitSeq(string(b[1]), "\n\n") {
			if part = strings.Trim(part, "\n"); !strings.Contains(code, part) {
				t.Errorf("this is not in the example:\n%s", part)
			}
		}
	}
}
