package standin

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The limits of the Logs Ingestion API, in bytes.
const (
	maxCall  = 1 << 20 // of a call, as sent and without compression
	maxField = 64 << 10
)

// ingestionVersion is the api-version of the Logs Ingestion API.
const ingestionVersion = "2023-01-01"

// Row is one row that was taken, by column.
type Row map[string]any

// rule is a data collection rule: its streams with the types of their columns,
// in lower case.
type rule struct {
	streams map[string]map[string]string
}

// AddRule makes a data collection rule of an immutable id with one stream, or
// adds the stream to it. Columns gives the type of each.
func (s *Server) AddRule(id, stream string, columns map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rules[id]
	if r == nil {
		r = &rule{map[string]map[string]string{}}
		s.rules[id] = r
	}
	r.streams[stream] = maps.Clone(columns)
}

// Rows returns the rows that a stream has taken, in order.
func (s *Server) Rows(stream string) []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows[stream])
}

// Count returns the number of rows that a stream has taken.
func (s *Server) Count(stream string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[stream]
}

// ingest takes rows: POST /dataCollectionRules/{id}/streams/{stream}.
func (s *Server) ingest(r *http.Request, body []byte) (*reply, error) {
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(part) != 4 || part[2] != "streams" {
		return nil, fail(http.StatusNotFound, "NotFound", "The resource was not found.")
	}
	if r.Method != http.MethodPost {
		return nil, fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "Method %s is not allowed.", r.Method)
	}
	if v := r.URL.Query().Get("api-version"); v != ingestionVersion {
		return nil, fail(http.StatusBadRequest, "InvalidApiVersion", "The api-version '%s' is not supported.", v)
	}
	if err := s.authorize(r, IngestionAudience, RolePublisher); err != nil {
		return nil, err
	}
	columns, err := s.stream(part[1], part[3])
	if err != nil {
		return nil, err
	}
	text, err := decompress(r, body)
	if err != nil {
		return nil, err
	}
	rows, err := readRows(text, columns)
	if err != nil {
		return nil, err
	}
	s.take(part[3], rows)
	return &reply{status: http.StatusNoContent}, nil
}

func (s *Server) stream(id, stream string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rules[id]
	if r == nil {
		return nil, fail(http.StatusNotFound, "NotFound", "Data collection rule with immutable Id '%s' not found.", id)
	}
	columns, ok := r.streams[stream]
	if !ok {
		return nil, fail(http.StatusBadRequest, "InvalidStream", "The stream %s was not configured in the DCR", stream)
	}
	return columns, nil
}

func (s *Server) take(stream string, rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[stream] += len(rows)
	if !s.o.Discard {
		s.rows[stream] = append(s.rows[stream], rows...)
	}
}

// decompress undoes gzip, and holds both sizes to the limit.
func decompress(r *http.Request, body []byte) ([]byte, error) {
	if len(body) > maxCall {
		return nil, tooLong(len(body))
	}
	switch r.Header.Get("Content-Encoding") {
	case "":
		return body, nil
	case "gzip":
	default:
		return nil, fail(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content encoding is not supported.")
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(z, maxCall+1))
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "InvalidContent", "The content could not be decompressed.")
	}
	if len(body) > maxCall {
		return nil, tooLong(len(body))
	}
	return body, nil
}

func tooLong(n int) error {
	return fail(http.StatusRequestEntityTooLarge, "ContentLengthLimitExceeded", "Maximum allowed content length: %d bytes (1 MB). Provided content length: %d bytes.", maxCall, n)
}

// readRows decodes a JSON array of objects and holds each to the columns.
func readRows(text []byte, columns map[string]string) ([]Row, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var rows []Row
	if err := d.Decode(&rows); err != nil || rows == nil || d.More() {
		return nil, fail(http.StatusBadRequest, "InvalidPayload", "The content is not a JSON array of objects.")
	}
	for n, row := range rows {
		for name, v := range row {
			want, ok := columns[name]
			if !ok {
				return nil, fail(http.StatusBadRequest, "InvalidPayload", "Row %d: column '%s' is not in the stream.", n, name)
			}
			if err := fits(strings.ToLower(want), v); err != nil {
				return nil, fail(http.StatusBadRequest, "InvalidPayload", "Row %d: column '%s': %v.", n, name, err)
			}
		}
	}
	return rows, nil
}

// fits wants a value of the type of its column. Null fits everywhere.
func fits(kind string, v any) error {
	if v == nil {
		return nil
	}
	ok := false
	switch kind {
	case "string", "guid":
		_, ok = v.(string)
	case "datetime":
		text, is := v.(string)
		_, err := time.Parse(time.RFC3339Nano, text)
		ok = is && err == nil
	case "boolean":
		_, ok = v.(bool)
	case "int", "long":
		n, is := v.(json.Number)
		i, err := n.Int64()
		ok = is && err == nil && (kind == "long" || i >= math.MinInt32 && i <= math.MaxInt32)
	case "real":
		_, ok = v.(json.Number)
	case "dynamic":
		ok = true
	}
	if !ok {
		return fmt.Errorf("a %T is no %s", v, kind)
	}
	if text, is := v.(string); is && len(text) > maxField {
		return fmt.Errorf("a value of %d bytes, more than %d", len(text), maxField)
	}
	return nil
}
