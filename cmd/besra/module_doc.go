package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/spf13/cobra"
)

func moduleDocCommand(stdio stdio) *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "doc [NAME]",
		Short: "List the modules, or describe one",
		Long: `List the modules that rules can import, or describe the fields, functions and constants of one, as
the compiler knows them.`,
		Example: "  besra module doc\n  besra module doc pe",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runModuleDoc(stdio, format, args)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "output format: text, json")
	return cmd
}

func runModuleDoc(stdio stdio, format string, args []string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format %q: want text or json", format)
	}
	if len(args) == 0 {
		return listModules(stdio.out, format)
	}
	m, err := findModule(args[0])
	if err != nil {
		return err
	}
	doc := describeModule(m)
	if format == "json" {
		return encodeJSON(stdio.out, doc, "  ")
	}
	w := bufio.NewWriter(stdio.out)
	doc.print(w, palette(colorful(stdio.out)))
	return w.Flush()
}

func listModules(out io.Writer, format string) error {
	p := palette(colorful(out))
	docs := []moduleDoc{}
	rows := [][2]string{}
	for _, m := range standard.Modules() {
		docs = append(docs, moduleDoc{Name: m.Name, Doc: m.Doc})
		rows = append(rows, [2]string{m.Name, m.Doc})
	}
	if format == "json" {
		return encodeJSON(out, docs, "  ")
	}
	w := bufio.NewWriter(out)
	printRows(w, p, "", rows)
	return w.Flush()
}

// The documentation of a module; it is the JSON form, too.
type (
	moduleDoc struct {
		Name  string    `json:"name"`
		Doc   string    `json:"doc,omitempty"`
		Root  *typeDoc  `json:"root,omitempty"`
		Types []typeDoc `json:"types,omitempty"`
	}
	typeDoc struct {
		Name      string     `json:"name"`
		Fields    []fieldDoc `json:"fields,omitempty"`
		Functions []fieldDoc `json:"functions,omitempty"`
		Constants []fieldDoc `json:"constants,omitempty"`
	}
	fieldDoc struct {
		Name       string `json:"name"`
		Doc        string `json:"doc,omitempty"`
		Deprecated string `json:"deprecated,omitempty"` // what to use instead
		Type       string `json:"type,omitempty"`
		Value      any    `json:"value,omitempty"` // of a constant
		// Signatures are the overloads of a function: "(integer, string) bool".
		Signatures []string `json:"signatures,omitempty"`
	}
)

func describeModule(m *module.Module) *moduleDoc {
	d := &describer{seen: map[*module.Type]bool{m.Schema: true}}
	root := d.describe(m.Name, m.Schema)
	doc := &moduleDoc{Name: m.Name, Doc: m.Doc, Root: &root}
	for len(d.queue) > 0 {
		next := d.queue[0]
		d.queue = d.queue[1:]
		doc.Types = append(doc.Types, d.describe(next.name, next.typ))
	}
	return doc
}

// describer describes each struct type once, in the order in which they are
// met.
type describer struct {
	seen  map[*module.Type]bool
	queue []namedType
}

type namedType struct {
	name string
	typ  *module.Type
}

func (d *describer) describe(name string, t *module.Type) typeDoc {
	doc := typeDoc{Name: name}
	for _, f := range t.Fields {
		fd := fieldDoc{Name: f.Name, Doc: f.Doc, Deprecated: f.Deprecated}
		switch {
		case f.Funcs != nil:
			fd.Signatures = signatures(f.Funcs)
			for _, fn := range f.Funcs {
				d.meet(f.Name, fn.Result)
			}
			doc.Functions = append(doc.Functions, fd)
		case f.Const.Defined():
			fd.Type, fd.Value = typeName(f.Type), f.Const.Any()
			doc.Constants = append(doc.Constants, fd)
		default:
			fd.Type = d.meet(f.Name, f.Type)
			doc.Fields = append(doc.Fields, fd)
		}
	}
	return doc
}

