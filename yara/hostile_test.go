package yara_test

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// hostileSize is how long a hostile source is, in bytes.
const hostileSize = 1 << 16

// perByte bounds what compiling and one scan may allocate in sum, in bytes for
// each byte of source. Most take a tenth; what patterns may come to in longer
// sources is bounded by compile.Limits.
const perByte = 3500

// costly is a source that costs as much as it can. unit is repeated between
// head and tail with its number, as often as fits; close is repeated as often.
type costly struct {
	name, head, unit, tail, close string
}

var hostiles = []costly{
	{"parentheses", "rule r { condition: ", "(", "true", ")"},
	{"not", "rule r { condition: ", "not ", "true }", ""},
	{"minus", "rule r { condition: ", "-", "1 == 1 }", ""},
	{"and", "rule r { condition: true", " and true", " }", ""},
	{"sum", "rule r { condition: 0", " + filesize", " == 1 }", ""},
	{"indexes", `rule r { strings: $a = "abc" condition: `, "@a[", "1", "]"},
	{"readers", "rule r { condition: ", "uint8(", "0", ")"},
	{"loops", "rule r { condition: ", "for any i# in (0..1) : (", "true", ")"},
	{"loops over patterns", `rule r { strings: $a = "abc" condition: `, "for any of them : (", "$", ")"},
	{"with", "rule r { condition: ", "with i# = 1 : (", "true", ")"},
	{"rules", "", "rule r# { condition: true }\n", "", ""},
	{"rules with a pattern", "", "rule r# { strings: $a = \"abc#\" condition: $a }\n", "", ""},
	{"rules of rules", "rule r { condition: true } ", "rule r# { condition: any of (r*) }\n", "", ""},
	{"patterns", "rule r { strings: ", "$a# = \"q#w\" ", "condition: any of them }", ""},
	{"sets of many", "rule r { strings: $a = \"abc\" $b = \"abd\" condition: true", " or all of ($a*, $b, $*)", "}", ""},
	{"long text", `rule r { strings: $a = "`, "abcdefgh", `" xor wide ascii condition: $a }`, ""},
	{"xor", "rule r { strings: ", "$a# = \"q#w\" xor wide ascii fullword ", "condition: any of them }", ""},
	{"base64", "rule r { strings: ", "$a# = \"q#we\" base64 base64wide wide ascii ", "condition: any of them }", ""},
	{"nocase", "rule r { strings: ", "$a# = \"qwertyuiop#\" nocase wide ascii ", "condition: any of them }", ""},
	{"long hex", "rule r { strings: $a = { 60 ", "6? 61 ", "} condition: $a }", ""},
	{"hex alternatives", "rule r { strings: $a = { 60 ( 61 ", "| 6? 70 80 90 ", ") 61 } condition: $a }", ""},
	{"nested hex alternatives", "rule r { strings: $a = { ", "( 61 | ", "62", ")"},
	{"jumps", "rule r { strings: $a = { 60 ", "61 [0-100] ", "62 } condition: $a }", ""},
	{"wide jumps", "rule r { strings: ", "$a# = { 61 62 [0-60000] 63 64 [0-600000] 65 } ", "condition: any of them }", ""},
	{"alternatives", "rule r { strings: $a = /x(w", "|w#", ")y/ condition: $a }", ""},
	{"alternatives of letters", "rule r { strings: ", "$a# = /(a|b|c|d#)(e|f|g)(h|i|j)(k|l|m)/ ", "condition: any of them }", ""},
	{"groups", "rule r { strings: $a = /a", "(", "b", ")"},
	{"stars", "rule r { strings: $a = /a", "(b", "c", ")*"},
	{"classes", "rule r { strings: $a = /a", "[a-z][^0-9]", "/ condition: $a }", ""},
	{"repetitions", "rule r { strings: ", "$a# = /a[bc]{1,30000}x#/ ", "condition: any of them }", ""},
	{"repetitions of repetitions", "rule r { strings: ", "$a# = /(a|b)(c[bc]{1,90}d|x){1,90}x#/ nocase wide ascii ", "condition: any of them }", ""},
	{"catastrophe", "rule r { strings: ", "$a# = /x#(a+)+$/ $b# = /x#(x|x)*y/ $c# = /x#.*.*.*=.*/ ", "condition: any of them }", ""},
	{"unicode", "rule r { strings: ", `$a# = /(?u)a\p{L}{1,20}x#/ `, "condition: any of them }", ""},
	{"matches", "rule r { condition: true", ` or "a" matches /a[bc]{1,300}x#/`, "}", ""},
	{"tags", "rule r :", " t#", " { condition: true }", ""},
	{"meta", "rule r { meta: ", `k# = "v" `, "condition: true }", ""},
	{"imports", "", "import \"pe\"\n", "rule r { condition: true }", ""},
	{"fields", "import \"pe\" rule r { condition: pe", ".sections", " == 1 }", ""},
	{"calls", "import \"math\" rule r { condition: ", "math.abs(", "1", ")"},
	{"includes", "", "include \"itself\"\n", "rule r { condition: true }", ""},
	{"unknown names", "rule r { condition: x", " or foo#", " }", ""},
	{"unknown patterns", "", "rule r# { condition: $x }\n", "", ""},
	{"unused patterns", "rule r { strings: ", "$a# = \"q#w\" ", "condition: true }", ""},
	{"suppressions", "", "// suppress: a, b, c\n", "rule r { condition: true }", ""},
	{"unfinished rules", "", "rule r { strings: $a = { ", "", ""},
	{"quotes", "", "\"\n", "", ""},
	{"a set", "rule r { strings: $a = \"abc\" condition: any of ($a", ",$a", ") }", ""},
	{"conditions in a set", "rule r { condition: any of (true", ",true", ") }", ""},
	{"numbers in a set", "rule r { condition: for any i in (1", ",1", ") : (i == 2) }", ""},
	{"long number", "rule r { condition: 0.", "9", " == 1.0 }", ""},
	{"long name", "rule r", "r", " { condition: true }", ""},
}

