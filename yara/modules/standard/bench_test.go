package standard_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// rulesAsking are 300 rules, half of which ask the module pe besides a string.
func rulesAsking(b *testing.B, modules bool) *yara.Scanner {
	var src strings.Builder
	src.WriteString("import \"pe\"\n")
	for i := range 300 {
		condition := "$a"
		if modules && i%2 == 0 {
			condition = []string{"pe.number_of_sections > 2 and $a", "pe.imphash() == \"0\" or $a", "for any s in pe.sections : (s.name == \"x\") and $a"}[i%3]
		}
		fmt.Fprintf(&src, "rule r%d { strings: $a = \"a string of rule %d\" condition: %s }\n", i, i, condition)
	}
	rules, err := yara.Compile(src.String(), yara.WithModules(standard.Modules()...))
	if err != nil {
		b.Fatal(err)
	}
	return rules.NewScanner()
}

// BenchmarkScan compares scans with and without rules that ask for pe: of text
// the module costs nothing, of programs it is loaded once.
func BenchmarkScan(b *testing.B) {
	program, err := os.ReadFile("testdata/nested.exe")
	if err != nil {
		b.Fatal(err)
	}
	text := bytes.Repeat([]byte("All work and no play makes Jack a dull boy.\n"), 1500)
	for _, target := range []struct {
		name string
		data []byte
	}{{"text", text}, {"program", program}} {
		for _, asking := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/pe=%v", target.name, asking), func(b *testing.B) {
				s := rulesAsking(b, asking)
				b.SetBytes(int64(len(target.data)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Scan(b.Context(), target.data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
