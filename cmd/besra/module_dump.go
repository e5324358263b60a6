package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/spf13/cobra"
)

// moduleDump is `besra module dump`.
type moduleDump struct {
	format     string
	moduleData []string
}

func moduleDumpCommand(stdio stdio) *cobra.Command {
	var d moduleDump
	cmd := &cobra.Command{
		Use:   "dump [NAME] FILE",
		Short: "Show what a module says of a file",
		Long: `Show the fields that a module gives a value to for a file, as YAML or JSON: what a rule can ask for.
Fields that are undefined, empty or deprecated are left out. Without a name all modules are asked, and those that know
the file are shown. - is standard input.`,
		Example: "  besra module dump pe sample.exe\n  besra module dump -f json sample.bin\n  besra module dump -x cuckoo=report.json cuckoo sample.exe",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.run(cmd.Context(), stdio, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&d.format, "format", "f", "yaml", "output format: yaml, json")
	f.StringArrayVarP(&d.moduleData, "module-data", "x", nil, "pass a file to a module, as MODULE=FILE; may be repeated")
	return cmd
}

func (d *moduleDump) run(ctx context.Context, stdio stdio, args []string) error {
	if d.format != "yaml" && d.format != "json" {
		return fmt.Errorf("--format %q: want yaml or json", d.format)
	}
	modules := standard.Modules()
	file := args[len(args)-1]
	if len(args) == 2 {
		m, err := findModule(args[0])
		if err != nil {
			return err
		}
		modules = []*module.Module{m}
	}
	meta, err := loadModuleData(d.moduleData)
	if err != nil {
		return err
	}
	content := yaraContent{stdin: stdio.in}
	var found dumpObject
	err = content.lend(file, func(data []byte) error {
		found, err = dumpModules(ctx, modules, data, meta)
		return err
	})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintf(stdio.err, "%s: nothing to show: %s\n", file, nothingToShow(args))
	}
	return d.write(stdio, found)
}

func nothingToShow(args []string) string {
	if len(args) == 2 {
		return "the module " + args[0] + " has no data on this file"
	}
	return "no module has data on this file"
}

// dumpModules returns what the modules say, by the name of the module. One
// that only says what the file is not says nothing.
func dumpModules(ctx context.Context, modules []*module.Module, data []byte, meta map[string][]byte) (dumpObject, error) {
	var found dumpObject
	for _, m := range modules {
		root, err := loadModule(ctx, m, data, meta)
		if err != nil {
			return nil, err
		}
		o, _ := dumpValue(m.Schema, root).(dumpObject)
		if len(modules) == 1 && len(o) > 0 || o.informs() {
			found = append(found, dumpMember{name: m.Name, value: o})
		}
	}
	return found, nil
}

// A dump is a tree of dumpObject, dumpList, and plain int64, float64, bool and
// string.
type (
	dumpObject []dumpMember
	dumpMember struct {
		name  string
		isKey bool // of a map: any text
		value any
		note  string // shown as a comment
	}
	dumpList []any
)

// informs reports whether an object says more than "not this".
func (o dumpObject) informs() bool {
	for _, m := range o {
		if m.value != false {
			return true
		}
	}
	return false
}

// dumpValue turns the root value of a module into a tree, nil where there is
// nothing to show.
func dumpValue(t *module.Type, v module.Value) any { return dumper{constantsOf(t)}.value(t, v) }

// dumper turns values into trees.
type dumper struct{ constants []*module.Field }

func (d dumper) value(t *module.Type, v module.Value) any {
	switch t.Kind {
	case module.Struct:
		return d.object(t, v)
	case module.Array:
		var list dumpList
		for _, item := range listItems(v) {
			if x := d.value(t.Elem, item); x != nil {
				list = append(list, x)
			}
		}
		if list == nil {
			return nil
		}
		return list
	case module.Map:
		var o dumpObject
		for key, value := range dictEntries(v) {
			if x := d.value(t.Elem, value); x != nil {
				o = append(o, dumpMember{name: keyText(key), isKey: true, value: x})
			}
		}
		if o == nil {
			return nil
		}
		return o
	}
	return v.Any()
}

