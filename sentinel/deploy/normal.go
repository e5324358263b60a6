package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/sentinel/content"
)

// unread are attributes that are sent and never given back.
var unread = []string{"rawContent", "contentType", "numberOfLinesToSkip"}

// attributes are the names of what is compared of a resource.
func attributes(sent content.Object) []string {
	properties, _ := sent["properties"].(content.Object)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(name string) bool { return slices.Contains(unread, name) })
}

// digest is one over the attributes of these names, without what is empty, and
// over the rows of a watchlist. The services add members that are empty, and
// spell identifiers in another case.
func digest(properties content.Object, names []string, rows map[string]map[string]string) string {
	part := content.Object{}
	for _, name := range names {
		if v := normal(properties[name]); v != nil {
			part[name] = v
		}
	}
	text, _ := json.Marshal([]any{part, rows}) // of what JSON decodes to
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// normal returns v without empty members; nil where nothing is left.
func normal(v any) any {
	switch v := v.(type) {
	case string:
		switch {
		case v == "":
			return nil
		case strings.HasPrefix(v, "/subscriptions/"):
			return strings.ToLower(v)
		}
	case content.Object:
		out := content.Object{}
		for key, member := range v {
			if n := normal(member); n != nil {
				out[key] = n
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normal(v[i])
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return v
}

// rows are the values of a watchlist's rows by their key.
func rows(items []content.Item) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, i := range items {
		out[i.Key] = i.Values
	}
	return out
}

func liveRows(items map[string]item) map[string]map[string]string {
	out := map[string]map[string]string{}
	for key, i := range items {
		out[key] = i.Values
	}
	return out
}

// Attribute is a difference of one attribute.
type Attribute struct {
	// Path names it, such as incidentConfiguration.createIncident.
	Path string `json:"path"`
	// Old is what the workspace has, nil where nothing; New what it shall have.
	Old any `json:"old"`
	New any `json:"new"`
}

// differences compares what is there with what shall be, in the members that
// shall be: what a service adds is not ours.
func differences(path string, old, want any) []Attribute {
	switch w := want.(type) {
	case content.Object:
		o, ok := old.(content.Object)
		if !ok || path == "customDetails" && !equal(normal(o), normal(w)) {
			break
		}
		var out []Attribute
		for _, key := range slices.Sorted(maps.Keys(w)) {
			out = append(out, differences(strings.TrimPrefix(path+"."+key, "."), o[key], w[key])...)
		}
		return out
	case []any:
		if o, _ := old.([]any); len(o) == len(w) && (len(w) == 0 || isObject(w[0])) {
			var out []Attribute
			for i := range w {
				out = append(out, differences(fmt.Sprintf("%s[%d]", path, i), o[i], w[i])...)
			}
			return out
		}
	}
	if equal(normal(old), normal(want)) {
		return nil
	}
	return []Attribute{{path, old, want}}
}

func isObject(v any) bool {
	_, ok := v.(content.Object)
	return ok
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}
