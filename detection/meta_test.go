package detection

import (
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// TestReadMeta reads a rule of each convention.
func TestReadMeta(t *testing.T) {
	const hash = "e4d24e30e6cc3a0aa0032dbbd2b68c60bac216bef524eaf56296430aa05b3795"
	tests := []struct {
		name, tags, meta string
		want             func(*Detection) bool
	}{
		{"signature-base", "", `description = "D" author = "A" score = 85 hash1 = "` + hash + `" reference = "https://x.example/a" license = "Detection Rule License 1.1 https://l"`,
			func(d *Detection) bool {
				return d.Title == "D" && d.Severity == besra.SeverityHigh && d.Confidence == 85 && d.Rule.KnownBad[0] == hash &&
					d.References[0] == "https://x.example/a" && d.Provenance.Attribution
			}},
		{"THOR's medium", "", `score = 75`, func(d *Detection) bool { return d.Severity == besra.SeverityMedium && d.Title == "r" }},
		{"CCCS", "", `sharing = "TLP:WHITE" status = "RELEASED" mitre_att = "T1003.001" mitre_group = "G0020" id = "u-1"`,
			func(d *Detection) bool {
				return d.Provenance.TLP == TLPClear && d.Status == StatusStable && d.Attack.Techniques[0] == "T1003.001" &&
					d.Attack.Groups[0] == "G0020" && d.Attack.Version != "" && d.Provenance.Upstream == "u-1"
			}},
		{"Elastic", "", `severity = 100 scan_context = "memory" license = "Elastic License v2" reference_sample = "` + hash + `"`,
			func(d *Detection) bool {
				return d.Severity == besra.SeverityHigh && slices.Equal(d.Contexts, []besra.Context{besra.ContextProcess}) && len(d.Rule.KnownBad) == 1
			}},
		{"YARA-Forge", ": T1059", `source_url = "https://github.com/o/r/blob/c/a.yar#L1" license_url = "https://github.com/o/r/LICENSE" score = 50`,
			func(d *Detection) bool {
				return d.Provenance.Source == "https://github.com/o/r/blob/c/a.yar#L1" && d.Provenance.License == "https://github.com/o/r/LICENSE" &&
					d.Severity == besra.SeverityLow && d.Attack.Techniques[0] == "T1059"
			}},
		{"malcontent", ": critical", `description = "D" hash_2024_evil = "` + hash + `"`,
			func(d *Detection) bool { return d.Severity == besra.SeverityHigh && len(d.Rule.KnownBad) == 1 }},
		{"an address of MITRE", "", `reference = "see https://attack.mitre.org/techniques/T1003/001/ and http://b.example"`,
			func(d *Detection) bool { return d.Attack.Techniques[0] == "T1003.001" && len(d.References) == 2 }},
	}
	for _, tt := range tests {
		rules, err := yara.Compile("rule r " + tt.tags + " { meta: " + tt.meta + " condition: true }")
		if err != nil {
			t.Fatal(tt.name, err)
		}
		for rule := range rules.All() {
			d := &Detection{}
			readMeta(rule.Name(), rule.Meta(), rule.Tags()).apply(d)
			if !tt.want(d) {
				t.Errorf("%s: got %+v", tt.name, *d)
			}
		}
	}
}

func TestMetaSaysNothing(t *testing.T) {
	d := &Detection{}
	readMeta("Some_Rule", func(func(string, any) bool) {}, nil).apply(d)
	if d.Title != "Some_Rule" || d.Severity != besra.SeverityMedium || d.Attack.Version != "" || d.Provenance.License != "" {
		t.Errorf("got %+v", *d)
	}
	if strings.Contains(d.Title, "\n") {
		t.Error("a title of several lines")
	}
}
