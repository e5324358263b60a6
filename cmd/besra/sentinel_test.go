package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/standin"
	"github.com/rogpeppe/go-internal/testscript"
)

const (
	standinGroup     = "/subscriptions/s1/resourceGroups/soc"
	standinWorkspace = standinGroup + "/providers/Microsoft.OperationalInsights/workspaces/hunt"
	standinRule      = "dcr-0123456789abcdef0123456789abcdef"
)

// standinKey is the key of a script's value that points to its server.
type standinKey struct{}

// cmdStandin starts a stand-in of Azure with a workspace. $SENTINEL is the file
// for --config.
func cmdStandin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: standin")
	}
	s, err := standin.Start(standin.Options{PageSize: 5})
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	s.AddClient("app", "very-secret")
	columns := map[string]string{}
	for _, c := range kql.Findings().Columns {
		columns[c.Name] = map[kql.Type]string{kql.DateTime: "datetime"}[c.Type]
		if columns[c.Name] == "" {
			columns[c.Name] = string(c.Type)
		}
	}
	s.AddRule(standinRule, azure.DefaultStream, columns)
	dir := ts.MkAbs("azure")
	ts.Check(os.MkdirAll(dir, 0o777))
	cloud, err := s.WriteCloud(dir)
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "secret"), []byte("very-secret\n"), 0o600))
	config := fmt.Sprintf("cloud: %s\nendpoint: %s\nrule: %s\nsubscription: s1\nresource_group: soc\nworkspace: hunt\nworkspace_id: w1\n"+
		"auth: {tenant: t1, client_id: app, secret_file: %s}\n", cloud, s.URL, standinRule, filepath.Join(dir, "secret"))
	name := filepath.Join(dir, "sentinel.yaml")
	ts.Check(os.WriteFile(name, []byte(config), 0o600))
	ts.Setenv("SENTINEL", name)
	ts.Check(s.SetResource(standinWorkspace, standin.Resource{"location": "westeurope", "properties": map[string]any{}}))
	*ts.Value(standinKey{}).(**standin.Server) = s
}

// cmdPortal changes an attribute of a resource of the workspace to JSON, as
// somebody in the portal would: portal PATH NAME VALUE.
func cmdPortal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: portal PATH NAME VALUE")
	}
	s := *ts.Value(standinKey{}).(**standin.Server)
	path := standinWorkspace + "/" + args[0]
	old := s.Resource(path)
	if old == nil {
		ts.Fatalf("there is no %s", path)
	}
	properties := maps.Clone(old["properties"].(map[string]any))
	var value any
	ts.Check(json.Unmarshal([]byte(args[2]), &value))
	properties[args[1]] = value
	edited := maps.Clone(old)
	edited["properties"] = properties
	ts.Check(s.SetResource(path, edited))
}
