package deploy

import (
	"maps"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/sentinel/content"
)

// Action is what a plan does with a resource.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Keep   Action = "keep"   // it would be deleted, and holds data
	Forget Action = "forget" // it is on record and gone
	Record Action = "record" // it is as it shall be, and not on record
	None   Action = "none"
)

// Conflict says why a change waits for the caller's word.
type Conflict string

// The conflicts.
const (
	Edited  Conflict = "edited"  // changed in the workspace since it was applied
	Foreign Conflict = "foreign" // there, different, and never ours
)

// Change is what happens to one resource.
type Change struct {
	Action Action `json:"action"`
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Key    string `json:"key"`
	// Preview says that the API is a preview.
	Preview bool `json:"preview,omitempty"`
	// Conflict is empty where nobody else touched the resource.
	Conflict   Conflict    `json:"conflict,omitempty"`
	Attributes []Attribute `json:"attributes,omitempty"`
	// Added and Removed are rows of a watchlist by their key.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`

	resource *content.Resource
	sent     string // digest of what shall be
}

// Changes reports whether the workspace would be another afterwards.
func (c *Change) Changes() bool {
	return c.Action == Create || c.Action == Update || c.Action == Delete
}

// Plan is what would bring a workspace to what a bundle says.
type Plan struct {
	Changes []*Change `json:"changes"`
}

// Count returns how many changes have an action.
func (p *Plan) Count(a Action) (n int) {
	for _, c := range p.Changes {
		if c.Action == a {
			n++
		}
	}
	return n
}

// Empty reports whether nothing would change.
func (p *Plan) Empty() bool {
	return !slices.ContainsFunc(p.Changes, (*Change).Changes)
}

// Conflicts lists the changes that would undo what somebody else did.
func (p *Plan) Conflicts() []*Change {
	var out []*Change
	for _, c := range p.Changes {
		if c.Conflict != "" && c.Changes() {
			out = append(out, c)
		}
	}
	return out
}

// Plan compares the workspace with a bundle. What is on record and no longer in
// the bundle is deleted; the table of findings only with deleteData, because its
// rows go with it.
func (d *Deployment) Plan(b *content.Bundle, deleteData bool) (*Plan, error) {
	p := &Plan{}
	named := map[string]bool{}
	for _, r := range b.Resources {
		named[r.Key()] = true
		c, err := d.compare(r)
		if err != nil {
			return nil, err
		}
		p.Changes = append(p.Changes, c)
	}
	p.Changes = append(p.Changes, d.leftovers(named, deleteData)...)
	return p, nil
}

// compare plans one resource.
func (d *Deployment) compare(r *content.Resource) (*Change, error) {
	body, err := d.body(r)
	if err != nil {
		return nil, err
	}
	properties := body["properties"].(content.Object)
	c := &Change{Kind: r.Kind.Name, Title: r.Title, Key: r.Key(), Preview: r.Kind.Preview, resource: r}
	c.sent = digest(properties, attributes(body), rows(r.Items))
	have, exists := d.live[r.Key()]
	noted, known := d.state[r.Key()]
	if !exists {
		c.Action = Create
		return c, nil
	}
	touched := known && d.liveDigest(r, have, noted.Attributes) != noted.Live
	if known && !touched && noted.Sent == c.sent {
		c.Action = None
		return c, nil
	}
	for _, name := range attributes(body) {
		c.Attributes = append(c.Attributes, differences(name, have.Properties[name], properties[name])...)
	}
	c.compareRows(r, have)
	d.judge(c, known, touched, noted.Sent != c.sent)
	return c, nil
}

// judge names the action of a resource that is there and not as it was applied.
func (d *Deployment) judge(c *Change, known, touched, changed bool) {
	different := len(c.Attributes)+len(c.Added)+len(c.Removed) > 0
	switch {
	case !different && !(known && changed && !touched):
		c.Action = Record
	case !known:
		c.Action, c.Conflict = Update, Foreign
	case touched:
		c.Action, c.Conflict = Update, Edited
	default:
		c.Action = Update
	}
}

// compareRows compares the rows of a watchlist, once they are all there.
func (c *Change) compareRows(r *content.Resource, have live) {
	if r.Kind != content.Watchlist || have.Uploading {
		return
	}
	want := rows(r.Items)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if i, ok := have.Items[key]; !ok || !holds(i.Values, want[key]) {
			c.Added = append(c.Added, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have.Items)) {
		if want[key] == nil {
			c.Removed = append(c.Removed, key)
		}
	}
}

// holds reports whether a row has the values that it shall have.
func holds(have, want map[string]string) bool {
	for k, v := range want {
		if have[k] != v {
			return false
		}
	}
	return true
}

// liveDigest is the digest of what the workspace has, over what was compared
// when it was applied. The rows of a watchlist that are still being uploaded
// are taken to be those that were sent.
func (d *Deployment) liveDigest(r *content.Resource, have live, names []string) string {
	values := map[string]map[string]string{}
	if r.Kind == content.Watchlist {
		values = liveRows(have.Items)
		if have.Uploading {
			values = rows(r.Items)
		}
	}
	return digest(have.Properties, names, values)
}

// leftovers plans what is on record and not named by a bundle, in the reverse
// of the order in which it was made.
func (d *Deployment) leftovers(named map[string]bool, deleteData bool) []*Change {
	var out []*Change
	for _, key := range slices.Sorted(maps.Keys(d.state)) {
		e := d.state[key]
		r := e.resource()
		if named[key] || r == nil {
			continue
		}
		c := &Change{Action: Delete, Kind: e.Kind, Title: e.Title, Key: key, Preview: r.Kind.Preview, resource: r}
		have, exists := d.live[key]
		switch {
		case !exists:
			c.Action = Forget
		case r.Kind == content.Table && !deleteData:
			c.Action = Keep
		case d.liveDigest(r, have, e.Attributes) != e.Live:
			c.Conflict = Edited
		}
		out = append(out, c)
	}
	kinds := content.Kinds()
	slices.SortStableFunc(out, func(x, y *Change) int {
		if n := slices.Index(kinds, y.resource.Kind) - slices.Index(kinds, x.resource.Kind); n != 0 {
			return n
		}
		return strings.Compare(y.Key, x.Key)
	})
	return out
}
