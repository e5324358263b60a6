package string_test

import (
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	stringmodule "github.com/besra-hunt/besra/yara/modules/string"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// The values are what YARA-X 1.20 and libyara 4.5 answer.
func TestToInt(t *testing.T) {
	type args = []any
	tests := []struct {
		args          args
		yarax, libyar string
	}{
		{args{"1234"}, "1234", "1234"},
		{args{"-10"}, "-10", "-10"},
		{args{"+10"}, "10", "10"},
		{args{"-010"}, "-10", "-8"},
		{args{"0x10"}, "undefined", "16"},
		{args{"-0Xfc"}, "undefined", "-252"},
		{args{"0x"}, "undefined", "undefined"},
		{args{" +12"}, "undefined", "12"},
		{args{" \n\t\r\x0c-12"}, "undefined", "-12"},
		{args{"12 "}, "undefined", "undefined"},
		{args{"1_2"}, "undefined", "undefined"},
		{args{"--1"}, "undefined", "undefined"},
		{args{"- 1"}, "undefined", "undefined"},
		{args{""}, "undefined", "undefined"},
		{args{"-"}, "undefined", "undefined"},
		{args{"12\x00x"}, "undefined", "12"},
		{args{"9223372036854775807"}, "9223372036854775807", "9223372036854775807"},
		{args{"9223372036854775808"}, "undefined", "undefined"},
		{args{"-9223372036854775808"}, "-9223372036854775808", "-9223372036854775808"},
		{args{"-9223372036854775809"}, "undefined", "undefined"},
		{args{"A", 16}, "10", "10"},
		{args{"0xA", 16}, "undefined", "10"},
		{args{"0xA", 10}, "undefined", "undefined"},
		{args{"011", 8}, "9", "9"},
		{args{"-011", 8}, "-9", "-9"},
		{args{"zz", 36}, "1295", "1295"},
		{args{"9", 8}, "undefined", "undefined"},
		{args{"1", 1}, "undefined", "undefined"},
		{args{"1", 37}, "undefined", "undefined"},
		{args{"1", -5}, "undefined", "undefined"},
		{args{"010", 0}, "undefined", "8"},
		{args{"0", 0}, "undefined", "0"},
	}
	m := stringmodule.Module()
	for _, tt := range tests {
		for _, libyara := range []bool{false, true} {
			want := tt.yarax
			if libyara {
				want = tt.libyar
			}
			in := &module.Input{LibYARA: libyara}
			got := yaratest.Show(yaratest.Call(t, m, in, "to_int", tt.args...))
			if got != want {
				t.Errorf("to_int%q (libyara %v): got %s, want %s", tt.args, libyara, got, want)
			}
		}
	}
}

func TestLength(t *testing.T) {
	m := stringmodule.Module()
	for text, want := range map[string]string{"": "0", "AXS\x00ERS": "7", "é": "2"} {
		if got := yaratest.Show(yaratest.Call(t, m, &module.Input{}, "length", text)); got != want {
			t.Errorf("length(%q): got %s, want %s", text, got, want)
		}
	}
}
