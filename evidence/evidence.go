// Package evidence keeps copies of what was found, for those who look into it.
//
//	c, err := evidence.Open(evidence.Config{Dir: "evidence"})
//	err = c.Collect(evidence.Item{Target: …, Content: …, Findings: …})
//
// A copy is a zip file named after the SHA-256 of its only member, and each
// content is kept once. It is encrypted with the password that the field gives
// to samples ("infected"), in the old way of zip (ZipCrypto): the password is no
// secret, it keeps virus scanners and curious fingers off, and every program
// that reads zip files can open it, which is not so of AES. The member bears no
// name that could be run. What the content was called, and what was found in it,
// is in manifest.ndjson, a line a collected target.
package evidence

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
)

// Manifest is the name of the file that says what was collected.
const Manifest = "manifest.ndjson"

// Config says where copies go, and how large they may be.
type Config struct {
	Dir      string
	Password string // default "infected"
	// MaxSize is that of the largest content that is kept, in bytes, and
	// MaxTotal that of all copies in the directory; 0 means no limit.
	MaxSize, MaxTotal int64
	// Now gives the time of collection; default time.Now.
	Now func() time.Time
}

// Item is a target of which a copy is kept.
type Item struct {
	Run, Host string
	Target    besra.TargetRef
	// Base is the address at which Content was in memory; nil elsewhere.
	Base     *int64
	Content  []byte
	Findings []*besra.Finding
	Facts    []besra.Fact // of the target, such as its times
}

// Entry is a line of the manifest.
type Entry struct {
	Time    time.Time     `json:"time"`
	Run     string        `json:"run"`
	Host    string        `json:"host"`
	File    string        `json:"file"` // the copy
	SHA256  string        `json:"sha256"`
	SHA1    string        `json:"sha1"`
	MD5     string        `json:"md5"`
	Size    int64         `json:"size"`
	Target  besra.Text    `json:"target"`
	Context besra.Context `json:"context"`
	Base    *int64        `json:"base,omitempty"` // address of a region of memory
	Facts   []besra.Fact  `json:"facts,omitempty"`
	Found   []Found       `json:"findings"`
}

// Found is what was found in a collected target.
type Found struct {
	ID        string         `json:"id"`
	Detection string         `json:"detection"`
	Rule      string         `json:"rule"`
	Severity  besra.Severity `json:"severity"`
	Verdict   besra.Verdict  `json:"verdict"`
}

// Collector keeps copies in a directory. It is safe for concurrent use, by one
// process at a time.
type Collector struct {
	config Config
	root   *os.Root

	mu     sync.Mutex
	total  int64 // bytes of the copies
	copies int
	lines  int
	// room is the size of the smallest content for which the disk had none: it is
	// not tried again with one as large, nor with any once the manifest is full.
	room int64
}

// ErrFull says that a copy was not tried, because the disk was full before.
var ErrFull = errors.New("no copy: the disk is full")

// Open makes the directory where it is not there, for its owner alone. Nothing
// is written outside of it, whatever links lie in it.
func Open(c Config) (*Collector, error) {
	if c.Password == "" {
		c.Password = "infected"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, err
	}
	e := &Collector{config: c, root: root, room: math.MaxInt64}
	if err := e.survey(); err != nil {
		root.Close()
		return nil, err
	}
	return e, nil
}

// survey adds up what is there, and clears away what a killed process left
// half-written.
func (c *Collector) survey() error {
	list, err := fs.ReadDir(c.root.FS(), ".")
	for _, d := range list {
		info, err := d.Info()
		switch {
		case err != nil:
		case strings.HasSuffix(d.Name(), partial):
			c.root.Remove(d.Name())
		case filepath.Ext(d.Name()) == ".zip":
			c.total += info.Size()
		}
	}
	return err
}

