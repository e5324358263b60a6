package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
)

// importFilters prints the filters of other tools as scenarios, and what is to
// know of them on standard error. Nothing is printed unless all can be read.
func importFilters(stdio stdio, files []string) error {
	var drafts []*detection.Draft
	for _, name := range files {
		text, err := readPage(stdio, name)
		if err != nil {
			return err
		}
		parse := detection.THORFilters
		if slices.Contains([]string{".yml", ".yaml"}, strings.ToLower(filepath.Ext(name))) {
			parse = detection.SigmaFilters
		}
		d, err := parse(name, text)
		if err != nil {
			return pageError(err)
		}
		drafts = append(drafts, d)
	}
	for i, d := range drafts {
		text, err := d.Scenarios()
		if err != nil {
			return err
		}
		stdio.out.Write(text)
		printNotes(stdio.err, files[i], d.Notes)
		fmt.Fprintf(stdio.err, "%s: %d filters, %d exclusions drafted\n", files[i], len(d.Detection.Scenarios), len(d.Detection.Exclusions()))
	}
	return nil
}
