// Package vt is the YARA module "vt" as far as it goes outside VirusTotal:
// LiveHunt rules that import it compile, its constants have their values, and
// everything that only VirusTotal knows of a target is undefined.
package vt

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara/module"
)

//go:embed schema.txt
var schemaText string

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	return &module.Module{
		Name:   "vt",
		Doc:    "What VirusTotal knows of a target; undefined elsewhere.",
		Schema: parse(schemaText),
	}
}

// parse reads schema.txt. Its faults are found by the package's tests: what
// ships parses.
func parse(text string) *module.Type {
	p := &parser{structs: map[string]*module.Type{}}
	root := p.structNamed("vt")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "struct":
			p.current, p.enum = p.structNamed(words[1]), false
		case words[0] == "enum":
			p.current, p.enum = p.member(root, strings.Split(words[1], ".")), true
		case p.enum:
			p.constant(words[0], words[1])
		default:
			p.field(words[0], strings.TrimSpace(line)[len(words[0]):])
		}
	}
	return root
}

type parser struct {
	structs map[string]*module.Type
	current *module.Type // what fields and constants go to
	enum    bool
}

// structNamed returns the struct of that name, which may get its fields later.
func (p *parser) structNamed(name string) *module.Type {
	t := p.structs[name]
	if t == nil {
		t = &module.Type{Kind: module.Struct, Name: name}
		p.structs[name] = t
	}
	return t
}

// member returns the struct at path below t, made where it is missing.
func (p *parser) member(t *module.Type, path []string) *module.Type {
	for _, name := range path {
		t = child(t, name)
	}
	return t
}

func child(t *module.Type, name string) *module.Type {
	for _, f := range t.Fields {
		if f.Name == name {
			return f.Type
		}
	}
	c := &module.Type{Kind: module.Struct, Name: name}
	t.Fields = append(t.Fields, &module.Field{Name: name, Type: c})
	return c
}

func (p *parser) constant(name, value string) {
	i, _ := strconv.ParseInt(value, 10, 64)
	p.current.Fields = append(p.current.Fields, &module.Field{
		Name: name, Type: &module.Type{Kind: module.Integer}, Const: module.Int(i),
	})
}

func (p *parser) field(name, typ string) {
	f := &module.Field{Name: name}
	if signature, ok := strings.CutPrefix(strings.TrimSpace(typ), "func "); ok {
		f.Funcs = p.overloads(signature)
	} else {
		f.Type = p.typeOf(strings.TrimSpace(typ))
	}
	p.current.Fields = append(p.current.Fields, f)
}

// overloads reads a result and the arguments of each overload in brackets.
func (p *parser) overloads(signature string) []*module.Func {
	result, rest, _ := strings.Cut(signature, " ")
	var funcs []*module.Func
	for args := range strings.SplitSeq(rest, ")") {
		if args = strings.Trim(args, " ("); args == "" {
			continue
		}
		f := &module.Func{Result: p.typeOf(result), Call: undefined}
		for arg := range strings.FieldsSeq(args) {
			f.Params = append(f.Params, p.typeOf(arg).Kind)
		}
		funcs = append(funcs, f)
	}
	return funcs
}

func undefined(*module.Call, []module.Value) module.Value { return module.Value{} }

func (p *parser) typeOf(name string) *module.Type {
	if elem, ok := strings.CutPrefix(name, "[]"); ok {
		return &module.Type{Kind: module.Array, Elem: p.typeOf(elem)}
	}
	if elem, ok := strings.CutPrefix(name, "{}"); ok {
		return &module.Type{Kind: module.Map, Key: module.String, Elem: p.typeOf(elem)}
	}
	switch name {
	case "int":
		return &module.Type{Kind: module.Integer}
	case "bool":
		return &module.Type{Kind: module.Bool}
	case "string":
		return &module.Type{Kind: module.String}
	}
	return p.structNamed(name)
}
