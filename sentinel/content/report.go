package content

import (
	"fmt"
	"strings"
)

// Report says what an export holds, and what it could not say.
type Report struct {
	// Bare counts rule files without a detection: their findings raise alerts,
	// and that is all.
	Bare int
	// Exclusions has a line for each exclusion and table.
	Exclusions []Translation
}

// Translation is what became of an exclusion on its way to a table.
type Translation struct {
	Detection, Exclusion, Table string
	// Effect is what the exclusion does there: suppress, downgrade or annotate;
	// empty where it does nothing, and Why says why.
	Effect string
	Why    string
}

// Left returns the exclusions that have no effect in a table.
func (r Report) Left() []Translation {
	var out []Translation
	for _, t := range r.Exclusions {
		if t.Effect == "" {
			out = append(out, t)
		}
	}
	return out
}

// Markdown writes the report for people.
func (r Report) Markdown() string {
	var b strings.Builder
	b.WriteString("# What was exported\n\nAn exclusion that a table cannot express is not applied there: its findings stay visible in Sentinel\n" +
		"unless the sensor has suppressed them.\n\n| Detection | Exclusion | Table | Effect | Why |\n|---|---|---|---|---|\n")
	for _, t := range r.Exclusions {
		effect := t.Effect
		if effect == "" {
			effect = "**none**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", t.Detection, t.Exclusion, t.Table, effect, cell(t.Why))
	}
	if r.Bare > 0 {
		fmt.Fprintf(&b, "\n%d rule files without a detection have no content of their own: their findings raise alerts as all others do.\n", r.Bare)
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", `\|`) }
