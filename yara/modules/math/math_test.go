package math_test

import (
	"bytes"
	stdmath "math"
	"math/rand"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/math"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// The values are what YARA-X 1.20 answers, and libyara 4.5 where libyara is set.
func TestFunctions(t *testing.T) {
	type args = []any
	tests := []struct {
		name    string
		args    args
		data    string
		libyara bool
		want    string
	}{
		{"min", args{1, 2}, "", false, "1"},
		{"min", args{-1, 0}, "", false, "-1"},
		{"min", args{-1, 0}, "", true, "0"}, // unsigned
		{"max", args{-1, 0}, "", false, "0"},
		{"max", args{7, -2}, "", true, "-2"},
		{"abs", args{-1}, "", false, "1"},
		{"abs", args{int64(stdmath.MinInt64)}, "", false, "-9223372036854775808"},
		{"in_range", args{1, 1, 2}, "", false, "true"},
		{"in_range", args{3, 1, 2}, "", false, "false"},
		{"in_range", args{0.5, 0.0, 0.6}, "", false, "true"},
		{"in_range", args{0.7, 0.0, 0.6}, "", false, "false"},
		{"to_number", args{true}, "", false, "1"},
		{"to_number", args{false}, "", false, "0"},
		{"to_string", args{-1}, "", false, `"-1"`},
		{"to_string", args{32, 16}, "", false, `"20"`},
		{"to_string", args{32, 8}, "", false, `"40"`},
		{"to_string", args{-1, 16}, "", false, `"ffffffffffffffff"`},
		{"to_string", args{32, 7}, "", false, "undefined"},

		{"entropy", args{"AAAAA"}, "", false, "0f"},
		{"entropy", args{"AABB"}, "", false, "1f"},
		{"entropy", args{""}, "", false, "0f"},
		{"entropy", args{2, 3}, "CCAAACCC", false, "0f"},
		{"entropy", args{2, 100}, "CCAAACCC", false, "1f"},
		{"entropy", args{8, 1}, "CCAAACCC", false, "0f"},
		{"entropy", args{8, 1}, "CCAAACCC", true, "undefined"},
		{"entropy", args{9, 1}, "CCAAACCC", false, "undefined"},
		{"entropy", args{-1, 1}, "CCAAACCC", false, "undefined"},
		{"entropy", args{1, -1}, "CCAAACCC", false, "undefined"},
		{"entropy", args{1, int64(stdmath.MaxInt64)}, "xAB", false, "1f"},
		{"deviation", args{"AAAAA", 0.0}, "", false, "65f"},
		{"deviation", args{"ABAB", 65.0}, "", false, "0.5f"},
		{"deviation", args{"", 65.0}, "", false, "undefined"},
		{"deviation", args{2, 4, 65.0}, "ABABABAB", false, "0.5f"},
		{"deviation", args{0, 4, 127.5}, "\x00\xff\x00\xff", false, "127.5f"},
		{"mean", args{"ABCABC"}, "", false, "66f"},
		{"mean", args{0, 3}, "ABCABC", false, "66f"},
		{"mean", args{0, 1000}, "ABCABC", false, "66f"},
		{"mean", args{0, 0}, "ABC", false, "undefined"},
		{"serial_correlation", args{"BCA"}, "", false, "-0.5f"},
		{"serial_correlation", args{1, 3}, "ABCABC", false, "-0.5f"},
		{"serial_correlation", args{0, 0}, "ABC", false, "-100000f"},
		{"serial_correlation", args{"AAAA"}, "", false, "-100000f"},
		{"monte_carlo_pi", args{"12345"}, "", false, "undefined"},
		{"monte_carlo_pi", args{"\x00\x00\x00\x00\x00\x00"}, "", false, "0.2732395447351627f"},
		{"monte_carlo_pi", args{"\xff\xff\xff\xff\xff\xff"}, "", false, "1f"},
		{"monte_carlo_pi", args{"\xff\xff\xff\x00\x00\x00"}, "", false, "1f"}, // on the circle
		{"monte_carlo_pi", args{"\xff\xff\xff\x00\x00\x00"}, "", true, "0.2732395447351627f"},
		{"count", args{0x41}, "AABAAB", false, "4"},
		{"count", args{0x41, 0, 3}, "AABAAB", false, "2"},
		{"count", args{0x41, 4, 10}, "AABAAB", false, "1"},
		{"count", args{0x41, 10, 4}, "AABAAB", false, "undefined"},
		{"count", args{0x41, 0, -3}, "AABAAB", false, "undefined"},
		{"count", args{-1}, "AABAAB", false, "undefined"},
		{"count", args{256}, "AABAAB", false, "undefined"},
		{"percentage", args{0x41}, "ABAB", false, "0.5f"},
		{"percentage", args{0x41}, "", false, "undefined"},
		{"percentage", args{0x41}, "AAB", false, "0.6666666666666666f"},
		{"percentage", args{0x41}, "AAB", true, "0.6666666865348816f"},
		{"percentage", args{0x41, 4, 10}, "AABAAB", false, "0.5f"},
		{"percentage", args{0x41, 0, 0}, "AABAAB", false, "undefined"},
		{"percentage", args{0x41, 10, 4}, "AABAAB", false, "undefined"},
		{"mode", args{}, "ABABA", false, "65"},
		{"mode", args{}, "ABAB", false, "65"},
		{"mode", args{}, "", false, "undefined"},
		{"mode", args{}, "", true, "0"},
		{"mode", args{2, 3}, "CCABACC", false, "65"},
		{"mode", args{8, 3}, "CCABACC", false, "undefined"},
	}
	m := math.Module()
	for _, tt := range tests {
		in := &module.Input{Data: []byte(tt.data), LibYARA: tt.libyara}
		got := yaratest.Show(yaratest.Call(t, m, in, tt.name, tt.args...))
		if got != tt.want {
			t.Errorf("%s%v of %q (libyara %v): got %s, want %s", tt.name, tt.args, tt.data, tt.libyara, got, tt.want)
		}
	}
}

// Statistics of large ranges are kept between calls: the second answer, from
// another function, must be of the same range of the same target.
func TestKeptRanges(t *testing.T) {
	data := bytes.Repeat([]byte("AAAB"), 4096)
	in := &module.Input{Data: data}
	m := math.Module()
	for range 2 {
		if got := yaratest.Show(yaratest.Call(t, m, in, "mean", 0, 16384)); got != "65.25f" {
			t.Errorf("mean of the whole: got %s, want 65.25f", got)
		}
		for offset := range 100 {
			got := yaratest.Show(yaratest.Call(t, m, in, "mode", offset, 8192))
			if got != "65" {
				t.Errorf("mode at %d: got %s, want 65", offset, got)
			}
		}
	}
	in.Reset(t.Context(), bytes.Repeat([]byte("C"), 16384), in.Time)
	if got := yaratest.Show(yaratest.Call(t, m, in, "mean", 0, 16384)); got != "67f" {
		t.Errorf("mean of the next target: got %s, want 67f", got)
	}
}

// A range of the target and a string of the same bytes have the same statistics.
func TestRangeEqualsText(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	m := math.Module()
	for range 200 {
		data := make([]byte, rng.Intn(10000))
		rng.Read(data)
		in := &module.Input{Data: append([]byte("before"), data...)}
		for _, name := range []string{"entropy", "mean", "serial_correlation", "monte_carlo_pi"} {
			ofRange := yaratest.Show(yaratest.Call(t, m, in, name, 6, len(data)))
			ofText := yaratest.Show(yaratest.Call(t, m, in, name, string(data)))
			if ofRange != ofText {
				t.Errorf("%s of %d bytes: range %s, text %s", name, len(data), ofRange, ofText)
			}
		}
	}
}
