package main

import (
	"bufio"
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/google/go-cmp/cmp"
)

// dumped is a module with values of every kind.
func dumped() (*module.Type, module.Value) {
	integer, text := &module.Type{Kind: module.Integer}, &module.Type{Kind: module.String}
	section := &module.Type{Kind: module.Struct, Name: "Section", Fields: []*module.Field{
		{Name: "name", Type: text}, {Name: "size", Type: integer, Doc: "In bytes."}}}
	section.Fields = append(section.Fields, &module.Field{Name: "parts", Type: &module.Type{Kind: module.Array, Elem: section}})
	root := &module.Type{Kind: module.Struct, Name: "m", Fields: []*module.Field{
		{Name: "is_m", Type: &module.Type{Kind: module.Bool}},
		{Name: "address", Type: integer, Doc: "Where it is."},
		{Name: "timestamp", Type: integer},
		{Name: "ratio", Type: &module.Type{Kind: module.Float}},
		{Name: "none", Type: &module.Type{Kind: module.Float}},
		{Name: "absent", Type: integer},
		{Name: "old", Type: integer, Deprecated: "use `address` instead"},
		{Name: "LIMIT", Type: integer, Const: module.Int(4096), Doc: "As far as it goes."},
		{Name: "call", Doc: "Calls.", Funcs: []*module.Func{{Params: []module.Kind{module.Integer, module.Regexp}, Result: integer}, {Result: text}}},
		{Name: "sections", Type: &module.Type{Kind: module.Array, Elem: section}},
		{Name: "empty", Type: &module.Type{Kind: module.Array, Elem: section}},
		{Name: "numbers", Type: &module.Type{Kind: module.Array, Elem: integer}},
		{Name: "info", Type: &module.Type{Kind: module.Map, Key: module.String, Elem: text}},
	}}
	part := module.NewRecord(section)
	part.Set(0, module.Text("raw \xff\x00 \u202e \"q\" <é>"))
	whole := module.NewRecord(section)
	whole.Set(0, module.Text(".text"))
	whole.Set(1, module.Int(65536))
	whole.Set(2, module.ArrayOf(module.Items{module.StructOf(part)}))
	info := &module.Table{}
	info.Put("Company: Name", module.Text("A"))
	r := module.NewRecord(root)
	for i, v := range []module.Value{module.Boolean(true), module.Int(-4096), module.Int(1_000_000_000), module.Float64(0.25),
		module.Float64(math.NaN()), {}, module.Int(1), {}, {}, module.ArrayOf(module.Items{module.StructOf(whole), {}}),
		module.ArrayOf(module.Items{}), module.ArrayOf(module.Items{module.Int(1), module.Int(300)}), module.MapOf(info)} {
		r.Set(i, v)
	}
	return root, module.StructOf(r)
}

func TestDump(t *testing.T) {
	typ, value := dumped()
	o := dumpObject{{name: "m", value: dumpValue(typ, value)}}
	var yaml, colored, js bytes.Buffer
	for _, out := range []*bytes.Buffer{&yaml, &colored} {
		w := bufio.NewWriter(out)
		y := yamlWriter{w: w, colors: palette(out == &colored)}
		y.object(o, "")
		w.Flush()
	}
	const want = `m:
  is_m: true
  address: -4096
  timestamp: 1000000000  # 2001-09-09T01:46:40Z
  ratio: 0.25
  none: .nan
  sections:
    - name: ".text"
      size: 65536  # 0x10000
      parts:
        - name: "raw \xff\x00 \u202e \"q\" <é>"
  numbers:
    - 1
    - 300  # 0x12c
  info:
    "Company: Name": "A"
`
	if d := cmp.Diff(want, yaml.String()); d != "" {
		t.Errorf("YAML (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, strings.NewReplacer("\x1b[36m", "", "\x1b[33m", "", "\x1b[32m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(colored.String())); d != "" {
		t.Errorf("coloured YAML (-want +got):\n%s", d)
	}
	const wantJSON = `{"m":{"is_m":true,"address":-4096,"timestamp":1000000000,"ratio":0.25,"none":"NaN",` +
		`"sections":[{"name":".text","size":65536,"parts":[{"name":{"base64":"cmF3IP8AIOKAriAicSIgPMOpPg=="}}]}],` +
		`"numbers":[1,300],"info":{"Company: Name":"A"}}}` + "\n"
	if err := encodeJSON(&js, o, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wantJSON, js.String()); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}
}

func TestDescribeModule(t *testing.T) {
	typ, _ := dumped()
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	describeModule(&module.Module{Name: "m", Doc: "Made for a test.", Schema: typ}).print(w, false)
	w.Flush()
	const want = "m: Made for a test.\n" + `
Fields
  is_m       bool
  address    integer            Where it is.
  timestamp  integer
  ratio      float
  none       float
  absent     integer
  old        integer            Deprecated: use ` + "`address`" + ` instead.
  sections   []Section
  empty      []Section
  numbers    []integer
  info       map[string]string

Functions
  call  (integer, regexp) integer  Calls.
        () string

Constants
  LIMIT  4096 0x1000  As far as it goes.

Section
  name   string
  size   integer    In bytes.
  parts  []Section
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestEveryModule describes and dumps every module that ships, on nothing and
// on a little.
func TestEveryModule(t *testing.T) {
	for _, m := range standard.Modules() {
		if doc := describeModule(m); doc.Name != m.Name || doc.Doc == "" {
			t.Errorf("%s: got the documentation %+v", m.Name, doc)
		}
		for _, data := range []string{"", "MZ", "\x7fELF", "PK\x03\x04"} {
			root, err := loadModule(t.Context(), m, []byte(data), nil)
			if err != nil {
				t.Errorf("%s of %q: %v", m.Name, data, err)
			}
			if err := encodeJSON(&bytes.Buffer{}, dumpValue(m.Schema, root), ""); err != nil {
				t.Errorf("%s of %q: %v", m.Name, data, err)
			}
		}
	}
}

// TestModuleFails dumps what a faulty module says.
func TestModuleFails(t *testing.T) {
	bad := &module.Module{Name: "bad", Schema: &module.Type{Kind: module.Struct}, Load: func(*module.Input) module.Value { panic("no") }}
	if _, err := loadModule(t.Context(), bad, nil, nil); err == nil || !strings.Contains(err.Error(), "module bad failed: no") {
		t.Errorf("got %v, want an error with the module's name", err)
	}
}
