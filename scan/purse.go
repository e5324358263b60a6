package scan

import (
	"math/bits"
	"time"
)

// purse is what a worker may spend on looking for identical contents. A digest
// costs a tenth of a search with thousands of rules and more than one with a single
// rule, while most contents occur once: so beyond a first few bytes it is spent only
// where it costs much less than searching, and no more than a hundredth of the
// time that searching took, and what it saved. Contents that look like an
// earlier one go before others.
type purse struct {
	free     int           // bytes that may be digested in any case
	credit   time.Duration // what may be spent beyond
	searches [48]rate      // by the size of contents, in powers of two
	digests  rate
}

// rate is how long something took, and of how many bytes.
type rate struct {
	took  time.Duration
	bytes int64
}

func (r *rate) add(bytes int, took time.Duration) {
	r.took += took
	r.bytes += int64(bytes)
}

// of is how long the same takes for so many bytes; 0 where nobody knows.
func (r *rate) of(bytes int) time.Duration {
	if r.bytes == 0 {
		return 0
	}
	return time.Duration(float64(r.took) / float64(r.bytes) * float64(bytes))
}

const (
	// freely is what a worker digests in any case, so that in a small hunt every
	// content is searched once; it takes some 10 ms.
	freely = 32 << 20
	// freeUnit is what the shortest content costs of it.
	freeUnit = 4 << 10
	// creditShare is the part of the time of searching that may be spent.
	creditShare = 100
	maxCredit   = time.Second
	// aside is kept for contents that look like an earlier one.
	aside = 10 * time.Millisecond
	// worthwhile is how many times longer than a digest a search has to take, and
	// leastSearch how long at least.
	worthwhile  = 3
	leastSearch = 5 * time.Microsecond
)

// open reports whether looking for a content of this size may pay at all.
func (p *purse) open(size int) bool {
	if p.free > 0 {
		return true
	}
	search := p.searches[class(size)].of(size)
	return search > leastSearch && search > worthwhile*p.digests.of(size) && p.credit > 0
}

// allows reports whether the content may be digested; again tells that it looks
// like an earlier one.
func (p *purse) allows(again bool) bool { return p.free > 0 || again || p.credit > aside }

// spend notes that a content was digested.
func (p *purse) spend(size int, took time.Duration) {
	p.digests.add(size, took)
	if p.free > 0 {
		p.free -= size + freeUnit
		return
	}
	p.credit -= took
}

// earn notes that a content was searched.
func (p *purse) earn(size int, took time.Duration) {
	p.searches[class(size)].add(size, took)
	p.credit = min(p.credit+took/creditShare, maxCredit)
}

// save notes that a content was not searched, as its answer was known.
func (p *purse) save(size int) {
	p.credit = min(p.credit+p.searches[class(size)].of(size), maxCredit)
}

func class(size int) int { return min(bits.Len(uint(size)), len(purse{}.searches)-1) }
