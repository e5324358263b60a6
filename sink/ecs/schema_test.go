package ecs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/dop251/goja"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// published is what Elastic's own list says of a field.
type published struct {
	Type      string
	Required  bool
	Normalize []string
	Allowed   []struct {
		Name  string
		Types []string `json:"expected_event_types"`
	} `json:"allowed_values"`
}

// TestSchema holds every document of the contract to the list of fields that
// Elastic publishes (npm: @elastic/ecs).
func TestSchema(t *testing.T) {
	src, err := os.ReadFile(sinktest.Schema(t, "node_modules", "@elastic", "ecs", "generated", "ecs_flat.js"))
	if err != nil {
		t.Fatal(err)
	}
	vm := goja.New()
	list, err := vm.RunString("var exports = {};\n" + string(src) + ";\nJSON.stringify(exports.EcsFlat)")
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]published{}
	if err := json.Unmarshal([]byte(list.String()), &fields); err != nil {
		t.Fatal(err)
	}
	sinktest.Run(t, sinktest.Contract{New: New, Check: func(out []byte) (findings int, err error) {
		for line := range bytes.Lines(out) {
			if err := against(fields, line); err != nil {
				return 0, fmt.Errorf("%w in %.300s", err, line)
			}
			findings++
		}
		return findings, nil
	}})
}

func against(fields map[string]published, line []byte) error {
	var doc map[string]any
	if err := json.Unmarshal(line, &doc); err != nil {
		return err
	}
	delete(doc, "besra") // custom fields
	leaves := map[string]any{}
	flatten("", doc, leaves)
	for name, f := range fields {
		if _, ok := leaves[name]; f.Required && !ok {
			return fmt.Errorf("no %s", name)
		}
	}
	for name, v := range leaves {
		f, ok := fields[name]
		if !ok {
			return fmt.Errorf("%s is no field of the schema", name)
		}
		if err := f.takes(v, doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// flatten collects values by the dotted names that the list has; labels is one.
func flatten(name string, v any, leaves map[string]any) {
	obj, ok := v.(map[string]any)
	if !ok || name == "labels" {
		leaves[name] = v
		return
	}
	for k, e := range obj {
		if name != "" {
			k = name + "." + k
		}
		flatten(k, e, leaves)
	}
}

func (f published) takes(v any, doc map[string]any) error {
	values, list := v.([]any)
	if list != slices.Contains(f.Normalize, "array") {
		return fmt.Errorf("is it a list? %v", list)
	}
	if !list {
		values = []any{v}
	}
	for _, v := range values {
		if !typed(f.Type, v) {
			return fmt.Errorf("%v is no %s", v, f.Type)
		}
		if len(f.Allowed) > 0 && !f.allows(v, doc) {
			return fmt.Errorf("%v is not allowed", v)
		}
	}
	return nil
}

func typed(kind string, v any) bool {
	switch kind {
	case "keyword", "match_only_text", "wildcard", "constant_keyword":
		_, ok := v.(string)
		return ok
	case "long":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case "ip":
		s, _ := v.(string)
		_, err := netip.ParseAddr(s)
		return err == nil
	case "date":
		s, _ := v.(string)
		_, err := time.Parse(time.RFC3339Nano, s)
		return err == nil
	case "object": // of keywords
		for _, e := range v.(map[string]any) {
			if _, ok := e.(string); !ok {
				return false
			}
		}
		return true
	}
	return false
}

// allows takes a value that the schema lists; of a category also only where
// the event's types are those that it expects.
func (f published) allows(v any, doc map[string]any) bool {
	for _, a := range f.Allowed {
		if a.Name == v {
			for _, typ := range doc["event"].(map[string]any)["type"].([]any) {
				if len(a.Types) > 0 && !slices.Contains(a.Types, typ.(string)) {
					return false
				}
			}
			return true
		}
	}
	return false
}
