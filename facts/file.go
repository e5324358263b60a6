package facts

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path"
	"runtime"
	"strings"

	"github.com/besra-hunt/besra"
)

// File answers the facts of one file: the groups file, package, git, opener, host
// and scan. It implements [besra.Facts]; each fact is gathered when it is first
// asked for, and remembered.
//
// The facts are those of the inode that info describes. What has to look at the
// file again (a digest without [File.SetContent], its birth) checks that the
// path still leads to that inode, and that it did not change.
type File struct {
	host    *Host
	path    string
	info    fs.FileInfo
	content []byte       // the bytes that were scanned; nil where they are not at hand
	held    bool         // content is the whole content, be it empty
	opened  *[]opener    // who has it open; nil until asked
	facts   []besra.Fact // those that were asked for
}

// File returns the facts of the file at path, an absolute, cleaned and
// slash-separated path on the host. Info is what a stat that follows no link
// says of it; its Sys value is the one of package os.
func (h *Host) File(path string, info fs.FileInfo) *File {
	return &File{host: h, path: path, info: info}
}

// Opened replaces what is known of the inode by the stat of the open file, so
// that the facts are those of the very file whose bytes are read.
func (f *File) Opened(info fs.FileInfo) {
	f.info = info
	f.opened, f.facts = nil, nil
}

// SetContent lends the file's bytes, from which digests and the magic are then
// computed: those of what was scanned, whatever became of the file since. The
// bytes must stay valid until SetContent(nil). Without it the file is read
// again when a fact needs its content.
func (f *File) SetContent(content []byte) {
	f.content, f.held = content, content != nil
}

// Fact implements [besra.Facts].
func (f *File) Fact(ctx context.Context, name string) besra.Fact {
	for i := range f.facts {
		if f.facts[i].Name == name {
			return f.facts[i]
		}
	}
	fact := f.gather(ctx, name)
	if ctx.Err() != nil && !fact.Known() {
		return fact // interrupted: the next to ask may have more time
	}
	f.facts = append(f.facts, fact)
	return fact
}

func (f *File) gather(ctx context.Context, name string) besra.Fact {
	def, ok := besra.FactNamed(name)
	if !ok {
		return besra.Unavailable(name, "no such fact")
	}
	if c := f.host.Context(); !def.In(c) {
		return besra.Unavailable(name, "cannot be known in context "+string(c))
	}
	collect, ok := collectors(name)
	if !ok {
		return besra.Unavailable(name, "nothing gathers it for a file")
	}
	fact := collect(f, ctx)
	fact.Name = name
	return fact
}

type collector func(*File, context.Context) besra.Fact

// collectors finds who gathers a fact. A collector leaves the name to its caller.
func collectors(name string) (collector, bool) {
	if group, _, _ := strings.Cut(name, "."); group == "host" || group == "scan" {
		return func(f *File, ctx context.Context) besra.Fact { return f.host.Fact(ctx, name) }, true
	}
	if strings.HasPrefix(name, "writer.") { // a source that watches answers it before the file is asked
		return func(*File, context.Context) besra.Fact {
			return besra.Unavailable(name, "nobody watched the file being written")
		}, true
	}
	switch name {
	case "file.path", "file.dir", "file.name", "file.ext":
		return func(f *File, _ context.Context) besra.Fact { return f.pathFact(name) }, true
	case "file.size", "file.mtime", "file.ctime", "file.btime":
		return func(f *File, _ context.Context) besra.Fact { return f.statFact(name) }, true
	case "file.md5", "file.sha1", "file.sha256", "file.sha512":
		return func(f *File, ctx context.Context) besra.Fact { return f.digestFact(ctx, name) }, true
	case "file.magic":
		return (*File).magicFact, true
	case "file.mode", "file.owner.uid", "file.owner.name", "file.group.gid", "file.group.name":
		return func(f *File, _ context.Context) besra.Fact { return f.ownerFact(name) }, true
	case "file.owner.sid":
		return (*File).sidFact, true
	case "file.world_writable":
		return (*File).worldWritable, true
	case "file.foreign_writable":
		return (*File).foreignWritable, true
	case "file.links":
		return (*File).linksFact, true
	case "file.symlink":
		return (*File).symlinkFact, true
	case "file.mount.type", "file.mount.point":
		return func(f *File, _ context.Context) besra.Fact { return f.mountFact(name) }, true
	case "file.origin_url":
		return (*File).originFact, true
	case "file.origin_host":
		return (*File).originHost, true
	case "package.manager", "package.name", "package.version", "package.verified":
		return func(f *File, ctx context.Context) besra.Fact { return f.packageFact(ctx, name) }, true
	case "git.root", "git.remote", "git.tracked", "git.unmodified":
		return func(f *File, ctx context.Context) besra.Fact { return f.gitFact(ctx, name) }, true
	case "opener.names", "opener.exes", "opener.users":
		return func(f *File, ctx context.Context) besra.Fact { return f.openerFact(ctx, name) }, true
	}
	return nil, false
}

// fact is a fact whose name the caller fills in.
func fact(value any, g besra.Grade, source string) besra.Fact {
	return besra.Fact{Value: value, Grade: g, Source: source}
}

