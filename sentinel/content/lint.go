package content

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The limits that an export is held against, by Microsoft's pages on service
// limits of Sentinel and of the resources' schemas.
const (
	maxQuery            = 10_000 // characters of a rule's or hunting query's KQL
	maxName             = 256    // bytes
	maxDescription      = 5_000  // bytes
	maxCustomDetails    = 20
	maxDetailName       = 20 // characters
	maxEntityMappings   = 10
	maxFieldMappings    = 3
	maxPlaceholders     = 3 // in the format of a name or description
	maxRules            = 512
	maxHunts            = 100
	maxWatchlistItem    = 10 << 10 // bytes
	maxWatchlistUpload  = 3_800_000
	maxColumnName       = 45
	maxColumns          = 500
	maxAutomationOrder  = 1000
	maxTemplate         = 4 << 20 // bytes of a template's JSON
	maxAutomationRules  = 512
	maxFunctionAlias    = 64
	maxWatchlistAliases = 64
)

// Problem is a limit of Sentinel that a resource does not keep.
type Problem struct {
	Resource *Resource // nil where it is about all of them
	// Limit names the limit, such as query-length.
	Limit   string
	Message string
}

// Error implements error.
func (p Problem) Error() string {
	if p.Resource == nil {
		return fmt.Sprintf("%s [%s]", p.Message, p.Limit)
	}
	return fmt.Sprintf("%s %q: %s [%s]", p.Resource.Kind.Name, p.Resource.Title, p.Message, p.Limit)
}

type linter struct {
	problems []Problem
	r        *Resource
}

func (l *linter) say(limit, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.r, limit, fmt.Sprintf(format, args...)})
}

// most says so where there is more of something than a limit allows.
func (l *linter) most(limit, what string, n, max int) {
	if n > max {
		l.say(limit, "%s: %d, at most %d are allowed", what, n, max)
	}
}

// Lint holds the resources against the limits of Sentinel.
func (b *Bundle) Lint() []Problem {
	l := &linter{}
	seen := map[string]bool{}
	for _, r := range b.Resources {
		l.r = r
		if seen[strings.ToLower(r.Key())] {
			l.say("unique-name", "another resource has the same name %s", r.Key())
		}
		seen[strings.ToLower(r.Key())] = true
		l.resource(r)
	}
	l.r = nil
	l.most("rule-count", "enabled rules", len(b.Of(AlertRule)), maxRules)
	l.most("hunt-count", "hunts", len(b.Of(Hunt)), maxHunts)
	l.most("automation-rule-count", "automation rules", len(b.Of(AutomationRule)), maxAutomationRules)
	return l.problems
}

func (l *linter) resource(r *Resource) {
	if name, ok := r.Properties["displayName"].(string); ok {
		l.most("name-length", "bytes of the name", len(name), maxName)
	}
	if text, ok := r.Properties["description"].(string); ok {
		l.most("description-length", "bytes of the description", len(text), maxDescription)
	}
	switch r.Kind {
	case AlertRule, HuntingQuery:
		l.query(r.Query())
		l.alert(r.Properties)
	case Function:
		l.most("function-alias-length", "characters of the alias", len(r.Alias()), maxFunctionAlias)
		l.kql(r.Query())
	case Watchlist:
		l.watchlist(r)
	case Table:
		l.columns(r.Properties["schema"].(Object)["columns"].([]any))
	case AutomationRule:
		if order, _ := r.Properties["order"].(int); order < 1 || order > maxAutomationOrder {
			l.say("automation-order", "order %d, want 1 to %d", order, maxAutomationOrder)
		}
	}
	if text, err := json.Marshal(r.Properties); err == nil {
		l.most("template-size", "bytes", len(text), maxTemplate)
	}
}

// unbounded are operators that rules and hunting queries must not use.
var unbounded = regexp.MustCompile(`\b(search|union)\s+\*`)

func (l *linter) query(q string) {
	l.most("query-length", "characters of the query", len([]rune(q)), maxQuery)
	if m := unbounded.FindString(q); m != "" {
		l.say("unbounded-query", "%q is not allowed in a query", m)
	}
	l.kql(q)
}

// kql wants the text of KQL in ASCII: what is not may be changed on its way.
func (l *linter) kql(q string) {
	for i, r := range q {
		if r > 0x7e || r < 0x20 && r != '\n' && r != '\t' {
			l.say("non-ascii", "the query holds %q at byte %d; write it as an escape", r, i)
			return
		}
	}
}

var (
	detailName  = regexp.MustCompile(`^[a-zA-Z]+\w*$`)
	placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

func (l *linter) alert(p Object) {
	details, _ := p["customDetails"].(Object)
	l.most("custom-details", "custom details", len(details), maxCustomDetails)
	for name := range details {
		if len(name) > maxDetailName || !detailName.MatchString(name) {
			l.say("custom-detail-name", "%q: want at most %d letters and digits, a letter first", name, maxDetailName)
		}
	}
	mappings, _ := p["entityMappings"].([]any)
	l.most("entity-mappings", "entity mappings", len(mappings), maxEntityMappings)
	for _, m := range mappings {
		fields, _ := m.(Object)["fieldMappings"].([]any)
		l.most("field-mappings", fmt.Sprintf("fields of entity %s", m.(Object)["entityType"]), len(fields), maxFieldMappings)
	}
	override, _ := p["alertDetailsOverride"].(Object)
	for _, key := range []string{"alertDisplayNameFormat", "alertDescriptionFormat"} {
		format, _ := override[key].(string)
		l.most("placeholders", "placeholders of "+key, len(placeholder.FindAllString(format, -1)), maxPlaceholders)
	}
}

func (l *linter) watchlist(r *Resource) {
	l.most("watchlist-alias-length", "characters of the alias", len(r.Name), maxWatchlistAliases)
	for _, item := range r.Items {
		size := 0
		for k, v := range item.Values {
			size += len(k) + len(v)
		}
		if size > maxWatchlistItem {
			l.say("watchlist-item-size", "the item %q has %d bytes, at most %d are allowed", cut(item.Key, 40), size, maxWatchlistItem)
		}
	}
	raw, _ := r.Properties["rawContent"].(string)
	l.most("watchlist-upload", "bytes to upload", len(raw), maxWatchlistUpload)
}

var columnName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func (l *linter) columns(columns []any) {
	l.most("columns", "columns", len(columns), maxColumns)
	for _, c := range columns {
		if name := c.(Object)["name"].(string); len(name) > maxColumnName || !columnName.MatchString(name) {
			l.say("column-name", "%q: want at most %d of A-Z, a-z, 0-9 and _, a letter first", name, maxColumnName)
		}
	}
}
