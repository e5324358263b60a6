package disposition

import (
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/ledger"
)

// dispositions say what a classification means for the detection. A false
// positive and a benign one are the same to it: the rule matched what nobody
// needs to act on.
var dispositions = map[string]ledger.Disposition{
	"TruePositive":   ledger.TruePositive,
	"BenignPositive": ledger.Benign,
	"FalsePositive":  ledger.Benign,
}

// Weighed is what incidents say about the findings of a ledger.
type Weighed struct {
	// Marks are to be made, in order.
	Marks []ledger.Mark `json:"marks"`
	// Conflicts would turn a confirmed true positive into a benign one, and are
	// not among Marks.
	Conflicts []Conflict `json:"conflicts"`
	Incidents int        `json:"incidents"`
	// Known counts findings that are marked so already; Foreign those that are
	// not on this ledger.
	Known   int `json:"known"`
	Foreign int `json:"foreign"`
	// Undetermined counts incidents that say nothing, and Without those that
	// carry no finding.
	Undetermined int `json:"undetermined"`
	Without      int `json:"without_finding"`
}

// Conflict is a finding that was confirmed, and that an incident calls benign.
type Conflict struct {
	Mark ledger.Mark `json:"mark"` // that the incident asks for
	Has  ledger.Mark `json:"has"`
}

// Weigh holds incidents against a ledger, oldest first: the last one counts, save
// that none but the incident which said so itself, or a person with overrule,
// takes back that a finding is a true positive.
func Weigh(incidents []Incident, h *ledger.History, overrule bool) Weighed {
	w := Weighed{Marks: []ledger.Mark{}, Conflicts: []Conflict{}, Incidents: len(incidents)}
	now := map[string]ledger.Mark{}
	for _, i := range h.Findings {
		if i.Mark != nil {
			now[i.Finding.ID] = *i.Mark
		}
	}
	for _, inc := range incidents {
		d, ok := dispositions[inc.Classification]
		switch {
		case len(inc.Findings) == 0:
			w.Without++
		case !ok:
			w.Undetermined++
		default:
			w.incident(inc, d, h, now, overrule)
		}
	}
	return w
}

func (w *Weighed) incident(inc Incident, d ledger.Disposition, h *ledger.History, now map[string]ledger.Mark, overrule bool) {
	for _, id := range inc.Findings {
		if !h.Has(id) {
			w.Foreign++
			continue
		}
		mark := inc.mark(id, d)
		has, marked := now[id]
		switch {
		case marked && has.Disposition == d:
			w.Known++
		case marked && has.Disposition == ledger.TruePositive && has.Source != mark.Source && !overrule:
			w.Conflicts = append(w.Conflicts, Conflict{mark, has})
		default:
			now[id] = mark
			w.Marks = append(w.Marks, mark)
		}
	}
}

// mark is what an incident says of a finding.
func (inc Incident) mark(id string, d ledger.Disposition) ledger.Mark {
	note := strings.TrimSpace(inc.Classification + " " + inc.Reason)
	if inc.Comment != "" {
		note += ": " + inc.Comment
	}
	return ledger.Mark{Finding: id, Disposition: d, By: inc.Owner, Source: fmt.Sprintf("Microsoft Sentinel incident %d", inc.Number), Note: note}
}
