package content

import (
	"encoding/csv"
	"maps"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/exclusion"
)

// WatchlistKey is the column of our watchlists that is searched.
const WatchlistKey = "Value"

// watchlists makes a watchlist of each allow-list that exclusions call
// lists.NAME, so that analysts see what is trusted and who vouches for it.
func (b *builder) watchlists(ds []*detection.Entry) {
	for _, e := range ds {
		for _, name := range slices.Sorted(maps.Keys(e.Detection.Lists)) {
			if l := e.Detection.Lists[name]; len(l.Values) > 0 {
				b.add(watchlist(e.Detection, name, l))
			}
		}
	}
}

// WatchlistAlias is the alias of the watchlist of a detection's list.
func WatchlistAlias(detection, list string) string { return "besra-" + detection + "-" + slug(list) }

// maxInlineList is how many members of a list a query holds itself; a longer
// one is looked up in its watchlist.
const maxInlineList = 100

// looked gives the watchlists of the lists that are looked up, by their name in
// expressions.
func (b *builder) looked(d *detection.Detection) map[string]string {
	out := map[string]string{}
	for name, l := range d.Lists {
		if len(l.Values) > maxInlineList && !slices.Contains(b.Without, Watchlist) {
			out["lists."+name] = WatchlistAlias(d.ID, name)
		}
	}
	return out
}

func watchlist(d *detection.Detection, name string, l exclusion.List) *Resource {
	r := &Resource{Kind: Watchlist, Name: WatchlistAlias(d.ID, name), Title: "Besra: " + name + " of " + d.ID, Detection: d.ID}
	for _, v := range slices.Compact(slices.Sorted(slices.Values(l.Values))) {
		r.Items = append(r.Items, Item{v, map[string]string{WatchlistKey: v, "Source": l.Source}})
	}
	r.Properties = Object{"displayName": r.Title, "provider": "Besra", "source": r.Name + ".csv", "sourceType": "Local", "itemsSearchKey": WatchlistKey,
		"description": oneLine(l.Text + " Vouched for by: " + l.Source), "contentType": "text/csv", "numberOfLinesToSkip": 0,
		"rawContent": csvText([]string{WatchlistKey, "Source"}, r.Items), "labels": []any{"besra"}}
	return r
}

// csvText writes the items under a line of column names.
func csvText(columns []string, items []Item) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(columns)
	for _, item := range items {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = item.Values[c]
		}
		w.Write(row)
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}
