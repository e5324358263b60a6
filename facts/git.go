package facts

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/besra-hunt/besra"
)

// repository is what a git work tree says of its files.
type repository struct {
	root   string // top directory of the work tree
	remote string // URL of origin, without user and password
	index  map[string]gitEntry
	sha256 bool   // objects are named by SHA-256
	config string // why the configuration was not read
	why    string // why the index was not read
}

// gitCache keeps the repositories that were read last: files of one come
// together. It is safe for concurrent use.
type gitCache struct {
	mu    sync.Mutex
	repos []*repository
}

const maxRepositories = 8

// at returns the repository whose work tree's top is root.
func (c *gitCache) at(t tree, root string) *repository {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.repos {
		if r.root == root {
			return r
		}
	}
	r := readRepository(t, root)
	if len(c.repos) == maxRepositories {
		c.repos = c.repos[1:]
	}
	c.repos = append(c.repos, r)
	return r
}

// gitRoot returns the top of the work tree that holds a file; empty where none
// does.
func gitRoot(t tree, file string) string {
	for dir := parent(file); ; dir = parent(dir) {
		if _, err := t.lstat(path.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == parent(dir) {
			return ""
		}
	}
}

// gitFact answers the facts of the group git. All are weak: a .git directory is
// a file like any other, and whoever may write beside the file may make one.
func (f *File) gitFact(ctx context.Context, name string) besra.Fact {
	root := gitRoot(f.host.tree, f.path)
	if root == "" {
		value, source := any(besra.Text("")), "no directory above it has a .git"
		if name == "git.tracked" || name == "git.unmodified" {
			value = false
		}
		return fact(value, besra.GradeWeak, source)
	}
	if name == "git.root" {
		return fact(besra.Text(root), besra.GradeWeak, ".git")
	}
	r := f.host.repos.at(f.host.tree, root)
	switch {
	case name == "git.remote" && r.config != "":
		return unknown(r.config)
	case name == "git.remote":
		return fact(besra.Text(r.remote), besra.GradeWeak, ".git/config")
	case r.why != "":
		return unknown(r.why)
	}
	entry, tracked := r.index[strings.TrimPrefix(strings.TrimPrefix(f.path, root), "/")]
	if name == "git.tracked" || !tracked {
		return fact(tracked, besra.GradeWeak, ".git/index")
	}
	return f.gitUnmodified(ctx, r, entry)
}

// gitUnmodified compares the content with the blob of the index: its name is
// the digest of a head and the content.
func (f *File) gitUnmodified(ctx context.Context, r *repository, entry gitEntry) besra.Fact {
	size := f.Fact(ctx, "file.size")
	var h digester = sha1.New()
	if r.sha256 {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", size.Value)
	sum := f.sum(ctx, h)
	if !sum.Known() {
		return sum
	}
	return fact(sum.Value == hex.EncodeToString(entry.blob[:r.nameSize()]), besra.GradeWeak, ".git/index")
}

func (r *repository) nameSize() int {
	if r.sha256 {
		return sha256.Size
	}
	return sha1.Size
}

// readRepository reads the configuration and the index of the repository at
// root. What cannot be read is told by the fields config and why.
func readRepository(t tree, root string) *repository {
	r := &repository{root: root}
	dir, common, err := gitDirs(t, root)
	if err != nil {
		r.config = reason(root+"/.git", err)
		r.why = r.config
		return r
	}
	config := &gitConfig{repository: r}
	if err := eachLine(t, common+"/config", func(_ int, l []byte) error { config.line(l); return nil }); err != nil {
		r.config = reason(common+"/config", err)
	}
	file, err := t.open(dir + "/index")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.index = map[string]gitEntry{} // nothing was ever added
		return r
	case err != nil:
		r.why = reason(dir+"/index", err)
		return r
	}
	defer file.Close()
	if r.index, err = readGitIndex(bufio.NewReader(file), r.nameSize()); err != nil {
		r.why = reason(dir+"/index", err)
	}
	return r
}

// gitDirs finds the directory of a work tree's own state and that of what its
// repository shares: .git is both, or a file that names the first.
func gitDirs(t tree, root string) (dir, common string, err error) {
	dir = path.Join(root, ".git")
	info, err := t.lstat(dir)
	if err != nil || info.IsDir() {
		return dir, dir, err
	}
	line, err := firstLine(t, dir)
	to, ok := strings.CutPrefix(line, "gitdir: ")
	if err != nil || !ok {
		return "", "", errors.Join(err, errors.New("neither a directory nor the name of one"))
	}
	dir = resolve(root, to)
	common = dir
	if line, err := firstLine(t, dir+"/commondir"); err == nil {
		common = resolve(dir, line)
	}
	return dir, common, nil
}

// resolve returns where a path written in a directory leads.
func resolve(dir, to string) string {
	if path.IsAbs(to) || len(to) > 2 && to[1] == ':' {
		return path.Clean(to)
	}
	return path.Join(dir, to)
}

// gitConfig reads what is needed of a configuration, line by line.
type gitConfig struct {
	*repository
	section string // such as `remote "origin"`
}

func (c *gitConfig) line(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' || line[0] == ';' {
		return
	}
	if line[0] == '[' {
		end := bytes.LastIndexByte(line, ']')
		if end > 0 {
			c.section = strings.TrimSpace(string(line[1:end]))
		}
		return
	}
	key, value, _ := bytes.Cut(line, []byte("="))
	text := strings.Trim(strings.TrimSpace(string(value)), `"`)
	switch name := strings.ToLower(string(bytes.TrimSpace(key))); {
	case name == "url" && c.section == `remote "origin"` && c.remote == "":
		c.remote = withoutUser(text)
	case name == "objectformat" && strings.EqualFold(c.section, "extensions"):
		c.sha256 = text == "sha256"
	}
}

// withoutUser takes user and password out of a URL; the short form
// git@host:path has a user that is no secret, and stays.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}
