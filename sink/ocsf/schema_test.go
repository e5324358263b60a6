package ocsf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

// compiled is the schema as its server exports it, with all that a class
// inherits in the class.
type compiled struct {
	Classes map[string]class
	Objects map[string]class
	Types   map[string]struct {
		Type, Regex string
	}
}

type class struct {
	Attributes  map[string]attribute
	Constraints struct {
		AtLeastOne []string `json:"at_least_one"`
		JustOne    []string `json:"just_one"`
	}
}

type attribute struct {
	Requirement, Type, Profile, Sibling string
	ObjectType                          string `json:"object_type"`
	IsArray                             bool   `json:"is_array"`
	Deprecated                          any    `json:"@deprecated"`
	Enum                                map[string]struct{ Caption string }
}

// TestSchema holds every event of the contract to the published schema of its
// version (PyPI: ocsf-json-schema).
func TestSchema(t *testing.T) {
	b, err := os.ReadFile(sinktest.Schema(t, "ocsf_json_schema", "ocsf", Version+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var s compiled
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	sinktest.Run(t, sinktest.Contract{New: New, Check: func(out []byte) (findings int, err error) {
		for line := range bytes.Lines(out) {
			var doc map[string]any
			if err := json.Unmarshal(line, &doc); err != nil {
				return 0, err
			}
			if err := s.event(doc); err != nil {
				return 0, fmt.Errorf("%w in %.300s", err, line)
			}
			findings++
		}
		return findings, nil
	}})
}

func (s *compiled) event(doc map[string]any) error {
	metadata, _ := doc["metadata"].(map[string]any)
	profiles, _ := metadata["profiles"].([]any)
	return s.object("", s.Classes["detection_finding"], doc, profiles)
}

func (s *compiled) object(path string, c class, obj map[string]any, profiles []any) error {
	applies := func(a attribute) bool { return a.Profile == "" || slices.Contains(profiles, any(a.Profile)) }
	for name, a := range c.Attributes {
		if _, ok := obj[name]; a.Requirement == "required" && applies(a) && !ok {
			return fmt.Errorf("no %s.%s", path, name)
		}
	}
	has := func(name string) bool { _, ok := obj[name]; return ok }
	if one := c.Constraints.AtLeastOne; len(one) > 0 && !slices.ContainsFunc(one, has) {
		return fmt.Errorf("%s has none of %v", path, one)
	}
	for name, v := range obj {
		a, ok := c.Attributes[name]
		if !ok || !applies(a) || a.Deprecated != nil {
			return fmt.Errorf("%s.%s is no attribute, or not of these profiles", path, name)
		}
		if err := s.attribute(path+"."+name, a, v, profiles); err != nil {
			return err
		}
		if caption := a.Enum[number(v)].Caption; has(a.Sibling) && obj[a.Sibling] != caption {
			return fmt.Errorf("%s is %v, and its name %v is not %s", path+"."+name, v, obj[a.Sibling], caption)
		}
	}
	return nil
}

func (s *compiled) attribute(path string, a attribute, v any, profiles []any) error {
	list, ok := v.([]any)
	if a.IsArray != ok && a.Type != "json_t" {
		return fmt.Errorf("%s: is it a list? %v", path, ok)
	}
	if !a.IsArray {
		list = []any{v}
	}
	for _, v := range list {
		obj, isObject := v.(map[string]any)
		switch {
		case a.Type == "object_t" && !isObject:
			return fmt.Errorf("%s is no object", path)
		case a.Type == "object_t" && a.ObjectType != "object":
			if err := s.object(path, s.Objects[a.ObjectType], obj, profiles); err != nil {
				return err
			}
		case a.Type != "object_t" && !s.typed(a.Type, v):
			return fmt.Errorf("%s: %v is no %s", path, v, a.Type)
		}
		if _, ok := a.Enum[number(v)]; len(a.Enum) > 0 && !ok {
			return fmt.Errorf("%s: %v is not allowed", path, v)
		}
	}
	return nil
}

func (s *compiled) typed(name string, v any) bool {
	if t := s.Types[name]; t.Type != "" {
		text, _ := v.(string)
		return s.typed(t.Type, v) && (t.Regex == "" || regexp.MustCompile(t.Regex).MatchString(text))
	}
	switch name {
	case "string_t":
		_, ok := v.(string)
		return ok
	case "integer_t", "long_t":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case "boolean_t":
		_, ok := v.(bool)
		return ok
	}
	return name == "json_t"
}

// number is the key of a value in an enumeration.
func number(v any) string {
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
