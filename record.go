package besra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// VersionError reports a record of another version of the format.
type VersionError struct {
	Got string // the record's "v"; empty where it has none
}

// Error implements error.
func (e *VersionError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("no record version: a record says \"v\":%q", RecordVersion)
	}
	return fmt.Sprintf("record version %q is not %s: a besra of that version reads it", e.Got, RecordVersion)
}

// UnknownTypeError reports a record of a type that this version does not know.
// New types may come within a version, so a reader may step over it, but not
// silently.
type UnknownTypeError struct {
	Type RecordType
}

// Error implements error.
func (e *UnknownTypeError) Error() string {
	if e.Type == "" {
		return `no record type: a record says "type":"run", "finding", "gap" or "summary"`
	}
	return fmt.Sprintf("record type %q is not known: a newer besra wrote it", e.Type)
}

// MarshalJSON implements [json.Marshaler]: one flat object on one line, "type"
// and "v" first, then the fields of the run, finding, gap or summary. Lists
// that are always present are never null, times are UTC, and characters that
// a terminal would obey are written as \uXXXX, so that a record can be shown
// as it is. It fails only on a value that [Fact] and [Meta] do not allow.
func (r Record) MarshalJSON() ([]byte, error) {
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s record: %w", r.Type, err)
	}
	return escapeInvisible(b), nil
}

// body returns the struct that encodes as the record's line.
func (r Record) body() (any, error) {
	switch {
	case r.Type == RecordRun && r.Run != nil:
		return struct {
			Type RecordType `json:"type"`
			V    string     `json:"v"`
			Run
		}{r.Type, RecordVersion, r.Run.normal()}, nil
	case r.Type == RecordFinding && r.Finding != nil:
		return struct {
			Type RecordType `json:"type"`
			V    string     `json:"v"`
			Finding
		}{r.Type, RecordVersion, r.Finding.normal()}, nil
	case r.Type == RecordGap && r.Gap != nil:
		return struct {
			Type RecordType `json:"type"`
			V    string     `json:"v"`
			Gap
		}{r.Type, RecordVersion, *r.Gap}, nil
	case r.Type == RecordSummary && r.Summary != nil:
		return struct {
			Type RecordType `json:"type"`
			V    string     `json:"v"`
			Summary
		}{r.Type, RecordVersion, *r.Summary}, nil
	}
	return nil, fmt.Errorf("record of type %q without its content", r.Type)
}

// UnmarshalJSON implements [json.Unmarshaler]. A record of another major
// version gives a [*VersionError], one of an unknown type an
// [*UnknownTypeError]; unknown fields are passed over.
func (r *Record) UnmarshalJSON(b []byte) error {
	typ, version, err := headOf(b)
	if err != nil {
		return err
	}
	if version != RecordVersion && !strings.HasPrefix(version, RecordVersion+".") {
		return &VersionError{version}
	}
	rec := Record{Type: typ}
	var body any
	switch typ {
	case RecordRun:
		rec.Run = new(Run)
		body = rec.Run
	case RecordFinding:
		rec.Finding = new(Finding)
		body = rec.Finding
	case RecordGap:
		rec.Gap = new(Gap)
		body = rec.Gap
	case RecordSummary:
		rec.Summary = new(Summary)
		body = rec.Summary
	default:
		return &UnknownTypeError{typ}
	}
	if err := json.Unmarshal(b, body); err != nil {
		return fmt.Errorf("%s record: %w", typ, err)
	}
	*r = rec
	return nil
}

// headOf returns the type and the version of a record. They stand first where
// besra wrote it, so that reading them costs little.
func headOf(b []byte) (RecordType, string, error) {
	if rest, ok := bytes.CutPrefix(b, []byte(`{"type":"`)); ok {
		typ, rest, _ := bytes.Cut(rest, []byte(`","v":"`))
		version, rest, _ := bytes.Cut(rest, []byte(`"`))
		if len(rest) > 0 && !bytes.ContainsAny(typ, `"\\`) && !bytes.ContainsRune(version, '\\') {
			return RecordType(typ), string(version), nil
		}
	}
	var head struct {
		Type RecordType `json:"type"`
		V    string     `json:"v"`
	}
	err := json.Unmarshal(b, &head)
	return head.Type, head.V, err
}

// normal returns the run as it is written: lists not null, time in UTC.
func (r Run) normal() Run {
	r.Started = inUTC(r.Started)
	r.Targets = notNil(r.Targets)
	r.Packs = notNil(r.Packs)
	return r
}

// normal returns the finding as it is written: lists and data not null, time
// in UTC. It leaves what f points to alone.
func (f Finding) normal() Finding {
	f.Time = inUTC(f.Time)
	hits := make([]PatternHits, len(f.Patterns))
	for i, p := range f.Patterns {
		p.Matches = append(make([]Match, 0, len(p.Matches)), p.Matches...)
		for j := range p.Matches {
			p.Matches[j].Data = notNil(p.Matches[j].Data)
		}
		hits[i] = p
	}
	f.Patterns = hits
	return f
}

// inUTC returns t in UTC, save where that leaves the years that a time in JSON
// may have.
func inUTC(t time.Time) time.Time {
	if u := t.UTC(); u.Year() >= 0 && u.Year() <= 9999 {
		return u
	}
	return t
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// escapeInvisible writes every character of a JSON text that is not visible as
// \uXXXX, and so the replacement character, which encoding/json spells in both
// ways. Outside of its strings a JSON text has none of them.
func escapeInvisible(b []byte) []byte {
	hidden := func(r rune) bool { return !visible(r) || r == utf8.RuneError }
	i := bytes.IndexFunc(b, hidden)
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)+64), b[:i]...)
	for _, r := range string(b[i:]) {
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		}
	}
	return out
}

