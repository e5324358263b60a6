package content

import (
	"fmt"
	"strings"
)

// FindingsFunction is the alias of the function that yields every finding once
// for each time it was seen, with what the exclusions make of it: the columns
// of the table and EffectiveVerdict, EffectiveSeverity, EffectiveExclusion and
// VisibleAt.
const FindingsFunction = "BesraFindings"

// severities are Sentinel's, most urgent first.
var severities = []string{"High", "Medium", "Low", "Informational"}

// alertRules makes one scheduled rule for each severity. Sentinel allows 512
// rules, so there cannot be one for each detection; name, severity and tactics
// of an alert come from columns of its row.
func (b *builder) alertRules() {
	for _, s := range severities {
		b.add(b.alertRule("findings-"+strings.ToLower(s), "Besra: findings of severity "+strings.ToLower(s), s,
			fmt.Sprintf("Findings of Besra of severity %s that no exclusion suppresses, once for each finding.", strings.ToLower(s)),
			fmt.Sprintf("EffectiveVerdict != \"suppressed\" and EffectiveSeverity == %q", s), true))
	}
	b.add(b.alertRule("findings-suppressed", "Besra: suppressed findings, for the record", "Informational",
		"Findings of Besra that an exclusion suppresses. Automation rules close their incidents as benign, with the exclusion's reason, until the exclusion lapses.",
		"EffectiveVerdict == \"suppressed\"", b.AuditSuppressed))
}

// ruleQuery raises a finding once: where its first row that meets the condition
// became visible within the last hour, the rule's frequency. A row is visible
// to a scheduled rule once it is ingested and five minutes old.
const ruleQuery = FindingsFunction + `
| where %s
| summarize FirstVisible = min(VisibleAt), arg_max(TimeGenerated, *) by FindingId
| where FirstVisible > ago(1h)
| extend AlertText = strcat("Rule ", RuleName, " by ", iff(isempty(RuleAuthor), "an author who is not stated", RuleAuthor),
    " (licence: ", iff(isempty(RuleLicense), "not stated", RuleLicense), ", source: ", iff(isempty(RuleSource), "not stated", RuleSource),
    ") matched ", TargetName, ". ", Hypothesis, iff(isempty(EffectiveExclusion), "", strcat(" Exclusion ", EffectiveExclusion, ": ", ExclusionReason)))
| extend HashAlgorithm = iff(isempty(SHA256), "", "SHA256"), ProcessIdText = iff(isnull(ProcessId), "", tostring(ProcessId)),
    TacticNames = strcat_array(Tactics, ", "), TechniqueIds = strcat_array(Techniques, ", "), ConfidenceScore = Confidence / 100.0,
    ProductName = "Besra"
| project-away VisibleAt`

func (b *builder) alertRule(id, title, severity, description, condition string, enabled bool) *Resource {
	return &Resource{Kind: AlertRule, Name: GUID("alertRules/" + id), Title: title, Top: Object{"kind": "Scheduled"},
		Properties: Object{
			"displayName": title, "description": description, "severity": severity, "enabled": enabled,
			"query":          fmt.Sprintf(ruleQuery, condition),
			"queryFrequency": "PT1H", "queryPeriod": "P14D", "triggerOperator": "GreaterThan", "triggerThreshold": 0,
			"suppressionEnabled": false, "suppressionDuration": "PT5H",
			"tactics": []any{}, "techniques": []any{},
			"eventGroupingSettings": Object{"aggregationKind": "AlertPerResult"},
			"entityMappings":        entityMappings(),
			"customDetails":         customDetails(),
			"alertDetailsOverride":  alertDetails(),
			"incidentConfiguration": incidents(id != "findings-informational"),
			"alertRuleTemplateName": nil,
			"templateVersion":       nil,
		}}
}

// alertDetails take name, severity, tactics and more of an alert from its row.
func alertDetails() Object {
	var dynamic []any
	for _, d := range [][2]string{{"Techniques", "TechniqueIds"}, {"ProductName", "ProductName"}, {"ProductComponentName", "RuleName"}, {"ConfidenceScore", "ConfidenceScore"}} {
		dynamic = append(dynamic, Object{"alertProperty": d[0], "value": d[1]})
	}
	return Object{
		"alertDisplayNameFormat": "{{DetectionTitle}} on {{HostName}}", "alertDescriptionFormat": "{{AlertText}}",
		"alertSeverityColumnName": "EffectiveSeverity", "alertTacticsColumnName": "TacticNames", "alertDynamicProperties": dynamic,
	}
}

// customDetails are shown with an alert. The names of accounts are among them
// because Sentinel drops an account entity named root, admin, SYSTEM or the
// like; author and licence, because licences of rules ask for them.
func customDetails() Object {
	out := Object{"ExclusionId": "EffectiveExclusion", "Verdict": "EffectiveVerdict"}
	for _, column := range []string{"FindingId", "DetectionId", "DetectionVersion", "RuleName", "RuleAuthor", "RuleLicense", "RuleSource",
		"Pack", "RunId", "SensorVersion", "Context", "TargetName", "FileOwner", "FileGroup", "ProcessUser", "Confidence", "MatchPatterns", "Techniques"} {
		out[column] = column
	}
	return out
}

func entityMappings() []any {
	var out []any
	for _, m := range []struct {
		entity string
		fields [][2]string
	}{
		{"Host", [][2]string{{"HostName", "HostName"}}},
		{"File", [][2]string{{"Name", "FileName"}, {"Directory", "FileDirectory"}}},
		{"FileHash", [][2]string{{"Algorithm", "HashAlgorithm"}, {"Value", "SHA256"}}},
		{"Account", [][2]string{{"Name", "FileOwner"}}},
		{"Account", [][2]string{{"Name", "ProcessUser"}}},
		{"Process", [][2]string{{"ProcessId", "ProcessIdText"}, {"CommandLine", "ProcessCommandLine"}}},
		{"IP", [][2]string{{"Address", "SourceIp"}}},
		{"IP", [][2]string{{"Address", "DestinationIp"}}},
		{"URL", [][2]string{{"Url", "Url"}}},
	} {
		var fields []any
		for _, f := range m.fields {
			fields = append(fields, Object{"identifier": f[0], "columnName": f[1]})
		}
		out = append(out, Object{"entityType": m.entity, "fieldMappings": fields})
	}
	return out
}

// incidents group alerts of one detection on one host within a day.
func incidents(create bool) Object {
	return Object{"createIncident": create, "groupingConfiguration": Object{
		"enabled": create, "reopenClosedIncident": false, "lookbackDuration": "P1D", "matchingMethod": "Selected",
		"groupByEntities": []any{"Host"}, "groupByAlertDetails": []any{}, "groupByCustomDetails": []any{"DetectionId", "ExclusionId"},
	}}
}
