package yara

import (
	"slices"

	"github.com/besra-hunt/besra/yara/internal/program"
)

// Externals lists the external variables that conditions use, sorted: the
// others need no value before a scan.
func (r *Rules) Externals() []string {
	var names []string
	for _, n := range r.prog.Nodes {
		if n.Op == program.OpExtern {
			names = append(names, r.prog.Externals[n.V].Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
