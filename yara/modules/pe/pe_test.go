package pe_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/pe"
	"github.com/besra-hunt/besra/yara/yaratest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func shown(data []byte, libyara bool) string {
	return yaratest.Dump(pe.Module(), &module.Input{Data: data, LibYARA: libyara})
}

// TestGolden holds all fields of files made by hand to testdata. The goldens
// were compared with YARA-X 1.20 and, those of the LibYARA dialect, with
// libyara.
func TestGolden(t *testing.T) {
	tests := []struct {
		name    string
		file    *builder
		libyara bool
	}{
		{"sample32", sample(false), false},
		{"sample64", sample(true), false},
		{"sample32-libyara", sample(false), true},
		{"sample64-libyara", sample(true), true},
		{"visualc6", visualC6(), false},
		{"visualc6-libyara", visualC6(), true},
		{"bare", &builder{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := shown(tt.file.bytes(), tt.libyara)
			file := filepath.Join("testdata", tt.name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("fields changed (-want +got):\n%s", diff)
			}
		})
	}
}

// visualC6 has delayed imports with absolute addresses, a PDB 2.0 path, and
// version information with what comes first and second swapped.
func visualC6() *builder {
	b := &builder{}
	b.delayed(0x400000, imported{"GDI32.dll", []string{"DeleteObject"}})
	b.debug("NB10\x00\x00\x00\x00\x01\x02\x03\x04\x01\x00\x00\x00old.pdb")
	strings := versionNode("StringFileInfo", 1, 0, nil, versionNode("000004b0", 1, 0, nil, versionNode("ProductName", 1, 8, utf16le("Old\x00"))))
	info := versionNode("VS_VERSION_INFO", 0, 52, make([]byte, 52), versionNode("VarFileInfo", 1, 0, nil), strings)
	b.resources(node{id: 16, children: []node{{id: 1, children: []node{{id: 0, data: info}}}}})
	return b
}

// TestNoPE is what YARA-X and libyara say of anything else.
func TestNoPE(t *testing.T) {
	m := pe.Module()
	cut := sample(false).bytes()
	for name, data := range map[string][]byte{
		"empty": nil, "M": []byte("M"), "text": []byte("hello"), "MZ": []byte("MZ"), "dos": append([]byte("MZ"), make([]byte, 100)...),
		"header beyond the end": append([]byte("MZ"), append(make([]byte, 58), 0xff, 0xff, 0xff, 0xff)...), "file header cut": cut[:64+len(richStub(0, [3]uint32{}, [3]uint32{}))+23],
	} {
		in := &module.Input{Data: data}
		if got, want := yaratest.Dump(m, in), "pe: is_pe = false\n"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		for call, want := range map[string][2]string{
			"imphash": {"undefined", "undefined"}, "is_dll": {"undefined", "undefined"}, "is_32bit": {"undefined", "undefined"},
			"calculate_checksum": {"undefined", "undefined"}, "rva_to_offset 1": {"undefined", "undefined"},
			"section_index .text": {"undefined", "undefined"}, "imports kernel32.dll": {"0", "undefined"},
			"imports a b": {"false", "undefined"}, "exports a": {"false", "undefined"}, "exports_index a": {"undefined", "undefined"},
			"locale 1": {"false", "undefined"}, "language 1": {"false", "undefined"}, "import_rva a b": {"undefined", "undefined"},
			"rich_signature.toolid 1": {"0", "undefined"},
		} {
			for i, libyara := range []bool{false, true} {
				in := &module.Input{Data: data, LibYARA: libyara}
				if got := yaratest.Show(callWords(t, m, in, call)); got != want[i] {
					t.Errorf("%s: %s (libyara %v): got %s, want %s", name, call, libyara, got, want[i])
				}
			}
		}
	}
}

