package sinktest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

// hostile are strings made to break one format or another.
var hostile = []string{
	"\n", "\r\n", "a\rb", "\x00", "\t", "\x7f", "\xff\xfe", "\xc3", "\xed\xa0\x80",
	"\x1b[31m", "\x1b]0;title\a", "\u009b2J", "\u202egpj.exe", "\u200b", "\u2028", "\ufeff", "\U000e0041",
	`"`, `""`, `'`, `\`, `\n`, `\x1b`, ",", ";", "a,\"b\"\nc", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1",
	"{", "}", "]", `{"type":"finding"}`, "\n" + `{"type":"summary","v":"besra/v1"}` + "\n", "<script>alert(1)</script>", "&amp;", "%s%n", "|", "`",
	"\nALERT  high  forged", strings.Repeat("A", 1<<13), strings.Repeat("日", 1<<10), "", " ", "…",
}

// hostile fills every string of every record with each of the strings above.
func (c Contract) hostile(t *testing.T) {
	for _, s := range hostile {
		recs := []besra.Record{{Type: besra.RecordRun, Run: new(besra.Run)}}
		fill(reflect.ValueOf(recs[0].Run).Elem(), s)
		for _, v := range []besra.Verdict{besra.VerdictAlert, besra.VerdictUndecided, besra.VerdictDowngraded, besra.VerdictSuppressed, besra.Verdict(s)} {
			recs = append(recs, hostileFinding(s, v))
		}
		for _, c := range besra.Contexts() {
			f := hostileFinding(s, besra.VerdictAlert)
			f.Finding.Target.Context, f.Finding.Facts = c, hostileFacts(s)
			recs = append(recs, f)
		}
		for _, k := range []besra.GapKind{besra.GapError, besra.GapContent, besra.GapSkip, besra.GapKind(s)} {
			g := new(besra.Gap)
			fill(reflect.ValueOf(g).Elem(), s)
			g.Kind = k
			recs = append(recs, besra.Record{Type: besra.RecordGap, Gap: g})
		}
		sum := new(besra.Summary)
		fill(reflect.ValueOf(sum).Elem(), s)
		recs = append(recs, besra.Record{Type: besra.RecordSummary, Summary: sum})
		c.write(t, recs)
	}
}

// hostileFinding returns a finding made of s, with a decision of each outcome.
func hostileFinding(s string, v besra.Verdict) besra.Record {
	f := new(besra.Finding)
	fill(reflect.ValueOf(f).Elem(), s)
	f.Verdict = v
	d := f.Decisions[0]
	for _, o := range []besra.Outcome{besra.OutcomeTrue, besra.OutcomeUnknown, besra.OutcomeError, besra.OutcomeExpired} {
		for _, e := range []besra.Effect{besra.EffectSuppress, besra.EffectDowngrade, besra.EffectAnnotate} {
			d.Outcome, d.Effect = o, e
			f.Decisions = append(f.Decisions, d)
		}
	}
	return besra.Record{Type: besra.RecordFinding, Finding: f}
}

// hostileFacts are all facts of the vocabulary, made of s where they are texts.
func hostileFacts(s string) (list []besra.Fact) {
	values := map[besra.FactType]any{besra.TypeString: besra.Text(s), besra.TypeStrings: []string{s, "a@b.example"}, besra.TypeInt: int64(1 << 40),
		besra.TypeBool: true, besra.TypeTimestamp: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)}
	for _, def := range besra.Vocabulary() {
		list = append(list, besra.Fact{Name: def.Name, Value: values[def.Type], Grade: besra.GradeWeak, Source: s})
	}
	return list
}

// fill sets every string and byte slice below v to s, and gives lists one element.
func fill(v reflect.Value, s string) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
		return
	case *[]byte:
		*x = []byte(s)
		return
	case *any:
		*x = besra.Text(s)
		return
	case *map[string]int64:
		*x = map[string]int64{s: 1}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), s)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), s)
		}
	}
}
