package content

import (
	"strings"

	"github.com/besra-hunt/besra/exclusion/kql"
)

// StreamName is the stream of the data collection rule that findings are sent
// to, and CollectionRuleName the rule's.
const (
	StreamName         = "Custom-" + kql.FindingsTable
	CollectionRuleName = "besra-findings"
)

// infrastructure is the table of findings and the way into it.
func (b *builder) infrastructure() {
	var columns, stream []any
	for _, c := range kql.Findings().Columns {
		columns = append(columns, Object{"name": c.Name, "type": string(c.Type), "description": c.Doc})
		stream = append(stream, Object{"name": c.Name, "type": strings.ToLower(string(c.Type))})
	}
	properties := Object{"plan": "Analytics", "schema": Object{"name": kql.FindingsTable, "columns": columns,
		"description": "Findings of Besra: one row for each rule that matched a target, suppressed or not."}}
	if b.Retention > 0 {
		properties["retentionInDays"] = b.Retention
	}
	b.add(&Resource{Kind: Table, Name: kql.FindingsTable, Title: kql.FindingsTable, Properties: properties})
	b.add(&Resource{Kind: CollectionRule, Name: CollectionRuleName, Title: CollectionRuleName,
		Top: Object{"kind": "Direct", "location": string(PlaceLocation)},
		Properties: Object{
			"description":        "Takes findings of Besra by the Logs Ingestion API.",
			"streamDeclarations": Object{StreamName: Object{"columns": stream}},
			"destinations":       Object{"logAnalytics": []any{Object{"name": "workspace", "workspaceResourceId": string(PlaceWorkspace)}}},
			"dataFlows": []any{Object{"streams": []any{StreamName}, "destinations": []any{"workspace"},
				"transformKql": "source", "outputStream": StreamName}},
		}})
}
