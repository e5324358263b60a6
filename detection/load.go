package detection

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// Pack is a folder of detections.
type Pack struct {
	Name    string
	Version string
	// Digest is "sha256:…" over the names and contents of the pack's files.
	Digest     string
	Detections []*Detection
	// Rules holds the text of each rule file by its path in the pack.
	Rules map[string][]byte
	// FS is the pack's folder, for samples and fixtures.
	FS fs.FS
}

// Ref returns what records say of the pack.
func (p *Pack) Ref() besra.PackRef {
	return besra.PackRef{Name: p.Name, Version: p.Version, Digest: p.Digest}
}

// Error is a fault of a pack's content, with the file it is in. Where the
// fault has a place, the text of Err starts with it, as [line:column].
type Error struct {
	Path string
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Limits of what is read.
const (
	maxFile  = 16 << 20 // bytes of one file of a pack
	maxFiles = 200_000
)

// LoadPack reads a pack: every .yaml or .yml file below fsys is a detection,
// and every .yar or .yara file that no detection names is a detection of its
// rules alone. Faults are *Error values, one a file; the detections that could
// be read are in the pack all the same, so that the caller chooses whether one
// bad file ends the run.
func LoadPack(name string, fsys fs.FS) (*Pack, []error) {
	l := &loader{pack: &Pack{Name: name, Rules: map[string][]byte{}, FS: fsys}, digest: map[string][]byte{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			l.fail(p, err)
			return nil
		}
		if d.IsDir() && p != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return l.file(p)
	})
	if err != nil {
		l.fail(".", err)
	}
	return l.finish()
}

// LoadFile reads a pack of one file: a rule file, or a detection with the rule
// file it names.
func LoadFile(name string, fsys fs.FS, file string) (*Pack, []error) {
	l := &loader{pack: &Pack{Name: name, Rules: map[string][]byte{}, FS: fsys}, digest: map[string][]byte{}}
	if err := l.file(file); err != nil {
		l.fail(file, err)
	}
	for _, d := range l.pack.Detections {
		p := d.RulePath()
		if l.pack.Rules[p] != nil {
			continue
		}
		if err := l.file(p); err != nil {
			l.fail(p, err)
		}
	}
	return l.finish()
}

func (l *loader) finish() (*Pack, []error) {
	l.plainRules()
	l.pack.Digest = l.sum()
	if len(l.pack.Detections) == 0 && len(l.errs) == 0 {
		l.fail(l.pack.Name, errors.New("the pack holds no detection: neither a .yaml nor a .yar file"))
	}
	return l.pack, l.errs
}

type loader struct {
	pack   *Pack
	errs   []error
	digest map[string][]byte // sums of the files by path
	ids    map[string]string // path by detection id
	rules  []string          // paths of rule files
}

func (l *loader) fail(p string, err error) { l.errs = append(l.errs, &Error{p, err}) }

func (l *loader) file(p string) error {
	if len(l.digest) >= maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	ext := strings.ToLower(path.Ext(p))
	if !slices.Contains([]string{".yaml", ".yml", ".yar", ".yara"}, ext) {
		return nil
	}
	text, err := readFile(l.pack.FS, p)
	if err != nil {
		l.fail(p, err)
		return nil
	}
	sum := sha256.Sum256(text)
	l.digest[p] = sum[:]
	if ext == ".yar" || ext == ".yara" {
		l.pack.Rules[p] = text
		l.rules = append(l.rules, p)
		return nil
	}
	if p == packFileName {
		l.packFile(p, text)
		return nil
	}
	l.detections(p, text)
	return nil
}

func readFile(fsys fs.FS, p string) ([]byte, error) {
	info, err := fs.Stat(fsys, p)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%d bytes, more than the %d that a file of a pack may have", info.Size(), maxFile)
	}
	return fs.ReadFile(fsys, p)
}

// detections takes the documents of one detection file.
func (l *loader) detections(p string, text []byte) {
	ds, err := ParseAll(text)
	for _, e := range single(err) {
		l.fail(p, e)
	}
	for _, d := range ds {
		l.detection(p, d)
	}
}

// single takes joined errors apart.
func single(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, single(e)...)
	}
	return out
}

func (l *loader) detection(p string, d *Detection) {
	d.Path = p
	if l.ids == nil {
		l.ids = map[string]string{}
	}
	if first, ok := l.ids[d.ID]; ok {
		l.fail(p, d.place.fault("id", "give each detection of a pack its own id", "the id %q is already that of %s", d.ID, first))
		return
	}
	l.ids[d.ID] = p
	l.lists(d)
	if d.Rule.Inline != "" {
		l.pack.Rules[d.RulePath()] = []byte(d.Rule.Inline)
	}
	l.pack.Detections = append(l.pack.Detections, d)
}

// plainRules makes a detection of each rule file that no detection names.
func (l *loader) plainRules() {
	named := map[string]bool{}
	for _, d := range l.pack.Detections {
		named[d.RulePath()] = true
	}
	for _, p := range l.rules {
		if !named[p] {
			l.pack.Detections = append(l.pack.Detections, plainDetection(p))
		}
	}
}

func (l *loader) sum() string {
	h := sha256.New()
	for _, p := range slices.Sorted(maps.Keys(l.digest)) {
		fmt.Fprintf(h, "%d:%s;%x\n", len(p), p, l.digest[p])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// plainDetection stands for a rule file without a detection: all its rules,
// no exclusion. Its title and provenance come from each rule's meta.
func plainDetection(p string) *Detection {
	return &Detection{APIVersion: APIVersion, ID: identifier(strings.TrimSuffix(p, path.Ext(p)), '-'),
		Status: StatusTest, Severity: besra.SeverityMedium, Rule: RuleFile{File: path.Base(p), Patterns: -1}, Path: p}
}

// RulePath is the path of the detection's rule file in its pack; that of an
// inline rule is made up of the detection file's path and its id.
func (d *Detection) RulePath() string {
	if d.Rule.File == "" {
		return d.Path + "#" + d.ID
	}
	return path.Join(path.Dir(d.Path), d.Rule.File)
}

// Plain reports whether the detection stands for a bare rule file.
func (d *Detection) Plain() bool { return d.Rule.Name == "" }

// Exclusions lists the exclusions of all scenarios in order.
func (d *Detection) Exclusions() []exclusion.Spec {
	var xs []exclusion.Spec
	for _, s := range d.Scenarios {
		xs = append(xs, s.Exclusions...)
	}
	return xs
}
