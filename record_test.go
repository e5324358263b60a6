package besra

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	mathrand "math/rand"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordLine(t *testing.T) {
	tests := []struct {
		name string
		rec  Record
		want string
	}{
		{
			"gap",
			Record{Type: RecordGap, Gap: &Gap{Kind: GapError, Target: "/root/a\xff", Reason: "permission", Count: 1}},
			`{"type":"gap","v":"besra/v1","kind":"error","target":{"base64":"L3Jvb3QvYf8="},"reason":"permission","count":1}`,
		},
		{
			"run without lists, local time",
			Record{Type: RecordRun, Run: &Run{ID: "r", Started: time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("", 7200))}},
			`{"type":"run","v":"besra/v1","id":"r","besra_version":"","started":"2026-05-01T10:00:00Z","host":"","os":"","targets":[],"packs":[],"rules":0}`,
		},
		{
			"terminal sequences",
			Record{Type: RecordGap, Gap: &Gap{Kind: GapSkip, Target: "\x1b[2J\u009b2J\u202e\U000e0041", Count: 2}},
			`{"type":"gap","v":"besra/v1","kind":"skip","target":"\u001b[2J\u009b2J\u202e\udb40\udc41","reason":"","count":2}`,
		},
	}
	for _, tt := range tests {
		got, err := json.Marshal(tt.rec)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if string(got) != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestRecordOfAFindingHasNoNullList(t *testing.T) {
	rec := Record{Type: RecordFinding, Finding: &Finding{Patterns: []PatternHits{{ID: "$a", Matches: []Match{{}}}, {ID: "$b"}}}}
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("null")) {
		t.Errorf("null in %s", b)
	}
	if rec.Finding.Patterns[1].Matches != nil || rec.Finding.Patterns[0].Matches[0].Data != nil {
		t.Error("encoding changed the finding")
	}
}

func TestRecordDecodeErrors(t *testing.T) {
	var version *VersionError
	var unknown *UnknownTypeError
	tests := []struct {
		in  string
		as  any
		say string
	}{
		{`{"type":"gap"}`, &version, `"v":"besra/v1"`},
		{`{"type":"gap","v":"besra/v2"}`, &version, "besra/v2"},
		{`{"type":"gap","v":"besra/v10"}`, &version, "besra/v10"},
		{`{"type":"gap","v":"other/v1"}`, &version, "other/v1"},
		{`{"type":"rumour","v":"besra/v1"}`, &unknown, "rumour"},
		{`{"v":"besra/v1"}`, &unknown, "no record type"},
		{`{"type":"gap","v":"besra/v1","count":"many"}`, nil, "gap record"},
		{`{"type":"finding","v":"besra/v1","facts":[{"name":"file.size","value":{"float":"7"}}]}`, nil, "fact file.size"},
		{`{"type":"finding","v":"besra/v1","facts":[{"name":"file.size","value":{"unix":1,"base64":""}}]}`, nil, "stands for a value"},
		{`{"type":"finding","v":"besra/v1","facts":[{"name":"file.size","value":9223372036854775808}]}`, nil, "out of range"},
		{`{"type":"finding","v":"besra/v1","rule":{"meta":[{"key":"k","value":[1]}]}}`, nil, "meta k"},
		{`[]`, nil, "array"},
		{`{"type":"gap","v":"besra/v1"} {}`, nil, "after top-level"},
	}
	for _, tt := range tests {
		rec := Record{Type: "untouched"}
		err := json.Unmarshal([]byte(tt.in), &rec)
		if err == nil {
			t.Errorf("%s: no error", tt.in)
			continue
		}
		if tt.as != nil && !errors.As(err, tt.as) {
			t.Errorf("%s: error %T %v, want %T", tt.in, err, err, tt.as)
		}
		if !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: error %q does not say %q", tt.in, err, tt.say)
		}
		if rec.Type != "untouched" {
			t.Errorf("%s: decoding failed and yet changed the record", tt.in)
		}
	}
}

