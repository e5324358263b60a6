// Package disposition reads back what analysts found out about findings: the
// classifications of closed incidents in Microsoft Sentinel, by the ids of
// findings that the alerts' custom details carry. [Read] reads them, [Weigh]
// holds them against a ledger and says what to mark there.
package disposition

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
)

// Version is the api-version of Microsoft.SecurityInsights.
const Version = "2025-09-01"

// Detail is the custom detail of an alert that holds ids of findings.
const Detail = "FindingId"

// Incident is a closed incident.
type Incident struct {
	Name   string // its GUID
	Number int
	Title  string
	// Classification is TruePositive, BenignPositive, FalsePositive or
	// Undetermined, and Reason says more.
	Classification, Reason, Comment string
	Owner                           string
	Modified                        time.Time
	Findings                        []string // ids, sorted
	Alerts                          int
}

// resource is an incident as the API has it.
type resource struct {
	Name       string `json:"name"`
	Properties struct {
		Number         int    `json:"incidentNumber"`
		Title          string `json:"title"`
		Status         string `json:"status"`
		Classification string `json:"classification"`
		Reason         string `json:"classificationReason"`
		Comment        string `json:"classificationComment"`
		Labels         []struct {
			Name string `json:"labelName"`
		} `json:"labels"`
		Modified time.Time `json:"lastModifiedTimeUtc"`
		Owner    struct {
			UPN      string `json:"userPrincipalName"`
			Assigned string `json:"assignedTo"`
			Email    string `json:"email"`
		} `json:"owner"`
	} `json:"properties"`
}

// Reader reads incidents of a workspace.
type Reader struct {
	Manager   *azure.Client
	Workspace string // its path at the resource manager
	// Query and WorkspaceID, if set, are asked for the custom details of alerts
	// that the incident itself shows without.
	Query       *azure.Client
	WorkspaceID string
	// Ignore is the label of incidents that an automation rule closes for an
	// exclusion: they repeat what the exclusion says, and nobody looked. They come
	// as Undetermined.
	Ignore string
}

// Read returns the incidents that were closed, and last changed at or after a
// time, oldest change first. Those of other products, whose alerts carry no
// finding, come with no Findings.
func (r *Reader) Read(ctx context.Context, since time.Time) ([]Incident, error) {
	filter := "properties/status eq 'Closed'"
	if !since.IsZero() {
		filter += " and properties/lastModifiedTimeUtc ge " + since.UTC().Format("2006-01-02T15:04:05Z")
	}
	var out []Incident
	path := r.Workspace + "/providers/Microsoft.SecurityInsights/incidents"
	err := r.Manager.List(ctx, azure.Request{Path: path, Version: Version, Query: url.Values{"$filter": {filter}}}, func(raw json.RawMessage) error {
		var one resource
		if err := json.Unmarshal(raw, &one); err != nil {
			return fmt.Errorf("an incident cannot be read: %w", err)
		}
		if one.Properties.Status != "Closed" {
			return nil // opened again meanwhile
		}
		i, err := r.incident(ctx, one)
		out = append(out, i)
		return err
	})
	slices.SortStableFunc(out, func(a, b Incident) int { return cmp.Or(a.Modified.Compare(b.Modified), a.Number-b.Number) })
	return out, err
}

func (r *Reader) incident(ctx context.Context, one resource) (Incident, error) {
	p := one.Properties
	i := Incident{Name: one.Name, Number: p.Number, Title: p.Title, Classification: p.Classification, Reason: p.Reason, Comment: p.Comment,
		Owner: cmp.Or(p.Owner.UPN, p.Owner.Email, p.Owner.Assigned), Modified: p.Modified}
	for _, l := range p.Labels {
		if r.Ignore != "" && l.Name == r.Ignore {
			i.Classification = "Undetermined"
		}
	}
	var list struct {
		Value []alert `json:"value"`
	}
	path := r.Workspace + "/providers/Microsoft.SecurityInsights/incidents/" + url.PathEscape(one.Name) + "/alerts"
	if _, err := r.Manager.JSON(ctx, azure.Request{Method: http.MethodPost, Path: path, Version: Version}, &list); err != nil {
		return i, fmt.Errorf("the alerts of incident %d: %w", p.Number, err)
	}
	i.Alerts = len(list.Value)
	bare := []string{}
	for _, a := range list.Value {
		ids := findingsIn(a.Properties.Additional["Custom Details"])
		if ids == nil && a.Properties.ID != "" {
			bare = append(bare, a.Properties.ID)
		}
		i.Findings = append(i.Findings, ids...)
	}
	more, err := r.ask(ctx, bare)
	i.Findings = append(i.Findings, more...)
	slices.Sort(i.Findings)
	i.Findings = slices.Compact(i.Findings)
	return i, err
}

type alert struct {
	Properties struct {
		ID         string                     `json:"systemAlertId"`
		Additional map[string]json.RawMessage `json:"additionalData"`
	} `json:"properties"`
}

// findingsIn reads custom details: an object, or its JSON as a string, whose
// values are a value, a list, or the JSON of a list as a string.
func findingsIn(raw json.RawMessage) []string {
	var details map[string]json.RawMessage
	if json.Unmarshal(unquoted(raw), &details) != nil {
		return nil
	}
	value := unquoted(details[Detail])
	var many []string
	if json.Unmarshal(value, &many) == nil {
		return many
	}
	if one := strings.Trim(string(value), `" `); one != "" {
		return []string{one}
	}
	return nil
}

// unquoted returns the content of a JSON string, and anything else as it is.
func unquoted(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return json.RawMessage(text)
	}
	return raw
}

// askAtOnce is how many alerts one query is about.
const askAtOnce = 100

// ask takes the ids of findings from the table SecurityAlert.
func (r *Reader) ask(ctx context.Context, alerts []string) ([]string, error) {
	if r.Query == nil || r.WorkspaceID == "" {
		return nil, nil
	}
	var out []string
	for part := range slices.Chunk(alerts, askAtOnce) {
		names, _ := json.Marshal(part) // strings never fail
		query := "SecurityAlert\n| where SystemAlertId in (dynamic(" + string(names) + "))\n| project Details = tostring(parse_json(ExtendedProperties)[\"Custom Details\"])"
		var answer struct {
			Tables []struct {
				Rows [][]json.RawMessage `json:"rows"`
			} `json:"tables"`
		}
		_, err := r.Query.JSON(ctx, azure.Request{Method: http.MethodPost, Path: "/v1/workspaces/" + url.PathEscape(r.WorkspaceID) + "/query",
			Body: map[string]string{"query": query}}, &answer)
		if err != nil {
			return out, fmt.Errorf("asking for the details of %d alerts: %w", len(part), err)
		}
		for _, t := range answer.Tables {
			for _, row := range t.Rows {
				for _, cell := range row {
					out = append(out, findingsIn(cell)...)
				}
			}
		}
	}
	return out, nil
}
