// Command module scans files with rules that may import a module of its own,
// "png", beside those that come with the engine:
//
//	go run ./examples/module RULES.yar FILE...
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/besra-hunt/besra/examples/module/png"
	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: module RULES.yar FILE...")
		os.Exit(2)
	}
	if err := scan(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func scan(ruleFile string, files []string) error {
	text, err := os.ReadFile(ruleFile)
	if err != nil {
		return err
	}
	rules, err := yara.Compile(string(text), yara.WithModules(append(standard.Modules(), png.Module())...))
	if err != nil {
		return err
	}
	scanner := rules.NewScanner()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		results, err := scanner.Scan(context.Background(), data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for rule := range results.Matching() {
			fmt.Println(rule.Name(), file)
		}
	}
	return nil
}
