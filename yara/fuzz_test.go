package yara_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// FuzzScan compiles and scans whatever it is given: nothing panics, nothing
// takes long, and a second scan with all matches asked for says the same.
func FuzzScan(f *testing.F) {
	for _, src := range []string{
		`rule r { condition: true }`,
		`rule r { strings: $a = "abc" wide ascii nocase $b = { 61 ?? [1-3] (62 | 63) } condition: any of them }`,
		`rule r { strings: $a = /a.{0,10}b+?c*/ is $b = "x" xor(1-9) $c = "long text" base64 condition: #a > 1 and @b[1] < !c[1] }`,
		`import "math" rule r { condition: for any i in (0..filesize) : (uint8(i) == 0x61 and math.entropy(0, i) > 0.1) }`,
		`import "hash" rule a { condition: hash.md5(0, filesize) == "x" } rule b { condition: not a and defined uint32(filesize) }`,
		`global rule g { condition: filesize < 10 } private rule p { strings: $ = "ab" condition: all of them } rule r { condition: 1 of (p, g) }`,
		`import "string" rule r { condition: with x = string.to_int("7", 8), y = "A" : (x \ 0 == 1 or y icontains "a" or y matches /a|b/i) }`,
		`rule r { strings: $a = "ab" $b = "bc" condition: for 1 of them : ($ in (0..10) and # in (0..5) < 3) or 50% of them at 0 }`,
		`rule r { strings: $a = "ab" condition: $a at -0x7FFFFFFFFFFFFFFF - 1 or (-0x7FFFFFFFFFFFFFFF - 1) \ (#a - 1) == 0 or 1 << 64 >> -1 == 0 }`,
		`import "console" rule r { condition: console.log(0, 10) or console.hex(1) or v == 1 or s == "s" }`,
	} {
		f.Add(src, []byte("abcabc\x00a\x00b\x00c\x00"), false)
	}
	if vectors, err := yaratest.ReadVectors(os.DirFS(filepath.Join("..", "..", "shared", "conformance"))); err == nil {
		for i, v := range vectors {
			if text := v.Sources[0][1]; i%24 == 0 && len(text) < 1<<10 && len(v.Data) < 1<<10 {
				f.Add(text, v.Data, v.Family() == yaratest.OnlyLibYARA)
			}
		}
	}
	modules := yara.WithModules(standard.Modules()...)
	f.Fuzz(func(t *testing.T, src string, data []byte, libyara bool) {
		if len(src) > 4<<10 || len(data) > 64<<10 {
			return
		}
		opts := []yara.Option{modules, yara.Define("v", 1), yara.Define("s", "s")}
		if libyara {
			opts = append(opts, yara.LibYARA, yara.RelaxedRegexps())
		}
		c := yara.NewCompiler(opts...)
		c.AddSource(yara.Source{Text: []byte(src)})
		rules, _ := c.Build()
		const limit = 2 * time.Second
		began := time.Now()
		first, errFirst := summary(rules.NewScanner(yara.Timeout(limit)), data)
		second, errSecond := summary(rules.NewScanner(yara.Timeout(limit), yara.AllMatches()), data)
		if took := time.Since(began); took > 4*limit {
			t.Errorf("took %v", took)
		}
		for _, err := range []error{errFirst, errSecond} {
			if errors.Is(err, yara.ErrTimeout) {
				return
			}
			if err != nil {
				t.Error(err)
			}
		}
		if first != second {
			t.Errorf("got %q, with all matches %q", first, second)
		}
	})
}

// summary scans and tells what matches where.
func summary(s *yara.Scanner, data []byte) (string, error) {
	results, err := s.Scan(context.Background(), data)
	text := ""
	for r := range results.Matching() {
		text += r.Name()
		for p := range r.Patterns() {
			text += " " + p.ID()
			for m := range p.Matches() {
				text += fmt.Sprint(" ", m.Offset, "+", m.Length)
			}
		}
		text += "\n"
	}
	return text, err
}

// FuzzReadRules loads whatever it is given as compiled rules and scans with
// them. Size and checksum are made right, so that the fuzzer gets behind them.
func FuzzReadRules(f *testing.F) {
	modules := yara.WithModules(standard.Modules()...)
	for _, src := range []string{
		`rule r : t { meta: a = 1 b = "x" strings: $a = "abc" fullword $b = { 61 ?? [1-3] (62 | 63) } condition: #a > 1 or @b[1] == 2 }`,
		`import "pe" import "math" rule r { condition: pe.is_pe or for any s in pe.sections : (s.name == "x") or math.max(1, 2) == e }`,
		`global rule g { strings: $x = "x" xor $y = "long text" base64 wide condition: any of them at 0 } rule r { condition: g and uint16(0) == 0x5A4D }`,
		`rule r { strings: $a = /a.{0,10}b+c*$/ condition: for any i in (1..#a) : (@a[i] < 5) and "x" matches /[a-z]+/ }`,
	} {
		rules, err := yara.Compile(src, modules, yara.Define("e", 2))
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := rules.WriteTo(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), []byte("abcabc\x00a\x00b\x00c\x00"))
	}
	f.Fuzz(func(t *testing.T, file, data []byte) {
		const header = 8 + 4 + 8 + 4
		if len(file) > header {
			body := file[header:]
			binary.LittleEndian.PutUint64(file[12:], uint64(len(body)))
			binary.LittleEndian.PutUint32(file[20:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
		}
		rules, err := yara.ReadRules(bytes.NewReader(file), modules)
		if err != nil || len(data) > 4<<10 {
			return
		}
		_, err = summary(rules.NewScanner(yara.Timeout(time.Second), yara.AllMatches()), data)
		if err != nil && !errors.Is(err, yara.ErrTimeout) {
			t.Error(err)
		}
		for r := range rules.All() {
			_, _, _ = r.Position()
			for range r.Meta() {
			}
			for p := range r.Patterns() {
				_ = p.ID() + p.Kind().String()
			}
		}
	})
}
