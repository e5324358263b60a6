package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
)

// Subject is a detection with its exclusions, as they are now.
type Subject struct {
	Detection  string
	Exclusions []*exclusion.Exclusion
}

// State says how an exclusion stands. One that is expired, expiring or unused
// is stale.
type State string

// The states, worst first.
const (
	StateExpired  State = "expired"  // it has lapsed: what it hid shows again
	StateExpiring State = "expiring" // it lapses within the time asked for
	StateGone     State = "gone"     // the ledger knows it and the pack does not
	StateUnused   State = "unused"   // it has never held of a finding of the ledger
	StateActive   State = "active"
)

// Use is what one exclusion has done, by a ledger.
type Use struct {
	Detection string       `json:"detection"`
	Exclusion string       `json:"exclusion"`
	State     State        `json:"state"`
	Effect    besra.Effect `json:"effect,omitempty"`
	Owner     string       `json:"owner,omitempty"`
	Expires   string       `json:"expires,omitempty"`
	// Hid, Downgraded and Undecided count the findings by what it did to them.
	Hid        int `json:"hid"`
	Downgraded int `json:"downgraded"`
	Undecided  int `json:"undecided"`
	Hosts      int `json:"hosts"`
	// WouldShow is how many of those that it hides or plays down would be an
	// alert, or undecided, if it lapsed; others may still hide the rest.
	WouldShow int `json:"would_show"`
	// Confirmed lists the confirmed true positives among what it hid.
	Confirmed []string  `json:"confirmed,omitempty"`
	Last      time.Time `json:"last,omitzero"` // when it last held
}

// Stale reports whether somebody should look at the exclusion.
func (u Use) Stale() bool {
	return u.State == StateExpired || u.State == StateExpiring || u.State == StateUnused
}

// Audit tells how the exclusions of detections stand on a day, by what the
// ledger says of them. An exclusion that lapses within soon is expiring.
func Audit(ctx context.Context, h *History, subjects []Subject, at time.Time, soon time.Duration) []Use {
	var uses []Use
	for _, s := range subjects {
		for _, x := range s.Exclusions {
			uses = append(uses, audit(ctx, h, s, x, at, soon))
		}
	}
	return append(uses, gone(h, subjects)...)
}

func audit(ctx context.Context, h *History, s Subject, x *exclusion.Exclusion, at time.Time, soon time.Duration) Use {
	spec := x.Spec()
	u := Use{Detection: s.Detection, Exclusion: x.ID(), Effect: spec.Effect, Owner: spec.Owner, Expires: spec.Expires}
	if u.Effect == "" {
		u.Effect = besra.EffectSuppress
	}
	others := slices.DeleteFunc(slices.Clone(s.Exclusions), func(o *exclusion.Exclusion) bool { return o == x })
	hosts := map[string]bool{}
	for _, i := range h.Findings {
		if i.Finding.Detection.ID == s.Detection && u.count(i) {
			hosts[i.Finding.Host] = true
			if v := ask(ctx, i, others).Verdict; v == besra.VerdictAlert || v == besra.VerdictUndecided {
				u.WouldShow++
			}
		}
	}
	u.Hosts = len(hosts)
	u.State = u.stateAt(spec, at, soon)
	return u
}

// count notes what the exclusion did to a finding and reports whether it hid it
// or played it down.
func (u *Use) count(i *Item) bool {
	s := i.Finding.Suppression
	if s == nil || s.Exclusion != u.Exclusion {
		for _, d := range i.Finding.Decisions {
			if d.Exclusion == u.Exclusion && d.Outcome == besra.OutcomeUnknown {
				u.Undecided++
			}
		}
		return false
	}
	if s.Effect == besra.EffectSuppress {
		u.Hid++
	} else {
		u.Downgraded++
	}
	if i.Confirmed() {
		u.Confirmed = append(u.Confirmed, i.Finding.ID)
	}
	if i.Last.After(u.Last) {
		u.Last = i.Last
	}
	return true
}

func (u *Use) stateAt(spec exclusion.Spec, at time.Time, soon time.Duration) State {
	end, err := spec.ExpiresAfter()
	switch {
	case err == nil && !end.IsZero() && !at.Before(end):
		return StateExpired
	case err == nil && !end.IsZero() && !at.Add(soon).Before(end):
		return StateExpiring
	case u.Hid+u.Downgraded == 0 && u.Effect != besra.EffectAnnotate:
		return StateUnused
	}
	return StateActive
}

// gone tells of exclusions that have hidden findings and are in no pack now.
func gone(h *History, subjects []Subject) []Use {
	var out []Use
	for _, i := range h.Findings {
		s := i.Finding.Suppression
		if s == nil || known(subjects, i.Finding.Detection.ID, s.Exclusion) {
			continue
		}
		n := slices.IndexFunc(out, func(u Use) bool {
			return u.Detection == i.Finding.Detection.ID && u.Exclusion == s.Exclusion
		})
		if n < 0 {
			n = len(out)
			out = append(out, Use{Detection: i.Finding.Detection.ID, Exclusion: s.Exclusion, State: StateGone, Effect: s.Effect, Owner: s.Owner, Expires: s.Expires})
		}
		out[n].count(i)
	}
	return out
}

func known(subjects []Subject, detection, id string) bool {
	return slices.ContainsFunc(subjects, func(s Subject) bool {
		return s.Detection == detection && slices.ContainsFunc(s.Exclusions, func(x *exclusion.Exclusion) bool { return x.ID() == id })
	})
}
