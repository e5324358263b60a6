package standard_test

import (
	"context"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// FuzzModules asks every module for everything, and calls every function with
// arguments that make no sense.
func FuzzModules(f *testing.F) {
	f.Add([]byte("MZ"), "KERNEL32.dll", int64(-1), int64(1)<<62, 0.5, false)
	f.Add([]byte("\x7fELF"), "", int64(0), int64(3), -1e300, true)
	modules := standard.Modules()
	f.Fuzz(func(t *testing.T, data []byte, text string, n, k int64, x float64, libyara bool) {
		args := arguments{text, [2]int64{n, k}, x}
		for _, m := range modules {
			in := &module.Input{Data: data, LibYARA: libyara, Context: context.Background()}
			yaratest.Dump(m, in)
			root := module.Value{}
			if m.Load != nil {
				root = m.Load(in)
			}
			args.callAll(t, m.Name, in, m.Schema, root, root)
		}
	})
}

// arguments are what functions are called with, by kind.
type arguments struct {
	text     string
	integers [2]int64
	float    float64
}

// contains is a regexp that matches what contains a text.
type contains string

func (c contains) MatchString(s string) bool { return strings.Contains(s, string(c)) }

func (a *arguments) callAll(t *testing.T, path string, in *module.Input, typ *module.Type, root, self module.Value) {
	for i, f := range typ.Fields {
		if f.Type != nil && f.Type.Kind == module.Struct && !f.Const.Defined() {
			a.callAll(t, path+"."+f.Name, in, f.Type, root, self.Field(i))
		}
		for _, fn := range f.Funcs {
			v := fn.Call(&module.Call{Input: in, Root: root, Self: self}, a.of(fn.Params))
			if v.Defined() && v.Kind() != fn.Result.Kind {
				t.Errorf("%s.%s%v gives kind %d, not %d", path, f.Name, fn.Params, v.Kind(), fn.Result.Kind)
			}
		}
	}
}

func (a *arguments) of(params []module.Kind) []module.Value {
	args := make([]module.Value, len(params))
	for i, k := range params {
		switch k {
		case module.Integer:
			args[i] = module.Int(a.integers[i%2])
		case module.Float:
			args[i] = module.Float64(a.float)
		case module.Bool:
			args[i] = module.Boolean(a.integers[0] > 0)
		case module.String:
			args[i] = module.Text(a.text)
		case module.Regexp:
			args[i] = module.Regex(contains(a.text))
		}
	}
	return args
}