// callWords calls a function given as words; digits are an integer.
func callWords(t *testing.T, m *module.Module, in *module.Input, call string) module.Value {
	t.Helper()
	words := strings.Fields(call)
	var args []any
	for _, w := range words[1:] {
		var i int64
		if n, err := fmt.Sscanf(w, "%d", &i); n == 1 && err == nil {
			args = append(args, i)
		} else {
			args = append(args, w)
		}
	}
	return yaratest.Call(t, m, in, words[0], args...)
}

// TestNoPECostsNothing: rules that ask the module are the usual case for
// targets that are no PE.
func TestNoPECostsNothing(t *testing.T) {
	m := pe.Module()
	in := &module.Input{Data: []byte("\x7fELF and so on")}
	if n := testing.AllocsPerRun(100, func() { m.Load(in).Field(0) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestFunctions(t *testing.T) {
	tests := []struct{ call, want, libyara string }{
		{"is_dll", "true", ""},
		{"is_32bit", "true", ""},
		{"is_64bit", "false", ""},
		{"rva_to_offset 4096", "1024", ""},
		{"rva_to_offset 100", "100", ""},
		{"rva_to_offset 1000000", "undefined", ""},
		{"rva_to_offset -1", "undefined", ""},
		{"rva_to_offset 4294967296", "undefined", ""},
		{"offset_to_rva 1024", "4096", ""},
		{"offset_to_rva 1000000", "undefined", ""},
		{"offset_to_rva -1", "undefined", ""},
		{"offset_to_rva 4294967296", "undefined", ""},
		{"section_index .all", "0", ""},
		{"section_index .ALL", "undefined", ""},
		{"section_index 1024", "0", ""},
		{"section_index 1023", "undefined", ""},
		{"section_index -1", "undefined", ""},
		{"exports alpha", "true", ""},
		{"exports gamma", "false", ""},
		{"exports 7", "true", "false"}, // libyara compares ordinals with the number of exports
		{"exports 8", "false", ""},
		{"exports_index BETA", "2", ""},
		{"exports_index 6", "1", "undefined"},
		{"exports_index gamma", "undefined", ""},
		{"imports kernel32.dll", "2", ""},
		{"imports kernel32", "0", ""},
		{"imports KERNEL32.DLL exitprocess", "true", ""},
		{"imports ws2_32.dll WSAStartup", "true", ""},
		{"imports ws2_32.dll 115", "1", ""},
		{"imports 1 user32.dll", "0", ""},
		{"imports 2 user32.dll", "2", ""},
		{"imports 3 user32.dll messageboxa", "true", ""},
		{"imports 2 user32.dll 9", "true", ""},
		{"imports 0 kernel32.dll", "0", ""},
		{"import_rva noext ord7", "4360", ""},
		{"import_rva noext 7", "4360", ""},
		{"import_rva noext 8", "undefined", ""},
		{"delayed_import_rva user32.dll MessageBoxA", "4512", ""},
		{"delayed_import_rva user32.dll 9", "4516", ""},
		{"locale 1033", "true", ""},
		{"locale 1034", "false", ""},
		{"locale -1", "false", ""},
		{"language 7", "true", ""},
		{"language 8", "false", ""},
		{"rich_signature.version 30729", "5", ""},
		{"rich_signature.version 30729 147", "5", ""},
		{"rich_signature.version 30729 1", "0", ""},
		{"rich_signature.toolid 1", "44", ""},
		{"rich_signature.toolid 147 30729", "5", ""},
		{"imphash", `"adbd879c423d54c81e3a1f78dbd6325e"`, ""},
		{"calculate_checksum", "45552", ""},
	}
	m := pe.Module()
	data := sample(false).bytes()
	for _, tt := range tests {
		for _, libyara := range []bool{false, true} {
			want := tt.want
			if libyara && tt.libyara != "" {
				want = tt.libyara
			}
			in := &module.Input{Data: data, LibYARA: libyara}
			if got := yaratest.Show(callWords(t, m, in, tt.call)); got != want {
				t.Errorf("%s (libyara %v): got %s, want %s", tt.call, libyara, got, want)
			}
		}
	}
}