// meet notes the struct that a type is made of, for its turn, and returns the
// type's name. A struct without a name has that of its field.
func (d *describer) meet(field string, t *module.Type) string {
	elem := t
	for elem.Kind == module.Array || elem.Kind == module.Map {
		elem = elem.Elem
	}
	if elem.Kind != module.Struct {
		return typeName(t)
	}
	name := elem.Name
	if name == "" {
		name = field
	}
	if !d.seen[elem] {
		d.seen[elem] = true
		d.queue = append(d.queue, namedType{name, elem})
	}
	return strings.Replace(typeName(t), typeName(elem), name, 1)
}

func signatures(funcs []*module.Func) []string {
	var list []string
	for _, f := range funcs {
		var params []string
		for _, k := range f.Params {
			params = append(params, kindName(k))
		}
		list = append(list, "("+strings.Join(params, ", ")+") "+typeName(f.Result))
	}
	return list
}

func (d *moduleDoc) print(w *bufio.Writer, p palette) {
	fmt.Fprintf(w, "%s: %s\n", p.paint(heading, d.Name), d.Doc)
	d.Root.print(w, p, "")
	for i := range d.Types {
		fmt.Fprintf(w, "\n%s\n", p.paint(heading, d.Types[i].Name))
		d.Types[i].print(w, p, "  ")
	}
}

func (t *typeDoc) print(w *bufio.Writer, p palette, indent string) {
	printFields(w, p, indent, "Fields", t.Fields, func(f fieldDoc) string { return f.Type })
	printFields(w, p, indent, "Functions", t.Functions, func(f fieldDoc) string { return strings.Join(f.Signatures, "\n") })
	printFields(w, p, indent, "Constants", t.Constants, func(f fieldDoc) string { return constantText(f.Value) })
}

// printFields prints a section. What detail returns stands in a column of its
// own, one line for each of its lines.
func printFields(w *bufio.Writer, p palette, indent, title string, fields []fieldDoc, detail func(fieldDoc) string) {
	if len(fields) == 0 {
		return
	}
	if indent == "" {
		fmt.Fprintf(w, "\n%s\n", p.paint(heading, title))
		indent = "  "
	}
	name, middle := 0, 0
	for _, f := range fields {
		name = max(name, utf8.RuneCountInString(f.Name))
		for line := range strings.SplitSeq(detail(f), "\n") {
			middle = max(middle, utf8.RuneCountInString(line))
		}
	}
	middle = min(middle, 40)
	for _, f := range fields {
		label, doc := f.Name, f.Doc
		if f.Deprecated != "" {
			doc = strings.TrimSpace(doc + " Deprecated: " + f.Deprecated + ".")
		}
		for line := range strings.SplitSeq(detail(f), "\n") {
			text := indent + p.paint(naming, fmt.Sprintf("%-*s", name, label)) + "  " + fmt.Sprintf("%-*s", middle, line)
			fmt.Fprintln(w, strings.TrimRight(text+"  "+doc, " "))
			label, doc = "", ""
		}
	}
}

// printRows prints two columns.
func printRows(w *bufio.Writer, p palette, indent string, rows [][2]string) {
	width := 0
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r[0]))
	}
	for _, r := range rows {
		fmt.Fprintf(w, "%s%s  %s\n", indent, p.paint(naming, fmt.Sprintf("%-*s", width, r[0])), r[1])
	}
}

// constantText returns the value of a constant, in hexadecimal, too, where it
// is large.
func constantText(v any) string {
	switch v := v.(type) {
	case int64:
		if hint := hexHint(v); hint != "" {
			return strconv.FormatInt(v, 10) + " " + hint
		}
		return strconv.FormatInt(v, 10)
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// hexHint returns an integer in hexadecimal where that says more.
func hexHint(i int64) string {
	if i < 256 {
		return ""
	}
	return "0x" + strconv.FormatInt(i, 16)
}
