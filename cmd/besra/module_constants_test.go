package main

import (
	"testing"

	"github.com/besra-hunt/besra/yara/module"
)

func TestConstantNames(t *testing.T) {
	constant := func(name, doc string, v int64) *module.Field {
		return &module.Field{Name: name, Doc: doc, Const: module.Int(v)}
	}
	constants := []*module.Field{
		constant("M_NONE", "", 0), constant("M_ONE", "", 1), constant("M_UN", "", 1), constant("IS_32_BIT", "", 1),
		constant("S_READ", "", 1), constant("S_WRITE", "", 2), constant("S_WIDTH_1", "", 0x10), constant("S_WIDTH_2", "", 0x20), constant("S_WIDTH_4", "", 0x30),
		constant("DLL", "A flag of traits.", 4), constant("SYSTEM", "A flag of traits.", 8), constant("LOUD", "A value of tone.", 4),
	}
	tests := []struct {
		name, doc string
		value     int64
		want      string
	}{
		{"machine", "The processor, one of M_*.", 1, "M_ONE"},
		{"machine", "The processor, one of M_*.", 0, "M_NONE"},
		{"machine", "The processor, one of M_*.", 7, ""},
		{"wide", "One of IS_*_BIT.", 1, "IS_32_BIT"},
		{"mode", "A sum of S_*.", 3, "0x3 = S_READ | S_WRITE"},
		{"mode", "S_* together.", 0x32, "0x32 = S_WRITE | S_WIDTH_4"}, // not WIDTH_1 and WIDTH_2
		{"mode", "A sum of S_*.", 0x40, ""},
		{"traits", "What it is.", 12, "0xc = DLL | SYSTEM"},
		{"tone", "How it is.", 4, "LOUD"},
		{"size", "In bytes.", 4, ""},
	}
	for _, test := range tests {
		if got := constantNames(constants, &module.Field{Name: test.name, Doc: test.doc}, test.value); got != test.want {
			t.Errorf("%s %q %d: got %q, want %q", test.name, test.doc, test.value, got, test.want)
		}
	}
}
