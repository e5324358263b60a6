//go:build unix

package main

import (
	"archive/tar"
	"bytes"
	"encoding/xml"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// implantAt is where the pattern begins in the implant.
const implantAt = int64(len(`status = "`))

func storePlaces() []spot {
	return append(imagePlaces(), append(gitPlaces(), bucketPlaces()...)...)
}

// savedImage is the image as docker saves it.
func savedImage(t *testing.T, dir string) string {
	saveImage(t, dir)
	return "image:" + filepath.Join(dir, "image.tar")
}

// imageLayout is the same image in a layout of OCI, where it has no name.
func imageLayout(t *testing.T, dir string) string {
	saveImage(t, dir)
	image, err := tarball.ImageFromPath(filepath.Join(dir, "image.tar"), nil)
	must(t, err)
	path, err := layout.Write(filepath.Join(dir, "layout"), empty.Index)
	must(t, err)
	must(t, path.AppendImage(image))
	return "image:" + string(path)
}

// packedLayout is that layout in a compressed tarball.
func packedLayout(t *testing.T, dir string) string {
	path := strings.TrimPrefix(imageLayout(t, dir), "image:")
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must(t, w.AddFS(os.DirFS(path)))
	must(t, w.Close())
	return "image:" + written("layout.tar.gz", func(*testing.T) []byte { return gzipped(b.Bytes()) })(t, dir)
}

// pushedImage is the same image in a registry.
func pushedImage(t *testing.T, dir string) string {
	saveImage(t, dir)
	image, err := tarball.ImageFromPath(filepath.Join(dir, "image.tar"), nil)
	must(t, err)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/team/app:1.2")
	must(t, err)
	must(t, remote.Write(ref, image))
	return "image:" + ref.Name()
}

// imagePlaces have the implant in files of layers; one is deleted by the layer above.
func imagePlaces() []spot {
	const job = `file.sha256 == 'SHA' && file.owner.name == 'logproc' && image.created_by == 'COPY . /'`
	const deleted = `file.sha256 == 'SHA' && image.hidden && image.created_by == 'COPY . /'`
	const named = `file.sha256 == 'SHA' && image.ref == 'example.org/app:1.2'`
	row := func(name string, make func(*testing.T, string) string, target, benign string) spot {
		return spot{name, make, target, implantAt, besra.ContextImage, benign, "", besra.VerdictSuppressed, ""}
	}
	return []spot{
		row("image of docker save", savedImage, "image.tar!/opt/log-processing/normalize.py", job),
		row("image with its name", savedImage, "image.tar!/opt/log-processing/normalize.py", named),
		undecided(row("image without the owner", savedImage, "image.tar!/opt/log-processing/nobody.py", job), "file.owner.name"),
		row("image, deleted above", savedImage, "image.tar!layer-1:/tmp/dropper", deleted),
		{"image, an archive", savedImage, "image.tar!/srv/kit.zip!MixText.py", implantAt + 1, besra.ContextArchive,
			`file.sha256 == 'SHA' && archive.kind == 'zip'`, "", besra.VerdictSuppressed, ""},
		row("layout of OCI", imageLayout, "layout!/opt/log-processing/normalize.py", job),
		row("layout of OCI, deleted above", imageLayout, "layout!layer-1:/tmp/dropper", deleted),
		undecided(row("layout of OCI without a name", imageLayout, "layout!/opt/log-processing/normalize.py", named), "image.ref"),
		row("layout of OCI in a tarball", packedLayout, "layout.tar.gz!/opt/log-processing/normalize.py", job),
		row("registry", pushedImage, "/team/app:1.2!/opt/log-processing/normalize.py", job),
	}
}

// gitPlaces have the implant in the history of a repository, and beside it.
func gitPlaces() []spot {
	repository := func(t *testing.T, dir string) string { makeRepository(t, dir); return "git:" + dir }
	const known = `file.sha256 == 'SHA' && archive.kind == 'git' && git.author == 'a.author@example.org' && git.reachable`
	return []spot{
		{"git, deleted since", repository, ":old/MixText.py", implantAt, besra.ContextArchive, known, "", besra.VerdictSuppressed, ""},
		{"git, which keeps no owner", repository, ":old/MixText.py", implantAt, besra.ContextArchive,
			`file.sha256 == 'SHA' && file.owner.name == 'a'`, "", besra.VerdictUndecided, "file.owner.name"},
		{"git, an archive", repository, ":kit.zip!MixText.py", implantAt, besra.ContextArchive,
			`file.sha256 == 'SHA' && archive.kind == 'zip'`, "", besra.VerdictSuppressed, ""},
		{"git, beside the history", repository, "/.git/hooks/post-checkout", implantAt + 1, besra.ContextFile, `file.sha256 == 'SHA'`, "", besra.VerdictSuppressed, ""},
	}
}

// bucketPlaces have the marker in an object.
func bucketPlaces() []spot {
	folder := func(t *testing.T, dir string) string {
		return "bucket:file://" + filepath.Dir(written("tool.py", literally(marker))(t, dir))
	}
	s3 := func(t *testing.T, dir string) string {
		server := httptest.NewServer(http.HandlerFunc(likeS3))
		t.Cleanup(server.Close)
		return "bucket:s3://evidence/in/?region=eu-west-1&anonymous=true&endpoint=" + server.URL
	}
	return []spot{
		{"bucket in a folder", folder, "/tool.py", markerAt, besra.ContextObject, `file.sha256 == 'SHA' && file.path == '/tool.py'`, "", besra.VerdictSuppressed, ""},
		{"bucket in a folder, which has no tags", folder, "/tool.py", markerAt, besra.ContextObject,
			`file.sha256 == 'SHA' && 'team=soc' in object.tags`, "", besra.VerdictUndecided, "object.tags"},
		{"S3", s3, "s3://evidence/in/tool.py", markerAt, besra.ContextObject,
			`file.sha256 == 'SHA' && object.bucket == 'evidence' && object.etag == '1'`, "", besra.VerdictSuppressed, ""},
	}
}

// likeS3 answers as a bucket of S3 with one object does.
func likeS3(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"1"`)
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	if r.URL.Query().Get("list-type") != "2" {
		http.ServeContent(w, r, "tool.py", at, strings.NewReader(marker))
		return
	}
	type object struct {
		Key, ETag    string
		Size         int
		LastModified time.Time
	}
	xml.NewEncoder(w).Encode(struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents object
	}{Contents: object{"in/tool.py", `"1"`, len(marker), at}})
}
