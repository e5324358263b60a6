package yara_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// found lists the matches of all patterns, of rules that match or not.
func found(r *yara.Results) []string {
	var list []string
	for rule := range r.All() {
		for p := range rule.Patterns() {
			for m := range p.Matches() {
				list = append(list, fmt.Sprintf("%s %#x+%d %d", p.ID(), m.Offset, m.Length, m.XorKey))
			}
		}
	}
	return list
}

const memoryRules = `rule r {
	strings:
		$text = "needle"
		$nocase = "NeeDle" nocase
		$wide = "needle" wide
		$full = "needle" fullword
		$wfull = "needle" wide fullword
		$xor = "needle" xor(1-255)
		$b64 = "a needle in it" base64
		$hex = { 6E 65 [2-6] 65 }
		$greedy = /n[a-z]{2,40}/
		$lazy = /e.*?e/s
		$word = /\bneedle\b/
		$begin = /^needle/
		$end = /needle$/
		$slow = /[a-z]+[0-9]{2}/
		$tiny = "ne"
	condition: any of them }`

// haystack makes data that has the patterns of memoryRules, in parts.
func haystack(r *rand.Rand, n int) []byte {
	xored := []byte("needle")
	for i := range xored {
		xored[i] ^= 0x55
	}
	parts := []string{"needle", "NEEDLE", "n\x00e\x00e\x00d\x00l\x00e\x00", string(xored), "YSBuZWVkbGUgaW4gaXQ=",
		" ", "x", "\x00", "12", "eed", "ne", "dle", "\n"}
	var b []byte
	for len(b) < n {
		b = append(b, parts[r.IntN(len(parts))]...)
	}
	return b[:n]
}

// TestMemoryIsOneRun cuts data into blocks that touch: nothing may be found
// otherwise than in the whole.
func TestMemoryIsOneRun(t *testing.T) {
	rules, err := yara.Compile(memoryRules)
	if err != nil {
		t.Fatal(err)
	}
	scanner := rules.NewScanner(yara.AllMatches())
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := haystack(r, r.IntN(300))
		results, err := scanner.Scan(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		want := found(results)
		var blocks yara.Blocks
		for at := 0; at < len(data); {
			n := 1 + r.IntN(min(40, len(data)-at))
			blocks = append(blocks, yara.Block{Base: int64(at), Data: data[at : at+n]})
			at += n
		}
		results, err = scanner.ScanMemory(context.Background(), blocks)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, found(results)); d != "" {
			t.Fatalf("%q in %d blocks (-whole +blocks):\n%s", data, len(blocks), d)
		}
	}
}