func TestRecordOfALaterMinorVersion(t *testing.T) {
	var rec Record
	err := json.Unmarshal([]byte(`{"type":"gap","v":"besra/v1.3","mood":"blue","count":4}`), &rec)
	if err != nil || rec.Gap == nil || rec.Gap.Count != 4 {
		t.Errorf("got %+v, %v; want a gap with count 4", rec, err)
	}
}

func TestRecordEncodeErrors(t *testing.T) {
	for _, rec := range []Record{
		{},
		{Type: RecordFinding},
		{Type: RecordGap, Finding: &Finding{}},
		{Type: "rumour", Finding: &Finding{}},
		{Type: RecordFinding, Finding: &Finding{Facts: []Fact{{Name: "file.size", Value: uint32(3)}}}},
	} {
		if b, err := json.Marshal(rec); err == nil {
			t.Errorf("%+v encodes as %s, want an error", rec, b)
		}
	}
}

func TestFactValuesAreExact(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)
	tests := []struct {
		fact string
		in   any
		wire string
		out  any // where it differs from in
	}{
		{"file.size", int64(math.MaxInt64), `9223372036854775807`, nil},
		{"file.size", int64(-1), `-1`, nil},
		{"file.size", 1.0, `1.0`, nil},
		{"file.size", 1e300, `1e+300`, nil},
		{"file.size", math.Inf(-1), `{"float":"-Inf"}`, nil},
		{"package.verified", false, `false`, nil},
		{"file.name", Text("x"), `"x"`, nil},
		{"file.name", "x", `"x"`, Text("x")},
		{"file.name", Text("x\xff"), `{"base64":"eP8="}`, nil},
		{"file.name", "2026-02-03T04:05:06Z", `"2026-02-03T04:05:06Z"`, Text("2026-02-03T04:05:06Z")},
		{"file.mtime", at, `"2026-02-03T04:05:06.000000789Z"`, nil},
		{"file.mtime", at.In(time.FixedZone("", 3661)), `"2026-02-03T04:05:06.000000789Z"`, at},
		{"file.mtime", Text("2026-02-03T04:05:06+01:00"), `"2026-02-03T04:05:06+01:00"`, nil},
		{"file.mtime", time.Unix(1<<50, 5).UTC(), `{"unix":1125899906842624,"nsec":5}`, nil},
		{"process.ancestors", []string{"sh", "a\xff"}, `["sh",{"base64":"Yf8="}]`, nil},
		{"process.ancestors", []string{}, `[]`, nil},
		{"process.name", nil, ``, nil},
	}
	for _, tt := range tests {
		in := Fact{Name: tt.fact, Value: tt.in, Grade: GradeWeak, Source: "test"}
		b, err := json.Marshal(in)
		if err != nil {
			t.Errorf("%v: %v", tt.in, err)
			continue
		}
		if tt.in != nil && !strings.Contains(string(b), `"value":`+tt.wire+`,`) {
			t.Errorf("%v encodes as %s, want value %s", tt.in, b, tt.wire)
		}
		want := in
		if tt.out != nil {
			want.Value = tt.out
		}
		var got Fact
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s decodes as %#v, %v, want %#v", b, got, err, want)
		}
	}
}

