package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// Trial is what an exclusion would have done to the findings of a ledger.
type Trial struct {
	Exclusion string `json:"exclusion"`
	Detection string `json:"detection"` // "" is every detection
	// Considered is the number of findings that it would have been asked about.
	Considered int `json:"considered"`
	// Suppressed, Downgraded and Annotated list those it holds of.
	Suppressed []Hit `json:"suppressed"`
	Downgraded []Hit `json:"downgraded"`
	Annotated  []Hit `json:"annotated"`
	// Undecided lists those of which too little is known, and Missing counts
	// them by what is not.
	Undecided []Hit          `json:"undecided"`
	Missing   map[string]int `json:"missing,omitempty"`
	// Failed lists those on which the expression failed.
	Failed []Hit `json:"failed"`
}

// Hit is one finding that an exclusion has something to say of.
type Hit struct {
	Finding string     `json:"finding"`
	Host    string     `json:"host"`
	Target  besra.Text `json:"target"`
	// Was is what became of it so far, and By the exclusion that decided.
	Was  besra.Verdict `json:"was"`
	By   string        `json:"by,omitempty"`
	Why  string        `json:"why"`
	Mark *Mark         `json:"mark,omitempty"`
}

// Confirmed reports whether the finding is a confirmed true positive.
func (h Hit) Confirmed() bool { return h.Mark != nil && h.Mark.Disposition == TruePositive }

// Backtest asks an exclusion about the recorded findings of a detection, of all
// detections where it is "", by the facts that were recorded with them. Nothing
// is scanned. A fact that was not recorded is not known, so that the exclusion
// stays undecided there. The date of the exclusion is not looked at, nor whether
// it is a draft: what counts is what it is meant to do.
func Backtest(ctx context.Context, h *History, detection string, x *exclusion.Exclusion) Trial {
	t := Trial{Exclusion: x.ID(), Detection: detection, Missing: map[string]int{},
		Suppressed: []Hit{}, Downgraded: []Hit{}, Annotated: []Hit{}, Undecided: []Hit{}, Failed: []Hit{}}
	for _, i := range h.Findings {
		if detection != "" && i.Finding.Detection.ID != detection || !x.For(i.Finding.Target.Context) {
			continue
		}
		t.Considered++
		t.file(i, x.Decide(ctx, besra.Recorded(&i.Finding), time.Time{}, i.Finding.Target.Context))
	}
	return t
}

// ask lets exclusions decide a recorded finding anew, as of a day on which none
// had lapsed.
func ask(ctx context.Context, i *Item, xs []*exclusion.Exclusion) besra.Finding {
	f := i.Finding
	exclusion.Apply(ctx, xs, &f, besra.Recorded(&i.Finding), time.Time{})
	return f
}

// file puts an answer where it belongs.
func (t *Trial) file(i *Item, d besra.Decision) {
	f := &i.Finding
	hit := Hit{Finding: f.ID, Host: f.Host, Target: f.Target.Name, Was: f.Verdict, Why: d.Why, Mark: i.Mark}
	if s := f.Suppression; s != nil {
		hit.By = s.Exclusion
	}
	switch {
	case d.Outcome == besra.OutcomeError:
		t.Failed = append(t.Failed, hit)
	case d.Outcome == besra.OutcomeUnknown:
		t.Undecided = append(t.Undecided, hit)
		for _, name := range d.Missing {
			t.Missing[name]++
		}
	case d.Outcome != besra.OutcomeTrue:
	case d.Effect == besra.EffectSuppress:
		t.Suppressed = append(t.Suppressed, hit)
	case d.Effect == besra.EffectDowngrade:
		t.Downgraded = append(t.Downgraded, hit)
	default:
		t.Annotated = append(t.Annotated, hit)
	}
}

// Refused lists the confirmed true positives that the exclusion would hide or
// play down. While there is one it must not be used.
func (t Trial) Refused() []Hit {
	return slices.DeleteFunc(slices.Concat(t.Suppressed, t.Downgraded), func(h Hit) bool { return !h.Confirmed() })
}

// Hosts counts hits by host, the one with most first.
func Hosts(hits []Hit) []HostCount {
	var out []HostCount
	for _, h := range hits {
		n := slices.IndexFunc(out, func(c HostCount) bool { return c.Host == h.Host })
		if n < 0 {
			n = len(out)
			out = append(out, HostCount{Host: h.Host})
		}
		out[n].Findings++
	}
	slices.SortStableFunc(out, func(a, b HostCount) int {
		if a.Findings != b.Findings {
			return b.Findings - a.Findings
		}
		return strings.Compare(a.Host, b.Host)
	})
	return out
}

// HostCount is a host with a number of findings.
type HostCount struct {
	Host     string `json:"host"`
	Findings int    `json:"findings"`
}
