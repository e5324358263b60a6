package standard_test

import (
	"bytes"
	"testing"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func TestNamed(t *testing.T) {
	before := ""
	for _, m := range standard.Modules() {
		if n := standard.Named(m.Name); n == nil || n.Name != m.Name {
			t.Errorf("%s: got %v", m.Name, n)
		}
		if m.Name <= before {
			t.Errorf("%s stands behind %s", m.Name, before)
		}
		before = m.Name
	}
	if m := standard.Named("none"); m != nil {
		t.Errorf("none: got %s", m.Name)
	}
}

// TestFindModules compiles and reads rules with the modules that they import.
func TestFindModules(t *testing.T) {
	var made []string
	find := yara.FindModules(func(name string) *module.Module {
		made = append(made, name)
		return standard.Named(name)
	})
	rules, err := yara.Compile(`import "math" rule r { condition: math.max(1, 2) == 2 }`, find)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := rules.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	made = nil
	rules, err = yara.ReadRules(&b, find)
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 1 || made[0] != "math" {
		t.Errorf("reading made %v, want math", made)
	}
	results, err := rules.NewScanner().Scan(t.Context(), nil)
	if err != nil || results.Len() != 1 {
		t.Errorf("got %d rules and %v, want one", results.Len(), err)
	}
	if _, err := yara.Compile(`import "none" rule r { condition: true }`, find); err == nil {
		t.Error("a module that is not found: got no error")
	}
}
