package yara_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// countdown is a context that ends when it has been looked at so many times:
// a clock of which a tick is a look.
type countdown struct {
	context.Context
	left, after int // looks until the end, and since then
}

func (c *countdown) Err() error {
	if c.left > 0 {
		c.left--
		return nil
	}
	c.after++
	return context.DeadlineExceeded
}

func (c *countdown) Done() <-chan struct{} { return nil }

// hostile are rules that would keep a scan busy for hours, or much longer than
// a time limit, each in its own way.
var hostile = map[string]string{
	"loop":          `rule r { condition: for all i in (0..1000000000000) : (i >= 0) }`,
	"nested loops":  `rule r { condition: for all i in (0..1000000) : (for all j in (0..1000000) : (i + j >= 0)) }`,
	"matches":       `rule r { strings: $a = "a" condition: for all i in (1..#a) : (for all j in (1..#a) : (@a[i] + @a[j] >= 0)) }`,
	"strings in it": `rule r { strings: $a = "a" condition: for any i in (0..1000000000) : ($a in (i..i + 10) and i < 0) }`,
	"digests":       `import "hash" rule r { condition: for any i in (0..1000000) : (hash.sha256(i, filesize - i) == "") }`,
	"regexp":        `rule r { condition: for any i in (0..1000000000) : ("aaaaaaaaaaaaaaaaaaaaaaaaaaaab" matches /(a+)+(a+)+$/ or i < 0) }`,
	"many rules":    manyRules(),
	"runs abreast":  `rule r { strings: $a = /(a+)+$/ condition: #a > 5 }`,
	"sweep":         `rule r { strings: $a = /[a-c](a{1,50}){1,40}/ condition: #a > 5 }`,
	"runs to atoms": `rule r { strings: $a = /[a-c]+aaaa[a-c]+!/ condition: #a > 5 }`,
}

func manyRules() string {
	var b strings.Builder
	for range 2000 {
		b.WriteString("rule r" + strings.Repeat("_", b.Len()%7) + string(rune('a'+b.Len()%26)))
		b.WriteString(strings.Repeat("x", b.Len()%97) + " { condition: for all i in (0..100000000) : (i >= 0) }\n")
	}
	return b.String()
}

// TestScanEnds looks at how soon a scan ends when its context does: a scan that
// is over may look at the context once more for each thing under way, and no
// more. How far apart two looks are is bounded by how many steps, bytes and
// calls lie between them.
func TestScanEnds(t *testing.T) {
	data := bytes.Repeat([]byte("a"), 1<<20)
	for name, src := range hostile {
		t.Run(name, func(t *testing.T) {
			c := yara.NewCompiler(yara.WithModules(standard.Modules()...))
			c.AddSource(yara.Source{Text: []byte(src)})
			rules, _ := c.Build()
			if rules.Stats().Rules == 0 {
				t.Fatal("no rules")
			}
			ctx := &countdown{Context: context.Background(), left: 200}
			results, err := rules.NewScanner().Scan(ctx, data)
			if err == nil {
				t.Error("the scan ended without an error")
			}
			if results.Len() != 0 {
				t.Error("a rule that was cut short matches")
			}
			if ctx.after > 50 {
				t.Errorf("looked at the context %d times after its end", ctx.after)
			}
		})
	}
}