func (h costly) text() string {
	var b strings.Builder
	b.WriteString(h.head)
	n := 0
	for ; b.Len() < hostileSize-(len(h.close)*n+len(h.tail)); n++ {
		b.WriteString(strings.ReplaceAll(h.unit, "#", fmt.Sprint(n)))
	}
	return b.String() + h.tail + strings.Repeat(h.close, n) + "}"
}

// TestHostileRules compiles sources that are made to be costly, alone and as
// libyara reads them, and scans with what they compile to. What that takes is
// counted in bytes: the time goes with it, and clocks prove nothing.
func TestHostileRules(t *testing.T) {
	data := []byte(strings.Repeat("xaaaaaaaaaaaaaaa=bcbcbcbcbcd x1aaaaaa", 300))
	for _, h := range hostiles {
		for _, d := range []yara.Dialect{yara.YARAX, yara.LibYARA} {
			text := h.text()
			self := func(string, string) (string, []byte, error) { return "itself", nil, fs.ErrNotExist }
			opts := []yara.Option{d, yara.WithModules(standard.Modules()...), yara.Includes(self)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := yara.NewCompiler(opts...)
			c.AddSource(yara.Source{Text: []byte(text)})
			rules, diags := c.Build()
			if _, err := rules.NewScanner(yara.Timeout(time.Minute)).Scan(context.Background(), data); err != nil {
				t.Errorf("%s: %v", h.name, err)
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > perByte*hostileSize {
				t.Errorf("%s, dialect %v: %d bytes allocated for each of %d", h.name, d, used/uint64(len(text)), len(text))
			}
			if testing.Verbose() {
				t.Logf("%-28s %d rules, %d diagnostics, %d bytes a byte", h.name, rules.Stats().Rules, len(diags), (after.TotalAlloc-before.TotalAlloc)/uint64(len(text)))
			}
		}
	}
}
