package content

import (
	"slices"
	"strings"
)

// Kind is a kind of resource: where it lives and under which version of the API.
type Kind struct {
	Name string // as the command line spells it
	// Type is the resource type, without its provider where the provider is
	// Microsoft.SecurityInsights.
	Type    string
	Version string // of the API
	Folder  string // of the export
	Preview bool   // the API is a preview: it may change
	// Repositories says that Sentinel Repositories deploys files of the kind.
	Repositories bool
}

// The kinds, in the order in which they can be created.
var (
	Table          = &Kind{Name: "table", Type: workspaceType + "/tables", Version: "2025-07-01", Folder: "Infrastructure"}
	CollectionRule = &Kind{Name: "collection-rule", Type: "Microsoft.Insights/dataCollectionRules", Version: "2024-03-11", Folder: "Infrastructure"}
	Watchlist      = &Kind{Name: "watchlist", Type: securityType + "/watchlists", Version: "2025-09-01", Folder: "Watchlists"}
	Function       = &Kind{Name: "function", Type: workspaceType + "/savedSearches", Version: "2025-07-01", Folder: "Parsers", Repositories: true}
	AlertRule      = &Kind{Name: "rule", Type: securityType + "/alertRules", Version: "2025-09-01", Folder: "Detections", Repositories: true}
	HuntingQuery   = &Kind{Name: "hunting-query", Type: workspaceType + "/savedSearches", Version: "2025-07-01", Folder: "Hunting", Repositories: true}
	Hunt           = &Kind{Name: "hunt", Type: securityType + "/hunts", Version: "2025-10-01-preview", Folder: "Hunts", Preview: true}
	HuntRelation   = &Kind{Name: "hunt-relation", Type: securityType + "/hunts/relations", Version: "2025-10-01-preview", Folder: "Hunts", Preview: true}
	AutomationRule = &Kind{Name: "automation-rule", Type: securityType + "/automationRules", Version: "2025-09-01", Folder: "AutomationRules", Repositories: true}
	Workbook       = &Kind{Name: "workbook", Type: "Microsoft.Insights/workbooks", Version: "2023-06-01", Folder: "Workbooks", Repositories: true}
)

const (
	workspaceType = "Microsoft.OperationalInsights/workspaces"
	securityType  = "Microsoft.SecurityInsights"
)

// Kinds lists the kinds, in the order in which resources can be created.
func Kinds() []*Kind {
	return []*Kind{Table, CollectionRule, Watchlist, Function, AlertRule, HuntingQuery, Hunt, HuntRelation, AutomationRule, Workbook}
}

// KindNamed returns the kind of a name, or nil.
func KindNamed(name string) *Kind {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return kinds[i]
}

// Segment is the last part of the type: alertRules, hunts/relations.
func (k *Kind) Segment() string {
	t := strings.TrimPrefix(k.Type, workspaceType+"/")
	_, segment, _ := strings.Cut(t, "/")
	if t != k.Type {
		return t
	}
	return segment
}

// InWorkspace reports whether resources of the kind are parts of the workspace,
// and not beside it in the resource group.
func (k *Kind) InWorkspace() bool { return strings.HasPrefix(k.Type, workspaceType) || k.Security() }

// Security reports whether the kind is Microsoft.SecurityInsights'.
func (k *Kind) Security() bool { return strings.HasPrefix(k.Type, securityType) }

// Path returns the path of a resource below its resource group, for a workspace.
func (r *Resource) Path(workspace string) string {
	switch k := r.Kind; {
	case k.Security():
		return "/providers/" + workspaceType + "/" + workspace + "/providers/" + securityType + "/" + r.Key()
	case k.InWorkspace():
		return "/providers/" + workspaceType + "/" + workspace + "/" + r.Key()
	}
	provider, _, _ := strings.Cut(r.Kind.Type, "/")
	return "/providers/" + provider + "/" + r.Key()
}
