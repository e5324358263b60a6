package standin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Table is the result of a query.
type Table struct {
	Columns []TableColumn `json:"columns"`
	Rows    [][]any       `json:"rows"`
}

// TableColumn is a column of a result.
type TableColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Answer answers the queries of a workspace. The server runs no KQL: who knows
// the query knows its answer.
type Answer func(workspace, query string) (Table, error)

// Answers sets what answers queries.
func (s *Server) Answers(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

// query answers POST /v1/workspaces/{id}/query.
func (s *Server) query(r *http.Request, body []byte) (*reply, error) {
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(part) != 4 || part[3] != "query" || r.Method != http.MethodPost {
		return nil, fail(http.StatusNotFound, "PathNotFoundError", "The requested path does not exist")
	}
	if err := s.authorize(r, QueryAudience, RoleReader); err != nil {
		return nil, err
	}
	var sent struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent.Query == "" {
		return nil, fail(http.StatusBadRequest, "BadArgumentError", "The request had some invalid properties")
	}
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	if answer == nil {
		return nil, fail(http.StatusBadRequest, "BadArgumentError", "The stand-in has no answer to this query.")
	}
	table, err := answer(part[2], sent.Query)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "BadArgumentError", "%v", err)
	}
	return &reply{200, nil, map[string]any{"tables": []any{struct {
		Name string `json:"name"`
		Table
	}{"PrimaryResult", table}}}}, nil
}
