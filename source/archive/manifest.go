package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// digest is what a package's own manifest says of a member: the algorithm and
// the value. It proves no more than that the package is whole, as whoever made
// the package made its manifest.
type digest struct {
	algorithm string
	value     []byte
	source    string // the manifest
}

// manifest holds the digests of a package by member name.
type manifest map[string]*digest

// digest returns what the manifest says of a member; nil where it does not.
func (m manifest) digest(name string) *digest { return m[innerName(name)] }

// maxManifest bounds how much of a manifest is read.
const maxManifest = 16 << 20

// fits reports whether content is what the manifest says.
func (d *digest) fits(content []byte) bool {
	h := newHash(d.algorithm)
	if h == nil {
		return false
	}
	h.Write(content)
	return bytes.Equal(h.Sum(nil), d.value)
}

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "md5":
		return md5.New()
	case "sha1", "sha-1":
		return sha1.New()
	case "sha256", "sha-256":
		return sha256.New()
	case "sha384", "sha-384":
		return sha512.New384()
	case "sha512", "sha-512":
		return sha512.New()
	}
	return nil
}

// jarManifest reads META-INF/MANIFEST.MF of a Java archive, or RECORD of a
// Python wheel, where there is one.
func (w *walk) jarManifest(r *zip.Reader) manifest {
	for _, f := range r.File {
		switch {
		case f.Name == "META-INF/MANIFEST.MF":
			return readManifest(f, parseJar)
		case strings.HasSuffix(f.Name, ".dist-info/RECORD") && strings.Count(f.Name, "/") == 1:
			return readManifest(f, parseRecord)
		}
	}
	return nil
}

func readManifest(f *zip.File, parse func(io.Reader) manifest) manifest {
	if f.UncompressedSize64 > maxManifest {
		return nil
	}
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	return parse(io.LimitReader(r, maxManifest))
}

// parseJar reads the sections of a manifest (JAR File Specification, "Name-Value
// pairs and Sections"): a line that begins with a blank continues the last.
func parseJar(r io.Reader) manifest {
	m, name := manifest{}, ""
	for _, line := range joinLines(r) {
		key, value, ok := strings.Cut(line, ": ")
		switch algorithm, isDigest := strings.CutSuffix(key, "-Digest"); {
		case line == "":
			name = ""
		case ok && key == "Name":
			name = value
		case ok && isDigest && name != "":
			m.add(name, strings.ToLower(algorithm), value, base64.StdEncoding, "META-INF/MANIFEST.MF")
		}
	}
	return m
}

func joinLines(r io.Reader) []string {
	var lines []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		line := strings.TrimSuffix(s.Text(), "\r")
		if rest, ok := strings.CutPrefix(line, " "); ok && len(lines) > 0 {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// parseRecord reads the lines "path,sha256=value,size" of a wheel's RECORD (PEP 376, 427).
func parseRecord(r io.Reader) manifest {
	m := manifest{}
	s := bufio.NewScanner(r)
	for s.Scan() {
		fields := strings.Split(s.Text(), ",")
		if len(fields) != 3 {
			continue
		}
		if algorithm, value, ok := strings.Cut(fields[1], "="); ok {
			m.add(fields[0], algorithm, value, base64.RawURLEncoding, "RECORD")
		}
	}
	return m
}

// parseSums reads the lines "digest  path" of a Debian package's md5sums.
func parseSums(r io.Reader) manifest {
	m := manifest{}
	s := bufio.NewScanner(r)
	for s.Scan() {
		sum, name, ok := strings.Cut(s.Text(), "  ")
		if value, err := hex.DecodeString(sum); ok && err == nil && len(value) == md5.Size {
			m[innerName(name)] = &digest{"md5", value, "md5sums"}
		}
	}
	return m
}

func (m manifest) add(name, algorithm, value string, encoding *base64.Encoding, source string) {
	b, err := encoding.DecodeString(strings.TrimSpace(value))
	h := newHash(algorithm)
	if err != nil || h == nil || len(b) != h.Size() {
		return
	}
	if old := m[innerName(name)]; old == nil || len(old.value) < len(b) {
		m[innerName(name)] = &digest{algorithm, b, source}
	}
}
