package detection

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/yara"
	"github.com/goccy/go-yaml"
)

// RuleImport is the detections made of a rule repository: its rule files as
// they are, and beside each a detection file with one document a rule, filled
// with what the rule says of itself and what follows from its compiled form.
type RuleImport struct {
	Pack       PackFile
	Detections []*Detection
	// Files holds the rule and licence files by path.
	Files     map[string][]byte
	RuleFiles int
	// Faults are the files left out because of an error, with the reason.
	Faults []Fault
	// NoLicense and NoAuthor count the rules of which nothing says either.
	NoLicense, NoAuthor int
}

// ImportOptions are what the rules themselves do not say.
type ImportOptions struct {
	Name      string // of the pack
	Source    string // address of the repository
	Retrieved string // date
}

// ImportRules makes detections of every rule that is not private, of all rule
// files below fsys. A file with an error is left out and told; the licence of a
// rule that states none is that of the nearest licence file.
func ImportRules(fsys fs.FS, o ImportOptions) (*RuleImport, error) {
	pack, errs := LoadPack(o.Name, fsys)
	if len(pack.Rules) == 0 {
		return nil, fmt.Errorf("%s holds no rule file: %v", o.Name, errs)
	}
	plain := &Pack{Name: o.Name, Rules: pack.Rules, FS: fsys}
	for p := range pack.Rules {
		plain.Detections = append(plain.Detections, plainDetection(p))
	}
	slices.SortFunc(plain.Detections, func(a, b *Detection) int { return strings.Compare(a.Path, b.Path) })
	set, faults := Compile(plain)
	if set == nil {
		return nil, faults[0]
	}
	m := &ruleImporter{o: o, fsys: fsys, ids: map[string]bool{}, licenses: map[string]string{},
		prints: map[string]map[string]string{}, r: &RuleImport{Files: map[string][]byte{}, Faults: faults}}
	m.rules(set, pack)
	m.r.Pack = PackFile{APIVersion: APIVersion, Name: identifier(o.Name, '-'), Version: "0.1.0", Source: o.Source, License: m.license(".")}
	return m.r, nil
}

type ruleImporter struct {
	o        ImportOptions
	fsys     fs.FS
	r        *RuleImport
	ids      map[string]bool
	licenses map[string]string            // of the nearest licence file, by folder
	prints   map[string]map[string]string // fingerprints of the rules of each file
}

func (m *ruleImporter) rules(set *Set, pack *Pack) {
	bad := map[string]bool{}
	for _, f := range m.r.Faults {
		bad[f.Path] = true
	}
	for rule := range set.Rules.All() {
		e := set.Entry(rule)
		if e == nil || bad[e.Detection.Path] || rule.Private() {
			continue
		}
		m.rule(rule, e.Detection.Path, pack.Rules[e.Detection.Path])
	}
	for p, text := range pack.Rules { // included and private rules, too
		if !bad[p] {
			m.r.Files[p] = text
			m.r.RuleFiles++
		}
	}
}

func (m *ruleImporter) rule(rule yara.Rule, file string, text []byte) {
	if m.prints[file] == nil {
		m.prints[file] = fingerprints(file, text)
	}
	d := &Detection{APIVersion: APIVersion, ID: m.id(rule.Name()), Version: "0.1.0",
		Hypothesis: Hypothesis{State: StateUnknown}, Path: detectionPath(file),
		Rule:       RuleFile{File: path.Base(file), Name: rule.Name(), Patterns: countPatterns(rule), Fingerprint: m.prints[file][rule.Name()]},
		Provenance: Provenance{Source: m.o.Source, Retrieved: m.o.Retrieved}}
	f := readMeta(rule.Name(), rule.Meta(), rule.Tags())
	d.Provenance.License = firstOf(f.license, m.license(path.Dir(file)))
	d.Hypothesis.Statement = firstOf(f.title, rule.Name())
	f.apply(d)
	d.Status = Status(firstOf(string(d.Status), string(StatusDraft)))
	if d.Contexts == nil {
		d.Contexts = Explain(rule).Contexts()
	}
	if d.Provenance.License == "" {
		m.r.NoLicense++
	}
	if d.Provenance.Author == "" {
		m.r.NoAuthor++
	}
	m.r.Detections = append(m.r.Detections, d)
}

func (m *ruleImporter) id(name string) string {
	base := firstOf(identifier(name, '-'), "rule")
	id := base
	for i := 2; m.ids[id]; i++ {
		id = fmt.Sprintf("%s-%d", base, i)
	}
	m.ids[id] = true
	return id
}

func detectionPath(file string) string { return strings.TrimSuffix(file, path.Ext(file)) + ".yaml" }

// license is what the nearest licence file at dir or above says.
func (m *ruleImporter) license(dir string) string {
	if l, ok := m.licenses[dir]; ok {
		return l
	}
	l := ""
	for _, name := range []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING", "LICENCE"} {
		if text, err := readFile(m.fsys, path.Join(dir, name)); err == nil {
			l = licenseName(string(text))
			m.r.Files[path.Join(dir, name)] = text
			break
		}
	}
	if l == "" && dir != "." {
		l = m.license(path.Dir(dir))
	}
	m.licenses[dir] = l
	return l
}

// licenseName recognises a licence by the words of its text.
func licenseName(text string) string {
	flat := strings.Join(strings.Fields(text), " ")
	for _, l := range []struct{ words, name string }{
		{"Detection Rule License (DRL) 1.1", "Detection Rule License 1.1 (DRL-1.1)"},
		{"Detection Rule License", "Detection Rule License (DRL)"},
		{"Apache License Version 2.0", "Apache-2.0"},
		{"Elastic License 2.0", "Elastic-2.0"},
		{"GNU AFFERO GENERAL PUBLIC LICENSE", "AGPL-3.0"},
		{"GNU GENERAL PUBLIC LICENSE Version 3", "GPL-3.0"},
		{"GNU GENERAL PUBLIC LICENSE Version 2", "GPL-2.0"},
		{"Permission is hereby granted, free of charge, to any person obtaining a copy of this software", "MIT"},
		{"Neither the name of", "BSD-3-Clause"},
		{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
		{"Attribution-NonCommercial", "CC-BY-NC"},
		{"CC0 1.0", "CC0-1.0"},
	} {
		if strings.Contains(flat, l.words) {
			return l.name
		}
	}
	return ""
}

// Write puts the pack into dir, which must be empty or absent unless force.
func (r *RuleImport) Write(dir string, force bool) (files int, err error) {
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 && !force {
		return 0, fmt.Errorf("%s is not empty: give another directory, or replace files with --force", dir)
	}
	texts := map[string][]byte{}
	for p, text := range r.Files {
		texts[p] = text
	}
	if err := r.render(texts); err != nil {
		return 0, err
	}
	for p, text := range texts {
		name := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return files, err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return files, err
		}
		files++
	}
	return files, nil
}

func (r *RuleImport) render(texts map[string][]byte) error {
	docs := map[string]*bytes.Buffer{}
	for _, d := range r.Detections {
		text, err := marshal(d)
		if err != nil {
			return err
		}
		if docs[d.Path] == nil {
			docs[d.Path] = &bytes.Buffer{}
		} else {
			docs[d.Path].WriteString("---\n")
		}
		docs[d.Path].Write(text)
	}
	for p, b := range docs {
		texts[p] = b.Bytes()
	}
	text, err := marshal(r.Pack)
	texts[packFileName] = text
	return err
}

// marshal writes a value as the files of a pack are written.
func marshal(v any) ([]byte, error) {
	return yaml.MarshalWithOptions(v, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
}
