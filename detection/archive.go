package detection

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// A pack archive (.bpk) is a ZIP file. Its first entry is the manifest, which
// names every other file with size and SHA-256; the second, where it is signed,
// the signatures over the manifest's bytes. The same files always give the same
// manifest, and the same bytes but for signatures. Nothing outside of the
// manifest is ever looked at, and nothing is taken from a file whose digest is
// not the manifest's, so that a signature covers all that counts.
const (
	manifestName  = "besra-manifest.json"
	signatureName = "besra-signatures.json"
	archiveFormat = "besra-pack/v1"
	signedPrefix  = "besra-pack/v1 manifest\n" // what is signed is this and the manifest
)

// The limits of an archive that is read.
const (
	MaxArchive    = 512 << 20 // bytes of the archive
	maxContent    = 2 << 30   // bytes of all files
	maxManifest   = 64 << 20
	maxSignatures = 64
)

// Manifest says what a pack archive holds.
type Manifest struct {
	Format  string         `json:"format"`
	Name    string         `json:"name"`
	Version string         `json:"version"`
	Digest  string         `json:"digest"` // of the pack, as records name it
	Files   []ManifestFile `json:"files"`  // sorted by path
}

// ManifestFile is one file of a manifest.
type ManifestFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Signature is one signature of a manifest.
type Signature struct {
	Key string `json:"key"` // see [KeyID]
	Sig string `json:"sig"` // base64
}

// KeyID names a public key: the first 16 hex digits of its SHA-256.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// ArchiveError says why an archive is not taken.
type ArchiveError struct {
	Reason string // tampered, unsigned, untrusted, rollback, malformed, too_large
	Msg    string
	Hint   string
}

// Error implements error.
func (e *ArchiveError) Error() string { return e.Msg }

func refuse(reason, hint, format string, args ...any) error {
	return &ArchiveError{reason, fmt.Sprintf(format, args...), hint}
}

// Archive is a pack archive that was read: every file is the one its manifest
// names. Whether anybody trusted signed that manifest is for [Archive.Verify].
type Archive struct {
	Manifest   Manifest
	Signatures []Signature
	manifest   []byte
	files      *zip.Reader
}

