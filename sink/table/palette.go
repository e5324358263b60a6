package table

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/besra-hunt/besra"
)

// palette holds the styles of a page. Colours are the terminal's own sixteen,
// so that a theme chosen for its owner's eyes is kept; on a terminal without
// colour all of them are plain.
type palette struct {
	plain       bool // no colour: what colour would show needs marks
	bold, faint *lipgloss.Style
	verdicts    map[besra.Verdict]*verdictStyle
	severities  map[besra.Severity]*lipgloss.Style
	gapBadge    *lipgloss.Style
}

// verdictStyle is how a verdict's badge, and the matches below it, look.
type verdictStyle struct{ badge, match *lipgloss.Style }

func newPalette(w io.Writer) palette {
	r := lipgloss.NewRenderer(w)
	style := func(s lipgloss.Style) *lipgloss.Style { return &s }
	fore := func(c string) *lipgloss.Style { return style(r.NewStyle().Foreground(lipgloss.Color(c))) }
	badge := func(fg, bg string) *lipgloss.Style {
		return style(r.NewStyle().Bold(true).Foreground(lipgloss.Color(fg)).Background(lipgloss.Color(bg)))
	}
	verdict := func(fg, bg string) *verdictStyle {
		return &verdictStyle{badge(fg, bg), style(r.NewStyle().Bold(true).Foreground(lipgloss.Color(bg)))}
	}
	return palette{
		plain: r.NewStyle().Bold(true).Render("x") == "x",
		bold:  style(r.NewStyle().Bold(true)),
		faint: style(r.NewStyle().Faint(true)),
		verdicts: map[besra.Verdict]*verdictStyle{
			besra.VerdictAlert:      verdict("15", "1"),
			besra.VerdictUndecided:  verdict("0", "3"),
			besra.VerdictDowngraded: verdict("0", "6"),
			besra.VerdictSuppressed: {badge("15", "8"), style(r.NewStyle().Bold(true))},
		},
		severities: map[besra.Severity]*lipgloss.Style{
			besra.SeverityHigh: fore("1"), besra.SeverityMedium: fore("3"), besra.SeverityLow: fore("6"),
		},
		gapBadge: badge("15", "5"),
	}
}

// verdict returns the style of v; a word that is not known looks like an alert.
func (p *palette) verdict(v besra.Verdict) *verdictStyle {
	if s, ok := p.verdicts[v]; ok {
		return s
	}
	return p.verdicts[besra.VerdictAlert]
}

// badge returns a word that stands out, with room around it where it has a
// colour of its own behind it.
func (p *palette) badge(style *lipgloss.Style, word string) span {
	word = strings.ToUpper(word)
	if !p.plain {
		word = " " + word + " "
	}
	return span{style, word}
}
