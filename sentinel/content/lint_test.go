package content_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/sentinel/content"
)

// TestLint breaks each limit once, in content that keeps them all.
func TestLint(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	set := func(key string, value any) func(*content.Resource) {
		return func(r *content.Resource) { r.Properties[key] = value }
	}
	for _, tt := range []struct {
		limit string
		kind  *content.Kind
		spoil func(*content.Resource)
	}{
		{"name-length", content.AlertRule, set("displayName", long(257))},
		{"description-length", content.Hunt, set("description", long(5001))},
		{"query-length", content.HuntingQuery, set("query", long(10_001))},
		{"unbounded-query", content.HuntingQuery, set("query", "union * | take 1")},
		{"non-ascii", content.Function, set("query", "print '\u00e9'")},
		{"non-ascii", content.AlertRule, set("query", "print '\x01'")},
		{"function-alias-length", content.Function, set("functionAlias", long(65))},
		{"custom-details", content.AlertRule, func(r *content.Resource) { r.Properties["customDetails"].(content.Object)["One"] = "more" }},
		{"custom-detail-name", content.AlertRule, func(r *content.Resource) { r.Properties["customDetails"].(content.Object)[long(21)] = "x" }},
		{"entity-mappings", content.AlertRule, func(r *content.Resource) {
			m := r.Properties["entityMappings"].([]any)
			r.Properties["entityMappings"] = append(m, m[:2]...)
		}},
		{"field-mappings", content.AlertRule, func(r *content.Resource) {
			r.Properties["entityMappings"].([]any)[0].(content.Object)["fieldMappings"] = make([]any, 4)
		}},
		{"placeholders", content.AlertRule, func(r *content.Resource) {
			r.Properties["alertDetailsOverride"].(content.Object)["alertDescriptionFormat"] = strings.Repeat("{{A}}", 4)
		}},
		{"automation-order", content.AutomationRule, set("order", 1001)},
		{"column-name", content.Table, func(r *content.Resource) {
			r.Properties["schema"].(content.Object)["columns"] = []any{content.Object{"name": "1st"}}
		}},
		{"columns", content.Table, func(r *content.Resource) {
			r.Properties["schema"].(content.Object)["columns"] = slices.Repeat([]any{content.Object{"name": "a"}}, 501)
		}},
		{"template-size", content.Workbook, set("serializedData", long(4<<20))},
	} {
		t.Run(tt.limit, func(t *testing.T) {
			b := bundle(t, content.Options{})
			r := b.Of(tt.kind)[0]
			tt.spoil(r)
			found := false
			for _, p := range b.Lint() {
				found = found || p.Limit == tt.limit && p.Resource == r && strings.Contains(p.Error(), r.Title)
			}
			if !found {
				t.Errorf("got %v, want a problem of %s", b.Lint(), tt.limit)
			}
		})
	}
}

func TestLintCounts(t *testing.T) {
	for limit, kind := range map[string]*content.Kind{"rule-count": content.AlertRule, "hunt-count": content.Hunt, "automation-rule-count": content.AutomationRule} {
		b := &content.Bundle{}
		for i := range 513 {
			b.Resources = append(b.Resources, &content.Resource{Kind: kind, Name: fmt.Sprint(i), Properties: content.Object{"order": 1}})
		}
		b.Resources = append(b.Resources, &content.Resource{Kind: kind, Name: "0", Properties: content.Object{"order": 1}})
		got := map[string]bool{}
		for _, p := range b.Lint() {
			got[p.Limit] = true
		}
		if !got[limit] || !got["unique-name"] {
			t.Errorf("got %v, want %s and unique-name", got, limit)
		}
	}
}

func TestLintWatchlist(t *testing.T) {
	r := &content.Resource{Kind: content.Watchlist, Name: strings.Repeat("a", 65), Properties: content.Object{"rawContent": strings.Repeat("x", 3_800_001)},
		Items: []content.Item{{Key: "k", Values: map[string]string{"Value": strings.Repeat("x", 10<<10)}}}}
	var got []string
	for _, p := range (&content.Bundle{Resources: []*content.Resource{r}}).Lint() {
		got = append(got, p.Limit)
	}
	if want := []string{"watchlist-alias-length", "watchlist-item-size", "watchlist-upload"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
