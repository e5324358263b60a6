package scan

import (
	"maps"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
)

// counts adds up what a run did. It is safe for concurrent use.
type counts struct {
	mu         sync.Mutex
	sum        besra.Summary
	exclusions map[string]bool // those that suppressed, by detection and id
}

// add counts targets that were scanned to their end.
func (c *counts) add(p part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Targets += p.targets
	c.sum.Bytes += p.bytes
	c.sum.Identical += p.identical
}

// record counts what a record says.
func (c *counts) record(r besra.Record) {
	switch {
	case r.Finding != nil:
		c.finding(r.Finding)
	case r.Gap != nil:
		c.gap(*r.Gap)
	}
}

func (c *counts) gap(g besra.Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := max(g.Count, 1)
	if g.Kind != besra.GapSkip {
		c.sum.Errors += n
		return
	}
	c.sum.Skipped += n
	if c.sum.Skips == nil {
		c.sum.Skips = make(map[string]int64)
	}
	c.sum.Skips[g.Reason] += n
}

func (c *counts) finding(f *besra.Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Matches++
	switch f.Verdict {
	case besra.VerdictSuppressed:
		c.sum.Suppressed++
		if c.exclusions == nil {
			c.exclusions = make(map[string]bool)
		}
		c.exclusions[f.Detection.ID+"/"+f.Suppression.Exclusion] = true
	case besra.VerdictDowngraded:
		c.sum.Downgraded++
	case besra.VerdictUndecided:
		c.sum.Undecided++
	}
}

// totals returns the numbers a progress bar shows.
func (c *counts) totals() (targets, bytes, findings int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum.Targets, c.sum.Bytes, c.sum.Matches
}

func (c *counts) summary(interrupted bool, d time.Duration) besra.Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sum
	s.Skips = maps.Clone(c.sum.Skips)
	s.Exclusions = int64(len(c.exclusions))
	s.Interrupted = interrupted
	s.Complete = !interrupted && s.Errors == 0
	s.Duration = d
	return s
}
