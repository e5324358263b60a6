package yara

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/besra-hunt/besra/yara/module"
)

// ticking is a clock that goes on by a millisecond whenever it is looked at.
func ticking() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

// slowModule has one field, which is true.
func slowModule() *module.Module {
	schema := &module.Type{Kind: module.Struct, Fields: []*module.Field{{Name: "yes", Type: &module.Type{Kind: module.Bool}}}}
	return &module.Module{Name: "slow", Schema: schema,
		Load: func(*module.Input) module.Value {
			r := module.NewRecord(schema)
			r.Set(0, module.Boolean(true))
			return module.StructOf(r)
		}}
}

const profiledRules = `import "slow"
rule both { strings: $a = "needle" $late = "later" condition: $a and $late }
rule same { strings: $n = "needle" condition: #n > 1 }
rule asks { condition: slow.yes }
rule never { strings: $z = "nowhere" condition: $z }`

func TestProfile(t *testing.T) {
	rules, err := Compile(profiledRules, WithModules(slowModule()))
	if err != nil {
		t.Fatal(err)
	}
	scanner := rules.NewScanner()
	if scanner.Profile() != nil {
		t.Fatal("a profile that nobody asked for")
	}
	scanner.setProfile(ticking())
	data := bytes.Repeat(append(make([]byte, 500), "needle"...), 3)
	for range 2 {
		if _, err := scanner.Scan(context.Background(), data); err != nil {
			t.Fatal(err)
		}
	}
	p := scanner.Profile()
	if p.Scans != 2 || p.Bytes != int64(2*len(data)) || p.Time <= p.Search || p.Search <= 0 {
		t.Errorf("got %d scans, %d bytes, %v, search %v", p.Scans, p.Bytes, p.Time, p.Search)
	}
	evaluated := map[string]int{}
	for _, r := range p.Rules() {
		evaluated[r.Rule.Name()] = r.Evaluated
		if r.Rule.Name() != "asks" && r.Patterns <= 0 || r.Condition <= 0 {
			t.Errorf("%s: condition %v, patterns %v", r.Rule.Name(), r.Condition, r.Patterns)
		}
	}
	if len(evaluated) != 3 || evaluated["both"] != 2 || evaluated["same"] != 2 || evaluated["asks"] != 2 {
		t.Errorf("evaluated: %v", evaluated)
	}
	checkPatternTimes(t, p)
	if m := p.Modules(); len(m) != 1 || m[0].Name != "slow" || m[0].Time != 2*time.Millisecond {
		t.Errorf("modules: %v", m)
	}
}

// checkPatternTimes looks at what TestProfile's patterns cost: one is met three
// times a scan, the other is looked for when a condition asks.
func checkPatternTimes(t *testing.T, p *Profile) {
	t.Helper()
	got := map[string]PatternTime{}
	for _, c := range p.Patterns() {
		got[c.Pattern.ID()] = c
	}
	if len(got) != 2 || got["$a"].Candidates != 6 || got["$a"].Time != 6*time.Millisecond {
		t.Errorf("patterns: %+v", got)
	}
	if late := got["$late"]; late.Alone != 2 || late.Time < 2*time.Millisecond {
		t.Errorf("$late: %+v", late)
	}
}

func TestProfileAdd(t *testing.T) {
	rules, err := Compile(profiledRules, WithModules(slowModule()))
	if err != nil {
		t.Fatal(err)
	}
	var list [2]*Profile
	for i := range list {
		scanner := rules.NewScanner()
		scanner.setProfile(ticking())
		if _, err := scanner.Scan(context.Background(), []byte("needle later")); err != nil {
			t.Fatal(err)
		}
		list[i] = scanner.Profile()
	}
	once := *list[0]
	slowest := list[0].Rules()[0].Total()
	list[0].Add(list[1])
	if p := list[0]; p.Scans != 2 || p.Time != 2*once.Time || p.Search != 2*once.Search || p.Rules()[0].Total() != 2*slowest {
		t.Errorf("got %+v", p)
	}
}
