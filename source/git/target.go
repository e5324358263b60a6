package git

import (
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// target makes the target of a blob.
func (w *walk) target(h plumbing.Hash, at *place, p string, mode filemode.FileMode, size int64) besra.Target {
	g := facts.NewGiven(besra.ContextArchive, w.source.config.Host)
	if p != "" {
		g.Path(p, "name in the repository")
		if m, err := mode.ToOSFileMode(); err == nil {
			g.State("file.mode", int64(m.Perm()), besra.GradeAsserted, "tree of the commit")
		}
	}
	g.State("file.size", size, besra.GradeVerified, "blob")
	g.State("archive.kind", "git", besra.GradeVerified, "content of the repository")
	g.State("archive.path", besra.Text(w.source.config.Path), besra.GradeWeak, "path of the repository")
	g.State("archive.chain", []string{w.source.config.Path}, besra.GradeWeak, "path of the repository")
	g.State("git.remote", besra.Text(w.repo.remote), besra.GradeWeak, "configuration of the repository")
	g.State("git.reachable", at.reachable, besra.GradeWeak, "references of the repository")
	if c := at.commit; c != nil {
		const source = "first commit that has it"
		g.State("git.commit", c.Hash.String(), besra.GradeAsserted, source)
		g.State("git.author", besra.Text(strings.ToLower(c.Author.Email)), besra.GradeWeak, source)
		g.State("git.time", c.Committer.When.UTC(), besra.GradeWeak, source)
	}
	repo := w.repo
	return besra.Target{Name: w.source.config.Path + "!" + name(at, p, h), Context: besra.ContextArchive, Size: size, Facts: g,
		Open: func(ctx context.Context) (besra.Content, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			data, err := repo.blob(h, size+1)
			if err != nil {
				return nil, err
			}
			return content(data), nil
		}}
}

// content is a blob in memory.
type content []byte

func (c content) Bytes() []byte { return c }
func (content) Close() error    { return nil }

// fresh receives the files of the work tree and hands on those whose content is no
// blob that was hunted.
type fresh struct{ *walk }

// Target implements [besra.Receiver].
func (f *fresh) Target(t besra.Target) error {
	if h, ok := blobOf(t.Name, f.source.config.MaxSize); ok {
		if f.seen[h] {
			return nil
		}
	}
	return f.to.Target(t)
}

// Gap implements [besra.Receiver].
func (f *fresh) Gap(g besra.Gap) { f.to.Gap(g) }

// blobOf is the name that a file's content has as a blob; not of one that cannot
// be read here, which the hunt then finds out itself.
func blobOf(name string, max int64) (h plumbing.Hash, ok bool) {
	file, err := os.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return h, false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > max {
		return h, false
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", info.Size())
	n, err := io.Copy(sum, io.LimitReader(file, info.Size()))
	copy(h[:], sum.Sum(nil))
	return h, err == nil && n == info.Size()
}
