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

// askCache asks the cache before the engine.
func (w *worker) askCache(ctx context.Context, t besra.Target, data []byte) (*reply, error) {
	if w.Cache == nil || w.unsteady || w.shaky(data) {
		return w.askEngine(ctx, t, data)
	}
	key := w.replyKey(ctx, t, data)
	if text, ok := w.Cache.Get(key); ok {
		if a, ok := w.decode(text); ok {
			w.identical = true
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

// maxCopied is the size up to which a content that others can change is copied, so
// that its answer can be given for others: bytes that somebody changes between
// their digest and their search would let him put an answer under the digest of
// another content. Larger ones are searched each time.
const maxCopied = 64 << 20

// shaky reports whether somebody else can change a content: one that is mapped,
// or that lies in such a one as it is.
func (w *worker) shaky(data []byte) bool { return w.mapped != nil && within(w.mapped, data) }

func (w *worker) copyable(data []byte) bool { return int64(len(data)) <= min(maxCopied, w.Limits.Held) }

// steady returns the content such that nobody can change it, where it is not too
// large for that.
func (w *worker) steady(data []byte) []byte {
	if !w.shaky(data) || !w.copyable(data) {
		return data
	}
	if w.Pace != nil && w.depth == 0 {
		w.Pace.IO(w.ctx, int64(len(data))/readUnit) // it is read here, and not as it is searched
	}
	w.copied = append(w.copied[:0], data...)
	if w.releaser != nil {
		w.releaser.Release(int64(len(data)))
		w.releaser = nil
	}
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
