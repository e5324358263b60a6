package detection

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SetParameters sets parameters of the detections of packs to what a site says:
// each setting is NAME=VALUE for every detection that has the parameter, or
// DETECTION/NAME=VALUE for one. A list takes as many settings as it has members.
// A setting that no detection takes is an error.
func SetParameters(packs []*Pack, settings []string) error {
	given := map[string][]string{}
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return fmt.Errorf("the parameter %q: want NAME=VALUE or DETECTION/NAME=VALUE", s)
		}
		given[name] = append(given[name], value)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := setParameter(packs, name, given[name]); err != nil {
			return fmt.Errorf("the parameter %s: %w", name, err)
		}
	}
	return nil
}

func setParameter(packs []*Pack, name string, values []string) error {
	of, bare, one := strings.Cut(name, "/")
	if !one {
		of, bare = "", name
	}
	taken, known := false, map[string]bool{}
	for _, p := range packs {
		for _, d := range p.Detections {
			for other := range d.Parameters {
				known[other] = true
			}
			param, ok := d.Parameters[bare]
			if !ok || one && d.ID != of {
				continue
			}
			set, err := param.Read(values...)
			if err != nil {
				return fmt.Errorf("detection %s: %w", d.ID, err)
			}
			d.Parameters[bare], taken = set, true
		}
	}
	if !taken {
		return fmt.Errorf("no detection has it; there is %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return nil
}
