package detection

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/exclusion"
)

// Change is one difference between two packs.
type Change struct {
	Kind      string   `json:"kind"` // added, removed, changed
	Detection string   `json:"detection"`
	Exclusion string   `json:"exclusion,omitempty"` // of the detection, where the change is of one
	Fields    []string `json:"fields,omitempty"`    // of a change: "severity: low → high"
}

// Diff lists what changed from one pack to another, detection by detection and
// exclusion by exclusion, by id. Where only the text of a rule's patterns or
// condition changed, the field is "rule".
func Diff(old, new *Pack) []Change {
	before, after := byID(old), byID(new)
	var out []Change
	for _, id := range union(before, after) {
		a, b := before[id], after[id]
		switch {
		case a == nil:
			out = append(out, Change{Kind: "added", Detection: id})
		case b == nil:
			out = append(out, Change{Kind: "removed", Detection: id})
		default:
			fields := changedFields(detectionFields(old, a), detectionFields(new, b))
			if len(fields) > 0 {
				out = append(out, Change{Kind: "changed", Detection: id, Fields: fields})
			}
			out = append(out, diffExclusions(id, a.Exclusions(), b.Exclusions())...)
		}
	}
	return out
}

func byID(p *Pack) map[string]*Detection {
	m := map[string]*Detection{}
	for _, d := range p.Detections {
		m[d.ID] = d
	}
	return m
}

func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// detectionFields flattens a detection into texts by field, without its
// exclusions; its rule is told by the fingerprint.
func detectionFields(p *Pack, d *Detection) map[string]string {
	out := map[string]string{}
	flatten(out, "", reflect.ValueOf(*d))
	text := p.Rules[d.RulePath()]
	delete(out, "rule.inline")
	out["rule"] = fingerprints(d.RulePath(), text)[d.Rule.Name]
	if d.Plain() {
		out["rule"] = fmt.Sprint(slices.Sorted(maps.Values(fingerprints(d.RulePath(), text))))
	}
	return out
}

func diffExclusions(id string, old, new []exclusion.Spec) []Change {
	before, after := specs(old), specs(new)
	var out []Change
	for _, x := range union(before, after) {
		a, hadIt := before[x]
		b, hasIt := after[x]
		switch {
		case !hadIt:
			out = append(out, Change{Kind: "added", Detection: id, Exclusion: x, Fields: []string{"when: " + oneLine(b.When)}})
		case !hasIt:
			out = append(out, Change{Kind: "removed", Detection: id, Exclusion: x, Fields: []string{"when: " + oneLine(a.When)}})
		default:
			f, g := map[string]string{}, map[string]string{}
			flatten(f, "", reflect.ValueOf(a))
			flatten(g, "", reflect.ValueOf(b))
			if fields := changedFields(f, g); len(fields) > 0 {
				out = append(out, Change{Kind: "changed", Detection: id, Exclusion: x, Fields: fields})
			}
		}
	}
	return out
}

func specs(list []exclusion.Spec) map[string]exclusion.Spec {
	m := map[string]exclusion.Spec{}
	for _, x := range list {
		m[x.ID] = x
	}
	return m
}

// flatten writes the fields of a struct as texts by their YAML path.
func flatten(out map[string]string, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		f := v.Field(i)
		switch {
		case name == "" || name == "-" || f.IsZero():
		case prefix+name == "scenarios":
			for j := range f.Len() {
				s := f.Index(j).Interface().(Scenario)
				s.Exclusions = nil
				flatten(out, "scenarios."+s.ID+".", reflect.ValueOf(s))
			}
		case f.Kind() == reflect.Struct:
			flatten(out, prefix+name+".", f)
		default:
			out[prefix+name] = oneLine(fmt.Sprintf("%v", f.Interface()))
		}
	}
}

func changedFields(a, b map[string]string) []string {
	var out []string
	for _, name := range union(a, b) {
		if a[name] != b[name] {
			out = append(out, fmt.Sprintf("%s: %s → %s", name, shorten(a[name]), shorten(b[name])))
		}
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func shorten(s string) string {
	if s == "" {
		return "(none)"
	}
	if r := []rune(s); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return s
}
