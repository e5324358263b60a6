package compile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// FuzzCompile compiles any bytes as rules, in both dialects. The program that
// comes out must be whole, and a source with errors must say so.
func FuzzCompile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yar")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, dialect := range []program.Dialect{program.YARAX, program.LibYARA} {
			opt := options()
			opt.Dialect = dialect
			opt.Limits.PatternTotal = 16 << 20
			c := New(opt)
			c.Add("", "fuzz", src)
			p, _ := c.Build()
			if err := p.Check(); err != nil {
				t.Fatalf("the program is not whole: %v", err)
			}
			if _, err := p.Bind(finder()); err != nil {
				t.Fatalf("the program does not fit its modules: %v", err)
			}
		}
	})
}
