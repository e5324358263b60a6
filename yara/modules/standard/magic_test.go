package standard_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

// What Magic promises holds: of targets that begin otherwise a module says
// nothing, whatever they are.
func TestMagic(t *testing.T) {
	targets := [][]byte{nil, []byte("M"), []byte("some text"), bytes.Repeat([]byte{0}, 4096)}
	samples, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range samples {
		if data, err := os.ReadFile(name); err == nil && len(data) >= 2 {
			targets = append(targets, data, append([]byte("xx"), data[2:]...))
		}
	}
	tried := 0
	for _, m := range standard.Modules() {
		for _, data := range targets {
			if len(m.Magic) == 0 || len(data) >= 2 && slices.Contains(m.Magic, uint16(data[0])|uint16(data[1])<<8) {
				continue
			}
			for _, libyara := range []bool{false, true} {
				in := &module.Input{LibYARA: libyara}
				in.Reset(t.Context(), data, time.Unix(0, 0))
				s := silence{t, m, in, m.Load(in)}
				s.check(m.Name, m.Schema, s.root)
				tried++
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d pairs of modules and targets: the test is too weak", tried)
	}
}

// silence checks that a module says nothing of a target.
type silence struct {
	*testing.T
	module *module.Module
	in     *module.Input
	root   module.Value
}

func (s silence) check(path string, typ *module.Type, v module.Value) {
	switch {
	case !v.Defined():
	case typ.Kind == module.Struct:
		for i, f := range typ.Fields {
			switch {
			case f.Funcs != nil:
				s.call(path+"."+f.Name, f.Funcs, v)
			case !f.Const.Defined():
				s.check(path+"."+f.Name, f.Type, v.Field(i))
			}
		}
	case typ.Kind == module.Array && v.List().Len() == 0, typ.Kind == module.Map && v.Dict().Len() == 0:
	case typ.Kind == module.Bool && v == module.Boolean(false):
	default:
		s.Errorf("%s is %v for a target that begins with %q", path, v.Any(), s.in.Data[:min(2, len(s.in.Data))])
	}
}

func (s silence) call(path string, overloads []*module.Func, self module.Value) {
	for _, f := range overloads {
		var args []module.Value
		for _, kind := range f.Params {
			args = append(args, map[module.Kind]module.Value{module.Integer: module.Int(1), module.Float: module.Float64(1),
				module.Bool: module.Boolean(true), module.String: module.Text(""), module.Regexp: module.Regex(everything{})}[kind])
		}
		v := f.Call(&module.Call{Input: s.in, Root: s.root, Self: self}, args)
		if v.Defined() && v != module.Boolean(false) && v != module.Int(0) {
			s.Errorf("%s gives %v for a target that begins with %q", path, v.Any(), s.in.Data[:min(2, len(s.in.Data))])
		}
	}
}

// everything is a regexp that matches everything.
type everything struct{}

func (everything) MatchString(string) bool { return true }
