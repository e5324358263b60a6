// Package yara is a YARA engine: it compiles rules and scans bytes with them.
// It is pure Go and needs nothing but the standard library.
//
//	rules, err := yara.Compile(src, yara.WithModules(standard.Modules()...))
//	if err != nil {
//		return err // a diag.List: every mistake with its place
//	}
//	scanner := rules.NewScanner() // one a goroutine, reused
//	results, err := scanner.Scan(ctx, data)
//	if err != nil {
//		return err
//	}
//	for rule := range results.Matching() {
//		for pattern := range rule.Patterns() {
//			for m := range pattern.Matches() {
//				fmt.Println(rule.Name(), pattern.ID(), m.Offset, m.Length)
//			}
//		}
//	}
//
// # Rules and scanners
//
// [Rules] are immutable: any number of goroutines may share them. A [Scanner]
// belongs to one goroutine at a time and is reused from target to target, with
// no allocation where nothing matches. What it returns is valid until its next
// scan. Bytes to scan must not change while a scan, or the use of its results,
// is under way.
//
// [Compile] is for one text that must be sound. A [Compiler] takes many
// sources, leaves out the rules that have errors and tells why, so that one bad
// rule does not disarm ten thousand good ones.
//
// # Language
//
// The engine accepts the union of what YARA 4.5 and YARA-X 1.20 accept. Where
// the two give different answers YARA-X's count, unless rules are compiled with
// the [LibYARA] dialect. Modules (pe, math, …) are passed in by [WithModules];
// package yara/modules/standard lists those that come with the engine, and
// package yara/module says how to write one.
//
// # Failure
//
// Neither rules nor targets make the engine panic. A scan ends with its
// context, and with [Timeout] by itself ([ErrTimeout]), within milliseconds
// even inside loops and searches. A module that fails on a target fails the
// rules that ask it, and Scan says so beside the results of all other rules.
package yara

import "errors"

// ErrTimeout is the error of a scan that took longer than its [Timeout].
var ErrTimeout = errors.New("yara: scan timed out")

// Compile compiles one source of rules into the namespace "default". The
// error, if any, is a [diag.List] with all errors and warnings; warnings alone
// are no error.
func Compile(src string, opts ...Option) (*Rules, error) {
	c := NewCompiler(opts...)
	c.AddSource(Source{Text: []byte(src)})
	rules, diags := c.Build()
	if diags.HasErrors() {
		return nil, diags
	}
	return rules, nil
}
