package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// tarball makes one tar file of the members of many archives of the machine,
// and of its files where those are too few.
func (m *maker) tarball() error {
	out, err := os.Create(filepath.Join(m.dir, "members.tar"))
	if err != nil {
		return err
	}
	defer out.Close()
	p := &packer{m: m, w: tar.NewWriter(out)}
	list := m.candidates(append(roots(), modules())...)
	for _, c := range list {
		if !p.full() {
			p.archive(c.path)
		}
	}
	log.Printf("tar: %d MB, members of %d archives", m.made>>20, p.archives)
	for _, c := range list {
		if data, err := os.ReadFile(c.path); err == nil && !p.full() {
			p.add(c.path, data)
		}
	}
	return errors.Join(p.err, p.w.Close(), m.ctx.Err())
}

// modules is the folder of Go's modules, which come as zip files.
func modules() string {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "cache", "download")
}

// packer puts members into a tar file.
type packer struct {
	m        *maker
	w        *tar.Writer
	archives int // that gave members
	err      error
}

func (p *packer) full() bool {
	return p.m.made >= p.m.want || p.err != nil || p.m.ctx.Err() != nil
}

func (p *packer) add(name string, data []byte) {
	p.m.made += int64(len(data))
	p.err = p.w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX})
	if p.err == nil {
		_, p.err = p.w.Write(data)
	}
}

// archive adds members of a file that is an archive, a hundredth of what is
// wanted at most, so that they come from many.
func (p *packer) archive(file string) {
	before, most := p.m.made, p.m.made+p.m.want/100
	take := func(name string, size int64, r io.Reader) (more bool) {
		if size <= 0 || size > p.m.want/100 {
			return true
		}
		data, err := io.ReadAll(io.LimitReader(r, size))
		if err != nil {
			return false
		}
		p.add(path.Join(filepath.ToSlash(file), name), data)
		return p.m.made < most && !p.full()
	}
	switch {
	case hasSuffix(file, ".zip", ".jar", ".whl", ".nupkg", ".jmod"):
		eachZipped(file, take)
	case hasSuffix(file, ".tar", ".tar.gz", ".tgz", ".crate"):
		eachTarred(file, take)
	}
	if p.m.made > before {
		p.archives++
	}
}

func hasSuffix(name string, suffixes ...string) bool {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// eachZipped hands over members until take wants no more. What cannot be read
// is not taken.
func eachZipped(file string, take func(name string, size int64, r io.Reader) bool) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			continue
		}
		more := take(f.Name, int64(f.UncompressedSize64), r)
		r.Close()
		if !more {
			return
		}
	}
}

// eachTarred is eachZipped for tar files, with gzip or without.
func eachTarred(file string, take func(name string, size int64, r io.Reader) bool) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	var r io.Reader = f
	if !strings.HasSuffix(file, ".tar") {
		if r, err = gzip.NewReader(f); err != nil {
			return
		}
	}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err != nil || h.Typeflag == tar.TypeReg && !take(h.Name, h.Size, t) {
			return
		}
	}
}
