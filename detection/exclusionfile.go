package detection

import (
	"bytes"
	"errors"

	"github.com/besra-hunt/besra/exclusion"
	"github.com/goccy/go-yaml"
)

// IsFile reports whether a YAML text is meant as a detection file, and not as a
// list of exclusions.
func IsFile(text []byte) bool {
	var head struct {
		APIVersion *string `yaml:"apiVersion"`
	}
	return yaml.Unmarshal(text, &head) == nil && head.APIVersion != nil
}

// ParseExclusions reads exclusions that stand in a file of their own: one, or a
// list of them, as in a detection file. Errors carry line and column.
func ParseExclusions(text []byte) ([]exclusion.Spec, error) {
	var list []exclusion.Spec
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&list)
	if err == nil && len(list) > 0 {
		return list, nil
	}
	var one exclusion.Spec
	if single := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&one); single == nil {
		return []exclusion.Spec{one}, nil
	} else if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("-")) {
		err = single
	}
	if err == nil {
		return nil, errors.New("there is no exclusion in it")
	}
	return nil, fieldError(err)
}

// CompileExclusions compiles the exclusions of d. Those that do not compile are left out, and fail is
// told the problems of each.
func (d *Detection) CompileExclusions(fail func([]*exclusion.Problem)) []*exclusion.Exclusion {
	env, problems := exclusion.NewEnv(d.Parameters, d.Lists)
	if len(problems) > 0 {
		fail(problems)
		return nil
	}
	var xs []*exclusion.Exclusion
	for _, spec := range d.Exclusions() {
		x, problems := exclusion.Compile(spec, exclusion.Options{Env: env, KnownBad: d.Rule.KnownBad})
		if x == nil {
			fail(problems)
			continue
		}
		xs = append(xs, x)
	}
	return xs
}
