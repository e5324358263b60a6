package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tree is what is scanned: a folder, or one file.
type tree struct {
	name, path   string
	files, bytes int64
	elf, pe      int64 // files that are programs
}

// cliff reports whether the tree is that of a cliff or catastrophe.
func (t *tree) cliff() bool { return strings.HasPrefix(t.name, "cliff") }

// workloads are the trees that the harness makes, in the order of the tables.
var workloads = []struct {
	name  string
	fill  func(*maker) error
	fixed bool // in size, whatever -size says
}{
	{"binaries", (*maker).binaries, false},
	{"text", (*maker).text, false},
	{"mixed", (*maker).mixed, false},
	{"large", (*maker).large, false},
	{"small", (*maker).small, true},
	{"tar", (*maker).tarball, false},
	{"random", (*maker).noise, false},
}

func workloadNames() (names []string) {
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return names
}

// makeTrees makes the trees that -workload names, those that are not there
// yet, and adds those of -tree.
func (o *options) makeTrees(ctx context.Context) ([]tree, error) {
	var trees []tree
	for _, w := range workloads {
		if !o.wants(w.name) {
			continue
		}
		dir := filepath.Join(o.work, fmt.Sprintf("tree-%s-%dMB-%d", w.name, o.size, o.seed))
		if w.fixed {
			dir = filepath.Join(o.work, fmt.Sprintf("tree-%s-%d", w.name, o.seed))
		}
		if _, err := os.Stat(dir); err != nil {
			log.Printf("making %s", dir)
			if err := o.make(ctx, dir, w.fill); err != nil {
				return nil, fmt.Errorf("making %s: %w", w.name, err)
			}
		}
		trees = append(trees, tree{name: w.name, path: dir})
	}
	for _, p := range o.trees {
		trees = append(trees, tree{name: p.name, path: p.value})
	}
	for i := range trees {
		if err := trees[i].count(); err != nil {
			return nil, err
		}
	}
	return trees, nil
}

// make fills a folder under another name first, so that one that is there is whole.
func (o *options) make(ctx context.Context, dir string, fill func(*maker) error) error {
	m := &maker{ctx: ctx, dir: dir + ".part", want: o.size << 20, random: rand.New(rand.NewPCG(o.seed, 0))}
	defer os.RemoveAll(m.dir)
	if err := os.RemoveAll(m.dir); err != nil { // of a run that was killed
		return err
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	if err := fill(m); err != nil {
		return err
	}
	return os.Rename(m.dir, dir)
}

// count also reads every file, so that all engines find it in memory.
func (t *tree) count() error {
	*t = tree{name: t.name, path: t.path}
	return filepath.WalkDir(t.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		head, err := readHead(f)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, f)
		t.files++
		t.bytes += int64(len(head)) + n
		if isELF(path, head) {
			t.elf++
		} else if isPE(path, head) {
			t.pe++
		}
		return err
	})
}

// maker makes one tree of files of the machine.
type maker struct {
	ctx    context.Context
	dir    string
	want   int64 // bytes
	random *rand.Rand
	made   int64
	n      int
}

// roots are where the files are taken from.
func roots() []string {
	return []string{"/usr/bin", "/usr/lib", "/usr/sbin", "/usr/share", "/usr/include", "/usr/libexec", "/usr/local",
		goroot(), filepath.Join(os.Getenv("SystemRoot"), "System32"), "/Applications"}
}

// goroot is the tree of the toolchain that runs this, empty where there is none.
func goroot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// largestTaken keeps one file from making up a tree.
const largestTaken = 16 << 20

// candidate is a file of the machine.
type candidate struct {
	path string
	size int64
}

// candidates lists the regular files of folders in an order that the seed gives.
func (m *maker) candidates(roots ...string) []candidate {
	seen := make(map[string]bool)
	var list []candidate
	for _, root := range roots {
		if root == "System32" {
			continue
		}
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if m.ctx.Err() != nil {
				return fs.SkipAll
			}
			if err != nil || !d.Type().IsRegular() || seen[path] {
				return nil // what cannot be listed is not taken
			}
			seen[path] = true
			if info, err := d.Info(); err == nil && info.Size() > 0 && info.Size() <= largestTaken {
				list = append(list, candidate{path, info.Size()})
			}
			return nil
		})
	}
	slices.SortFunc(list, func(a, b candidate) int { return bytes.Compare([]byte(a.path), []byte(b.path)) })
	m.random.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	return list
}

// take copies candidates that want likes, until there are enough bytes.
func (m *maker) take(list []candidate, want int64, likes func(path string, head []byte) bool) error {
	for end := m.made + want; len(list) > 0 && m.made < end; list = list[1:] {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		data, err := readLiked(list[0].path, likes)
		if err != nil || data == nil {
			continue // not readable, or not wanted
		}
		if err := m.put(filepath.Base(list[0].path), data); err != nil {
			return err
		}
	}
	if m.made == 0 {
		return errors.New("this machine has no such files")
	}
	return nil
}

