package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/detection"
)

// importAll imports pages, folders of pages and rule repositories. What fails
// is told and does not stop the rest.
func importAll(stdio stdio, args []string, o importOptions) error {
	p := &pageImport{stdio: stdio, o: o, from: map[string]string{}}
	for _, arg := range args {
		if isRules(arg) {
			if err := importRules(stdio, arg, o); err != nil {
				return err
			}
			continue
		}
		if err := p.all(arg); err != nil {
			return err
		}
	}
	return p.finish()
}

type importOptions struct {
	dir, source string
	force       bool
}

// pageImport is one import of pages.
type pageImport struct {
	stdio  stdio
	o      importOptions
	pages  int
	failed []error
	from   map[string]string // the page that each detection was made of
}

// all imports a page, or those of a folder.
func (p *pageImport) all(name string) error {
	pages, unread, err := pagesIn(name)
	if err != nil {
		return err
	}
	p.failed = append(p.failed, unread...)
	p.pages += len(unread)
	for _, page := range pages {
		p.pages++
		if err := p.page(page); err != nil {
			p.failed = append(p.failed, err)
		}
	}
	return nil
}

// finish tells what became of the pages.
func (p *pageImport) finish() error {
	if p.pages < 2 {
		return errors.Join(p.failed...)
	}
	for _, err := range p.failed {
		printError(p.stdio.err, err)
	}
	fmt.Fprintf(p.stdio.err, "%d pages, %d imported, %d failed\n", p.pages, p.pages-len(p.failed), len(p.failed))
	if len(p.failed) > 0 {
		return &exitError{exitContent, nil}
	}
	return nil
}

// page imports one page.
func (p *pageImport) page(name string) error {
	text, err := readPage(p.stdio, name)
	if err != nil {
		return err
	}
	page, err := detection.ParsePage(name, text)
	if err != nil {
		return pageError(err)
	}
	draft, err := detection.DraftPage(name, filepath.Base(name), page)
	if err != nil {
		return pageError(err)
	}
	if first, ok := p.from[draft.Detection.ID]; ok {
		return &hintError{fmt.Errorf("%s: the detection %s was made of %s already", name, draft.Detection.ID, first), "import it into another directory, or remove one of the two"}
	}
	paths, err := draft.Write(p.o.dir, p.o.force)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.from[draft.Detection.ID] = name
	p.print(name, draft, paths)
	return nil
}

func (p *pageImport) print(name string, draft *detection.Draft, paths []string) {
	d, out := draft.Detection, p.stdio.out
	fmt.Fprintf(out, "%s: %s\n", d.ID, d.Title)
	fmt.Fprintf(out, "  %d patterns, %d scenarios, %d exclusions drafted, %d known-bad hashes\n",
		d.Rule.Patterns, len(d.Scenarios), len(d.Exclusions()), len(d.Rule.KnownBad))
	for _, p := range paths {
		fmt.Fprintf(out, "  wrote %s\n", p)
	}
	printNotes(out, name, draft.Notes)
	for _, q := range detection.Lint(d, time.Now()) {
		fmt.Fprintf(out, "  lint: %s: %s\n", place(name, draft.Lines[q.Exclusion]), q)
	}
}

// printNotes prints what is to know of an import, by its lines.
func printNotes(w io.Writer, name string, notes []detection.Note) {
	for _, n := range notes {
		if n.Code == "" {
			fmt.Fprintf(w, "  note: %s: %s\n", place(name, n.Line), n.Text)
		} else {
			fmt.Fprintf(w, "  lint: %s: %s [%s]\n", place(name, n.Line), n.Text, n.Code)
		}
	}
}

func place(name string, line int) string {
	if line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d", name, line)
}

// pageError gives the error of a page its exit code and lifts its hint.
func pageError(err error) error {
	if detection.IsPageError(err) {
		return &exitError{exitContent, err}
	}
	return err
}

func readPage(stdio stdio, name string) ([]byte, error) {
	r := stdio.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &hintError{err, "give the page as a text, Markdown or HTML file, or - for standard input"}
		}
		defer f.Close()
		r = f
	}
	return io.ReadAll(io.LimitReader(r, detection.MaxPageSize+1))
}

// isRules reports whether name is a rule file, or a folder with one in it.
func isRules(name string) bool {
	found := false
	filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yar", ".yara"}, strings.ToLower(filepath.Ext(p))) {
			found = true
			return fs.SkipAll
		}
		return nil // what cannot be read is told by the import itself
	})
	return found
}

// pagesIn lists the pages of a folder, or the one page. unread are the folders
// below that could not be read.
func pagesIn(name string) (list []string, unread []error, err error) {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return []string{name}, nil, nil // readPage says what is wrong
	}
	filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			unread = append(unread, err)
		case d.Type().IsRegular() && detection.IsPageName(p):
			list = append(list, p)
		}
		return nil
	})
	if len(list) == 0 && len(unread) == 0 {
		err = &hintError{fmt.Errorf("%s holds neither pages nor rule files", name), "pages end in .txt, .md or .html, rule files in .yar or .yara"}
	}
	return list, unread, err
}

func importRules(stdio stdio, name string, o importOptions) error {
	fsys, base := os.DirFS(name), filepath.Base(filepath.Clean(name))
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		fsys, base = oneFile{filepath.Base(name), os.DirFS(filepath.Dir(name))}, strings.TrimSuffix(base, filepath.Ext(base))
	}
	r, err := detection.ImportRules(fsys, detection.ImportOptions{Name: base, Source: o.source, Retrieved: time.Now().UTC().Format(time.DateOnly)})
	if err != nil {
		return &exitError{exitContent, err}
	}
	files, err := r.Write(o.dir, o.force)
	if err != nil {
		return err
	}
	for _, f := range r.Faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	fmt.Fprintf(stdio.out, "%s: %d detections of %d rule files\n", r.Pack.Name, len(r.Detections), r.RuleFiles)
	fmt.Fprintf(stdio.out, "  wrote %d files below %s\n", files, o.dir)
	fmt.Fprintf(stdio.out, "  %d rules without author, %d without licence\n", r.NoAuthor, r.NoLicense)
	if len(r.Faults) > 0 {
		fmt.Fprintf(stdio.out, "  %d rule files left out: they do not compile\n", len(r.Faults))
		return &exitError{exitContent, nil}
	}
	return nil
}

// oneFile is a folder of which only one file is seen.
type oneFile struct {
	name string
	fs.FS
}

// ReadDir implements [fs.ReadDirFS]: the folder holds the one file.
func (o oneFile) ReadDir(name string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(o.FS, o.name)
	if err != nil || name != "." {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}
