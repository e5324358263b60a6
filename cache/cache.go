// Package cache keeps the engine's answers from one run to the next, in one
// file, by the content that they are of and the rules that were asked.
//
//	c, err := cache.Open("besra.cache", digestOfTheRules)
//	answer, ok := c.Get(key)
//
// It knows nothing of exclusions: what hides a finding is decided anew each
// time. Whoever can write the file can hide what the rules would find, so that
// one which others than its owner may write is refused.
package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Key names an answer: a digest of all that it depends on besides the rules.
type Key [32]byte

// Cache is open for one set of rules. It is safe for concurrent use, by one
// process at a time.
type Cache struct {
	db    *bbolt.DB
	rules []byte

	mu        sync.Mutex
	pending   map[Key][]byte // not yet in the file
	hits, new int64
	err       error // the first of the file: nothing is kept after it
}

const (
	// maxPending is how many answers are written at a time.
	maxPending = 4096
	// patience is how long another process may hold the file.
	patience = time.Second
	// unused is how long answers to rules that nobody asks are kept.
	unused = 30 * 24 * time.Hour
)

// lastUse is the bucket that says when the answers to each rules were last used.
var lastUse = []byte("last use")

// ErrInUse says that another process has the file open.
var ErrInUse = errors.New("another besra is using it")

// Open opens the cache in a file, or makes it, for rules of this digest. Answers
// to rules that nobody has asked for a month are dropped.
func Open(name, rules string) (*Cache, error) {
	if err := private(name); err != nil {
		return nil, err
	}
	db, err := openFile(name)
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &Cache{db: db, rules: []byte("rules " + rules), pending: map[Key][]byte{}}
	if err := db.Update(func(tx *bbolt.Tx) error { return c.begin(tx, time.Now()) }); err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// private refuses a file that others may write.
func private(name string) error {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		err = fmt.Errorf("%s: others than its owner may write it, and so hide what is found (mode %v)", name, info.Mode().Perm())
	}
	return err
}

// openFile opens a database; a damaged one is an error.
func openFile(name string) (db *bbolt.DB, err error) {
	defer guarded(&err)()
	return bbolt.Open(name, 0o600, &bbolt.Options{Timeout: patience})
}

// errDamaged says that the file holds what was not written to it.
var errDamaged = errors.New("the file is damaged: remove it, it holds nothing that cannot be found out again")

// guarded makes an error of the panic of a damaged file, and of the fault of one
// that ends too early, where it is mapped: defer guarded(&err)().
func guarded(err *error) func() {
	was := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(was)
		if p := recover(); p != nil {
			*err = fmt.Errorf("%w (%v)", errDamaged, p)
		}
	}
}

// begin drops what is out of use and notes that these rules are in use.
func (c *Cache) begin(tx *bbolt.Tx, now time.Time) (err error) {
	defer guarded(&err)()
	uses, err := tx.CreateBucketIfNotExists(lastUse)
	if err != nil {
		return err
	}
	var old [][]byte
	err = uses.ForEach(func(rules, at []byte) error {
		if len(at) != 8 || now.Sub(time.Unix(int64(binary.BigEndian.Uint64(at)), 0)) > unused {
			old = append(old, append([]byte(nil), rules...))
		}
		return nil
	})
	for _, rules := range old {
		err = errors.Join(err, tx.DeleteBucket(rules), uses.Delete(rules))
	}
	_, berr := tx.CreateBucketIfNotExists(c.rules)
	return errors.Join(err, berr, uses.Put(c.rules, binary.BigEndian.AppendUint64(nil, uint64(now.Unix()))))
}

// Get returns the answer that was put under a key. It is read-only.
func (c *Cache) Get(key Key) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := c.pending[key]
	if !ok && c.err == nil {
		answer, c.err = c.find(key)
		ok = answer != nil
	}
	if ok {
		c.hits++
	}
	return answer, ok
}

func (c *Cache) find(key Key) (answer []byte, err error) {
	defer guarded(&err)()
	err = c.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(c.rules).Get(key[:])
		if v == nil {
			return nil
		}
		if len(v) < sumSize || !bytes.Equal(v[:sumSize], sum(key, v[sumSize:])) {
			return errDamaged
		}
		answer = append([]byte{}, v[sumSize:]...)
		return nil
	})
	return answer, err
}

// sumSize is how long the sum is that stands before an answer in the file.
const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is a checksum of an answer and what it is to, so that a bit that toppled on
// the disk hides no finding. It does not keep off who can write the file.
func sum(key Key, answer []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Update(crc32.Checksum(key[:], castagnoli), castagnoli, answer))
}

// Put keeps an answer. What fails is told by [Cache.Close]: a run does not
// depend on it.
func (c *Cache) Put(key Key, answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.pending[key] = answer
	c.new++
	if len(c.pending) >= maxPending {
		c.err = c.write()
	}
}

func (c *Cache) write() (err error) {
	defer guarded(&err)()
	err = c.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(c.rules)
		for key, answer := range c.pending {
			if err := b.Put(key[:], append(sum(key, answer), answer...)); err != nil {
				return err
			}
		}
		return nil
	})
	clear(c.pending)
	return err
}

// Counts returns how many answers were there, and how many were put.
func (c *Cache) Counts() (hits, new int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits, c.new
}

// Close brings all answers to the disk. Its error says why some are not kept.
// The second time it does nothing.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db == nil {
		return nil
	}
	if c.err == nil {
		c.err = c.write()
	}
	err := errors.Join(c.err, c.db.Close())
	c.db = nil
	return err
}
