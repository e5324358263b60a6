package content

import (
	"encoding/json"
	"fmt"
)

// Panel is one query of the workbook and how it is shown.
type Panel struct {
	Name, Title string
	// Visual is timechart, barchart, tiles or table.
	Visual string
	// Width is its part of the row, in percent.
	Width int
	Query string
}

// Section is a heading of the workbook with its panels.
type Section struct {
	Title, Text string
	Panels      []Panel
}

// latest is every finding once, as it was last seen.
const latest = FindingsFunction + "\n| summarize arg_max(TimeGenerated, *) by FindingId\n"

// Sections is the layout of the workbook.
func Sections() []Section {
	return []Section{
		{"Findings", "Each finding counts once, however often it was seen. What an exclusion suppressed is counted apart and never hidden.", []Panel{
			{"totals", "Findings by verdict", "tiles", 100, latest + `| summarize Findings = count() by Verdict = EffectiveVerdict
| order by Findings desc`},
			{"over-time", "Findings over time, by severity", "timechart", 60, FindingsFunction + `
| where EffectiveVerdict != "suppressed"
| summarize Findings = dcount(FindingId) by Severity = EffectiveSeverity, bin(TimeGenerated, {TimeRange:grain})`},
			{"by-host", "Hosts with most findings", "barchart", 40, latest + `| where EffectiveVerdict != "suppressed"
| summarize Findings = count() by HostName
| top 15 by Findings`},
			{"by-detection", "By detection", "table", 100, latest + `| summarize Findings = count(), Alerts = countif(EffectiveVerdict == "alert"), Undecided = countif(EffectiveVerdict == "undecided"),
    Downgraded = countif(EffectiveVerdict == "downgraded"), Suppressed = countif(EffectiveVerdict == "suppressed"),
    Hosts = dcount(HostName), LastSeen = max(TimeGenerated)
    by Detection = DetectionTitle, Rule = RuleName, Author = RuleAuthor, Licence = RuleLicense
| order by Alerts desc, Findings desc`},
		}},
		{"Suppressed", "What exclusions keep out of the alerts, by exclusion, and whether the sensor or Sentinel applied it.", []Panel{
			{"suppressed-by-exclusion", "Suppressed by exclusion", "table", 60, latest + `| where isnotempty(EffectiveExclusion)
| summarize Findings = count(), Hosts = dcount(HostName), AtSensor = countif(Verdict == EffectiveVerdict), InSentinel = countif(Verdict != EffectiveVerdict),
    First = min(TimeGenerated), Last = max(TimeGenerated), Reason = take_any(ExclusionReason) by Exclusion = EffectiveExclusion, Effect = EffectiveVerdict
| order by Findings desc`},
			{"suppressed-over-time", "Suppressed over time", "timechart", 40, FindingsFunction + `
| where EffectiveVerdict == "suppressed"
| summarize Findings = dcount(FindingId) by Exclusion = EffectiveExclusion, bin(TimeGenerated, {TimeRange:grain})`},
		}},
		{"Coverage gaps", "What was not decided or not seen. A host that is silent is not a clean host.", []Panel{
			{"missing-facts", "Facts that exclusions asked for in vain", "barchart", 40, latest + `| mv-expand Decision = Decisions
| where tostring(Decision.outcome) == "unknown"
| mv-expand Fact = Decision["missing"] to typeof(string)
| summarize Findings = dcount(FindingId) by Fact
| top 15 by Findings`},
			{"sensors", "Hosts by their last findings", "table", 60, FindingsFunction + `
| summarize Runs = dcount(RunId), LastFinding = arg_max(TimeGenerated, SensorVersion), Contexts = make_set(Context) by HostName
| extend SilentDays = datetime_diff("day", now(), LastFinding)
| project HostName, LastFinding, SilentDays, Runs, SensorVersion, Contexts
| order by SilentDays desc`},
			{"drifted", "Detections of which hosts have several versions", "table", 60, FindingsFunction + `
| summarize arg_max(TimeGenerated, DetectionVersion) by DetectionId, HostName
| summarize Versions = make_set(DetectionVersion), Hosts = dcount(HostName) by DetectionId
| where array_length(Versions) > 1`},
			{"trimmed", "Rows cut to fit", "table", 40, FindingsFunction + `
| where array_length(Trimmed) > 0
| mv-expand Column = Trimmed to typeof(string)
| summarize Rows = count() by Column, RuleName
| order by Rows desc`},
		}},
	}
}

// workbook adds the workbook.
func (b *builder) workbook() {
	items := []any{text("intro", "## Besra: findings\nHow far back: choose below. Every query reads the function `"+FindingsFunction+"`."), timeRange()}
	for _, s := range Sections() {
		items = append(items, text("section-"+slug(s.Title), "### "+s.Title+"\n"+s.Text))
		for _, p := range s.Panels {
			items = append(items, p.item())
		}
	}
	data, err := json.Marshal(Object{"version": "Notebook/1.0", "items": items, "fallbackResourceIds": []any{}, "fromTemplateId": "sentinel-Besra"})
	if err != nil {
		panic(fmt.Sprintf("content: workbook: %v", err)) // strings and numbers alone
	}
	b.add(&Resource{Kind: Workbook, Name: GUID("workbooks/besra"), Title: "Besra: findings",
		Top: Object{"kind": "shared", "location": string(PlaceLocation)},
		Properties: Object{"displayName": "Besra: findings", "category": "sentinel", "version": "1.0", "sourceId": string(PlaceWorkspace),
			"serializedData": string(data)}})
}

func text(name, markdown string) Object {
	return Object{"type": 1, "name": name, "content": Object{"json": markdown}}
}

func timeRange() Object {
	var choices []any
	for _, days := range []int{1, 7, 14, 30, 90} {
		choices = append(choices, Object{"durationMs": days * 24 * 60 * 60 * 1000})
	}
	return Object{"type": 9, "name": "parameters", "content": Object{"version": "KqlParameterItem/1.0", "style": "pills", "queryType": 0,
		"resourceType": "microsoft.operationalinsights/workspaces",
		"parameters": []any{Object{"id": GUID("workbooks/besra/TimeRange"), "version": "KqlParameterItem/1.0", "name": "TimeRange", "label": "Time range",
			"type": 4, "isRequired": true, "value": Object{"durationMs": 14 * 24 * 60 * 60 * 1000},
			"typeSettings": Object{"selectableValues": choices, "allowCustom": true}}}}}
}

func (p Panel) item() Object {
	return Object{"type": 3, "name": p.Name, "customWidth": fmt.Sprint(p.Width), "content": Object{
		"version": "KqlItem/1.0", "query": p.Query, "size": 0, "title": p.Title, "timeContextFromParameter": "TimeRange", "queryType": 0,
		"resourceType": "microsoft.operationalinsights/workspaces", "visualization": p.Visual, "showExportToExcel": p.Visual == "table",
		"noDataMessage": "None in this time."}}
}