// BuildArchive makes the archive of a pack, unsigned. The pack must have a
// pack.yaml with name and version, and no fault.
func BuildArchive(p *Pack) ([]byte, error) {
	if !validVersion().MatchString(p.Version) {
		return nil, refuse("malformed", "write a pack.yaml with apiVersion, name and version at its root", "the pack %s has no version", p.Name)
	}
	m := Manifest{Format: archiveFormat, Name: p.Name, Version: p.Version, Digest: p.Digest}
	err := fs.WalkDir(p.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		text, err := readFile(p.FS, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		m.Files = append(m.Files, ManifestFile{name, int64(len(text)), hex.EncodeToString(sum[:])})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(m.Files, func(a, b ManifestFile) int { return cmp.Compare(a.Path, b.Path) })
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	return writeArchive(text, nil, m.Files, p.FS)
}

func writeArchive(manifest []byte, signatures []Signature, files []ManifestFile, from fs.FS) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	add := func(name string, text []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	err := add(manifestName, manifest)
	if err == nil && len(signatures) > 0 {
		var text []byte
		if text, err = json.MarshalIndent(signatures, "", " "); err == nil {
			err = add(signatureName, text)
		}
	}
	for _, f := range files {
		if err != nil {
			return nil, err
		}
		var text []byte
		if text, err = fs.ReadFile(from, f.Path); err == nil {
			err = add(f.Path, text)
		}
	}
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}

// Sign returns the archive with a signature by key added. One by the same key
// is replaced.
func (a *Archive) Sign(key ed25519.PrivateKey) ([]byte, error) {
	id := KeyID(key.Public().(ed25519.PublicKey))
	sigs := slices.DeleteFunc(slices.Clone(a.Signatures), func(s Signature) bool { return s.Key == id })
	sig := ed25519.Sign(key, append([]byte(signedPrefix), a.manifest...))
	sigs = append(sigs, Signature{id, base64.StdEncoding.EncodeToString(sig)})
	slices.SortFunc(sigs, func(x, y Signature) int { return cmp.Compare(x.Key, y.Key) })
	return writeArchive(a.manifest, sigs, a.Manifest.Files, a.files)
}

// Verify returns the id of the first trusted key that signed the archive.
func (a *Archive) Verify(trusted []ed25519.PublicKey) (string, error) {
	if len(a.Signatures) == 0 {
		return "", refuse("unsigned", "sign it with besra pack sign", "the pack %s is not signed", a.Manifest.Name)
	}
	var signers []string
	for _, s := range a.Signatures {
		for _, key := range trusted {
			if KeyID(key) != s.Key {
				continue
			}
			sig, err := base64.StdEncoding.DecodeString(s.Sig)
			if err != nil || !ed25519.Verify(key, append([]byte(signedPrefix), a.manifest...), sig) {
				return "", refuse("tampered", "get it again from its source", "the signature by key %s is wrong: the pack %s was changed after it was signed", s.Key, a.Manifest.Name)
			}
			return s.Key, nil
		}
		signers = append(signers, s.Key)
	}
	return "", refuse("untrusted", "name a public key to trust with --trust-key", "the pack %s is signed by %s, none of them trusted",
		a.Manifest.Name, strings.Join(signers, ", "))
}

// Pack loads the archive's detections.
func (a *Archive) Pack() (*Pack, []error) { return LoadPack(a.Manifest.Name, a.files) }

// ReadArchive reads an archive and holds every file to its manifest. Errors are
// of type *ArchiveError.
func ReadArchive(data []byte) (*Archive, error) {
	if len(data) > MaxArchive {
		return nil, refuse("too_large", "", "the archive has %d bytes, more than %d", len(data), MaxArchive)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, refuse("malformed", "besra pack build makes pack archives", "not a pack archive: %v", err)
	}
	if len(z.File) == 0 || z.File[0].Name != manifestName {
		return nil, refuse("malformed", "besra pack build makes pack archives", "not a pack archive: its first entry is not %s", manifestName)
	}
	a := &Archive{files: z}
	if a.manifest, err = readEntry(z.File[0], maxManifest); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(a.manifest, &a.Manifest); err != nil {
		return nil, refuse("malformed", "", "the manifest cannot be read: %v", err)
	}
	entries := z.File[1:]
	if len(entries) > 0 && entries[0].Name == signatureName {
		if err := a.readSignatures(entries[0]); err != nil {
			return nil, err
		}
		entries = entries[1:]
	}
	return a, a.check(entries)
}

func (a *Archive) readSignatures(f *zip.File) error {
	text, err := readEntry(f, 1<<20)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &a.Signatures); err != nil || len(a.Signatures) > maxSignatures {
		return refuse("malformed", "", "the signatures cannot be read")
	}
	return nil
}

// check wants the entries to be the manifest's files, no more and no less, in
// its order and with its digests.
func (a *Archive) check(entries []*zip.File) error {
	m := a.Manifest
	switch {
	case m.Format != archiveFormat:
		return refuse("malformed", "a newer besra may read it", "the archive has the format %q, want %s", m.Format, archiveFormat)
	case !validID().MatchString(m.Name) || !validVersion().MatchString(m.Version):
		return refuse("malformed", "", "the manifest has no valid name and version")
	case len(m.Files) > maxFiles || len(m.Files) != len(entries):
		return refuse("tampered", "get it again from its source", "the archive has %d files, its manifest names %d", len(entries), len(m.Files))
	}
	var total int64
	folded := map[string]bool{}
	for i, f := range m.Files {
		low := strings.ToLower(f.Path)
		switch total += f.Size; {
		case !safePath(f.Path):
			return refuse("malformed", "", "the archive holds a file with the path %q", f.Path)
		case folded[low] || i > 0 && m.Files[i-1].Path >= f.Path:
			return refuse("malformed", "", "the file %q stands twice in the archive or out of order", f.Path)
		case f.Size < 0 || f.Size > maxFile || total > maxContent:
			return refuse("too_large", "", "the file %q has %d bytes, the archive %d or more", f.Path, f.Size, total)
		}
		folded[low] = true
		if err := checkEntry(entries[i], f); err != nil {
			return err
		}
	}
	return nil
}

// safePath reports whether a path stays below its root on every system.
func safePath(p string) bool {
	return fs.ValidPath(p) && p != "." && path.Clean(p) == p && !strings.ContainsAny(p, "\\:\x00") &&
		p != manifestName && p != signatureName
}

func checkEntry(entry *zip.File, f ManifestFile) error {
	if entry.Name != f.Path || !entry.Mode().IsRegular() {
		return refuse("tampered", "get it again from its source", "the archive holds %q where its manifest names %q", entry.Name, f.Path)
	}
	text, err := readEntry(entry, f.Size)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != f.SHA256 {
		return refuse("tampered", "get it again from its source", "the file %q is not the one that the manifest names", f.Path)
	}
	return nil
}

// readEntry reads an entry that may have at most limit bytes, whatever its
// header says.
func readEntry(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, refuse("malformed", "", "%s cannot be read: %v", f.Name, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, refuse("tampered", "get it again from its source", "%s cannot be read: %v", f.Name, err)
	case int64(len(text)) > limit:
		return nil, refuse("tampered", "get it again from its source", "%s has more than the %d bytes it may have", f.Name, limit)
	}
	return text, nil
}

// CompareVersions orders two versions: negative where a is older than b.
func CompareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if c := cmp.Or(cmp.Compare(len(x[i]), len(y[i])), cmp.Compare(x[i], y[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}
