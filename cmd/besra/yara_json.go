package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// The JSON forms are those of `yr scan`: ndjson has an object a target,
// json one object with all matches. Members that were not asked for are
// absent.
type (
	jsonTarget struct {
		Path  any        `json:"path"` // see jsonText
		Rules []jsonRule `json:"rules"`
	}
	jsonCount struct {
		Path  any `json:"path"`
		Count int `json:"count"`
	}
	jsonRule struct {
		Identifier string        `json:"identifier"`
		Namespace  string        `json:"namespace,omitempty"`
		Meta       *[][2]any     `json:"meta,omitempty"`
		Tags       *[]string     `json:"tags,omitempty"`
		Strings    *[]jsonString `json:"strings,omitempty"`
	}
	jsonMatch struct {
		Rule    string         `json:"rule"`
		File    any            `json:"file"`
		Meta    map[string]any `json:"meta,omitempty"`
		Tags    *[]string      `json:"tags,omitempty"`
		Strings *[]jsonString  `json:"strings,omitempty"`
	}
	jsonString struct {
		Identifier string  `json:"identifier"`
		Offset     int64   `json:"offset"`
		Match      string  `json:"match"`
		XorKey     *byte   `json:"xor_key,omitempty"`
		Plaintext  *string `json:"plaintext,omitempty"`
	}
)

// jsonMatchBytes is how many bytes of a match JSON shows.
const jsonMatchBytes = 120

// jsonText returns text as a plain string, or in the exact form of [besra.Text]
// where it is not UTF-8.
func jsonText(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return besra.Text(s)
}

func (y *yaraFlags) jsonRule(rule yara.Rule, data bytesAt) jsonRule {
	j := jsonRule{Identifier: rule.Name(), Tags: y.jsonTags(rule), Strings: y.jsonStrings(rule, data)}
	if y.namespace {
		j.Namespace = rule.Namespace()
	}
	if y.meta {
		meta := [][2]any{}
		for key, value := range rule.Meta() {
			meta = append(meta, [2]any{key, jsonValue(value)})
		}
		j.Meta = &meta
	}
	return j
}

// jsonMatch is a match for the json format, where metadata is an object: a key
// that comes several times has a list of its values.
func (y *yaraFlags) jsonMatch(path string, rule yara.Rule, data bytesAt) jsonMatch {
	if abs, err := filepath.Abs(path); err == nil && path != "-" {
		path = abs
	}
	j := jsonMatch{Rule: rule.Name(), File: jsonText(path), Tags: y.jsonTags(rule), Strings: y.jsonStrings(rule, data)}
	if y.meta {
		values := make(map[string][]any)
		for key, value := range rule.Meta() {
			values[key] = append(values[key], jsonValue(value))
		}
		j.Meta = make(map[string]any)
		for key, list := range values {
			j.Meta[key] = list
			if len(list) == 1 {
				j.Meta[key] = list[0]
			}
		}
	}
	return j
}

func jsonValue(v any) any {
	if s, ok := v.(string); ok {
		return jsonText(s)
	}
	return v
}

func (y *yaraFlags) jsonTags(rule yara.Rule) *[]string {
	if !y.tagsShown {
		return nil
	}
	tags := append([]string{}, rule.Tags()...)
	return &tags
}

func (y *yaraFlags) jsonStrings(rule yara.Rule, data bytesAt) *[]jsonString {
	if !y.wantsMatches() {
		return nil
	}
	list := []jsonString{}
	for p := range rule.Patterns() {
		for m := range p.Matches() {
			list = append(list, newJSONString(p.ID(), m, data(m.Offset, m.Length)))
			if y.fast && !p.Positional() {
				break
			}
		}
	}
	return &list
}

func newJSONString(id string, m yara.Match, data []byte) jsonString {
	shown := data[:min(len(data), jsonMatchBytes)]
	j := jsonString{Identifier: id, Offset: m.Offset, Match: escapeASCII(shown, 0)}
	if more := len(data) - len(shown); more > 0 {
		j.Match += fmt.Sprintf(" ... %d more bytes", more)
	}
	if m.Xor {
		plain := escapeASCII(shown, m.XorKey)
		j.XorKey, j.Plaintext = &m.XorKey, &plain
	}
	return j
}

// escapeASCII writes bytes as printable ASCII, the rest escaped.
func escapeASCII(data []byte, key byte) string {
	const named = "tn  r" // 9 to 13
	var b strings.Builder
	for _, c := range data {
		switch c ^= key; {
		case c == '\t', c == '\n', c == '\r':
			b.Write([]byte{'\\', named[c-'\t']})
		case c == '"', c == '\'', c == '\\':
			b.Write([]byte{'\\', c})
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// printNDJSON writes the line of one target.
func (y *yaraFlags) printNDJSON(job *yaraJob, rules []jsonRule, matching int) {
	var line any = jsonTarget{jsonText(job.path), append([]jsonRule{}, rules...)}
	if y.count {
		line = jsonCount{jsonText(job.path), matching}
	}
	_ = encodeJSON(&job.out, line, "") // a buffer takes everything
}

// writeJSON writes the object with the matches of all targets.
func (s *yaraScan) writeJSON() error {
	if s.flags.count {
		return encodeJSON(s.stdio.out, append([]jsonCount{}, s.counts...), "  ")
	}
	return encodeJSON(s.stdio.out, struct {
		Matches []jsonMatch `json:"matches"`
		Version string      `json:"version"`
	}{append([]jsonMatch{}, s.matches...), currentVersion().Version}, "  ")
}

func encodeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
