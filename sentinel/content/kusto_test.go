package content_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/besra-hunt/besra/sentinel/kusto"
)

// query is one query of the content or of its page, with the columns that
// something else takes from its result.
type query struct {
	name, text string
	columns    []string
}

// queries are all of them.
func queries(t *testing.T, b *content.Bundle) (out []query) {
	t.Helper()
	for _, r := range b.Resources {
		switch r.Kind {
		case content.Function:
			out = append(out, query{r.Alias(), declared(r) + r.Query(), nil})
		case content.AlertRule, content.HuntingQuery:
			out = append(out, query{r.Title, r.Query(), taken(t, r)})
		}
	}
	for _, s := range content.Sections() {
		for _, p := range s.Panels {
			out = append(out, query{p.Title, strings.ReplaceAll(p.Query, "{TimeRange:grain}", "1h"), nil})
		}
	}
	page, err := os.ReadFile("../../docs/sentinel.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```kusto\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		out = append(out, query{"docs/sentinel.md", m[1], nil})
	}
	return out
}

// declared gives the parameters of a function their defaults.
func declared(r *content.Resource) string {
	var b strings.Builder
	parameters, _ := r.Properties["functionParameters"].(string)
	for _, m := range regexp.MustCompile(`(\w+):\w+=([^,]+)`).FindAllStringSubmatch(parameters, -1) {
		b.WriteString("let " + m[1] + " = " + m[2] + ";\n")
	}
	return b.String()
}

// taken are the columns that a rule takes from the result of its query.
func taken(t *testing.T, r *content.Resource) (out []string) {
	t.Helper()
	details, _ := r.Properties["customDetails"].(content.Object)
	for _, column := range details {
		out = append(out, column.(string))
	}
	text, err := json.Marshal([]any{r.Properties["entityMappings"], r.Properties["alertDetailsOverride"]})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(?:columnName|value|alertSeverityColumnName|alertTacticsColumnName)":"(\w+)"|\{\{(\w+)\}\}`).FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}

// TestQueriesLint holds every query to what Microsoft's parser does not look at.
func TestQueriesLint(t *testing.T) {
	for _, q := range queries(t, bundle(t, content.Options{})) {
		for _, d := range kusto.Lint(q.text) {
			if d.Code != "query-length" || !strings.HasPrefix(q.name, content.FindingsFunction) {
				t.Errorf("%s: %v", q.name, d)
			}
		}
	}
}

// TestQueriesBind has Microsoft's parser bind every query, where it is at hand,
// and wants each column that a rule takes to be in its result.
func TestQueriesBind(t *testing.T) {
	dir, err := kusto.Find("")
	if testing.Short() || err != nil {
		t.Skip("Microsoft's parser is not at hand, or there is no time for it")
	}
	parser, err := kusto.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := bundle(t, content.Options{})
	schema := kusto.Sentinel()
	for i := range schema.Tables {
		schema.Tables[i].Columns = strings.TrimSuffix(schema.Tables[i].Columns, ")") + ", Type: string)"
	}
	schema.Tables = append(schema.Tables, kusto.Table{Name: "SecurityAlert", Columns: "(TimeGenerated: datetime, ProviderName: string, ExtendedProperties: string)"})
	schema.Functions[0].Body = "datatable(SearchKey: string, LastUpdatedTimeUTC: datetime, Kind: string, Title: string, Resource: string)[]"
	for _, r := range b.Of(content.Function) {
		schema.Functions = append(schema.Functions, kusto.Function{Name: r.Alias(), Parameters: r.Properties["functionParameters"].(string), Body: r.Query()})
	}
	workspace, err := parser.Workspace(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries(t, b) {
		result, err := workspace.Check(q.text)
		if err != nil {
			t.Fatalf("%s: %v", q.name, err)
		}
		for _, d := range result.Diagnostics {
			if d.Severity == "Error" {
				t.Errorf("%s: %v", q.name, d)
			}
		}
		for _, name := range q.columns {
			if !slices.ContainsFunc(result.Columns, func(c kusto.Column) bool { return c.Name == name }) {
				t.Errorf("%s: the result has no column %s", q.name, name)
			}
		}
	}
}