// Collect keeps a copy of a content, unless there is one, and notes whose it is.
// A [*besra.LimitError] says that it is too large; after any other error nothing
// half-written is left, and the next may be tried. On a full disk what would not
// fit either is [ErrFull] at once, so that thousands of findings cost no more
// than one.
func (c *Collector) Collect(i Item) error {
	if limit := c.config.MaxSize; limit > 0 && int64(len(i.Content)) > limit {
		return &besra.LimitError{Limit: "evidence size", Max: limit, Size: int64(len(i.Content))}
	}
	if !c.fits(i) {
		return ErrFull
	}
	e := c.entry(i)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.keep(e, i.Content); err != nil {
		return c.noRoom(e.Size, err)
	}
	return c.noRoom(0, c.note(e))
}

// fits reports whether a content is smaller than what the disk had no room for.
func (c *Collector) fits(i Item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(i.Content)) < c.room
}

// noRoom remembers for how much the disk had no room, where that is the error.
func (c *Collector) noRoom(size int64, err error) error {
	if diskFull(err) {
		c.room = min(c.room, size)
	}
	return err
}

func (c *Collector) entry(i Item) Entry {
	s256, s1, m5 := sha256.Sum256(i.Content), sha1.Sum(i.Content), md5.Sum(i.Content)
	e := Entry{Time: c.config.Now().UTC(), Run: i.Run, Host: i.Host,
		SHA256: hex.EncodeToString(s256[:]), SHA1: hex.EncodeToString(s1[:]), MD5: hex.EncodeToString(m5[:]),
		Size: int64(len(i.Content)), Target: i.Target.Name, Context: i.Target.Context, Base: i.Base, Facts: i.Facts}
	e.File = e.SHA256 + ".zip"
	for _, f := range i.Findings {
		e.Found = append(e.Found, Found{f.ID, f.Detection.ID, f.Rule.Name, f.Severity, f.Verdict})
	}
	return e
}

// partial ends the names of copies that are being written.
const partial = ".partial"

// keep writes a copy under another name and gives it its own when it is whole
// and on the disk.
func (c *Collector) keep(e Entry, content []byte) error {
	if _, err := c.root.Lstat(e.File); err == nil {
		return nil
	}
	p := packed(e.SHA256, content, c.config.Now())
	size := int64(p.header.CompressedSize64)
	if limit := c.config.MaxTotal; limit > 0 && c.total+size > limit {
		return &besra.LimitError{Limit: "evidence in total", Max: limit, Size: size}
	}
	temp := e.SHA256 + partial
	c.root.Remove(temp)
	f, err := c.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(p.write(f, c.config.Password), f.Sync(), f.Close())
	if err == nil {
		err = c.root.Rename(temp, e.File)
	}
	if err != nil {
		c.root.Remove(temp)
		return fmt.Errorf("keeping a copy: %w", err)
	}
	c.total += size
	c.copies++
	return nil
}

// note appends a line to the manifest. One that did not get in wholly is taken
// back.
func (c *Collector) note(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if info, err := c.root.Lstat(Manifest); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", Manifest)
	}
	f, err := c.root.OpenFile(Manifest, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := wholeLines(f)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(line, size); err != nil {
		return errors.Join(fmt.Errorf("noting a copy: %w", err), f.Truncate(size))
	}
	c.lines++
	return f.Sync()
}

// wholeLines returns where a file's last whole line ends, and cuts off what is
// behind it.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	size := info.Size()
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := strings.LastIndexByte(string(buf[:n]), '\n'); i >= 0 {
			end += int64(i) + 1 - n
			if end < size {
				return end, f.Truncate(end)
			}
			return end, nil
		}
		end -= n
	}
	return 0, f.Truncate(0)
}

// Kept returns how many copies were made and how many targets were noted.
func (c *Collector) Kept() (copies, targets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copies, c.lines
}

// Close brings the directory to the disk.
func (c *Collector) Close() error {
	if d, err := c.root.Open("."); err == nil {
		d.Sync() // not every system can
		d.Close()
	}
	return c.root.Close()
}
