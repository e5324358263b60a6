package deploy

import (
	"context"
	"fmt"
	"net/http"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
)

// ConflictError reports changes that would undo what somebody else did.
type ConflictError struct{ Changes []*Change }

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%d resources were changed by somebody else", len(e.Changes))
}

// Apply makes the changes of a plan, one after the other, and records each as
// soon as it is made: what an error or the end of ctx leaves undone is in the
// next plan. done is told of each. With overwrite, what somebody else changed is
// changed back; otherwise such a plan is a [*ConflictError], and nothing is done.
func (d *Deployment) Apply(ctx context.Context, p *Plan, overwrite bool, done func(*Change)) error {
	if conflicts := p.Conflicts(); len(conflicts) > 0 && !overwrite {
		return &ConflictError{conflicts}
	}
	for _, c := range p.Changes {
		if c.Action == None || c.Action == Keep {
			continue
		}
		if err := d.apply(ctx, c); err != nil {
			return fmt.Errorf("%s %q: %w", c.Kind, c.Title, err)
		}
		done(c)
	}
	return nil
}

func (d *Deployment) apply(ctx context.Context, c *Change) error {
	switch c.Action {
	case Forget:
		return d.forget(ctx, c.Key)
	case Delete:
		return d.delete(ctx, c)
	case Create, Update:
		if err := d.write(ctx, c); err != nil {
			return err
		}
	}
	return d.record(ctx, c)
}

func (d *Deployment) delete(ctx context.Context, c *Change) error {
	resp, err := d.client.Do(ctx, azure.Request{Method: http.MethodDelete, Path: d.path(c.resource), Version: c.resource.Kind.Version})
	if err == nil {
		err = d.client.Finish(ctx, resp)
	}
	if err != nil && azure.Status(err) != http.StatusNotFound {
		return err
	}
	delete(d.live, c.Key)
	return d.forget(ctx, c.Key)
}

// write creates or updates a resource. Of a watchlist that is there, only the
// rows that differ are sent: a workspace has a budget of them for each month.
func (d *Deployment) write(ctx context.Context, c *Change) error {
	r := c.resource
	have := d.live[c.Key]
	if c.Action == Create || len(c.Attributes) > 0 || len(c.Added)+len(c.Removed) == 0 {
		if err := d.put(ctx, r, have.Etag); err != nil {
			return err
		}
	}
	wanted := map[string]content.Item{}
	for _, i := range r.Items {
		wanted[i.Key] = i
	}
	for _, key := range c.Added {
		i := wanted[key]
		if old, ok := have.Items[key]; ok && old.ID != i.ID(r.Name) {
			if err := d.deleteItem(ctx, r, old.ID); err != nil {
				return err
			}
		}
		if err := d.putItem(ctx, r, i); err != nil {
			return err
		}
	}
	for _, key := range c.Removed {
		if err := d.deleteItem(ctx, r, have.Items[key].ID); err != nil {
			return err
		}
	}
	return nil
}

// put sends a whole resource and waits until it is there. An etag makes sure
// that it is still what was read.
func (d *Deployment) put(ctx context.Context, r *content.Resource, etag string) error {
	body, err := d.body(r)
	if err != nil {
		return err
	}
	req := azure.Request{Method: http.MethodPut, Path: d.path(r), Version: r.Kind.Version, Body: body}
	if r.Kind == content.Watchlist && etag != "" {
		for _, name := range unread {
			delete(body["properties"].(content.Object), name) // rows are sent one by one
		}
	}
	switch {
	case etag == "":
	case r.Kind.Security() || r.Kind == content.Function || r.Kind == content.HuntingQuery:
		body["etag"] = etag
	default:
		req.Header = http.Header{"If-Match": {etag}}
	}
	resp, err := d.client.Do(ctx, req)
	switch azure.Status(err) {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fmt.Errorf("it was changed after it was read: plan again: %w", err)
	}
	if err != nil {
		return err
	}
	return d.client.Finish(ctx, resp)
}

// record reads what the workspace made of a resource, and notes it.
func (d *Deployment) record(ctx context.Context, c *Change) error {
	r := c.resource
	if err := d.reread(ctx, r); err != nil {
		return err
	}
	have, exists := d.live[c.Key]
	if !exists {
		return fmt.Errorf("it is not there after it was made")
	}
	body, err := d.body(r)
	if err != nil {
		return err
	}
	names := attributes(body)
	if c.Action == Create {
		have.Uploading = true // rows of a new watchlist come later
	}
	return d.note(ctx, r, entry{Sent: c.sent, Live: d.liveDigest(r, have, names), Attributes: names})
}

// Collection is where findings are sent to, as the collection rule says.
type Collection struct{ Endpoint, Rule, Stream string }

// Collection returns it; ok is false where the rule is not there.
func (d *Deployment) Collection() (c Collection, ok bool) {
	have, ok := d.live[(&content.Resource{Kind: content.CollectionRule, Name: content.CollectionRuleName}).Key()]
	if !ok {
		return c, false
	}
	endpoints, _ := have.Properties["endpoints"].(content.Object)
	c.Endpoint, _ = endpoints["logsIngestion"].(string)
	c.Rule, _ = have.Properties["immutableId"].(string)
	c.Stream = content.StreamName
	return c, c.Endpoint != "" && c.Rule != ""
}