// TestRecordRoundTrip encodes random records, decodes them, and wants the same
// line again and the same values.
func TestRecordRoundTrip(t *testing.T) {
	same := func(rec anyRecord) bool {
		first, err := json.Marshal(Record(rec))
		if err != nil {
			t.Log(err)
			return false
		}
		var back Record
		if err := json.Unmarshal(first, &back); err != nil {
			t.Logf("%v in %s", err, first)
			return false
		}
		second, err := json.Marshal(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Logf("\nfirst  %s\nsecond %s", first, second)
			return false
		}
		return sameFacts(t, Record(rec), back)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

// sameFacts compares what must be exact beyond the bytes of the line.
func sameFacts(t *testing.T, a, b Record) bool {
	if a.Type != RecordFinding {
		return true
	}
	diff := cmp.Diff(a.Finding.Facts, b.Finding.Facts) + cmp.Diff(a.Finding.Rule.Meta, b.Finding.Rule.Meta) +
		cmp.Diff(a.Finding.Target.Name, b.Finding.Target.Name)
	if diff != "" {
		t.Log(diff)
	}
	return diff == ""
}

// anyRecord makes random records for testing/quick.
type anyRecord Record

func (anyRecord) Generate(r *mathrand.Rand, _ int) reflect.Value {
	rnd := rand.New(rand.NewPCG(r.Uint64(), 0))
	rec := anyRecord{}
	switch rnd.IntN(4) {
	case 0:
		rec.Type, rec.Run = RecordRun, new(Run)
		fill(rnd, reflect.ValueOf(rec.Run).Elem())
	case 1:
		rec.Type, rec.Gap = RecordGap, new(Gap)
		fill(rnd, reflect.ValueOf(rec.Gap).Elem())
	case 2:
		rec.Type, rec.Summary = RecordSummary, new(Summary)
		fill(rnd, reflect.ValueOf(rec.Summary).Elem())
	default:
		rec.Type, rec.Finding = RecordFinding, new(Finding)
		fill(rnd, reflect.ValueOf(rec.Finding).Elem())
	}
	return reflect.ValueOf(rec)
}

// fill gives every field below v a random value; strings often hold what is
// hard to carry.
func fill(r *rand.Rand, v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
		return
	case *[]Fact:
		*x = []Fact{anyFact(r), anyFact(r)}
		return
	case *[]Meta:
		*x = []Meta{{"text", Text(anyString(r))}, {"int", r.Int64()}, {"float", r.NormFloat64() * 1e9}, {"bool", r.IntN(2) == 0}, {"whole", float64(r.IntN(9))}}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(anyString(r))
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Uint8:
		v.SetUint(uint64(r.IntN(256)))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]int64{anyString(r): r.Int64()}))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
		panic("fill does not know " + v.Type().String())
	}
}

func anyFact(r *rand.Rand) Fact {
	values := []Fact{
		{Name: "file.name", Value: Text(anyString(r))},
		{Name: "file.size", Value: r.Int64()},
		{Name: "file.size", Value: r.Float64()},
		{Name: "file.world_writable", Value: true},
		{Name: "file.mtime", Value: time.Unix(r.Int64(), r.Int64N(1e9)).UTC()},
		{Name: "file.mtime", Value: time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()},
		{Name: "process.ancestors", Value: []string{anyString(r), anyString(r)}},
		{Name: "process.name"},
	}
	f := values[r.IntN(len(values))]
	f.Grade, f.Source = Grade(r.IntN(4)), "test"
	return f
}

func anyString(r *rand.Rand) string {
	parts := []string{"a", "/etc/x", "\xff", "\x00", "\n", "\x1b[31m", "\u202e", "\u2028", "é", "日", "\ufffd", "<&>", `"\`, "\U000e0041", "\xed\xa0\x80"}
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

func FuzzRecordDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		rec := anyRecord{}.Generate(mathrand.New(mathrand.NewSource(r.Int64())), 0).Interface().(anyRecord)
		b, err := json.Marshal(Record(rec))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var rec, again Record
		if json.Unmarshal(b, &rec) != nil {
			return
		}
		first, err := json.Marshal(rec)
		if err != nil {
			t.Fatalf("decoded and does not encode: %v", err)
		}
		if bytes.ContainsFunc(first, func(r rune) bool { return !visible(r) }) {
			t.Errorf("invisible characters in %q", first)
		}
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("encoded and does not decode: %v in %s", err, first)
		}
		second, err := json.Marshal(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%v\nfirst  %s\nsecond %s", err, first, second)
		}
	})
}