// unknown is an unavailable fact whose name the caller fills in.
func unknown(why string) besra.Fact { return besra.Fact{Source: why} }

func (f *File) pathFact(name string) besra.Fact {
	value := f.path
	switch name {
	case "file.dir":
		value = parent(f.path)
	case "file.name":
		value = path.Base(f.path)
	case "file.ext":
		value = extension(path.Base(f.path))
	}
	return fact(besra.Text(value), besra.GradeWeak, "path")
}

// parent returns the directory part of a path; that of C:/a is C:/.
func parent(p string) string {
	dir := path.Dir(p)
	if len(dir) == 2 && dir[1] == ':' {
		return dir + "/"
	}
	return dir
}

// extension returns the part of a name from its last dot on, in lower case. A
// name that only begins with a dot has none.
func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return strings.ToLower(name[i:])
	}
	return ""
}

func (f *File) statFact(name string) besra.Fact {
	switch name {
	case "file.size":
		if f.held {
			return fact(int64(len(f.content)), besra.GradeVerified, "content")
		}
		return fact(f.info.Size(), besra.GradeVerified, "stat")
	case "file.mtime":
		return f.mtimeFact()
	}
	if f.host.detached() {
		return unknown(f.host.noInode())
	}
	if name == "file.ctime" {
		return f.ctimeFact()
	}
	return f.btimeFact()
}

func (f *File) mtimeFact() besra.Fact {
	if m := f.host.owners; m != nil {
		if o, source := m.of(f.path, false); !o.mtime.IsZero() {
			return fact(o.mtime.UTC(), besra.GradeWeak, source)
		}
	}
	return fact(f.info.ModTime().UTC(), besra.GradeWeak, f.host.stat())
}

func (f *File) ctimeFact() besra.Fact {
	s, ok := statOf(f.info)
	if !ok || s.ctime.IsZero() {
		return unknown("the file system keeps no such time")
	}
	return fact(s.ctime.UTC(), f.host.grade(), "stat")
}

func (f *File) btimeFact() besra.Fact {
	t, err := f.birth()
	if err != nil {
		return unknown(err.Error())
	}
	return fact(t.UTC(), f.host.grade(), "stat")
}

// noInode says why nothing is known of the host's own inodes.
func (h *Host) noInode() string {
	if h.config.Files != nil {
		return h.config.FilesFrom + " says nothing of it"
	}
	return "the root was unpacked: its inodes are not the host's"
}

var (
	errNoBirth  = errors.New("the file system keeps no time of birth")
	errReplaced = errors.New("the path leads to another file now")
	errChanged  = errors.New("the file changed since it was scanned")
)

// reopen opens the file again, if the path still leads to the same inode.
func (f *File) reopen() (opened, error) {
	file, err := f.host.tree.open(f.path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !sameFile(f.info, info) {
		err = errReplaced
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// again says why the file could not be looked at again.
func again(err error) besra.Fact {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return unknown("reading the file again: " + err.Error())
}

// linksFact counts the names of the inode.
func (f *File) linksFact(context.Context) besra.Fact {
	s, ok := statOf(f.info)
	switch {
	case f.host.detached():
		return unknown(f.host.noInode())
	case !ok:
		return unknown("the system does not count them")
	}
	return fact(int64(s.links), f.host.grade(), "stat")
}

// symlinkFact looks whether the path leads over a link, itself included.
func (f *File) symlinkFact(context.Context) besra.Fact {
	for p := f.path; p != parent(p); p = parent(p) {
		info, err := f.host.tree.lstat(p)
		if err != nil {
			return unknown(reason(p, err))
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return fact(true, f.host.grade(), "stat, "+p)
		}
	}
	return fact(false, f.host.grade(), "stat, of the whole path")
}

func (f *File) mountFact(name string) besra.Fact {
	if runtime.GOOS == "windows" {
		return volumeFact(f.path, name)
	}
	all, err := f.host.mounts()
	if err != nil {
		return unknown(reason("table of mounts", err))
	}
	m, ok := mountOf(all, f.path)
	if !ok {
		return unknown("no mount holds the path")
	}
	if name == "file.mount.point" {
		return fact(besra.Text(m.Point), besra.GradeVerified, "table of mounts")
	}
	return fact(m.Type, besra.GradeVerified, "mount at "+m.Point)
}

func (f *File) originFact(context.Context) besra.Fact {
	url, source, err := f.origin()
	if err != nil {
		return again(err)
	}
	if url == "" {
		return unknown("the file carries no note of its origin")
	}
	return fact(besra.Text(url), besra.GradeWeak, source)
}

// originHost takes the host out of the URL.
func (f *File) originHost(ctx context.Context) besra.Fact {
	origin := f.Fact(ctx, "file.origin_url")
	text, ok := origin.Text()
	if !ok {
		return unknown(origin.Source)
	}
	at, err := url.Parse(text)
	if err != nil || at.Hostname() == "" {
		return unknown("its origin is not the URL of a host")
	}
	return fact(besra.Text(strings.ToLower(at.Hostname())), besra.GradeWeak, origin.Source)
}
