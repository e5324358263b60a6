package kusto

import (
	"github.com/besra-hunt/besra/exclusion/kql"
)

// Sentinel returns what a workspace of Microsoft Sentinel has that our queries
// use: the tables that exclusions compile for, and the function that reads a
// watchlist.
func Sentinel() Schema {
	s := Schema{Functions: []Function{{Name: "_GetWatchlist", Parameters: "watchlistAlias: string, keys: dynamic = dynamic(null)",
		Body: "datatable(_DTItemId: string, LastUpdatedTimeUTC: datetime, SearchKey: string)[]"}}}
	for _, t := range kql.Tables() {
		s.Tables = append(s.Tables, Table{t.Name, t.Schema()})
	}
	return s
}
