package deploy

import (
	"context"
	"net/http"
	"strings"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
)

// stateAlias is the alias of the watchlist that holds the record of what was
// applied. It can be read in KQL, too: _GetWatchlist("besra-state").
const stateAlias = "besra-state"

// The columns of the state.
const (
	columnResource = "Resource" // key of the resource; the search key
	columnKind     = "Kind"
	columnName     = "Name"
	columnTitle    = "Title"
	columnSent     = "Sent"       // digest of what was sent
	columnLive     = "Live"       // digest of what the workspace made of it
	columnOf       = "Attributes" // the attributes that Live is of
)

// entry is what is on record of a resource.
type entry struct {
	Kind, Name, Title string
	Sent, Live        string
	Attributes        []string
}

// resource is enough of the resource to read or delete it; nil for a kind that
// this version does not know.
func (e entry) resource() *content.Resource {
	k := content.KindNamed(e.Kind)
	if k == nil {
		return nil
	}
	return &content.Resource{Kind: k, Name: e.Name, Title: e.Title}
}

func (d *Deployment) stateResource() *content.Resource {
	return &content.Resource{Kind: content.Watchlist, Name: stateAlias, Title: "Besra: record of what was applied", Properties: content.Object{
		"displayName": "Besra: record of what was applied", "provider": "Besra", "source": stateAlias + ".csv", "sourceType": "Local",
		"description":    "One row for each resource that besra sentinel apply made, with digests of it. Do not edit: besra sentinel plan reads it.",
		"itemsSearchKey": columnResource, "contentType": "text/csv", "numberOfLinesToSkip": 0, "labels": []any{"besra"},
		"rawContent": strings.Join([]string{columnResource, columnKind, columnName, columnTitle, columnSent, columnLive, columnOf}, ",") + "\r\n",
	}}
}

func (d *Deployment) readState(ctx context.Context) error {
	d.state = map[string]entry{}
	r := d.stateResource()
	_, err := d.client.Do(ctx, azure.Request{Method: http.MethodGet, Path: d.path(r), Version: r.Kind.Version})
	if azure.Status(err) == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	d.hasState = true
	rows, err := d.items(ctx, r)
	for key, row := range rows {
		v := row.Values
		d.state[key] = entry{v[columnKind], v[columnName], v[columnTitle], v[columnSent], v[columnLive], strings.Fields(v[columnOf])}
	}
	return err
}

// note records what was applied.
func (d *Deployment) note(ctx context.Context, r *content.Resource, e entry) error {
	if !d.hasState {
		if err := d.put(ctx, d.stateResource(), ""); err != nil {
			return err
		}
		d.hasState = true
	}
	values := map[string]string{columnResource: r.Key(), columnKind: r.Kind.Name, columnName: r.Name, columnTitle: r.Title,
		columnSent: e.Sent, columnLive: e.Live, columnOf: strings.Join(e.Attributes, " ")}
	d.state[r.Key()] = entry{r.Kind.Name, r.Name, r.Title, e.Sent, e.Live, e.Attributes}
	return d.putItem(ctx, d.stateResource(), content.Item{Key: r.Key(), Values: values})
}

// forget takes a resource off the record.
func (d *Deployment) forget(ctx context.Context, key string) error {
	delete(d.state, key)
	return d.deleteItem(ctx, d.stateResource(), content.Item{Key: key}.ID(stateAlias))
}

func (d *Deployment) itemRequest(method string, r *content.Resource, id string, body any) azure.Request {
	return azure.Request{Method: method, Path: d.path(r) + "/watchlistItems/" + id, Version: r.Kind.Version, Body: body}
}

// putItem adds a row to a watchlist, or replaces it.
func (d *Deployment) putItem(ctx context.Context, r *content.Resource, i content.Item) error {
	body := content.Object{"properties": content.Object{"itemsKeyValue": i.Values}}
	_, err := d.client.Do(ctx, d.itemRequest(http.MethodPut, r, i.ID(r.Name), body))
	return err
}

func (d *Deployment) deleteItem(ctx context.Context, r *content.Resource, id string) error {
	_, err := d.client.Do(ctx, d.itemRequest(http.MethodDelete, r, id, nil))
	if azure.Status(err) == http.StatusNotFound {
		return nil
	}
	return err
}
