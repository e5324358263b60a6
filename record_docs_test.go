package besra

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateDocs = flag.Bool("update-docs", false, "rewrite the field tables of docs/records.md, keeping their meanings")

// TestRecordDocs holds docs/records.md to the Go types. Below a line
// "<!-- fields: Finding -->" stands a table with a row a field, below
// "<!-- words: Verdict -->" one with a row a constant: names, types and order
// come from the code, the last column is written by hand and must not be empty.
func TestRecordDocs(t *testing.T) {
	name := filepath.Join("docs", "records.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := docs{words: constants(t)}
	want := d.rewrite(string(page))
	for _, p := range d.problems {
		t.Errorf("%s: %s", name, p)
	}
	for _, typ := range recordTypes() {
		if !slices.Contains(d.seen, typ.Name()) {
			t.Errorf("%s has no table for %s", name, typ.Name())
		}
	}
	if *updateDocs {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is stale; go test -run RecordDocs -update-docs . rewrites it (-have +want):\n%s", name, diff)
	}
}

// TestRecordFieldsLeaveTheHeadAlone guards "type" and "v", which every line adds.
func TestRecordFieldsLeaveTheHeadAlone(t *testing.T) {
	for _, typ := range recordTypes() {
		for _, f := range fields(typ) {
			if f.name == "type" || f.name == "v" {
				t.Errorf("%s has a field %q, which belongs to the record's head", typ, f.name)
			}
		}
	}
}

// TestRecordDocsExample wants the example lines to be what the code writes.
func TestRecordDocsExample(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "records.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("no example")
	}
	for line := range strings.Lines(example) {
		var rec Record
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Errorf("%v in %s", err, line)
			continue
		}
		again, err := json.Marshal(rec)
		if err != nil || string(again)+"\n" != line {
			t.Errorf("%v\ngot  %s\nwant %s", err, again, line)
		}
	}
}

type docs struct {
	words    map[string][]string // constants by the name of their type
	seen     []string            // types that have a table
	problems []string
}

// rewrite returns the page with each marked table brought up to date.
func (d *docs) rewrite(page string) string {
	var out strings.Builder
	lines := strings.SplitAfter(page, "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		kind, typ, ok := marker(lines[i])
		if !ok {
			continue
		}
		d.seen = append(d.seen, typ)
		var old []string
		for i+1 < len(lines) && (strings.HasPrefix(lines[i+1], "|") || strings.TrimSpace(lines[i+1]) == "") {
			i++
			old = append(old, lines[i])
		}
		out.WriteString("\n" + d.table(kind, typ, meanings(old)) + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// marker reads a line "<!-- kind: Type -->".
func marker(line string) (kind, typ string, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimSpace(line), "<!-- ")
	line, end := strings.CutSuffix(line, " -->")
	kind, typ, colon := strings.Cut(line, ": ")
	return kind, typ, ok && end && colon
}

// meanings returns the last cell of each row by the first.
func meanings(rows []string) map[string]string {
	m := make(map[string]string)
	for _, row := range rows {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), " | ")
		if len(cells) > 1 {
			m[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[len(cells)-1])
		}
	}
	return m
}

func (d *docs) table(kind, typ string, meaning map[string]string) string {
	var b strings.Builder
	explain := func(cell string) string {
		if meaning[cell] == "" {
			d.problems = append(d.problems, fmt.Sprintf("%s of %s has no meaning", cell, typ))
		}
		return meaning[cell]
	}
	if kind == "words" {
		b.WriteString("| Word | Meaning |\n|---|---|\n")
		for _, w := range d.words[typ] {
			cell := "`" + w + "`"
			fmt.Fprintf(&b, "| %s | %s |\n", cell, explain(cell))
		}
		return b.String()
	}
	b.WriteString("| Field | Type | Meaning |\n|---|---|---|\n")
	for _, f := range fields(typeNamed(typ)) {
		cell := "`" + f.name + "`"
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell, f.typ, explain(cell))
	}
	return b.String()
}

type field struct{ name, typ string }

// fields lists a record struct's members as JSON has them.
func fields(typ reflect.Type) []field {
	var fs []field
	if typ == nil || typ.Kind() != reflect.Struct {
		return nil
	}
	for i := range typ.NumField() {
		name, opts, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		f := field{name, jsonType(typ.Field(i).Type)}
		if opts == "omitempty" {
			f.typ += ", may be absent"
		}
		fs = append(fs, f)
	}
	return fs
}

func jsonType(typ reflect.Type) string {
	switch typ.String() {
	case "time.Time":
		return "time"
	case "besra.Text":
		return "[text](#text)"
	case "[]uint8":
		return "base64"
	case "interface {}":
		return "[value](#values)"
	case "map[string]int64":
		return "object of integers"
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return jsonType(typ.Elem())
	case reflect.Slice:
		return "list of " + jsonType(typ.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Uint8:
		if typ.Name() == "Grade" {
			break
		}
		return "integer"
	case reflect.String:
		if typ.PkgPath() == "" {
			return "string"
		}
	}
	return fmt.Sprintf("[%s](#%s)", typ.Name(), strings.ToLower(typ.Name()))
}

// recordTypes lists every struct and word type that a record is made of, in
// the order in which a reader meets them.
func recordTypes() []reflect.Type {
	var list []reflect.Type
	var add func(reflect.Type)
	add = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		documented := strings.HasPrefix(jsonType(typ), "["+typ.Name()+"]")
		if !documented || slices.Contains(list, typ) {
			return
		}
		list = append(list, typ)
		for i := 0; typ.Kind() == reflect.Struct && i < typ.NumField(); i++ {
			add(typ.Field(i).Type)
		}
	}
	for _, v := range []any{Run{}, Finding{}, Gap{}, Summary{}} {
		add(reflect.TypeOf(v))
	}
	return list
}

func typeNamed(name string) reflect.Type {
	for _, typ := range recordTypes() {
		if typ.Name() == name {
			return typ
		}
	}
	return nil
}

// constants reads the words of each string type from this package's source.
func constants(t *testing.T) map[string][]string {
	words := map[string][]string{"Grade": gradeNames[:]}
	for _, name := range []string{"besra.go", "finding.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			typ, isName := spec.Type.(*ast.Ident)
			lit, isLit := spec.Values[0].(*ast.BasicLit)
			if isName && isLit && lit.Kind == token.STRING {
				w, _ := strconv.Unquote(lit.Value)
				words[typ.Name] = append(words[typ.Name], w)
			}
			return true
		})
	}
	return words
}
