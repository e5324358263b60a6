package vt

import (
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
)

// lookup follows a dotted path through a type.
func lookup(t *module.Type, path string) *module.Field {
	var f *module.Field
	for name := range strings.SplitSeq(path, ".") {
		if t == nil {
			return nil
		}
		for t.Elem != nil {
			t = t.Elem
		}
		i := slices.IndexFunc(t.Fields, func(f *module.Field) bool { return f.Name == name })
		if i < 0 {
			return nil
		}
		f = t.Fields[i]
		t = f.Type
	}
	return f
}

func TestSchema(t *testing.T) {
	root := Module().Schema
	for path, kind := range map[string]module.Kind{
		"metadata.file_name":                             module.String,
		"metadata.file_type":                             module.Integer,
		"metadata.new_file":                              module.Bool,
		"metadata.tags":                                  module.Array,
		"metadata.signatures":                            module.Map,
		"metadata.analysis_stats.malicious":              module.Integer,
		"metadata.itw.url.raw":                           module.String,
		"metadata.goresym.build_info.path":               module.String,
		"behaviour.processes_created":                    module.Array,
		"behaviour.dns_lookups.resolved_ips":             module.Array,
		"behaviour.traits":                               module.Array,
		"net.domain.https_certificate.subject.country":   module.String,
		"net.url.downloaded_file.analysis_stats.failure": module.Integer,
	} {
		f := lookup(root, path)
		if f == nil || f.Type.Kind != kind {
			t.Errorf("%s: got %+v, want kind %d", path, f, kind)
		}
	}
}

func TestConstants(t *testing.T) {
	root := Module().Schema
	for path, want := range map[string]int64{
		"FileType.PE_EXE":                                1,
		"FileType.CRT":                                   1302,
		"BehaviourTrait.PERSISTENCE":                     9,
		"BehaviourVerdict.RAT":                           10,
		"Http.Method.GET":                                1,
		"Net.Protocol.SCTP":                              132,
		"Domain.Permutation.TYPO":                        1,
		"Domain.Permutation.ALL":                         31,
		"GtiVerdict.VERDICT_BENIGN":                      4,
		"AlertSeverity.high":                             1,
		"SigmaRule.Level.high":                           3,
		"SignatureMatch.SignatureFormat.SIG_FORMAT_YARA": 1,
	} {
		f := lookup(root, path)
		if f == nil {
			t.Errorf("%s: not in the schema", path)
			continue
		}
		if got, ok := f.Const.Int(); !ok || got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestFunctions(t *testing.T) {
	root := Module().Schema
	inRange := lookup(root, "net.ip.in_range")
	if inRange == nil || len(inRange.Funcs) != 1 || !slices.Equal(inRange.Funcs[0].Params, []module.Kind{module.String}) {
		t.Errorf("in_range: got %+v", inRange)
	}
	permutation := lookup(root, "net.domain.permutation_of")
	if permutation == nil || len(permutation.Funcs) != 2 || permutation.Funcs[1].Result.Kind != module.Bool {
		t.Errorf("permutation_of: got %+v", permutation)
	}
}

// No struct of the schema is empty: a misspelt name would make one.
func TestNoEmptyStruct(t *testing.T) {
	seen := map[*module.Type]bool{}
	var walk func(path string, typ *module.Type)
	walk = func(path string, typ *module.Type) {
		if typ == nil || seen[typ] {
			return
		}
		seen[typ] = true
		if typ.Kind == module.Struct && len(typ.Fields) == 0 {
			t.Errorf("%s is the struct %s, which has no fields", path, typ.Name)
		}
		walk(path+"[]", typ.Elem)
		for _, f := range typ.Fields {
			walk(path+"."+f.Name, f.Type)
		}
	}
	walk("vt", Module().Schema)
	if len(seen) < 200 {
		t.Errorf("the schema has %d types", len(seen))
	}
}
