package diff

import "github.com/besra-hunt/besra/yara"

// Explained names the known difference between the engines that a difference
// is, and is empty where it is none. docs/differences.md lists them under
// these names. Every filter must be as narrow as the case allows: what it
// covers, nobody looks at again.
func Explained(rules string, d *Difference) string {
	for _, f := range filters {
		if f.dialect == d.Oracle.Dialect && f.holds(rules, d) {
			return f.name
		}
	}
	return ""
}

type filter struct {
	name    string
	dialect yara.Dialect
	holds   func(rules string, d *Difference) bool
}

var filters = []filter{
	{"yara-x does not search", yara.YARAX, notSearched},
}

// notSearched: YARA-X searches for patterns only where a condition comes to
// ask for one; where none did, the rule matches without any match. Besra
// reports the matches of every matching rule, as libyara does.
func notSearched(_ string, d *Difference) bool {
	return d.Kind == Matches && len(d.Theirs.Scans[0].Matches) == 0
}
