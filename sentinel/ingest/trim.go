package ingest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The limits of the Logs Ingestion API, in bytes. What is sent stays under them:
// they are said in round numbers, and hold of the content without compression.
const (
	// MaxField is the longest value of a field; the service cuts longer ones
	// without a word (Azure Monitor service limits, "Logs Ingestion API").
	MaxField = 64_000
	// MaxBody is the longest body of a call.
	MaxBody = 1_000_000
	// MaxRow is the longest row.
	MaxRow = 950_000
)

// cell is one value of a row as JSON.
type cell struct {
	column string
	value  any
	json   []byte
}

// fact is one entry of the column Facts.
type fact struct {
	name string
	json []byte
}

// appendJSON appends a value as JSON.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendString(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case time.Time:
		return append(v.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"'), nil
	case []fact:
		return appendFacts(b, v), nil
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

// appendString appends a string; most need no escape.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == 0x7f {
			text, _ := json.Marshal(s) // a string never fails
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendFacts(b []byte, bag []fact) []byte {
	b = append(b, '{')
	for i, f := range bag {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(appendString(b, f.name), ':'), f.json...)
	}
	return append(b, '}')
}

// size is what the limit of a field is held to: the text itself of a string, the
// JSON of everything else.
func (c *cell) size() int {
	if s, ok := c.value.(string); ok {
		return len(s)
	}
	return len(c.json)
}

// cut makes the value no longer than most bytes, keeping its beginning.
func (c *cell) cut(most int) {
	switch v := c.value.(type) {
	case string:
		for most > 0 && most < len(v) && !utf8.RuneStart(v[most]) {
			most--
		}
		c.value = v[:min(most, len(v))]
	case []patternCell:
		c.value = cutPatterns(v, most)
	case []fact:
		c.value = cutFacts(v, most)
	case []string:
		c.value = cutList(v, most)
	default:
		c.value = cutAny(v, most)
	}
	c.json, _ = appendJSON(nil, c.value) // it was encoded before
}

// cutPatterns leaves out the matches, and then patterns from the end.
func cutPatterns(list []patternCell, most int) []patternCell {
	out := slices.Clone(list)
	for i := range out {
		out[i].Matches = nil
	}
	return cutList(out, most)
}

// cutFacts leaves out the longest facts.
func cutFacts(bag []fact, most int) []fact {
	sorted := slices.SortedStableFunc(slices.Values(bag), func(a, b fact) int { return len(a.json) - len(b.json) })
	size := 2
	for i, f := range sorted {
		if size += len(f.name) + len(f.json) + 4; size > most {
			return sorted[:i]
		}
	}
	return sorted
}

// cutList keeps as many elements from the beginning as fit.
func cutList[T any](list []T, most int) []T {
	size := 2
	for i := range list {
		text, _ := json.Marshal(list[i])
		if size += len(text) + 1; size > most {
			return list[:i]
		}
	}
	return list
}

// cutAny cuts what is a list in JSON, and leaves out what is not.
func cutAny(v any, most int) any {
	text, _ := json.Marshal(v)
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		return nil
	}
	return cutList(list, most)
}

// fit joins cells to a row within the limits. What had to be cut is named in the
// column Trimmed.
func fit(cells []cell) ([]byte, bool) {
	var trimmed map[string]bool
	mark := func(column string) {
		if trimmed == nil {
			trimmed = map[string]bool{}
		}
		trimmed[column] = true
	}
	total := 2
	for i := range cells {
		if c := &cells[i]; c.size() > MaxField {
			c.cut(MaxField)
			mark(c.column)
		}
		total += cells[i].width()
	}
	for total > MaxRow-MaxField {
		c := widest(cells, trimmed["Patterns"])
		before := c.width()
		c.cut(c.size() / 2)
		mark(c.column)
		total += c.width() - before
	}
	if len(trimmed) > 0 {
		names := slices.Sorted(maps.Keys(trimmed))
		text, _ := json.Marshal(names) // strings never fail
		cells = append(cells, cell{"Trimmed", names, text})
	}
	return join(cells, total), len(trimmed) > 0
}

// width is the number of bytes of the cell in a row.
func (c *cell) width() int { return len(c.column) + len(c.json) + 4 }

// widest returns the cell to cut next: Patterns first, then the widest.
func widest(cells []cell, patternsCut bool) *cell {
	best := &cells[0]
	for i := range cells {
		if cells[i].column == "Patterns" && !patternsCut {
			return &cells[i]
		}
		if cells[i].width() > best.width() {
			best = &cells[i]
		}
	}
	return best
}

func join(cells []cell, size int) []byte {
	row := append(make([]byte, 0, size+64), '{')
	for i := range cells {
		if i > 0 {
			row = append(row, ',')
		}
		row = append(append(append(row, '"'), cells[i].column...), '"', ':')
		row = append(row, cells[i].json...)
	}
	return append(row, '}')
}
