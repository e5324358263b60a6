// Package deploy brings content into a workspace of Microsoft Sentinel, and
// keeps it there as its files say.
//
// [Read] asks the workspace what is there; [Deployment.Plan] compares it with a
// bundle and says what would change, attribute by attribute; [Deployment.Apply]
// makes it so, in the order in which things depend on each other. Applied twice,
// the second time changes nothing.
//
// What was applied is on record in the workspace itself, in the watchlist
// besra-state: for each resource two digests, of what was sent and of what the
// workspace made of it. So Plan tells three things apart: that the content
// changed, that somebody edited a resource in the portal, and that a resource of
// the same name was never ours. The last two are not overwritten unless the
// caller says so, and nothing is deleted that is not on record.
package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
)

// workspaceVersion is the API version that the workspace itself is read in.
const workspaceVersion = "2025-07-01"

// Deployment is a workspace as it was read, with the record of what was applied.
// It belongs to one goroutine.
type Deployment struct {
	client   *azure.Client
	config   azure.Config
	location string
	state    map[string]entry // by key of the resource
	hasState bool             // the watchlist of the state is there
	live     map[string]live  // by key of the resource
}

// live is a resource as the workspace has it.
type live struct {
	Top        content.Object // members beside the properties
	Properties content.Object
	Etag       string
	Items      map[string]item // of a watchlist, by the value of its search key
	Uploading  bool            // the items are not all there yet
}

// item is a row of a watchlist.
type item struct {
	ID     string
	Values map[string]string
}

// Read reads the workspace: its region, the record of what was applied, and
// every resource that is in the bundle or on record.
func Read(ctx context.Context, client *azure.Client, config azure.Config, b *content.Bundle) (*Deployment, error) {
	d := &Deployment{client: client, config: config, live: map[string]live{}}
	var workspace struct {
		Location string `json:"location"`
	}
	_, err := client.JSON(ctx, azure.Request{Method: http.MethodGet, Path: config.WorkspacePath(), Version: workspaceVersion}, &workspace)
	if err != nil {
		return nil, fmt.Errorf("the workspace %s: %w", config.Workspace, err)
	}
	d.location = workspace.Location
	if err := d.readState(ctx); err != nil {
		return nil, fmt.Errorf("the record of what was applied: %w", err)
	}
	return d, d.readLive(ctx, b)
}

// path is the path of a resource at the resource manager.
func (d *Deployment) path(r *content.Resource) string {
	return d.config.GroupPath() + r.Path(d.config.Workspace)
}

// place fills a place with what it is in this workspace.
func (d *Deployment) place(s string) string {
	if s == string(content.PlaceWorkspace) {
		return d.config.WorkspacePath()
	}
	if s == string(content.PlaceLocation) {
		return d.location
	}
	if name, ok := strings.CutPrefix(s, string(content.PlaceSavedSearch)); ok {
		return d.path(&content.Resource{Kind: content.HuntingQuery, Name: name})
	}
	if name, ok := strings.CutPrefix(s, string(content.PlaceAlertRule)); ok {
		return d.path(&content.Resource{Kind: content.AlertRule, Name: name})
	}
	return s
}

// body is a resource as it is sent, in the types that JSON decodes to.
func (d *Deployment) body(r *content.Resource) (content.Object, error) {
	text, err := json.Marshal(r.Body(d.place))
	if err != nil {
		return nil, err
	}
	var out content.Object
	return out, json.Unmarshal(text, &out)
}

// listed are kinds of which a listing gives the whole resources. The others
// are read one by one.
func listed(k *content.Kind) bool {
	switch k {
	case content.Function, content.HuntingQuery, content.AlertRule, content.AutomationRule, content.Watchlist, content.Hunt:
		return true
	}
	return false
}

