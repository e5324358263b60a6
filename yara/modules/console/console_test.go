package console_test

import (
	"math"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/console"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func TestLines(t *testing.T) {
	type args = []any
	tests := []struct {
		name    string
		args    args
		data    string
		libyara bool
		want    string // "-" where no line is written
	}{
		{"log", args{"foo"}, "", false, "foo"},
		{"log", args{"bar: ", 1}, "", false, "bar: 1"},
		{"log", args{"baz: ", 3.14}, "", false, "baz: 3.14"},
		{"log", args{"baz: ", 3.14}, "", true, "baz: 3.140000"},
		{"log", args{10}, "", false, "10"},
		{"log", args{-10}, "", false, "-10"},
		{"log", args{6.28}, "", false, "6.28"},
		{"log", args{1.0}, "", false, "1"},
		{"log", args{1e21}, "", false, "1000000000000000000000"},
		{"log", args{math.Inf(-1)}, "", false, "-inf"},
		{"log", args{math.NaN()}, "", false, "NaN"},
		{"log", args{true}, "", false, "true"},
		{"log", args{"bool: ", true}, "", false, "bool: true"},
		{"log", args{"hello ", "world!"}, "", false, "hello world!"},
		{"log", args{"a\nb\xff"}, "", false, "a\nb\uFFFD"},
		{"log", args{"a\nb\xff"}, "", true, `a\x0ab\xff`},
		{"log", args{"m\n", "a\nb"}, "", true, "m\n" + `a\x0ab`},
		{"hex", args{10}, "", false, "0xa"},
		{"hex", args{-1}, "", false, "0xffffffffffffffff"},
		{"hex", args{"qux: ", 255}, "", false, "qux: 0xff"},
		{"log", args{0, 4}, "\x00\x11ABC", false, `\x00\x11AB`},
		{"log", args{0, 5}, "hello", false, "hello"},
		{"log", args{0, 2}, "é", false, "é"},
		{"log", args{0, 3}, "é\n", false, `\xc3\xa9\n`},
		{"log", args{"d: ", 1, 2}, "a\"b", false, `d: \"b`},
		{"log", args{0, 6}, "hello", false, "-"},
		{"log", args{-1, 1}, "hello", false, "-"},
		{"log", args{1, -1}, "hello", false, "-"},
		{"log", args{int64(math.MaxInt64), int64(math.MaxInt64)}, "hello", false, "-"},
	}
	m := console.Module()
	for _, tt := range tests {
		got := "-"
		in := &module.Input{
			Data:    []byte(tt.data),
			LibYARA: tt.libyara,
			Console: func(line string) { got = line },
		}
		result := yaratest.Show(yaratest.Call(t, m, in, tt.name, tt.args...))
		if result != "true" || got != tt.want {
			t.Errorf("%s%q: got line %q and %s, want line %q and true", tt.name, tt.args, got, result, tt.want)
		}
		in.Console = nil
		if result := yaratest.Show(yaratest.Call(t, m, in, tt.name, tt.args...)); result != "true" {
			t.Errorf("%s%q without a console: got %s, want true", tt.name, tt.args, result)
		}
	}
}

// Every function writes, so none may be left out or moved.
func TestEffects(t *testing.T) {
	for _, f := range console.Module().Schema.Fields {
		for i, o := range f.Funcs {
			if !o.Effects {
				t.Errorf("overload %d of %s has no effects", i, f.Name)
			}
		}
	}
}