func readLiked(path string, likes func(path string, head []byte) bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := readHead(f)
	if err != nil || !likes(path, head) {
		return nil, err
	}
	rest, err := io.ReadAll(f)
	return append(head, rest...), err
}

// readHead reads so much of a file as tells what it is.
func readHead(f io.Reader) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return head[:n], err
}

// put writes a file; a thousand go into a folder.
func (m *maker) put(name string, data []byte) error {
	dir := filepath.Join(m.dir, strconv.Itoa(m.n/1000))
	if m.n%1000 == 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	m.made += int64(len(data))
	m.n++
	return os.WriteFile(filepath.Join(dir, strconv.Itoa(m.n)+"-"+name), data, 0o644)
}

func isELF(_ string, head []byte) bool { return bytes.HasPrefix(head, []byte("\x7fELF")) }
func isAny(string, []byte) bool        { return true }

// isPE wants the header of PE, too: MZ is the head of MS-DOS programs, and of
// some that are none.
func isPE(_ string, head []byte) bool {
	if !bytes.HasPrefix(head, []byte("MZ")) || len(head) < 64 {
		return false
	}
	at := uint64(binary.LittleEndian.Uint32(head[60:]))
	return at < uint64(len(head)) && bytes.HasPrefix(head[at:], []byte("PE\x00\x00"))
}

func isText(path string, head []byte) bool {
	return len(head) >= 64 && !slices.ContainsFunc(head, func(c byte) bool { return c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\f' })
}

// binaries takes PE files for a half, programs built for Windows where there
// are too few, and ELF files, or what the system has, for the rest.
func (m *maker) binaries() error {
	list := m.candidates(roots()...)
	slices.SortStableFunc(list, func(a, b candidate) int { return notNamedPE(a.path) - notNamedPE(b.path) })
	err := m.take(list, m.want/2, isPE)
	if rest := m.want/2 - m.made; rest > 0 {
		err = m.take(m.built(), rest, isPE)
	}
	if err != nil {
		log.Print("no PE files: ", err)
	}
	return m.take(list, m.want-m.made, isELF)
}

// notNamedPE is 0 for the names that PE files mostly have: these are looked at
// first, so that not every file of the machine has to be opened.
func notNamedPE(path string) int {
	if hasSuffix(path, ".exe", ".dll", ".sys") {
		return 0
	}
	return 1
}

// built builds some programs of the Go distribution for Windows.
func (m *maker) built() (list []candidate) {
	dir := filepath.Join(filepath.Dir(m.dir), "windows")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil
	}
	for _, arch := range []string{"amd64", "386"} {
		for _, name := range []string{"gofmt", "nm", "pack", "objdump"} {
			out := filepath.Join(dir, name+"-"+arch+".exe")
			cmd := exec.CommandContext(m.ctx, "go", "build", "-trimpath", "-o", out, "cmd/"+name)
			cmd.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0", "GOARCH="+arch)
			if err := cmd.Run(); err == nil {
				list = append(list, candidate{path: out})
			}
		}
	}
	return list
}

func (m *maker) text() error  { return m.take(m.candidates(roots()...), m.want, isText) }
func (m *maker) mixed() error { return m.take(m.candidates(roots()...), m.want, isAny) }

func (m *maker) randomBytes(n int64) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(m.random.Uint64() >> 56)
	}
	return data
}

// noise makes eight files of random bytes.
func (m *maker) noise() error {
	for range 8 {
		if err := m.put("random", m.randomBytes(m.want/8)); err != nil {
			return err
		}
	}
	return nil
}

// large makes one file of what mixed has.
func (m *maker) large() error {
	out, err := os.Create(filepath.Join(m.dir, "large"))
	if err != nil {
		return err
	}
	defer out.Close()
	return m.fill(out, min(16*m.want, 1<<30))
}

// fill writes files of the machine one after the other, and begins again
// where there are too few.
func (m *maker) fill(w io.Writer, want int64) error {
	list := m.candidates(roots()...)
	for made := int64(0); made < want; {
		before := made
		for _, c := range list {
			if made >= want || m.ctx.Err() != nil {
				break
			}
			data, err := os.ReadFile(c.path)
			if err != nil {
				continue
			}
			n, err := w.Write(data[:min(int64(len(data)), want-made)])
			if err != nil {
				return err
			}
			made += int64(n)
		}
		if made == before {
			return errors.Join(m.ctx.Err(), errors.New("no files to take"))
		}
	}
	return nil
}

// small makes 100,000 files of about 1 KB, cut from what mixed has.
func (m *maker) small() error {
	const count, least, most = 100_000, 512, 1536
	var pool bytes.Buffer
	if err := m.fill(&pool, 64<<20); err != nil {
		return err
	}
	data := pool.Bytes()
	for range count {
		size := least + m.random.IntN(most-least)
		at := m.random.IntN(len(data) - size)
		if err := m.put("small", data[at:at+size]); err != nil {
			return err
		}
	}
	return nil
}
