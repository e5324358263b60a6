package scan

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// Cache keeps the engine's answers from run to run. It is safe for concurrent
// use, and of the very rules that the hunt runs with.
type Cache interface {
	Get(key [32]byte) (answer []byte, ok bool)
	Put(key [32]byte, answer []byte)
}

// reply is what the engine says of a content: which rules match, and where.
// Nothing in it depends on a target's facts, and no exclusion is decided: both
// are asked anew for every target that has this content.
type reply struct {
	Rules []matched
}

// matched is a rule that matches. Of its patterns those are there that occur and
// are not private.
type matched struct {
	Namespace, Name string
	Patterns        []located
	rule            yara.Rule
}

// located is where a pattern occurs: Count times, the first of them in Matches.
type located struct {
	ID      string
	Count   int
	Matches []yara.Match
}

// replyOf copies what results say, with at most max matches of a pattern.
func replyOf(results *yara.Results, max int) *reply {
	a := &reply{}
	for rule := range results.Matching() {
		m := matched{Namespace: rule.Namespace(), Name: rule.Name(), rule: rule}
		for p := range rule.Patterns() {
			at := located{ID: p.ID()}
			for match := range p.Matches() {
				if at.Count++; at.Count <= max {
					at.Matches = append(at.Matches, match)
				}
			}
			if at.Count > 0 && !p.Private() {
				m.Patterns = append(m.Patterns, at)
			}
		}
		a.Rules = append(a.Rules, m)
	}
	return a
}

// ask returns what the engine says of a content, or has said of the same one.
// With an error the answer may be there, too: what was found until then.
func (w *worker) ask(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	if !t.Shared || t.Stamp == "" || w.unsteady {
		return w.askCache(ctx, t, data)
	}
	known, mine := w.recall.claim(fmt.Sprintf("%s %q", t.Stamp, w.Set.ExternalValues(ctx, t.Facts)))
	if mine {
		defer close(known.ready) // and if the content faults, without an answer
		a, err := w.askCache(ctx, t, data)
		if err == nil {
			known.reply = a
		}
		return a, err
	}
	select {
	case <-known.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if known.reply != nil {
		return known.reply, nil
	}
	return w.askCache(ctx, t, data)
}

// recall remembers answers within one run, for the contents that have several
// names.
type recall struct {
	mu    sync.Mutex
	known map[string]*recalled
}

// recalled is a reply, once it is ready; nil where none was found out.
type recalled struct {
	ready chan struct{}
	reply *reply
}

// maxRecalled bounds how many answers are remembered; beyond, contents are
// searched under each of their names.
const maxRecalled = 1 << 16

// claim returns what is remembered under a key; mine tells that nothing was, and
// that the caller finds it out.
func (r *recall) claim(key string) (known *recalled, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.known[key]; known != nil {
		return known, false
	}
	known = &recalled{ready: make(chan struct{})}
	if r.known == nil {
		r.known = map[string]*recalled{}
	}
	if len(r.known) < maxRecalled {
		r.known[key] = known
	}
	return known, true
}

// askCache asks the cache before the engine.
func (w *worker) askCache(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	if w.Cache == nil || w.unsteady || w.uncached {
		return w.askEngine(ctx, t, data)
	}
	key := w.replyKey(ctx, t, data)
	if text, ok := w.Cache.Get(key); ok {
		if a, ok := w.decode(text); ok {
			return a, nil
		}
	}
	a, err := w.askEngine(ctx, t, data)
	if err == nil {
		if text, err := json.Marshal(a); err == nil {
			w.Cache.Put(key, text)
		}
	}
	return a, err
}

func (w *worker) askEngine(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	w.Set.SetExternals(ctx, w.scanner, t.Facts)
	// Results hold what was found to match even where a module failed.
	results, err := w.scanner.Scan(ctx, data)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	return replyOf(results, w.MaxMatches), err
}

// replyKey names the answer to a content: its digest, and what else the engine
// is told.
func (w *worker) replyKey(ctx context.Context, t besra.Target, data []byte) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "content %x %d %q", sha256.Sum256(data), w.MaxMatches, w.Set.ExternalValues(ctx, t.Facts)))
}

// decode reads an answer from the cache; false where it does not fit the rules.
func (w *worker) decode(text []byte) (*reply, bool) {
	a := &reply{}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, false
	}
	for i := range a.Rules {
		m := &a.Rules[i]
		rule, ok := w.rules()[[2]string{m.Namespace, m.Name}]
		if !ok {
			return nil, false
		}
		m.rule = rule
	}
	return a, true
}

// rulesByName finds the rules of an answer, once there is one with any.
func rulesByName(rules *yara.Rules) func() map[[2]string]yara.Rule {
	return sync.OnceValue(func() map[[2]string]yara.Rule {
		all := map[[2]string]yara.Rule{}
		for rule := range rules.All() {
			all[[2]string{rule.Namespace(), rule.Name()}] = rule
		}
		return all
	})
}

// unsteady reports whether rules may say something else of the same content the
// next time.
func unsteady(rules *yara.Rules) bool { return slices.Contains(rules.Stats().Modules, "time") }

// maxCopied is the size up to which a mapped content is copied for the cache:
// bytes that somebody else can change between their digest and their search
// would let him put an answer under the digest of another content. Larger ones
// are searched each time.
const maxCopied = 64 << 20

// steady returns the content such that nobody can change it, where the cache is
// to vouch for it.
func (w *worker) steady(data []byte) []byte {
	w.uncached = false
	if w.Cache == nil || w.unsteady || w.releaser == nil {
		return data
	}
	if w.depth > 0 || int64(len(data)) > min(maxCopied, w.Limits.Held) {
		w.uncached = true
		return data
	}
	if w.Pace != nil {
		w.Pace.IO(w.ctx, int64(len(data))/readUnit) // it is read here, and not as it is searched
	}
	w.copied = append(w.copied[:0], data...)
	w.releaser = nil
	return w.copied
}

// youngest is the age from which on a file's times tell whether it was changed.
const youngest = 2 * time.Second

// knownEmpty reports whether a file that nothing was found in, and nothing lies
// in, is still the one that it was by its stamp.
func (w *worker) knownEmpty(t besra.Target) bool {
	if !w.CacheStat || w.Cache == nil || w.unsteady || w.depth > 0 || t.Stamp == "" {
		return false
	}
	_, ok := w.Cache.Get(stampKey(t))
	return ok
}

// rememberEmpty notes such a file.
func (w *worker) rememberEmpty(ctx context.Context, t besra.Target) {
	if !w.CacheStat || w.Cache == nil || w.unsteady || w.depth > 0 || t.Stamp == "" {
		return
	}
	changed, ok := t.Facts.Fact(ctx, "file.ctime").Value.(time.Time)
	if ok && w.Now().Sub(changed) > youngest {
		w.Cache.Put(stampKey(t), []byte{})
	}
}

func stampKey(t besra.Target) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "stamp %q %q", t.Name, t.Stamp))
}
