package kql

import (
	"regexp"
	"slices"
	"testing"

	"github.com/besra-hunt/besra"
)

// TestFindings holds the table to the limits of custom tables and to the vocabulary.
func TestFindings(t *testing.T) {
	name := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,44}$`)
	reserved := []string{"_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"}
	types := map[besra.FactType]Type{besra.TypeString: String, besra.TypeInt: Long, besra.TypeBool: Boolean,
		besra.TypeTimestamp: DateTime, besra.TypeStrings: Dynamic}
	seen := map[string]bool{}
	for _, c := range Findings().Columns {
		if !name.MatchString(c.Name) || slices.Contains(reserved, c.Name) || seen[c.Name] {
			t.Errorf("%s: not a name that a custom table takes, or twice", c.Name)
		}
		seen[c.Name] = true
		if c.Fact == "" {
			continue
		}
		def, ok := besra.FactNamed(c.Fact)
		if !ok || types[def.Type] != c.Type {
			t.Errorf("%s is a %s: the vocabulary has %q with type %s (known: %v)", c.Name, c.Type, c.Fact, def.Type, ok)
		}
	}
	if c, ok := Findings().Column("file.owner.name"); !ok || c.Name != "FileOwner" {
		t.Errorf("file.owner.name is in %q (found: %v), want FileOwner", c.Name, ok)
	}
}