func (d dumper) object(t *module.Type, v module.Value) any {
	var o dumpObject
	if !v.Defined() {
		return nil
	}
	for i, f := range t.Fields {
		if f.Funcs != nil || f.Const.Defined() || f.Deprecated != "" {
			continue
		}
		if x := d.value(f.Type, v.Field(i)); x != nil {
			o = append(o, dumpMember{name: f.Name, value: x, note: d.note(f, x)})
		}
	}
	if o == nil {
		return nil
	}
	return o
}

// note returns what else there is to say of an integer: the time that it is,
// the constants that it is made of, or its hexadecimal form.
func (d dumper) note(f *module.Field, v any) string {
	i, ok := v.(int64)
	if !ok {
		return ""
	}
	if i > 0 && i < 1<<33 && (strings.HasSuffix(f.Name, "timestamp") || strings.Contains(f.Doc, "since 1970")) {
		return time.Unix(i, 0).UTC().Format(time.RFC3339)
	}
	if names := constantNames(d.constants, f, i); names != "" {
		return names
	}
	return hexHint(i)
}

// MarshalJSON implements [json.Marshaler]: the members keep their order.
func (o dumpObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeJSON(&b, m.name, ""); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encodeJSON(&b, jsonDump(m.value), ""); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// jsonDump makes text exact that is not UTF-8, and text of floats that JSON
// has no number for.
func jsonDump(v any) any {
	switch v := v.(type) {
	case string:
		return jsonText(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case dumpList:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = jsonDump(item)
		}
		return list
	}
	return v
}

func (d *moduleDump) write(stdio stdio, o dumpObject) error {
	if d.format == "json" {
		return encodeJSON(stdio.out, o, "  ")
	}
	w := bufio.NewWriter(stdio.out)
	y := yamlWriter{w: w, colors: palette(colorful(stdio.out))}
	y.object(o, "")
	return w.Flush()
}

// yamlWriter writes a dump as YAML with comments. Strings are always quoted; a
// byte that is not UTF-8 is written \xNN.
type yamlWriter struct {
	w      *bufio.Writer
	colors palette
}

func (y *yamlWriter) object(o dumpObject, indent string) {
	for i, m := range o {
		if i > 0 {
			y.w.WriteString(indent)
		}
		name := m.name
		if m.isKey {
			name = strconv.Quote(name)
		}
		y.w.WriteString(y.colors.paint(naming, name) + ":")
		y.value(m.value, m.note, indent)
	}
}

// value writes what stands behind a colon, to the end of the line or below it.
func (y *yamlWriter) value(v any, note, indent string) {
	switch v := v.(type) {
	case dumpObject:
		y.w.WriteString("\n  " + indent)
		y.object(v, indent+"  ")
	case dumpList:
		y.w.WriteByte('\n')
		for _, item := range v {
			y.w.WriteString(indent + "  -")
			y.item(item, indent+"  ")
		}
	default:
		y.w.WriteString(" " + y.scalar(v))
		if note != "" {
			y.w.WriteString("  " + y.colors.paint(aside, "# "+note))
		}
		y.w.WriteByte('\n')
	}
}

// item writes what stands behind the dash of a list.
func (y *yamlWriter) item(v any, indent string) {
	switch v := v.(type) {
	case dumpObject:
		y.w.WriteByte(' ')
		y.object(v, indent+"  ")
	case dumpList: // a list in a list
		y.value(v, "", indent)
	case int64:
		y.value(v, hexHint(v), indent)
	default:
		y.value(v, "", indent)
	}
}

func (y *yamlWriter) scalar(v any) string {
	switch v := v.(type) {
	case string:
		return y.colors.paint(texts, strconv.Quote(v))
	case float64:
		return y.colors.paint(numbers, yamlFloat(v))
	}
	return y.colors.paint(numbers, fmt.Sprint(v))
}

func yamlFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 0):
		return strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "Inf", ".inf", 1)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
