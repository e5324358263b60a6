// Package content turns packs of detections into content for Microsoft
// Sentinel: the table and the data collection rule that findings are delivered
// to, the rules that raise alerts of them, hunting queries, hunts, functions
// with the exclusions in KQL, watchlists, automation rules and a workbook.
//
// [Build] makes the resources, in the order in which they can be created, and a
// [Report] of what could not be said there. [Lint] holds them against the
// limits of Sentinel, [Bundle.ARM] and [Bundle.YAML] write them as files, and
// package sentinel/deploy brings them into a workspace. Everything is a
// function of the packs and the options: the same packs give the same bytes.
package content

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// Object is a JSON object of a resource.
type Object = map[string]any

// Resource is one thing in a workspace, as its API takes it.
type Resource struct {
	Kind *Kind
	// Name is the last part of its identifier in Azure: a GUID, an alias or a
	// slug; for a resource of a resource, that of its parent goes before, with a
	// slash.
	Name string
	// Title is what people call it.
	Title string
	// Detection is the id of the detection it is of; empty for what all share.
	Detection string
	// Top are members beside the properties: kind, tags, etag.
	Top Object
	// Properties hold strings, numbers, booleans, Objects and []any. A string
	// that is a [Place] stands for what only the workspace tells.
	Properties Object
	// Items are the members of a watchlist.
	Items []Item
}

// Item is one row of a watchlist.
type Item struct {
	Key    string
	Values map[string]string
}

// ID returns the GUID under which a row is stored.
func (i Item) ID(watchlist string) string { return GUID("watchlists/" + watchlist + "/" + i.Key) }

// Key identifies a resource among those of a workspace, such as
// alertRules/6f1c….
func (r *Resource) Key() string {
	parent, child, ok := strings.Cut(r.Name, "/")
	if !ok {
		return r.Kind.Segment() + "/" + r.Name
	}
	above, below, _ := strings.Cut(r.Kind.Segment(), "/")
	return above + "/" + parent + "/" + below + "/" + child
}

// Query returns the KQL of a resource; empty where it has none.
func (r *Resource) Query() string {
	q, _ := r.Properties["query"].(string)
	return q
}

// Place is a string that stands for what only the workspace tells. A renderer
// puts the value in its stead.
type Place string

// The places. Of a saved search and of a rule, its name follows.
const (
	PlaceWorkspace   Place = "besra:workspace"      // resource id of the workspace
	PlaceLocation    Place = "besra:location"       // its region
	PlaceSavedSearch Place = "besra:savedSearches/" // resource id of a saved search
	PlaceAlertRule   Place = "besra:alertRules/"    // resource id of a rule
)

// Bundle is the content of some packs.
type Bundle struct {
	Resources []*Resource
	Report    Report
}

// Of returns the resources of a kind, in order.
func (b *Bundle) Of(k *Kind) []*Resource {
	var out []*Resource
	for _, r := range b.Resources {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

// namespace is the fixed namespace of GUIDs of our content: that of the URL
// https://github.com/besra-hunt/besra by RFC 4122. It never changes, because a
// rule with another GUID is another rule.
var namespace = uuid5([16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8},
	"https://github.com/besra-hunt/besra")

// GUID returns the GUID of a thing by its name, the same in every export.
func GUID(name string) string {
	u := uuid5(namespace, name)
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// uuid5 is version 5 of RFC 4122: by SHA-1 of a namespace and a name.
func uuid5(space [16]byte, name string) (u [16]byte) {
	sum := sha1.Sum(append(space[:], name...))
	copy(u[:], sum[:])
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// alias turns an id into a name that KQL can call.
func alias(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, id)
}
