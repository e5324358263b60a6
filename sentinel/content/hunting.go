package content

import (
	"fmt"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/detection/attack"
)

// huntingQueries makes for each detection a query of its findings and, where
// its rule's author names hashes of malware, queries of the hosts that have
// them.
func (b *builder) huntingQueries(ds []*detection.Entry) {
	for _, e := range ds {
		b.findingsQuery(e.Detection)
		for i, q := range hashQueries(e.Detection) {
			b.hashQuery(e.Detection, q, i)
		}
	}
}

func (b *builder) findingsQuery(d *detection.Detection) {
	query := fmt.Sprintf(`%s%s
| where DetectionId == %s
| summarize arg_max(TimeGenerated, *) by FindingId
| project TimeGenerated, HostName, TargetName, EffectiveVerdict, EffectiveSeverity, EffectiveExclusion, Context, FileOwner, FileModified,
    SHA256, ProcessName, ProcessCommandLine, RuleName, RuleAuthor, RuleLicense, MatchPatterns, Decisions, FindingId
| order by EffectiveVerdict asc, TimeGenerated desc`, comment(d.Title, attribution(d)), FindingsFunction, literal(d.ID))
	b.add(savedSearch(d, "besra-"+d.ID, "Besra: "+d.Title, query))
}

// hashColumns are the columns of tables of Defender that hold hashes, by the
// length of the hash in hex.
var hashColumns = []struct {
	length int
	column string
}{{64, "SHA256"}, {40, "SHA1"}, {32, "MD5"}}

// hashesPerQuery keeps a query under the limit of 10,000 characters.
const hashesPerQuery = 100

// hashQueries returns queries for the known-bad hashes of a detection. No
// exclusion applies to them: a file with such a hash is never excluded.
func hashQueries(d *detection.Detection) []string {
	var out []string
	for hashes := range slices.Chunk(d.Rule.KnownBad, hashesPerQuery) {
		var conditions []string
		for _, c := range hashColumns {
			if of := literals(hashes, c.length); len(of) > 0 {
				conditions = append(conditions, fmt.Sprintf("%s in~ (%s)", c.column, strings.Join(of, ", ")))
			}
		}
		if len(conditions) > 0 {
			out = append(out, fmt.Sprintf(`%sunion isfuzzy=true
    (DeviceFileEvents | extend CommandLine = InitiatingProcessCommandLine, Account = InitiatingProcessAccountName),
    (DeviceProcessEvents | extend CommandLine = ProcessCommandLine, Account = AccountName)
| where %s
| project TimeGenerated, Type, DeviceName, ActionType, FolderPath, FileName, SHA256, SHA1, MD5, Account, CommandLine
| order by TimeGenerated desc`, comment("Files that the rule's author names as malware, wherever Defender for Endpoint saw them.", attribution(d)), strings.Join(conditions, " or ")))
		}
	}
	return out
}

// literals returns the hashes of a length as literals.
func literals(hashes []string, length int) []string {
	var out []string
	for _, h := range hashes {
		if len(h) == length {
			out = append(out, literal(h))
		}
	}
	return out
}

func (b *builder) hashQuery(d *detection.Detection, query string, i int) {
	name, title := "besra-"+d.ID+"-hashes", "Besra: known hashes of "+d.Title
	if i > 0 {
		name, title = fmt.Sprintf("%s-%d", name, i+1), fmt.Sprintf("%s (%d)", title, i+1)
	}
	b.add(savedSearch(d, name, title, query))
}

func savedSearch(d *detection.Detection, name, title, query string) *Resource {
	description := d.Hypothesis.Statement
	if description == "" {
		description = d.Title
	}
	tags := []any{
		Object{"name": "description", "value": cut(oneLine(description), maxDescription)},
		Object{"name": "tactics", "value": strings.Join(attack.SentinelTactics(d.Attack.Tactics), ",")},
		Object{"name": "techniques", "value": strings.Join(d.Attack.Techniques, ",")},
	}
	title = cut(title, maxName)
	return &Resource{Kind: HuntingQuery, Name: name, Title: title, Detection: d.ID,
		Properties: Object{"category": "Hunting Queries", "displayName": title, "query": query, "version": 2, "tags": tags}}
}

// attribution says whose rule it is, as its licence asks.
func attribution(d *detection.Detection) string {
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return oneLine(s)
	}
	return fmt.Sprintf("Rule %s by %s, licence %s, source %s", d.Rule.Name, or(d.Provenance.Author, "an author who is not stated"),
		or(d.Provenance.License, "not stated"), or(d.Provenance.Source, "not stated"))
}

// hunts makes a hunt of each hypothesis, related to the detection's queries.
func (b *builder) hunts(ds []*detection.Entry) {
	for _, e := range ds {
		d := e.Detection
		status, ok := huntStatus[d.Status]
		if d.Status == detection.StatusDraft {
			b.Report.Drafts++
		}
		if !ok || d.Hypothesis.Statement == "" {
			continue
		}
		name := GUID("hunts/" + d.ID)
		description := d.Hypothesis.Statement
		if d.Hypothesis.Why != "" {
			description += "\n\n" + d.Hypothesis.Why
		}
		description += "\n\n" + attribution(d)
		b.add(&Resource{Kind: Hunt, Name: name, Title: d.Title, Detection: d.ID, Properties: Object{
			"displayName": cut("Besra: "+d.Title, maxName), "description": cut(description, maxDescription),
			"status": status, "hypothesisStatus": hypothesisStatus(d.Hypothesis.State),
			"attackTactics": list(attack.SentinelTactics(d.Attack.Tactics)), "attackTechniques": list(d.Attack.Techniques),
			"labels": []any{"besra", d.ID},
		}})
		for _, q := range b.Of(HuntingQuery) {
			if q.Detection == d.ID {
				b.add(&Resource{Kind: HuntRelation, Name: name + "/" + GUID("hunts/"+d.ID+"/"+q.Name), Title: d.Title + ": " + q.Title, Detection: d.ID,
					Properties: Object{"relatedResourceId": string(PlaceSavedSearch) + q.Name, "labels": []any{"besra"}}})
			}
		}
	}
}

// huntStatus is where a hunt stands that begins with a detection of a status. A
// draft has none: nobody has looked at its hypothesis yet, and a workspace
// takes 100 hunts.
var huntStatus = map[detection.Status]string{
	detection.StatusTest: "New", detection.StatusStable: "Active",
}

func hypothesisStatus(s detection.State) string {
	if s == "" {
		s = detection.StateUnknown
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

func list(words []string) []any {
	out := []any{}
	for _, w := range words {
		out = append(out, w)
	}
	return out
}
