package main

import (
	"errors"
	"fmt"
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
func importAll(stdio stdio, args []string, dir, source string, force bool) error {
	pages := 0
	var failed []error
	for _, arg := range args {
		if isRules(arg) {
			if err := importRules(stdio, arg, dir, source, force); err != nil {
				return err
			}
			continue
		}
		list, err := pagesIn(arg)
		if err != nil {
			return err
		}
		for _, page := range list {
			pages++
			if err := importPage(stdio, page, dir, force); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if pages < 2 {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		printError(stdio.err, err)
	}
	fmt.Fprintf(stdio.err, "%d pages, %d imported, %d failed\n", pages, pages-len(failed), len(failed))
	if len(failed) > 0 {
		return &exitError{exitContent, nil}
	}
	return nil
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

// pagesIn lists the pages of a folder, or the one page.
func pagesIn(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []string{name}, nil // readPage says what is wrong
	}
	var list []string
	err = filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains([]string{".txt", ".md", ".html", ".htm"}, strings.ToLower(filepath.Ext(p))) {
			list = append(list, p)
		}
		return err
	})
	if err == nil && len(list) == 0 {
		err = &hintError{fmt.Errorf("%s holds neither pages nor rule files", name), "pages end in .txt, .md or .html, rule files in .yar or .yara"}
	}
	return list, err
}

func importRules(stdio stdio, name, dir, source string, force bool) error {
	fsys, base := os.DirFS(name), filepath.Base(filepath.Clean(name))
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		fsys, base = oneFile{filepath.Base(name), os.DirFS(filepath.Dir(name))}, strings.TrimSuffix(base, filepath.Ext(base))
	}
	r, err := detection.ImportRules(fsys, detection.ImportOptions{Name: base, Source: source, Retrieved: time.Now().UTC().Format(time.DateOnly)})
	if err != nil {
		return &exitError{exitContent, err}
	}
	files, err := r.Write(dir, force)
	if err != nil {
		return err
	}
	for _, f := range r.Faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	fmt.Fprintf(stdio.out, "%s: %d detections of %d rule files\n", r.Pack.Name, len(r.Detections), r.RuleFiles)
	fmt.Fprintf(stdio.out, "  wrote %d files below %s\n", files, dir)
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
