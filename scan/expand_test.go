package scan

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
)

// lines opens up a content whose first line is "box": each further line is a
// target, and "%" in it stands for a line end, so that boxes lie in boxes.
type lines struct{}

func (lines) Kind(_ besra.Target, content []byte) string {
	if strings.HasPrefix(string(content), "box\n") {
		return "box"
	}
	return ""
}

func (lines) Expand(_ context.Context, outer besra.Target, content []byte, b *besra.Budget, to besra.Receiver) error {
	for _, line := range strings.Split(string(content), "\n")[1:] {
		if b.Members == 0 {
			return &besra.LimitError{Limit: "members"}
		}
		b.Members--
		if line == "broken" {
			return errors.New("broken")
		}
		if err := to.Target(target(outer.Name+"!"+line[:1], "", strings.ReplaceAll(line, "%", "\n"))); err != nil {
			return err
		}
	}
	return nil
}

func TestExpand(t *testing.T) {
	tests := []struct {
		name    string
		content string
		limits  Limits
		want    []string // names of findings
		gaps    []string // target: detail
		targets int64
	}{
		{"members are found under their names", "box\na marker\nb none\nc marker", Limits{}, []string{"t", "t!a", "t!c"}, nil, 4},
		{"boxes in boxes", "box\nbox%d marker", Limits{}, []string{"t", "t!b", "t!b!d"}, nil, 3},
		{"no deeper than the limit", "box\nbox%box", Limits{Depth: 1}, nil, []string{"t!b: the limit of depth (1) is reached"}, 2},
		{"members of all levels count", "box\nbox%d marker%e\nf marker", Limits{Members: 3}, []string{"t", "t!b", "t!b!d"}, []string{"t: the limit of members is reached"}, 4},
		{"a broken box is told, what came before it found", "box\na marker\nbroken", Limits{}, []string{"t", "t!a"}, []string{"t: broken"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out keep
			h := &Hunt{Set: testSet(t), Source: list{targets: []besra.Target{target("t", "", tt.content)}}, Sink: &out,
				Expanders: []besra.Expander{lines{}}, Limits: tt.limits}
			sum, err := h.Execute(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var findings, gaps []string
			for _, r := range out.records {
				if r.Finding != nil {
					findings = append(findings, string(r.Finding.Target.Name))
				}
				if r.Gap != nil {
					gaps = append(gaps, string(r.Gap.Target)+": "+r.Gap.Detail)
				}
			}
			if !slices.Equal(findings, tt.want) {
				t.Errorf("findings: got %q, want %q", findings, tt.want)
			}
			if !slices.Equal(gaps, tt.gaps) {
				t.Errorf("gaps: got %q, want %q", gaps, tt.gaps)
			}
			if sum.Targets != tt.targets {
				t.Errorf("targets: got %d, want %d", sum.Targets, tt.targets)
			}
		})
	}
}

// TestRatio: what may be unpacked follows from the size of what is opened, but
// for a first part and never beyond the limit of bytes.
func TestRatio(t *testing.T) {
	for _, tt := range []struct {
		size         int64
		limits       Limits
		bytes, ratio int64
	}{
		{100, Limits{}, ratioFree, 200},
		{10 << 20, Limits{}, 2000 << 20, 200},
		{1 << 30, Limits{}, 8 << 30, 0},
		{100, Limits{Bytes: 1000}, 1000, 0},
		{100 << 20, Limits{Ratio: 5}, 500 << 20, 5},
	} {
		tt.limits.setDefaults()
		var got besra.Budget
		tt.limits.fill(&got, tt.size)
		if got.Bytes != tt.bytes || got.Ratio != tt.ratio {
			t.Errorf("%d bytes: got %d with ratio %d, want %d with %d", tt.size, got.Bytes, got.Ratio, tt.bytes, tt.ratio)
		}
	}
	for want, b := range map[string]besra.Budget{"the limit of ratio (5) is reached": {Ratio: 5}, "the limit of bytes is reached": {}} {
		if got := b.Spent().Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// counted is a content that is mapped, and counts how often all of it is given back.
type counted struct {
	memory
	times *int
}

func (c counted) Release(upTo int64) {
	if upTo == int64(len(c.memory)) {
		*c.times++
	}
}

// TestExpandReleases gives the pages of a mapped archive back while what lies in it
// is scanned: each time that members took as much as the limit.
func TestExpandReleases(t *testing.T) {
	content := "box" + strings.Repeat("\na"+strings.Repeat("b", 999), 100)
	times := 0
	outer := besra.Target{Name: "t", Context: besra.ContextFile, Size: int64(len(content)), Facts: besra.NoFacts{},
		Open: func(context.Context) (besra.Content, error) { return counted{memory(content), &times}, nil }}
	h := &Hunt{Set: testSet(t), Source: list{targets: []besra.Target{outer}}, Sink: &keep{}, Expanders: []besra.Expander{lines{}},
		Limits: Limits{Release: 10_000, Held: 50_000}} // too large to be copied
	if _, err := h.Execute(t.Context()); err != nil {
		t.Fatal(err)
	}
	if times < 9 || times > 11 {
		t.Errorf("all was given back %d times for 100 members of 1000 bytes, want about 10", times)
	}
}