// wanted are the resources to read by kind: of the bundle, and on record.
func (d *Deployment) wanted(b *content.Bundle) map[*content.Kind][]*content.Resource {
	out, seen := map[*content.Kind][]*content.Resource{}, map[string]bool{}
	add := func(r *content.Resource) {
		if key := strings.ToLower(r.Key()); !seen[key] {
			seen[key] = true
			out[r.Kind] = append(out[r.Kind], r)
		}
	}
	for _, r := range b.Resources {
		add(r)
	}
	for _, e := range d.state {
		if r := e.resource(); r != nil {
			add(r)
		}
	}
	return out
}

func (d *Deployment) readLive(ctx context.Context, b *content.Bundle) error {
	for k, resources := range d.wanted(b) {
		var err error
		if listed(k) {
			err = d.readList(ctx, k, resources)
		} else {
			err = d.readEach(ctx, resources)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
	}
	return nil
}

// readList reads a collection, and keeps what is wanted of it.
func (d *Deployment) readList(ctx context.Context, k *content.Kind, resources []*content.Resource) error {
	byName := map[string]*content.Resource{}
	for _, r := range resources {
		byName[strings.ToLower(r.Name)] = r
	}
	collection := strings.TrimSuffix(d.path(resources[0]), "/"+resources[0].Name)
	err := d.client.List(ctx, azure.Request{Path: collection, Version: k.Version}, func(raw json.RawMessage) error {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(raw, &head); err != nil {
			return err
		}
		r := byName[strings.ToLower(path.Base(head.ID))]
		if r == nil {
			return nil
		}
		return d.take(ctx, r, raw)
	})
	if azure.Status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

func (d *Deployment) readEach(ctx context.Context, resources []*content.Resource) error {
	for _, r := range resources {
		if err := d.reread(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// reread reads one resource, which may be absent.
func (d *Deployment) reread(ctx context.Context, r *content.Resource) error {
	resp, err := d.client.Do(ctx, azure.Request{Method: http.MethodGet, Path: d.path(r), Version: r.Kind.Version})
	if azure.Status(err) == http.StatusNotFound {
		delete(d.live, r.Key())
		return nil
	}
	if err != nil {
		return err
	}
	return d.take(ctx, r, resp.Body)
}

// take notes a resource as the workspace has it.
func (d *Deployment) take(ctx context.Context, r *content.Resource, raw []byte) error {
	var all content.Object
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("%s cannot be read: %w", r.Key(), err)
	}
	l := live{Top: content.Object{}}
	l.Properties, _ = all["properties"].(content.Object)
	l.Etag, _ = all["etag"].(string)
	if tag, ok := l.Properties["etag"].(string); ok && l.Etag == "" {
		l.Etag = tag
	}
	for key, v := range all {
		if key != "properties" {
			l.Top[key] = v
		}
	}
	if r.Kind == content.Watchlist {
		l.Uploading = l.Properties["uploadStatus"] == "InProgress" || l.Properties["provisioningState"] == "InProgress" || l.Properties["provisioningState"] == "New"
		items, err := d.items(ctx, r)
		if err != nil {
			return err
		}
		l.Items = items
	}
	d.live[r.Key()] = l
	return nil
}

// items reads the rows of a watchlist.
func (d *Deployment) items(ctx context.Context, r *content.Resource) (map[string]item, error) {
	key, _ := r.Properties["itemsSearchKey"].(string)
	if key == "" {
		key = content.WatchlistKey
	}
	out := map[string]item{}
	err := d.client.List(ctx, azure.Request{Path: d.path(r) + "/watchlistItems", Version: r.Kind.Version}, func(raw json.RawMessage) error {
		var row struct {
			Name       string `json:"name"`
			Properties struct {
				Values content.Object `json:"itemsKeyValue"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(raw, &row); err != nil {
			return err
		}
		values := map[string]string{}
		for k, v := range row.Properties.Values {
			values[k] = fmt.Sprint(v)
		}
		out[values[key]] = item{row.Name, values}
		return nil
	})
	if azure.Status(err) == http.StatusNotFound {
		return out, nil
	}
	return out, err
}
