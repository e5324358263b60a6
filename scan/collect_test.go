package scan

import (
	"errors"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/google/go-cmp/cmp"
)

// TestCollect hands on what was found and is not suppressed, and counts what
// could not be kept.
func TestCollect(t *testing.T) {
	kept := map[string]string{}
	h := &Hunt{Set: testSet(t), Source: list{targets: []besra.Target{target("alert", "", "a marker"), target("benign", "good", "a marker"),
		target("none", "", "x"), target("full", "bad", "marker"), target("large", "bad", "marker")}}}
	h.Collect = func(e Evidence) error {
		switch e.Target.Name {
		case "full":
			return errors.New("no space left")
		case "large":
			return &besra.LimitError{Limit: "evidence size"}
		}
		kept[string(e.Target.Name)] = string(e.Content)
		if len(e.Findings) != 1 || e.Base != nil {
			t.Errorf("got %+v", e)
		}
		return nil
	}
	_, sum := found(t, h)
	if diff := cmp.Diff(map[string]string{"alert": "a marker"}, kept); diff != "" {
		t.Error(diff)
	}
	if sum.Errors != 1 || sum.Skips["not_collected"] != 1 || sum.Complete || sum.Matches != 4 {
		t.Errorf("got %+v", sum)
	}
}

// TestCollectMemory hands on the regions that matches lie in, and no others.
func TestCollectMemory(t *testing.T) {
	m := &fakeMemory{regions: map[int64]string{0x1000: "nothing here", 0x5000: "a marker in memory"}}
	var bases []int64
	h := &Hunt{Set: testSet(t), Source: list{targets: []besra.Target{m.target("process:1")}}}
	h.Collect = func(e Evidence) error {
		bases = append(bases, *e.Base)
		if string(e.Content) != "a marker in memory" {
			t.Errorf("got %q", e.Content)
		}
		return nil
	}
	found(t, h)
	if diff := cmp.Diff([]int64{0x5000}, bases); diff != "" {
		t.Error(diff)
	}
}
