package detection

import (
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
)

func explainText(t *testing.T, text string) *Explanation {
	t.Helper()
	rules, err := yara.Compile(text, yara.WithModules(standard.Modules()...), yara.Define("filename", ""))
	if err != nil {
		t.Fatal(err)
	}
	for rule := range rules.All() {
		return Explain(rule)
	}
	return nil
}

// fit returns how well a rule suits a place.
func fit(e *Explanation, place string) Fit {
	i := slices.IndexFunc(e.Uses, func(u Use) bool { return u.Place == place })
	return e.Uses[i].Fit
}

func TestExplain(t *testing.T) {
	tests := []struct {
		name, rule string
		want       func(*Explanation) bool
	}{
		{"text anywhere", `rule r { strings: $a = "BinStore enabled implants." fullword ascii condition: 1 of them }`, func(e *Explanation) bool {
			return fit(e, "process memory") == FitGood && fit(e, "network stream") == FitGood && e.Cost == "low" && e.FalsePositives == "rare" &&
				e.Counts["fullword"] == 1 && len(e.Platforms) == 0
		}},
		{"header and size", `rule r { strings: $a = "BinStore enabled" wide condition: uint16(0) == 0x5A4D and filesize < 1MB and $a }`, func(e *Explanation) bool {
			return fit(e, "process memory") == FitUnfit && fit(e, "file") == FitGood && fit(e, "image layer") == FitLimited &&
				e.Platforms[0] == "windows" && e.Headers[0] == "uint16(0) == 0x5A4D" && e.Size != "" && e.Counts["wide"] == 1 &&
				!slices.Contains(e.Contexts(), besra.ContextProcess)
		}},
		{"module", `import "pe" rule r { condition: pe.number_of_sections == 3 }`, func(e *Explanation) bool {
			return e.Fields[0] == "pe.number_of_sections" && !e.Anchored && e.FalsePositives == "prone" && fit(e, "process memory") == FitLimited
		}},
		{"ELF in mail", `rule r { strings: $a = "some long string" condition: uint32(0) == 0x464c457f and $a }`, func(e *Explanation) bool {
			return e.Platforms[0] == "linux" && fit(e, "mail") == FitLimited && fit(e, "image layer") == FitGood
		}},
		{"weak", `rule r { strings: $a = { 00 01 } condition: $a }`, func(e *Explanation) bool {
			return e.FalsePositives == "prone" && len(e.Weak) == 1
		}},
		{"external", `rule r { strings: $a = "some long string" condition: $a and filename == "x" }`, func(e *Explanation) bool {
			return fit(e, "mail") == FitLimited && fit(e, "file") == FitGood && e.Externals[0] == "filename"
		}},
		{"only YARA-X", `import "lnk" rule r { condition: lnk.is_lnk }`, func(e *Explanation) bool {
			return e.Engines["YARA 4.5"] != "" && e.Engines["YARA-X"] == ""
		}},
		{"the easiest of several", `rule r { strings: $a = "a rather long and rare text" $b = "ab" condition: any of them }`, func(e *Explanation) bool {
			return e.Evidence < weakBits && strings.Join(e.Weak, "") == "$b"
		}},
		{"all of several", `rule r { strings: $a = "a rather long and rare text" $b = "ab" condition: all of them }`, func(e *Explanation) bool {
			return e.FalsePositives == "rare"
		}},
	}
	for _, tt := range tests {
		if e := explainText(t, tt.rule); !tt.want(e) {
			t.Errorf("%s: got %+v", tt.name, *e)
		}
	}
}
