package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// AddIncident keeps an incident at a workspace's path, with its alerts as the
// action that lists them shows them. Properties are the incident's.
func (s *Server) AddIncident(workspace, name string, properties map[string]any, alerts ...any) error {
	path := workspace + "/providers/Microsoft.SecurityInsights/incidents/" + name
	var list []json.RawMessage
	for _, a := range alerts {
		text, err := json.Marshal(a)
		if err != nil {
			return err
		}
		list = append(list, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(path)
	s.store.resources[key] = Resource{"id": path, "name": name, "type": "Microsoft.SecurityInsights/incidents",
		"etag": `"` + randomID() + `"`, "properties": properties}
	s.alerts[key] = list
	return nil
}

// incidentAlerts answers POST incidents/{id}/alerts.
func (s *Server) incidentAlerts(p place) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(p.path)
	if s.store.resources[key] == nil {
		return nil, missing(p)
	}
	list := s.alerts[key]
	if list == nil {
		list = []json.RawMessage{}
	}
	return &reply{200, nil, map[string]any{"value": list}}, nil
}

// filterOf reads the OData filters that are used here: comparisons of
// properties, joined by "and".
func filterOf(text string) (func(Resource) bool, error) {
	var tests []func(Resource) bool
	for term := range strings.SplitSeq(text, " and ") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		part := strings.SplitN(term, " ", 3)
		name, ok := strings.CutPrefix(part[0], "properties/")
		if !ok || len(part) != 3 || !strings.Contains(" eq ne ge gt le lt ", " "+part[1]+" ") {
			return nil, fail(http.StatusBadRequest, "BadRequest", "The filter '%s' is not valid.", term)
		}
		tests = append(tests, comparison(name, part[1], strings.Trim(part[2], "'")))
	}
	return func(r Resource) bool {
		for _, test := range tests {
			if !test(r) {
				return false
			}
		}
		return true
	}, nil
}

// comparison compares a property as text: times of one zone in one form are in
// order so.
func comparison(name, op, value string) func(Resource) bool {
	return func(r Resource) bool {
		properties, _ := r["properties"].(map[string]any)
		order := strings.Compare(fmt.Sprint(properties[name]), value)
		switch op {
		case "eq":
			return order == 0
		case "ne":
			return order != 0
		case "ge":
			return order >= 0
		case "gt":
			return order > 0
		case "le":
			return order <= 0
		}
		return order < 0
	}
}
