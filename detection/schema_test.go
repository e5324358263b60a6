package detection

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestSchema makes the schema of the types and holds schema.json to it.
func TestSchema(t *testing.T) {
	m := schemaMaker{defs: map[string]any{}, docs: map[string]string{}}
	m.readComments(t, ".", "../exclusion")
	root := m.object(reflect.TypeFor[Detection]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Besra detection"
	root["$defs"] = m.defs
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(Schema()), want.String()); diff != "" {
		t.Errorf("schema.json is stale; go test -run TestSchema -update ./detection rewrites it (-have +want):\n%s", diff)
	}
}

// schemaMaker turns Go types into a JSON Schema; docs holds the comments by
// "Type" and "Type.Field".
type schemaMaker struct {
	defs map[string]any
	docs map[string]string
}

func (m *schemaMaker) readComments(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if g, ok := d.(*ast.GenDecl); ok {
					m.declared(g)
				}
			}
		}
	}
}

func (m *schemaMaker) declared(g *ast.GenDecl) {
	for _, s := range g.Specs {
		typ, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		m.docs[typ.Name.Name] = prosaic(g.Doc.Text())
		if st, ok := typ.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				text := f.Doc.Text()
				if text == "" {
					text = f.Comment.Text()
				}
				for _, n := range f.Names {
					m.docs[typ.Name.Name+"."+n.Name] = prosaic(text)
				}
			}
		}
	}
}

func prosaic(comment string) string {
	return strings.NewReplacer("[", "", "]", "").Replace(strings.Join(strings.Fields(comment), " "))
}

func (m *schemaMaker) object(typ reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		p := m.value(f.Type)
		if doc := m.docs[typ.Name()+"."+f.Name]; doc != "" {
			p["description"] = doc
		}
		m.refine(typ.Name()+"."+f.Name, p)
		properties[name] = p
		if !strings.Contains(options, "omitempty") && typ != reflect.TypeFor[exclusion.Spec]() {
			required = append(required, name)
		}
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// refine adds what the checks of the package ask for and a Go type cannot say.
func (m *schemaMaker) refine(field string, p map[string]any) {
	pattern := map[string]string{"Detection.ID": validID().String(), "Scenario.ID": validID().String(), "Provenance.Retrieved": validDate().String()}[field]
	items := map[string]string{"RuleFile.KnownBad": validDigest().String(), "Attack.Tactics": validTactic().String(),
		"Attack.Techniques": validTechnique().String(), "Attack.Groups": validGroup().String(), "Attack.Software": validSoftware().String()}[field]
	switch {
	case field == "Detection.APIVersion":
		p["const"] = APIVersion
	case field == "Detection.Confidence":
		p["minimum"], p["maximum"] = 0, 100
	case field == "RuleFile.Patterns":
		p["minimum"] = 0
	case pattern != "":
		p["pattern"] = pattern
	case items != "":
		p["items"].(map[string]any)["pattern"] = items
	}
}

func (m *schemaMaker) value(typ reflect.Type) map[string]any {
	words := map[reflect.Type]any{
		reflect.TypeFor[Status]():         statuses(),
		reflect.TypeFor[State]():          states(),
		reflect.TypeFor[TLP]():            tlps(),
		reflect.TypeFor[besra.Severity](): []besra.Severity{besra.SeverityInformational, besra.SeverityLow, besra.SeverityMedium, besra.SeverityHigh},
		reflect.TypeFor[besra.Context]():  besra.Contexts(),
		reflect.TypeFor[besra.Effect]():   []besra.Effect{besra.EffectSuppress, besra.EffectDowngrade, besra.EffectAnnotate},
	}
	if enum, ok := words[typ]; ok {
		return map[string]any{"type": "string", "enum": enum}
	}
	switch typ.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": m.value(typ.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": m.value(typ.Elem())}
	case reflect.Struct:
		if m.defs[typ.Name()] == nil {
			m.defs[typ.Name()] = map[string]any{} // against recursion
			m.defs[typ.Name()] = m.object(typ)
		}
		return map[string]any{"$ref": "#/$defs/" + typ.Name()}
	}
	return map[string]any{}
}

// TestSchemaNamesEveryRequiredField looks at the schema as an editor would.
func TestSchemaNamesEveryRequiredField(t *testing.T) {
	var s struct {
		Required   []string
		Properties map[string]any
	}
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"apiVersion", "id", "title", "status", "hypothesis", "rule", "severity"} {
		if s.Properties[name] == nil {
			t.Errorf("the schema lacks %s", name)
		}
	}
	if len(s.Required) < 7 {
		t.Errorf("required: %v", s.Required)
	}
}
