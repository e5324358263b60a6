package diag

import "encoding/json"

// The JSON form of a diagnostic. Offsets are in bytes; lines and columns are
// there once resolved.
type (
	jsonDiagnostic struct {
		Code      string      `json:"code"`
		Severity  Severity    `json:"severity"`
		Title     string      `json:"title"`
		Primary   string      `json:"primary,omitempty"`
		Origin    string      `json:"origin,omitempty"`
		Line      int         `json:"line,omitempty"`
		Column    int         `json:"column,omitempty"`
		EndLine   int         `json:"end_line,omitempty"`
		EndColumn int         `json:"end_column,omitempty"`
		Span      *jsonSpan   `json:"span,omitempty"`
		Labels    []jsonLabel `json:"labels,omitempty"`
		Notes     []string    `json:"notes,omitempty"`
	}
	jsonSpan struct {
		File  int32 `json:"file"`
		Start int32 `json:"start"`
		End   int32 `json:"end"`
	}
	jsonLabel struct {
		Span jsonSpan `json:"span"`
		Text string   `json:"text"`
	}
)

// MarshalJSON implements [json.Marshaler]. The member names are stable; a
// diagnostic without a position has no "span".
func (d *Diagnostic) MarshalJSON() ([]byte, error) {
	j := jsonDiagnostic{
		Code: d.Code, Severity: d.Severity, Title: d.Title, Primary: d.Primary,
		Origin: d.Origin, Line: d.Line, Column: d.Column,
		EndLine: d.EndLine, EndColumn: d.EndColumn, Notes: d.Notes,
	}
	if !d.Span.IsZero() {
		s := jsonSpan(d.Span)
		j.Span = &s
	}
	for _, l := range d.Labels {
		j.Labels = append(j.Labels, jsonLabel{jsonSpan(l.Span), l.Text})
	}
	return json.Marshal(j)
}
