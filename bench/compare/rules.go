package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ruleSet is files of rules that all engines compile.
type ruleSet struct {
	name  string
	files []string
	// compiled is the compiled form by engine, without those that refuse all
	// files; nil before compile.
	compiled map[string]string
	left     int  // files that some engine refuses
	started  bool // the start of the engines is measured
}

//go:embed few.yar
var fewSource []byte

// fewRules is the set of ten rules that comes with the harness.
func fewRules(dir string) *ruleSet {
	return writeRules(dir, "few", fewSource)
}

// writeRules makes a set of one file.
func writeRules(dir, name string, source []byte) *ruleSet {
	file := filepath.Join(dir, "rules-"+name+".yar")
	if err := os.WriteFile(file, source, 0o644); err != nil {
		log.Fatal(err)
	}
	return &ruleSet{name: name, files: []string{file}}
}

// loadRules finds the files of a set.
func loadRules(name, root string) (*ruleSet, error) {
	set := &ruleSet{name: name}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && d.Type().IsRegular() && (ext == ".yar" || ext == ".yara") {
			set.files = append(set.files, path)
		}
		return err
	})
	if err == nil && len(set.files) == 0 {
		err = errors.New("no .yar or .yara files")
	}
	if err != nil {
		return nil, fmt.Errorf("rules %s: %w", name, err)
	}
	return set, nil
}

// compile compiles the set with every engine, without the files that one of
// them refuses, and tells what that cost.
func (s *ruleSet) compile(ctx context.Context, o *options, engines []*engine, store *results) error {
	if s.compiled != nil {
		return nil
	}
	all := len(s.files)
	var taking []*engine
	for _, e := range engines {
		files := s.files
		if _, err := s.compileWith(ctx, o, e); err != nil {
			files = s.accepted(ctx, o, e, files)
		}
		if len(files) == 0 {
			log.Printf("rules %s: %s compiles none of the files, and does not take part", s.name, e.name)
			continue
		}
		taking, s.files = append(taking, e), files
	}
	if s.left = all - len(s.files); s.left > 0 {
		log.Printf("rules %s: %d of %d files left out, which not every engine compiles", s.name, s.left, all)
	}
	if len(taking) == 0 || taking[0] != engines[0] {
		return errors.Join(ctx.Err(), errors.New("no file of rules compiles"))
	}
	s.compiled = make(map[string]string)
	for _, e := range taking {
		m, err := s.compileWith(ctx, o, e)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		s.compiled[e.name] = s.path(o, e)
		store.add(result{Phase: phaseCompile, Rules: s.name, Engine: e.name, Version: e.version, measure: m})
	}
	return nil
}

// taking returns the engines that take part with the set.
func (s *ruleSet) taking(engines []*engine) (list []*engine) {
	for _, e := range engines {
		if s.compiled[e.name] != "" {
			list = append(list, e)
		}
	}
	return list
}

func (s *ruleSet) path(o *options, e *engine) string {
	clean := strings.NewReplacer(" ", "-", "(", "", ")", "", "/", "-")
	return filepath.Join(o.work, clean.Replace(s.name+"."+e.name+".compiled"))
}

func (s *ruleSet) compileWith(ctx context.Context, o *options, e *engine) (measure, error) {
	m, _, err := run(ctx, o, e.compile(s.files, s.path(o, e)))
	return m, err
}

// accepted halves the files until it has found those that the engine refuses.
func (s *ruleSet) accepted(ctx context.Context, o *options, e *engine, files []string) []string {
	if len(files) == 0 || ctx.Err() != nil {
		return nil
	}
	if _, _, err := run(ctx, o, e.compile(files, s.path(o, e))); err == nil {
		return files
	}
	if len(files) == 1 {
		return nil
	}
	half := len(files) / 2
	return slices.Concat(s.accepted(ctx, o, e, files[:half]), s.accepted(ctx, o, e, files[half:]))
}
