package facts

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/besra-hunt/besra"
)

// packageIndex is what a host's package manager knows of its files.
type packageIndex struct {
	manager string             // "dpkg", "rpm" or "apk"
	files   map[string]shipped // by canonical path
	links   map[string]string  // directories near the top that are links, such as /bin to /usr/bin
	packs   map[string]*pack   // by name, while the index is read
	left    int                // bytes that the index may still grow by
	why     string             // why there is no index
	partial string             // why a path that it does not hold may still belong to a package
}

// pack is an installed package.
type pack struct{ name, version string }

// shipped is one file as a package brought it.
type shipped struct {
	pack *pack
	kind sumKind
	sum  [32]byte
}

// sumKind is the digest that an index knows a file by.
type sumKind uint8

const (
	noSum sumKind = iota
	md5Sum
	sha1Sum
	sha256Sum
)

// sums tells each kind's fact, the words for it, and its length in bytes.
var sums = [...]struct {
	fact, name string
	size       int
}{md5Sum: {"file.md5", "MD5", 16}, sha1Sum: {"file.sha1", "SHA-1", 20}, sha256Sum: {"file.sha256", "SHA-256", 32}}

// maxIndex bounds the memory of one index; that of a full desktop takes a fifth.
const maxIndex = 256 << 20

// newIndex returns an empty index with room for about that many paths.
func newIndex(manager string, t tree, paths int) *packageIndex {
	return &packageIndex{manager: manager, files: make(map[string]shipped, min(paths, 1<<18)), packs: map[string]*pack{}, links: topLinks(t), left: maxIndex}
}

// readPackages reads the host's package index, whole and once: asking the
// package manager for one path takes longer than this does for all.
func readPackages(t tree) *packageIndex {
	for _, read := range []func(tree) *packageIndex{readDpkg, readRPM, readAPK} {
		if x := read(t); x != nil {
			x.packs = nil
			return x
		}
	}
	if _, err := t.lstat("/var/lib/pacman/local"); err == nil {
		return &packageIndex{why: "the package index of pacman is not read"}
	}
	return &packageIndex{why: "the host has no package index that is known"}
}

// pack returns the package of a name.
func (x *packageIndex) pack(name string) *pack {
	p := x.packs[name]
	if p == nil {
		p = &pack{name: name}
		x.packs[name] = p
	}
	return p
}

// put notes what is at a path on disk, in canonical spelling.
func (x *packageIndex) put(at string, s shipped) {
	const perEntry = 112
	if x.left -= len(at) + perEntry; x.left < 0 {
		x.partial = "it is larger than any host's"
		return
	}
	x.files[at] = s
}

// read takes a file of the index line by line. One that does not exist says
// nothing; one that cannot be read might have said something.
func (x *packageIndex) read(t tree, path string, line func(int, []byte) error) {
	if err := eachLine(t, path, line); err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.partial = reason(path, err)
	}
}

// nearTop are directories that distributions have merged into others.
var nearTop = []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32", "/usr/sbin"}

// topLinks finds those that are links into another directory.
func topLinks(t tree) map[string]string {
	links := map[string]string{}
	for _, name := range nearTop {
		if to, err := t.readlink(name); err == nil {
			if !path.IsAbs(to) {
				to = path.Join(path.Dir(name), to)
			}
			links[name] = path.Clean(to)
		}
	}
	return links
}

// canonical spells a path as the index does: where /bin is a link to /usr/bin,
// packages and users may know one file by either name.
func (x *packageIndex) canonical(p string) string {
	for _, elements := range []int{1, 2} {
		if dir, rest, ok := cutElements(p, elements); ok {
			if to, ok := x.links[dir]; ok {
				p = to + rest
			}
		}
	}
	return p
}

// cutElements splits an absolute path after its first n elements.
func cutElements(p string, n int) (dir, rest string, ok bool) {
	at := 0
	for range n {
		i := strings.IndexByte(p[min(at+1, len(p)):], '/')
		if i < 0 {
			return "", "", false
		}
		at += 1 + i
	}
	return p[:at], p[at:], true
}

// owner returns the file as its package shipped it, and whether one did.
func (x *packageIndex) owner(path string) (shipped, bool) {
	s, ok := x.files[x.canonical(path)]
	return s, ok
}

// stray is the fact about a path that the index does not hold.
func (x *packageIndex) stray(value any) besra.Fact {
	if x.partial != "" {
		return unknown("the index was not read whole: " + x.partial)
	}
	return fact(value, besra.GradeAsserted, "no package of "+x.manager+" lists the path")
}

func (f *File) packageFact(ctx context.Context, name string) besra.Fact {
	x := f.host.packages()
	if x.why != "" {
		return unknown(x.why)
	}
	s, ok := x.owner(f.path)
	switch {
	case name == "package.manager":
		return fact(x.manager, besra.GradeAsserted, "its index")
	case name == "package.verified":
		return f.packageVerified(ctx, x, s, ok)
	case !ok:
		return x.stray(besra.Text(""))
	case name == "package.name":
		return fact(besra.Text(s.pack.name), besra.GradeAsserted, x.manager)
	case s.pack.version == "":
		return unknown("the index holds no version of package " + s.pack.name)
	}
	return fact(besra.Text(s.pack.version), besra.GradeAsserted, x.manager)
}

// packageVerified compares the content with the digest in the index. A file
// that no package shipped is not verified; one whose digest the index does not
// hold is not known to be.
func (f *File) packageVerified(ctx context.Context, x *packageIndex, s shipped, owned bool) besra.Fact {
	switch {
	case !owned:
		return x.stray(false)
	case s.kind == noSum:
		return unknown("the index holds no digest for the path")
	}
	kind := sums[s.kind]
	sum := f.Fact(ctx, kind.fact)
	if !sum.Known() {
		return unknown(sum.Source)
	}
	return fact(sum.Value == hex.EncodeToString(s.sum[:kind.size]), besra.GradeAsserted, x.manager+" "+kind.name+" of package "+s.pack.name)
}

// hexSum reads a digest in hex; its length tells its kind.
func hexSum[T string | []byte](digest T) (s shipped, ok bool) {
	for kind := md5Sum; kind <= sha256Sum; kind++ {
		if len(digest) == 2*sums[kind].size {
			s.kind = kind
			n, err := hex.Decode(s.sum[:], []byte(digest))
			return s, err == nil && n == sums[kind].size
		}
	}
	return s, false
}
