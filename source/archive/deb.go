package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"io"
	"path"
	"strings"
)

// deb yields what a Debian package installs under its own path, and its control
// files under DEBIAN/, so that "x.deb!usr/bin/id" is the name of a file. The
// package's md5sums say whether each is what was packed.
func (w *walk) deb() error {
	return eachAr(w.content, func(m arMember) error {
		switch {
		case strings.HasPrefix(m.name, "control.tar"):
			w.readControl(m)
			return w.debPart(m, "DEBIAN/")
		case strings.HasPrefix(m.name, "data.tar"):
			return w.debPart(m, "")
		}
		return nil
	})
}

// debPart walks one of the two archives in a package.
func (w *walk) debPart(m arMember, under string) error {
	r, err := w.unpackDeb(m)
	if err == nil {
		w.under = under
		err = w.tarFrom(bufio.NewReader(&metered{r, w.budget}), nil)
		w.under = ""
		closeReader(r)
	}
	if err != nil && w.stopped == nil {
		w.gap(m.name, err)
		return nil // the other part may be sound
	}
	return err
}

func (w *walk) unpackDeb(m arMember) (io.Reader, error) {
	if strings.HasSuffix(m.name, ".tar") {
		return bytes.NewReader(m.data), nil
	}
	return decompress(m.data)
}

// readControl takes the package's name and md5sums from its control files.
func (w *walk) readControl(m arMember) {
	r, err := w.unpackDeb(m)
	if err != nil {
		return
	}
	defer closeReader(r)
	tr := tar.NewReader(io.LimitReader(r, 2*maxManifest))
	for {
		h, err := tr.Next()
		if err != nil {
			return
		}
		switch path.Clean(h.Name) {
		case "md5sums":
			w.manifest = parseSums(tr)
		case "control":
			w.pkg = controlField(tr, "Package")
		}
	}
}

// controlField returns a field of a control file's first paragraph.
func controlField(r io.Reader, key string) string {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.EqualFold(name, key) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
