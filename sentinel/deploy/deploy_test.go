package deploy_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/besra-hunt/besra/sentinel/deploy"
	"github.com/besra-hunt/besra/sentinel/standin"
)

// workspace is a stand-in with a workspace, and who is allowed to manage it.
type workspace struct {
	*standin.Server
	t      *testing.T
	client *azure.Client
	config azure.Config
}

func open(t *testing.T) *workspace {
	t.Helper()
	s, err := standin.Start(standin.Options{PageSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddClient("app", "very-secret")
	dir := t.TempDir()
	cloud, err := s.WriteCloud(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("very-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &workspace{Server: s, t: t, config: azure.Config{Cloud: cloud, Subscription: "s1", ResourceGroup: "soc", Workspace: "hunt",
		Auth: azure.Auth{Tenant: "t1", ClientID: "app", SecretFile: file}}}
	account, err := azure.Connect(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.client = account.Manager(azure.Options{Tries: 2})
	w.have("", content.Object{})
	return w
}

// have puts a resource below the workspace.
func (w *workspace) have(path string, properties content.Object) {
	w.t.Helper()
	if err := w.SetResource(w.config.WorkspacePath()+path, standin.Resource{"location": "westeurope", "properties": properties}); err != nil {
		w.t.Fatal(err)
	}
}

// edit changes an attribute of a resource, as the portal would.
func (w *workspace) edit(r *content.Resource, name string, value any) {
	w.t.Helper()
	path := w.config.GroupPath() + r.Path(w.config.Workspace)
	edited := maps.Clone(w.Resource(path))
	edited["properties"] = maps.Clone(edited["properties"].(map[string]any))
	edited["properties"].(map[string]any)[name] = value
	if err := w.SetResource(path, edited); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workspace) plan(b *content.Bundle) (*deploy.Deployment, *deploy.Plan) {
	w.t.Helper()
	d, err := deploy.Read(w.t.Context(), w.client, w.config, b)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := d.Plan(b, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return d, p
}

func (w *workspace) apply(b *content.Bundle) {
	w.t.Helper()
	d, p := w.plan(b)
	if err := d.Apply(w.t.Context(), p, false, func(*deploy.Change) {}); err != nil {
		w.t.Fatal(err)
	}
}

// summary is what a plan would do, a line a change.
func summary(p *deploy.Plan) (out []string) {
	for _, c := range p.Changes {
		if c.Action == deploy.None {
			continue
		}
		line := strings.TrimSpace(string(c.Action) + " " + c.Key + " " + string(c.Conflict))
		for _, a := range c.Attributes {
			line += " " + a.Path
		}
		for _, key := range c.Added {
			line += " +" + key
		}
		for _, key := range c.Removed {
			line += " -" + key
		}
		out = append(out, line)
	}
	return out
}

func (w *workspace) wantPlan(b *content.Bundle, want ...string) {
	w.t.Helper()
	_, p := w.plan(b)
	if diff := cmp.Diff(want, summary(p)); diff != "" {
		w.t.Errorf("plan (-want +got):\n%s", diff)
	}
}

// made is the content of a pack of two detections; change alters its text.
func made(t *testing.T, change ...string) *content.Bundle {
	t.Helper()
	text := `apiVersion: besra/v1
id: one
version: 1.0.0
status: test
title: One
hypothesis: {statement: Someone does one., state: unknown}
rule: {file: one.yar, name: One, patterns: 1}
severity: high
attack: {version: "17.0", tactics: [TA0005], techniques: [T1027]}
lists:
  vendor: {source: the vendor, values: [aa, bb, cc]}
scenarios:
  - id: update
    title: Update
    exclusions:
      - id: vendor-file
        when: file.sha256 in lists.vendor && file.owner.uid == 0
        contexts: [file]
        owner: me
        reason: It is the vendor's.
        expires: "2040-01-01"
---
apiVersion: besra/v1
id: two
version: 1.0.0
status: test
title: Two
hypothesis: {statement: Someone does two., state: unknown}
rule: {file: two.yar, name: Two, patterns: 1}
severity: low
`
	p, errs := detection.LoadPack("p", fstest.MapFS{
		"one.yaml": {Data: []byte(strings.NewReplacer(change...).Replace(text))},
		"one.yar":  {Data: []byte(`rule One { strings: $a = "one two three" condition: $a }`)},
		"two.yar":  {Data: []byte(`rule Two { strings: $a = "two three four" condition: $a }`)},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	b, faults := content.Build(content.Options{}, p)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return b
}

func find(t *testing.T, b *content.Bundle, key string) *content.Resource {
	t.Helper()
	i := slices.IndexFunc(b.Resources, func(r *content.Resource) bool { return r.Key() == key })
	if i < 0 {
		t.Fatalf("there is no %s", key)
	}
	return b.Resources[i]
}

const oneQuery = "savedSearches/besra-one"

// TestApplyTwice wants the second time to change nothing.
func TestApplyTwice(t *testing.T) {
	w, b := open(t), made(t)
	_, p := w.plan(b)
	if got := p.Count(deploy.Create); got != len(b.Resources) {
		t.Errorf("%d to create, want %d", got, len(b.Resources))
	}
	w.apply(b)
	w.wantPlan(b)
	before := len(w.Requests())
	w.apply(b)
	for _, r := range w.Requests()[before:] {
		if r.Method != http.MethodGet && !strings.Contains(r.Path, "oauth2") {
			t.Errorf("%s %s: nothing was to be done", r.Method, r.Path)
		}
	}
	d, _ := w.plan(b)
	if c, ok := d.Collection(); !ok || !strings.HasPrefix(c.Rule, "dcr-") || c.Endpoint != w.URL {
		t.Errorf("collection %+v", c)
	}
}

// TestChange wants a change of the content to be all that a plan shows.
func TestChange(t *testing.T) {
	w := open(t)
	w.apply(made(t))
	b := made(t, "T1027", "T1048", "[aa, bb, cc]", "[aa, cc, dd]")
	w.wantPlan(b,
		"update watchlists/besra-one-vendor +dd -bb",
		"update savedSearches/BesraFindings_one query",
		"update "+oneQuery+" tags[2].value",
		"update hunts/"+content.GUID("hunts/one")+" attackTechniques")
	before := len(w.Requests())
	w.apply(b)
	for _, r := range w.Requests()[before:] {
		if r.Method == http.MethodPut && strings.HasSuffix(r.Path, "watchlists/besra-one-vendor") {
			t.Error("the whole watchlist was sent again for two rows")
		}
	}
	w.wantPlan(b)
}

// TestEdited wants an edit in the portal to be seen, and kept without a word.
func TestEdited(t *testing.T) {
	w, b := open(t), made(t)
	w.apply(b)
	w.edit(find(t, b, oneQuery), "query", "print 1")
	w.wantPlan(b, "update "+oneQuery+" edited query")
	d, p := w.plan(b)
	var conflict *deploy.ConflictError
	if err := d.Apply(t.Context(), p, false, func(*deploy.Change) {}); !errors.As(err, &conflict) || len(conflict.Changes) != 1 {
		t.Errorf("got %v, want a conflict", err)
	}
	w.wantPlan(b, "update "+oneQuery+" edited query")
	if err := d.Apply(t.Context(), p, true, func(*deploy.Change) {}); err != nil {
		t.Fatal(err)
	}
	w.wantPlan(b)
}

// TestServiceAdds wants what a service adds of its own, and empty members, to be
// no edit.
func TestServiceAdds(t *testing.T) {
	w, b := open(t), made(t)
	w.apply(b)
	rule := b.Of(content.AlertRule)[0]
	w.edit(rule, "lastModifiedUtc", "2026-11-28T12:00:00Z")
	w.edit(rule, "tactics", nil)
	w.wantPlan(b)
	w.edit(rule, "customDetails", content.Object{"Another": "HostName"})
	w.wantPlan(b, "update "+rule.Key()+" edited customDetails")
}

// TestUploading wants a watchlist whose rows are still coming to be no edit.
func TestUploading(t *testing.T) {
	w, b := open(t), made(t)
	w.apply(b)
	list := b.Of(content.Watchlist)[0]
	rows := w.config.GroupPath() + list.Path("hunt") + "/watchlistItems/"
	for _, path := range w.Paths() {
		if strings.HasPrefix(path, strings.ToLower(rows)) {
			if _, err := w.client.Do(t.Context(), azure.Request{Method: http.MethodDelete, Path: path, Version: list.Kind.Version}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.edit(list, "uploadStatus", "InProgress")
	w.wantPlan(b)
	w.edit(list, "uploadStatus", "Complete")
	w.wantPlan(b, "update "+list.Key()+" edited +aa +bb +cc")
}

// TestForeign wants what was never ours to be left alone, and taken over where
// it is the same.
func TestForeign(t *testing.T) {
	w, b := open(t), made(t)
	w.have("/"+oneQuery, content.Object{"category": "Mine", "displayName": "mine", "query": "print 1", "version": 2})
	d, p := w.plan(b)
	if got := p.Conflicts(); len(got) != 1 || got[0].Conflict != deploy.Foreign {
		t.Errorf("conflicts %v", got)
	}
	if err := d.Apply(t.Context(), p, true, func(*deploy.Change) {}); err != nil {
		t.Fatal(err)
	}
	w.wantPlan(b)
	w.have("/providers/Microsoft.SecurityInsights/alertRules/other", content.Object{"displayName": "another's"})
	w.wantPlan(b)
	w.apply(&content.Bundle{})
	left := slices.DeleteFunc(w.Paths(), func(p string) bool { return strings.Contains(strings.ToLower(p), "besra-state") })
	want := []string{w.config.WorkspacePath(), w.config.WorkspacePath() + "/providers/Microsoft.SecurityInsights/alertRules/other",
		w.config.WorkspacePath() + "/tables/BesraFindings_CL"}
	lower := func(list []string) (out []string) {
		for _, s := range list {
			out = append(out, strings.ToLower(s))
		}
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff(lower(want), lower(left)); diff != "" {
		t.Errorf("left after all was deleted (-want +got):\n%s", diff)
	}
	w.wantPlan(&content.Bundle{}, "keep tables/BesraFindings_CL")
}

// TestDeleted wants what is no longer in a pack to go, and what somebody
// deleted to come back.
func TestDeleted(t *testing.T) {
	w, b := open(t), made(t)
	w.apply(b)
	path := w.config.WorkspacePath() + "/" + oneQuery
	if _, err := w.client.Do(t.Context(), azure.Request{Method: http.MethodDelete, Path: path, Version: "2025-07-01"}); err != nil {
		t.Fatal(err)
	}
	w.wantPlan(b, "create "+oneQuery)
	w.apply(b)
	less := made(t)
	less.Resources = slices.DeleteFunc(less.Resources, func(r *content.Resource) bool { return r.Detection == "two" })
	hunt := "hunts/" + content.GUID("hunts/two")
	w.wantPlan(less, "delete "+hunt+"/relations/"+content.GUID("hunts/two/besra-two"), "delete "+hunt, "delete savedSearches/besra-two")
	w.apply(less)
	w.wantPlan(less)
}

// TestInterrupted wants what was done before an error to be on record, and the
// next time to do the rest alone.
func TestInterrupted(t *testing.T) {
	w, b := open(t), made(t)
	w.Fail(func(r *http.Request) standin.Fault {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "alertRules") {
			return standin.Fault{Status: http.StatusBadRequest}
		}
		return standin.Fault{}
	})
	d, p := w.plan(b)
	done := 0
	err := d.Apply(t.Context(), p, false, func(*deploy.Change) { done++ })
	if err == nil || !strings.Contains(err.Error(), "Besra: findings of severity high") {
		t.Errorf("got %v", err)
	}
	w.Fail(nil)
	_, p = w.plan(b)
	if got := p.Count(deploy.Create); got != len(b.Resources)-done {
		t.Errorf("%d to create after %d of %d, want the rest", got, done, len(b.Resources))
	}
	w.apply(b)
	w.wantPlan(b)
}

// TestRace wants a change between reading and writing to be refused.
func TestRace(t *testing.T) {
	w := open(t)
	w.apply(made(t))
	b := made(t, "T1027", "T1048")
	d, p := w.plan(b)
	w.edit(find(t, b, oneQuery), "query", "print 1")
	err := d.Apply(t.Context(), p, false, func(*deploy.Change) {})
	if err == nil || !strings.Contains(err.Error(), "changed after it was read") {
		t.Errorf("got %v, want that somebody was faster", err)
	}
}

func TestCancelled(t *testing.T) {
	w := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := deploy.Read(ctx, w.client, w.config, made(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