// TestMemoryPieces puts matches where one piece that is read ends and the next
// begins.
func TestMemoryPieces(t *testing.T) {
	rules, err := yara.Compile(memoryRules)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 7))
	data := bytes.Repeat([]byte("."), 9<<20)
	for at := 3 << 20; at < len(data)-1000; at += 1<<15 + r.IntN(99) {
		copy(data[at:], haystack(r, 120))
	}
	scanner := rules.NewScanner(yara.AllMatches())
	results, err := scanner.Scan(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	want := found(results)
	if len(want) < 1000 {
		t.Fatalf("only %d matches to compare", len(want))
	}
	results, err = scanner.ScanMemory(context.Background(), yara.Blocks{{Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, found(results)); d != "" {
		t.Errorf("-whole +pieces:\n%.2000s", d)
	}
}

// TestMemoryConditions says what conditions mean where there is no file.
func TestMemoryConditions(t *testing.T) {
	memory := yara.Blocks{
		{Base: 0x1000, Data: []byte("MZ..needle.. needle")},
		{Base: 0x1013, Data: []byte("needle\x01\x02")},
		{Base: 0x9000, Data: []byte("\x03\x04needle")},
	}
	tests := map[string]bool{
		"filesize < 100000":                               false,
		"filesize >= 0":                                   false,
		"not defined filesize":                            true,
		"not defined entrypoint":                          true,
		"not defined pe.is_pe":                            true,
		"not defined pe.number_of_sections":               true,
		"not defined math.entropy(0, filesize)":           true,
		"math.max(1, 2) == 2":                             true,
		"$a":                                              true,
		"#a == 4":                                         true,
		"$a at 0x1004":                                    true,
		"$a at 4":                                         false,
		"$a at 0x9002":                                    true,
		"@a[1] == 0x1004 and @a[4] == 0x9002":             true,
		"$a in (0x9000..0xffffffff)":                      true,
		"$a in (0..0xfff)":                                false,
		"#a in (0x1000..0x1fff) == 3":                     true,
		"for any i in (1..#a) : (@a[i] == 0x1013)":        true,
		"uint16(0x1000) == 0x5A4D":                        true,
		"uint16(0) == 0x5A4D":                             false,
		"uint16(0x1019) == 0x0201":                        true,
		"uint32(0x1011) == 0x656e656c":                    true, // across blocks that touch
		"not defined uint16(0x101a)":                      true, // only one byte is there
		"not defined uint8(-1)":                           true,
		"float64(0x1000) != 0.0":                          true,
		"$joined":                                         true,
		"$apart":                                          false,
		"$first at 0x1000 and $second at 0x9000":          true,
		"uint16(@a[1] - 4) == 0x5A4D":                     true,
		"#long == 1":                                      true,
		"$pinned at 0x9002 and uint16be(0x9000) == 0x304": true,
	}
	for condition, want := range tests {
		rules, err := yara.Compile(`import "pe" import "math" rule r { strings:
			$a = "needle" $joined = "needleneedle" $apart = /\x01\x02\x03/ $first = /^MZ/ $second = /^\x03/
			$long = /MZ.{10,20}needle\x01/s $pinned = "needle"
			condition: `+condition+" or (any of them and false) }", yara.WithModules(standard.Modules()...), yara.LibYARA)
		if err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
		results, err := rules.NewScanner().ScanMemory(context.Background(), memory)
		if err != nil {
			t.Fatal(err)
		}
		if got := results.Len() == 1; got != want {
			t.Errorf("%s: got %v, want %v", condition, got, want)
		}
	}
}

// holey is a memory that ends within its regions.
type holey struct {
	yara.Blocks
	regions []yara.Region
}

func (h holey) Regions() iter.Seq[yara.Region] { return slices.Values(h.regions) }

func TestMemoryGaps(t *testing.T) {
	rules, err := yara.Compile(`rule r { strings: $a = "needle" condition: #a == 2 }`)
	if err != nil {
		t.Fatal(err)
	}
	m := holey{yara.Blocks{{0x10, []byte("..needle")}, {0x100, []byte("needle")}},
		[]yara.Region{{0x10, 0x20}, {0x80, 0x10}, {0x100, 6}}}
	results, err := rules.NewScanner().ScanMemory(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	if results.Len() != 1 {
		t.Error("what could be read was not found")
	}
	want := []yara.Gap{{yara.Region{0x18, 0x18}, io.EOF}, {yara.Region{0x80, 0x10}, io.EOF}}
	if d := cmp.Diff(want, results.Gaps(), cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if _, err := rules.NewScanner().ScanMemory(context.Background(), holey{nil, []yara.Region{{-8, 16}}}); err == nil {
		t.Error("a region below 0 is no error")
	}
	results, err = rules.NewScanner().Scan(context.Background(), nil)
	if err != nil || len(results.Gaps()) != 0 {
		t.Errorf("gaps of another scan: %v, %v", results.Gaps(), err)
	}
}

// TestMemoryEnds cancels a scan after its first piece.
func TestMemoryEnds(t *testing.T) {
	rules, err := yara.Compile(`rule r { strings: $a = "needle" condition: $a }`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	pieces := 0
	scanner := rules.NewScanner(yara.Progress(func(int64) { pieces++; cancel() }))
	_, err = scanner.ScanMemory(ctx, yara.Blocks{{Data: make([]byte, 16<<20)}})
	if !errors.Is(err, context.Canceled) || pieces > 2 {
		t.Errorf("got %v after %d pieces, want canceled after 2 at most", err, pieces)
	}
}
