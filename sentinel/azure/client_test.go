package azure_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/standin"
)

const (
	group     = "/subscriptions/s1/resourceGroups/soc"
	workspace = group + "/providers/Microsoft.OperationalInsights/workspaces/hunt"
	rules     = workspace + "/providers/Microsoft.SecurityInsights/alertRules"
	version   = "2025-09-01"
)

// connect starts a stand-in and signs in to it with a secret from a file.
func connect(t *testing.T, o standin.Options) (*standin.Server, *azure.Account) {
	t.Helper()
	s, err := standin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddClient("app", "very-secret")
	return s, account(t, s, "very-secret")
}

func account(t *testing.T, s *standin.Server, secret string) *azure.Account {
	t.Helper()
	dir := t.TempDir()
	cloud, err := s.WriteCloud(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "secret")
	os.WriteFile(file, []byte(secret+"\n"), 0o600)
	a, err := azure.Connect(azure.Config{Cloud: cloud, Auth: azure.Auth{Tenant: "t1", ClientID: "app", SecretFile: file}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func put(t *testing.T, c *azure.Client, path string, body any, header http.Header) (*azure.Response, error) {
	t.Helper()
	return c.Do(t.Context(), azure.Request{Method: http.MethodPut, Path: path, Version: version, Body: body, Header: header})
}

type object = map[string]any

func TestResources(t *testing.T) {
	_, a := connect(t, standin.Options{PageSize: 2})
	c := a.Manager(azure.Options{})
	for n := range 5 {
		if _, err := put(t, c, fmt.Sprintf("%s/r%d", rules, n), object{"properties": object{"n": n}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	err := c.List(t.Context(), azure.Request{Path: rules, Version: version}, func(raw json.RawMessage) error {
		var r struct{ Name string }
		names = append(names, "")
		err := json.Unmarshal(raw, &r)
		names[len(names)-1] = r.Name
		return err
	})
	if err != nil || strings.Join(names, " ") != "r0 r1 r2 r3 r4" {
		t.Errorf("listed %v, %v: want five rules over three pages", names, err)
	}
	var got struct{ Etag string }
	if _, err := c.JSON(t.Context(), azure.Request{Method: http.MethodGet, Path: strings.ToUpper(rules[:20]) + rules[20:] + "/r3", Version: version}, &got); err != nil || got.Etag == "" {
		t.Errorf("got %+v, %v: want a resource with an etag, whatever the case of its path", got, err)
	}
	if _, err := put(t, c, rules+"/r3", object{}, http.Header{"If-Match": {got.Etag}}); err != nil {
		t.Errorf("with the right etag: %v", err)
	}
	if _, err := put(t, c, rules+"/r3", object{}, http.Header{"If-Match": {got.Etag}}); azure.Status(err) != http.StatusConflict {
		t.Errorf("with an old etag: %v, want a conflict", err)
	}
	if _, err := c.Do(t.Context(), azure.Request{Method: http.MethodDelete, Path: rules + "/r3", Version: version}); err != nil {
		t.Error(err)
	}
	if _, err := c.Do(t.Context(), azure.Request{Method: http.MethodGet, Path: rules + "/r3", Version: version}); azure.Status(err) != http.StatusNotFound {
		t.Errorf("after the end of it: %v, want not found", err)
	}
}

func TestVersions(t *testing.T) {
	_, a := connect(t, standin.Options{})
	c := a.Manager(azure.Options{})
	for _, x := range []struct{ path, version, code string }{
		{rules + "/x", "", "MissingApiVersionParameter"},
		{rules + "/x", "2019-01-01", "NoRegisteredProviderFound"},
		{workspace + "/providers/Microsoft.SecurityInsights/hunts/x", version, "NoRegisteredProviderFound"},
		{workspace + "/providers/Microsoft.SecurityInsights/novel/x", version, "InvalidResourceType"},
	} {
		_, err := c.Do(t.Context(), azure.Request{Method: http.MethodPut, Path: x.path, Version: x.version, Body: object{}})
		if err == nil || !strings.Contains(err.Error(), x.code) {
			t.Errorf("%s in version %q: %v, want %s", x.path, x.version, err, x.code)
		}
	}
}

func TestOperation(t *testing.T) {
	s, a := connect(t, standin.Options{})
	c := a.Manager(azure.Options{})
	resp, err := c.Do(t.Context(), azure.Request{Method: http.MethodPut, Path: workspace + "/tables/T_CL", Version: "2025-07-01", Body: object{}})
	if err != nil || resp.Status != http.StatusAccepted {
		t.Fatalf("%+v, %v: want an operation that goes on", resp, err)
	}
	if err := c.Finish(t.Context(), resp); err != nil {
		t.Error(err)
	}
	polls := 0
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "/operationStatuses/") {
			polls++
		}
	}
	if polls != 2 {
		t.Errorf("asked %d times how far it is, want twice", polls)
	}
}

// TestPatience wants a pause above azcore's limit to be waited for, and the end
// of the context to end it.
func TestPatience(t *testing.T) {
	s, a := connect(t, standin.Options{})
	var told atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	c := a.Manager(azure.Options{Waiting: func(pause time.Duration, cause error) {
		told.Store(int64(pause))
		if pause > time.Minute {
			cancel()
		}
	}})
	get := azure.Request{Method: http.MethodGet, Path: rules, Version: version}
	n := 0
	s.Fail(func(r *http.Request) standin.Fault {
		if !strings.Contains(r.URL.Path, "alertRules") {
			return standin.Fault{}
		}
		n++
		switch n {
		case 1:
			return standin.Fault{Status: 503, RetryAfter: "0"}
		case 2:
			return standin.Fault{Cut: standin.CutBefore}
		}
		return standin.Fault{}
	})
	if _, err := c.Do(ctx, get); err != nil {
		t.Fatalf("after a 503 and a cut connection: %v", err)
	}
	s.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 429, RetryAfter: "300"} })
	if _, err := c.Do(ctx, get); azure.Status(err) != 429 && ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
	if time.Duration(told.Load()) != 300*time.Second {
		t.Errorf("told of a pause of %v, want 5m", time.Duration(told.Load()))
	}
	short, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	if _, err := c.Do(short, get); azure.Status(err) != 429 {
		t.Errorf("a pause beyond the deadline: %v, want the 429 at once", err)
	}
}

func TestSignIn(t *testing.T) {
	s, a := connect(t, standin.Options{})
	get := azure.Request{Method: http.MethodGet, Path: rules, Version: version}
	if _, err := account(t, s, "wrong").Manager(azure.Options{}).Do(t.Context(), get); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("with a wrong secret: %v", err)
	} else if strings.Contains(err.Error(), "wrong\n") {
		t.Error("the secret is shown")
	}
	if _, err := a.Query(azure.Options{}).Do(t.Context(), get); azure.Status(err) != http.StatusUnauthorized {
		t.Errorf("with a token for another audience: %v", err)
	}
	s.AddClient("app", "very-secret", standin.RoleReader)
	if _, err := a.Manager(azure.Options{}).Do(t.Context(), get); azure.Status(err) != http.StatusForbidden {
		t.Errorf("without the role: %v", err)
	}
	if _, err := a.Manager(azure.Options{}).Do(t.Context(), azure.Request{Method: "GET", Path: "https://elsewhere.example/x"}); err == nil || !strings.Contains(err.Error(), "does not lead to") {
		t.Errorf("the token was sent elsewhere: %v", err)
	}
}
