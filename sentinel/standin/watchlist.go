package standin

import (
	"encoding/csv"
	"net/http"
	"strings"
)

// putWatchlist makes the rows of a watchlist of the CSV text that was sent with
// it, and does not give that text back. The service makes them a while later;
// here they are there at once.
func (s *Server) putWatchlist(path string, r Resource) error {
	properties, _ := r["properties"].(map[string]any)
	key, _ := properties["itemsSearchKey"].(string)
	if properties["displayName"] == nil || properties["provider"] == nil || key == "" {
		return fail(http.StatusBadRequest, "BadRequest", "displayName, provider and itemsSearchKey are required.")
	}
	text, _ := properties["rawContent"].(string)
	delete(properties, "rawContent")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return fail(http.StatusBadRequest, "BadRequest", "The content is not CSV: %v", err)
	}
	if len(lines) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines[1:] {
		values := map[string]any{}
		for i, name := range lines[0] {
			values[name] = line[i]
		}
		id := randomID()
		at := path + "/watchlistItems/" + id
		s.store.resources[strings.ToLower(at)] = Resource{"id": at, "name": id, "type": "Microsoft.SecurityInsights/Watchlists/WatchlistItems",
			"etag": `"` + randomID() + `"`, "properties": map[string]any{"itemsKeyValue": values, "watchlistItemId": id}}
	}
	return nil
}
