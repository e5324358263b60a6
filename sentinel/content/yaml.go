package content

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/besra-hunt/besra/detection/attack"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// contentVersion is the version of what all detections share; the content of a
// detection has the detection's.
const contentVersion = "1.0.0"

// YAML writes the bundle in the shape of Microsoft's repository of Sentinel
// content: analytic rules, hunting queries and parsers, the workbook, and the
// columns of the table that its checks want. What has no place there (hunts,
// automation rules, watchlists, the collection rule) is listed in the report.
func (b *Bundle) YAML() (Files, error) {
	files := Files{"REPORT.md": []byte(b.Report.Markdown())}
	for _, r := range b.Resources {
		var err error
		switch r.Kind {
		case AlertRule:
			err = files.yaml("Analytic Rules/"+slug(r.Title)+".yaml", r.ruleYAML())
		case HuntingQuery:
			err = files.yaml("Hunting Queries/"+r.Name+".yaml", r.huntingYAML())
		case Function:
			err = files.yaml("Parsers/"+r.Alias()+".yaml", r.functionYAML())
		case Workbook:
			files["Workbooks/Besra.json"] = []byte(r.Properties["serializedData"].(string) + "\n")
		case Table:
			files["CustomTables/"+r.Name+".json"], err = customTable()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key(), err)
		}
	}
	return files, nil
}

func (f Files) yaml(name string, v any) error {
	text, err := yaml.MarshalWithOptions(v, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	f[name] = text
	return err
}

func (r *Resource) ruleYAML() yaml.MapSlice {
	p := r.Properties
	text := func(key string) string { s, _ := p[key].(string); return ascii(s) }
	return yaml.MapSlice{
		{Key: "id", Value: r.Name}, {Key: "name", Value: text("displayName")}, {Key: "version", Value: contentVersion}, {Key: "kind", Value: "Scheduled"},
		{Key: "description", Value: text("description")}, {Key: "severity", Value: text("severity")},
		{Key: "requiredDataConnectors", Value: []any{}},
		{Key: "queryFrequency", Value: shortDuration(text("queryFrequency"))}, {Key: "queryPeriod", Value: shortDuration(text("queryPeriod"))},
		{Key: "triggerOperator", Value: map[string]string{"GreaterThan": "gt", "LessThan": "lt", "Equal": "eq", "NotEqual": "ne"}[text("triggerOperator")]},
		{Key: "triggerThreshold", Value: p["triggerThreshold"]},
		{Key: "tactics", Value: p["tactics"]}, {Key: "relevantTechniques", Value: p["techniques"]},
		{Key: "query", Value: text("query")},
		{Key: "entityMappings", Value: ordered(p["entityMappings"])}, {Key: "customDetails", Value: ordered(p["customDetails"])},
		{Key: "alertDetailsOverride", Value: ordered(p["alertDetailsOverride"])}, {Key: "eventGroupingSettings", Value: ordered(p["eventGroupingSettings"])},
		{Key: "incidentConfiguration", Value: ordered(p["incidentConfiguration"])},
	}
}

// shortDuration turns PT1H and P14D into 1h and 14d.
func shortDuration(iso string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(iso, "P"), "T"))
}

func (r *Resource) huntingYAML() yaml.MapSlice {
	p := r.Properties
	techniques := r.tag("techniques")
	return yaml.MapSlice{
		{Key: "id", Value: GUID("savedSearches/" + r.Name)}, {Key: "name", Value: ascii(r.Title)}, {Key: "description", Value: ascii(strings.Join(r.tag("description"), ","))},
		{Key: "requiredDataConnectors", Value: []any{}},
		{Key: "tactics", Value: tacticsOf(r.tag("tactics"), techniques)}, {Key: "relevantTechniques", Value: techniques},
		{Key: "query", Value: ascii(p["query"].(string))}, {Key: "version", Value: contentVersion},
	}
}

// tag returns the words of a tag of a saved search.
func (r *Resource) tag(name string) []string {
	tags, _ := r.Properties["tags"].([]any)
	for _, t := range tags {
		if t := t.(Object); t["name"] == name && t["value"] != "" {
			return strings.Split(t["value"].(string), ",")
		}
	}
	return []string{}
}

// tacticsOf adds to tactics those of the techniques: the repository wants every
// tactic that a technique belongs to.
func tacticsOf(tactics, techniques []string) []string {
	out := slices.Clone(tactics)
	for _, id := range techniques {
		o, _ := attack.Lookup(id)
		for _, t := range attack.SentinelTactics(o.Tactics) {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func (r *Resource) functionYAML() yaml.MapSlice {
	return yaml.MapSlice{
		{Key: "id", Value: GUID("savedSearches/" + r.Name)},
		{Key: "Function", Value: yaml.MapSlice{{Key: "Title", Value: ascii(r.Title)}, {Key: "Version", Value: contentVersion}}},
		{Key: "Category", Value: "Microsoft Sentinel Parser"}, {Key: "FunctionName", Value: r.Alias()}, {Key: "FunctionAlias", Value: r.Alias()},
		{Key: "FunctionParameters", Value: fmt.Sprint(r.Properties["functionParameters"])},
		{Key: "FunctionQuery", Value: ascii(r.Query())},
	}
}

// ordered returns v with the members of its objects sorted.
func ordered(v any) any {
	switch v := v.(type) {
	case Object:
		out := yaml.MapSlice{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, yaml.MapItem{Key: key, Value: ordered(v[key])})
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = ordered(v[i])
		}
		return out
	}
	return v
}

// customTable lists the columns as the checks of the repository read them.
func customTable() ([]byte, error) {
	type property struct{ Name, Type string }
	table := struct {
		Name       string
		Properties []property
	}{Name: kql.FindingsTable}
	for _, c := range kql.Findings().Columns {
		t := strings.ToLower(string(c.Type))
		table.Properties = append(table.Properties, property{c.Name, strings.ToUpper(t[:1]) + t[1:]})
	}
	return indented(table)
}