// MarshalJSON implements [json.Marshaler].
func (f Fact) MarshalJSON() ([]byte, error) {
	v, err := wireValue(f.Value)
	if err != nil {
		return nil, fmt.Errorf("fact %s: %w", f.Name, err)
	}
	type plain Fact
	f.Value = v
	return json.Marshal(plain(f))
}

// UnmarshalJSON implements [json.Unmarshaler]. A string becomes a time.Time
// where the vocabulary says that the fact is a timestamp, and a Text elsewhere.
func (f *Fact) UnmarshalJSON(b []byte) error {
	type plain Fact
	var raw struct {
		plain
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	v, err := goValue(raw.Value)
	if err != nil {
		return fmt.Errorf("fact %s: %w", raw.Name, err)
	}
	if def, ok := FactNamed(raw.Name); ok && def.Type == TypeTimestamp {
		v = asTime(v)
	}
	*f = Fact(raw.plain)
	f.Value = v
	return nil
}

// MarshalJSON implements [json.Marshaler].
func (m Meta) MarshalJSON() ([]byte, error) {
	v, err := wireValue(m.Value)
	if err != nil {
		return nil, fmt.Errorf("meta %s: %w", m.Key, err)
	}
	type plain Meta
	m.Value = v
	return json.Marshal(plain(m))
}

// UnmarshalJSON implements [json.Unmarshaler]. A string becomes a Text.
func (m *Meta) UnmarshalJSON(b []byte) error {
	var raw struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	v, err := goValue(raw.Value)
	if err != nil {
		return fmt.Errorf("meta %s: %w", raw.Key, err)
	}
	*m = Meta{Key: raw.Key, Value: v}
	return nil
}

// wireObject is what stands for a value that JSON has no word for. Exactly one
// of Base64, Float and Unix is set.
type wireObject struct {
	Base64 *[]byte `json:"base64,omitempty"` // a string that is not UTF-8
	Float  *string `json:"float,omitempty"`  // "NaN", "+Inf" or "-Inf"
	Unix   *int64  `json:"unix,omitempty"`   // a time outside the years 0 to 9999, seconds
	Nsec   int64   `json:"nsec,omitempty"`   // and nanoseconds
}

// wireValue returns what stands for the value of a fact or a meta in JSON. A
// float always has a point or an exponent, which tells it from an integer.
func wireValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, Text:
		return v, nil
	case string:
		return Text(v), nil
	case float64:
		return wireFloat(v), nil
	case time.Time:
		return wireTime(v), nil
	case []string:
		texts := make([]Text, len(v))
		for i, s := range v {
			texts[i] = Text(s)
		}
		return texts, nil
	}
	return nil, fmt.Errorf("a value of Go type %T: it may be Text, string, int64, float64, bool, time.Time or []string", v)
}

func wireFloat(v float64) any {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return wireObject{Float: &s}
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return json.RawMessage(s)
}

func wireTime(t time.Time) any {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		sec := t.Unix()
		return wireObject{Unix: &sec, Nsec: int64(t.Nanosecond())}
	}
	return t.Format(time.RFC3339Nano)
}

// asTime returns v as a time where it is what wireTime writes, and as it is elsewhere.
func asTime(v any) any {
	s, ok := v.(Text)
	if !ok {
		return v
	}
	t, err := time.Parse(time.RFC3339Nano, string(s))
	if err != nil || wireTime(t) != string(s) {
		return v
	}
	return t.UTC()
}

// goValue is the reverse of wireValue; a string always becomes a Text.
func goValue(b json.RawMessage) (any, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" {
		return nil, nil
	}
	switch b[0] {
	case 't', 'f':
		return b[0] == 't', nil
	case '"':
		var t Text
		err := json.Unmarshal(b, &t)
		return t, err
	case '[':
		var texts []Text
		err := json.Unmarshal(b, &texts)
		list := make([]string, len(texts))
		for i, t := range texts {
			list[i] = string(t)
		}
		return list, err
	case '{':
		return goObject(b)
	}
	if bytes.ContainsAny(b, ".eE") {
		return strconv.ParseFloat(string(b), 64)
	}
	return strconv.ParseInt(string(b), 10, 64)
}

func goObject(b json.RawMessage) (any, error) {
	var o wireObject
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, err
	}
	switch {
	case o.Base64 != nil && o.Float == nil && o.Unix == nil:
		return Text(*o.Base64), nil
	case o.Float != nil && o.Base64 == nil && o.Unix == nil:
		return nonFinite(*o.Float)
	case o.Unix != nil && o.Base64 == nil && o.Float == nil:
		return time.Unix(*o.Unix, o.Nsec).UTC(), nil
	}
	return nil, fmt.Errorf(`an object stands for a value only as {"base64":…}, {"float":…} or {"unix":…}`)
}

func nonFinite(s string) (any, error) {
	switch s {
	case "NaN":
		return math.NaN(), nil
	case "+Inf":
		return math.Inf(1), nil
	case "-Inf":
		return math.Inf(-1), nil
	}
	return nil, fmt.Errorf(`{"float":%q}: it may be "NaN", "+Inf" or "-Inf"`, s)
}
