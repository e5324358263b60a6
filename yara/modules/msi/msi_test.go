package msi_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/container/containertest"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/msi"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func show(t *testing.T, data []byte, path string) string {
	t.Helper()
	return yaratest.Show(yaratest.Get(t, msi.Module(), &module.Input{Data: data}, path))
}

func TestSigned(t *testing.T) {
	tests := []struct{ file, path, want string }{
		{"signed.msi", "is_signed", "true"},
		{"signed.msi", "signatures.0.verified", "true"},
		{"signed.msi", "signatures.0.digest_alg", `"sha256"`},
		{"signed.msi", "signatures.0.file_digest", `"e488ff4816d9b6518f27a662d1655538ca7e6275d4166b96b48debf86555f6fb"`},
		{"signed.msi", "signatures.0.subject", `"/CN=Besra Test Signer"`},
		{"signed.msi", "signatures.0.signer_info.program_name", `"Besra test"`},
		{"signed.msi", "signatures.1.verified", "undefined"},
		{"signed-metadata.msi", "signatures.0.verified", "true"},
		{"signed-metadata.msi", "signatures.0.file_digest", `"54a6cf3be9f53ec807530e3d0605ff7e105a084f149534e64f0df1fc03c636c4"`},
	}
	for _, test := range tests {
		if got := show(t, load(t, test.file), test.path); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.file, test.path, got, test.want)
		}
	}
}

// A package that was changed after it was signed has a signature, but none
// that is verified.
func TestChanged(t *testing.T) {
	for _, file := range []string{"signed.msi", "signed-metadata.msi"} {
		data := bytes.Replace(load(t, file), []byte("table table"), []byte("table Table"), 1)
		for path, want := range map[string]string{"is_signed": "true", "signatures.0.verified": "false"} {
			if got := show(t, data, path); got != want {
				t.Errorf("%s: %s: got %s, want %s", file, path, got, want)
			}
		}
	}
}

func TestOther(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":        nil,
		"other":        []byte("PK\x03\x04"),
		"unsigned":     containertest.Compound(containertest.Stream{Name: "Property", Data: []byte("a")}),
		"no signature": containertest.Compound(containertest.Stream{Name: "\x05DigitalSignature", Data: []byte("\x30\x82\xff\xff")}),
		"empty stream": containertest.Compound(containertest.Stream{Name: "\x05DigitalSignature"}),
	} {
		if got := show(t, data, "is_signed"); got != "false" {
			t.Errorf("%s: is_signed is %s", name, got)
		}
		if got := show(t, data, "signatures.0.verified"); got != "undefined" {
			t.Errorf("%s: signatures.0.verified is %s", name, got)
		}
	}
}

func FuzzMsi(f *testing.F) {
	f.Add(load(f, "signed.msi"))
	f.Add(load(f, "signed-metadata.msi"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		yaratest.Get(t, msi.Module(), in, "signatures.0.verified")
		yaratest.Get(t, msi.Module(), in, "signatures.0.certificates.0.subject")
	})
}
