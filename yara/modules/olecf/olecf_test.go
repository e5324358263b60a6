package olecf_test

import (
	"testing"

	"github.com/besra-hunt/besra/yara/internal/container/containertest"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/olecf"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func TestFields(t *testing.T) {
	sample := containertest.Compound(
		containertest.Stream{Name: "\x05SummaryInformation", Data: make([]byte, 5000)},
		containertest.Stream{Name: "Straße", Data: []byte("abc")})
	tests := []struct {
		data       string
		path, want string
	}{
		{string(sample), "is_olecf", "true"},
		{string(sample), "streams.0.name", `"Root Entry"`},
		{string(sample), "streams.0.type", "5"},
		{string(sample), "streams.1.name", `"SummaryInformation"`},
		{string(sample), "streams.1.type", "2"},
		{string(sample), "streams.1.size", "5000"},
		{string(sample), "streams.2.name", `"Straße"`},
		{string(sample), "streams.2.size", "3"},
		{string(sample), "streams.3.name", "undefined"},
		{"", "is_olecf", "false"},
		{string(sample[:70]), "is_olecf", "false"},
		{string(sample[:100]), "streams.0.name", "undefined"},
		{"PK\x03\x04", "streams.0.name", "undefined"},
	}
	for _, test := range tests {
		in := &module.Input{Data: []byte(test.data)}
		if got := yaratest.Show(yaratest.Get(t, olecf.Module(), in, test.path)); got != test.want {
			t.Errorf("%s of %d bytes: got %s, want %s", test.path, len(test.data), got, test.want)
		}
	}
}

func FuzzOlecf(f *testing.F) {
	f.Add(containertest.Compound(containertest.Stream{Name: "a", Data: []byte("abc")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		list := yaratest.Get(t, olecf.Module(), in, "streams").List()
		if list.Len() > len(data)/128 {
			t.Errorf("%d streams in %d bytes", list.Len(), len(data))
		}
	})
}
