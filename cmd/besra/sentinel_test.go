package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/report"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/ingest"
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
	s.AddRule(standinRule, azure.DefaultStream, findingColumns())
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

func theStandin(ts *testscript.TestScript) *standin.Server {
	s := *ts.Value(standinKey{}).(**standin.Server)
	if s == nil {
		ts.Fatalf("no stand-in was started")
	}
	return s
}

// cmdFault has the ingestion API answer with a status from now on: fault STATUS
// RETRY-AFTER, or without arguments no longer.
func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 && len(args) != 2 {
		ts.Fatalf("usage: fault [STATUS RETRY-AFTER]")
	}
	if len(args) == 0 {
		theStandin(ts).Fail(nil)
		return
	}
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	theStandin(ts).Fail(func(r *http.Request) standin.Fault {
		if !strings.Contains(r.URL.Path, "/streams/") {
			return standin.Fault{}
		}
		return standin.Fault{Status: status, RetryAfter: args[1]}
	})
}

// cmdRole leaves the application with these roles, or all.
func cmdRole(ts *testscript.TestScript, neg bool, args []string) {
	theStandin(ts).AddClient("app", "very-secret", args...)
}

// cmdLanded wants every finding of a record in the table, and no other of its
// run: landed STREAM RECORD.
func cmdLanded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: landed STREAM RECORD")
	}
	want := map[string]int{}
	run := ""
	for rec, err := range report.Read(strings.NewReader(ts.ReadFile(args[1]))) {
		ts.Check(err)
		if f := rec.Finding; f != nil {
			want[f.ID+" "+ingest.Severity(f.Severity)+" "+string(f.Verdict)] = 0
			run = f.Run
		}
	}
	for _, row := range theStandin(ts).Rows("Custom-" + args[0] + "_CL") {
		if row["RunId"] != run {
			continue
		}
		id := fmt.Sprint(row["FindingId"], " ", row["Severity"], " ", row["Verdict"])
		if _, ok := want[id]; !ok {
			ts.Fatalf("%s is in the table and not in the record", id)
		}
		want[id]++
	}
	for id, n := range want {
		if n == 0 {
			ts.Fatalf("%s has not landed", id)
		}
	}
	if len(want) < 5 {
		ts.Fatalf("the record has %d findings: too few to say anything", len(want))
	}
}

// cmdIncident closes an incident about the findings of a record whose targets
// contain a text: incident NUMBER CLASSIFICATION REASON RECORD TEXT…. A number
// that begins with q has its custom details in the table of alerts alone.
func cmdIncident(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: incident NUMBER CLASSIFICATION REASON RECORD TEXT…")
	}
	var ids []string
	for rec, err := range report.Read(strings.NewReader(ts.ReadFile(args[3]))) {
		ts.Check(err)
		if f := rec.Finding; f != nil && slices.ContainsFunc(args[4:], func(s string) bool { return strings.Contains(string(f.Target.Name), s) }) {
			ids = append(ids, f.ID)
		}
	}
	list, _ := json.Marshal(ids)
	details, _ := json.Marshal(map[string]any{"FindingId": ids, "RuleName": []string{"R"}})
	number, asked := strings.CutPrefix(args[0], "q")
	n, err := strconv.Atoi(number)
	ts.Check(err)
	alert := map[string]any{"kind": "SecurityAlert", "properties": map[string]any{"systemAlertId": "alert-" + number,
		"additionalData": map[string]any{"Custom Details": string(details)}}}
	s := theStandin(ts)
	if asked {
		alert["properties"].(map[string]any)["additionalData"] = map[string]any{}
		text := `{"FindingId":` + string(list) + `}`
		s.Answers(func(workspace, query string) (standin.Table, error) {
			if workspace != "w1" || !strings.HasPrefix(query, "SecurityAlert\n| where SystemAlertId in (dynamic([\"alert-") {
				return standin.Table{}, fmt.Errorf("no answer to %s", query)
			}
			if !strings.Contains(query, `"alert-`+number+`"`) {
				return standin.Table{Rows: [][]any{}}, nil
			}
			return standin.Table{Columns: []standin.TableColumn{{Name: "Details", Type: "string"}}, Rows: [][]any{{text}}}, nil
		})
	}
	ts.Check(s.AddIncident(standinWorkspace, "incident-"+number, map[string]any{"incidentNumber": n, "title": "Besra", "status": "Closed",
		"classification": args[1], "classificationReason": args[2], "classificationComment": "as " + args[1],
		"lastModifiedTimeUtc": fmt.Sprintf("2026-11-0%dT10:00:00Z", n%10), "owner": map[string]any{"userPrincipalName": "dana@example.org"}}, alert))
}

// cmdReplace replaces the first occurrence of a text in a file:
// replace OLD NEW FILE.
func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s does not hold %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Replace(text, args[0], args[1], 1)), 0o666))
}

func findingColumns() map[string]string {
	columns := map[string]string{}
	for _, c := range kql.Findings().Columns {
		columns[c.Name] = string(c.Type)
	}
	return columns
}

// cmdRowtype gives a column of the findings' stream another type: rowtype COLUMN
// TYPE.
func cmdRowtype(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rowtype COLUMN TYPE")
	}
	columns := findingColumns()
	columns[args[0]] = args[1]
	theStandin(ts).AddRule(standinRule, azure.DefaultStream, columns)
}
