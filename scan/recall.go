package scan

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
)

// recall remembers answers within one run, so that a content which several
// targets have is searched once: by the stamp of a file that has several names,
// and by the digest of the bytes where they are the same at several places. What
// looking for the latter may cost is the [purse]'s to say.
type recall struct {
	mac  cipher.AEAD
	seed maphash.Seed

	mu     sync.Mutex
	young  map[digest]*recalled
	old    map[digest]*recalled // what young was before it was full
	weight int                  // of young
	seen   []uint32             // what contents looked like
}

// digest names a content, or a stamp, within one run.
type digest [16]byte

// recalled is an answer, once it is ready; nil where none was found out.
type recalled struct {
	ready chan struct{}
	reply *reply
}

const (
	// maxWeight bounds the answers that are remembered: two maps of so many bytes each.
	maxWeight = 8 << 20
	// seenSlots is how many contents the recall knows the look of; newer ones replace older.
	seenSlots = 1 << 20
	// sampled is how much of a content makes its look, with its size: of 14,000 files of
	// a system that look like another one, all but 1,800 are the same.
	sampled = 512
)

// newRecall returns a recall with a key that nobody knows: the digest is
// GMAC, under which two contents, whoever made them, collide with a probability
// of 2^-96 at most as long as no digest is shown to him.
func newRecall() *recall {
	r := &recall{seed: maphash.MakeSeed(), young: map[digest]*recalled{}}
	var key [16]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err == nil {
		r.mac, err = cipher.NewGCM(block)
	}
	if err != nil {
		r.mac = nil // a policy forbids it: nothing is remembered
	}
	return r
}

// kinds of what is digested, as first byte of the nonce.
const (
	digestContent = iota
	digestStamp
	digestOutside
)

func (r *recall) digest(kind byte, data []byte) (d digest) {
	nonce := [12]byte{kind}
	r.mac.Seal(d[:0], nonce[:], nil, data)
	return d
}

// claim is a worker's part in an answer that other targets may share.
type claim struct {
	*recalled      // nil where nobody shares it
	mine      bool // the worker is to find it out
}

// settle tells those who wait that the answer is there, or that it will not be.
func (c *claim) settle() {
	if c.mine {
		close(c.ready)
		c.mine = false
	}
}

// claim returns what is remembered under a digest, or the task to find it out.
func (r *recall) claim(d digest) claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.find(d); known != nil {
		return claim{recalled: known}
	}
	known := &recalled{ready: make(chan struct{})}
	r.keep(d, known, entryWeight)
	return claim{known, true}
}

// known returns what is remembered under a digest, and no task where nothing is.
func (r *recall) known(d digest) claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	return claim{recalled: r.find(d)}
}

func (r *recall) find(d digest) *recalled {
	if known := r.young[d]; known != nil {
		return known
	}
	known := r.old[d]
	if known != nil {
		r.keep(d, known, entryWeight+known.reply.weight())
	}
	return known
}

func (r *recall) keep(d digest, known *recalled, weight int) {
	if r.weight+weight > maxWeight {
		r.old, r.young, r.weight = r.young, map[digest]*recalled{}, 0
	}
	r.young[d] = known
	r.weight += weight
}

// entryWeight is what an answer without a match takes in memory.
const entryWeight = 160

// weight is about how many bytes an answer with matches takes besides.
func (a *reply) weight() int {
	n := 0
	if a == nil {
		return n
	}
	for _, m := range a.Rules {
		n += 128
		for _, p := range m.Patterns {
			n += 64 + 24*len(p.Matches)
		}
	}
	return n
}

// remember gives a claim that is the worker's own its answer.
func (r *recall) remember(c claim, a *reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := a.weight(); n < maxWeight/8 {
		c.reply = a
		r.weight += n
	}
}

// again reports whether a content looks like an earlier one; outside is what the
// rules are told besides it.
func (r *recall) again(data []byte, outside string) bool {
	look := maphash.Bytes(r.seed, data[:min(len(data), sampled)]) ^ uint64(len(data))*0x9e3779b97f4a7c15
	if outside != "" {
		look ^= maphash.String(r.seed, outside) << 1
	}
	slot, rest := look%seenSlots, uint32(look>>32)|1
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = make([]uint32, seenSlots)
	}
	again := r.seen[slot] == rest
	r.seen[slot] = rest
	return again
}

// identify finds out whether other targets share the answer to a content, and
// returns the bytes such that nobody can change them where this one's is to be
// given for others.
func (w *worker) identify(ctx context.Context, t besra.Target, data []byte) []byte {
	w.claim = claim{}
	if w.depth == 0 {
		w.mapped = nil
		if w.releaser != nil {
			w.mapped = data
		}
	}
	if w.unsteady {
		return data
	}
	if t.Shared && t.Stamp != "" && w.recall.mac != nil {
		w.claim = w.recall.claim(w.recall.digest(digestStamp, fmt.Appendf(nil, "%s %q", t.Stamp, w.Set.ExternalValues(ctx, t.Facts))))
		if !w.claim.mine {
			return data
		}
	}
	if w.Cache != nil {
		return w.steady(data)
	}
	if w.claim.recalled == nil {
		return w.identifyContent(ctx, t, data)
	}
	return data
}

// identifyContent looks for the content itself. What is remembered is looked up
// by the bytes as they are; what is to be remembered by bytes that are held fast.
func (w *worker) identifyContent(ctx context.Context, t besra.Target, data []byte) []byte {
	if w.Set.AsksPath() && t.Context == besra.ContextFile {
		return data // no other target is told the same
	}
	if len(data) == 0 || w.recall.mac == nil || !w.purse.open(len(data)) || w.shaky(data) && !w.copyable(data) {
		return data
	}
	outside := ""
	if values := w.Set.ExternalValues(ctx, t.Facts); values != nil {
		outside = fmt.Sprintf("%q", values)
	}
	start := time.Now()
	if !w.purse.allows(w.recall.again(data, outside)) {
		return data
	}
	defer func() { w.purse.spend(len(data), time.Since(start)) }()
	name := w.contentName(data, outside)
	if !w.shaky(data) {
		w.claim = w.recall.claim(name)
		return data
	}
	if w.claim = w.recall.known(name); w.claim.recalled != nil {
		return data
	}
	data = w.steady(data)
	w.claim = w.recall.claim(w.contentName(data, outside))
	return data
}

func (w *worker) contentName(data []byte, outside string) digest {
	name := w.recall.digest(digestContent, data)
	if outside != "" {
		name = w.recall.digest(digestOutside, append(name[:], outside...))
	}
	return name
}

// ask returns what the engine says of a content, or has said of the same one.
// With an error the answer may be there, too: what was found until then.
func (w *worker) ask(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	w.identical = false
	defer w.claim.settle()
	if w.claim.recalled == nil || w.claim.mine {
		a, err := w.askCache(ctx, t, data)
		if w.claim.mine && err == nil {
			w.recall.remember(w.claim, a)
		}
		return a, err
	}
	select {
	case <-w.claim.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.claim.reply == nil {
		return w.askCache(ctx, t, data)
	}
	w.identical = true
	w.purse.save(len(data))
	return w.claim.reply, nil
}
