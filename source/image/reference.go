package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	reference "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// isPath tells a path from a reference.
func isPath(name string) bool {
	for _, prefix := range []string{"/", "./", "../", `.\`, `..\`} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if filepath.VolumeName(name) != "" {
		return true
	}
	info, err := os.Stat(name)
	if err != nil {
		return false
	}
	return !info.IsDir() || isLayout(name)
}

// isLayout reports whether a folder holds a layout of OCI, or an unpacked
// docker save.
func isLayout(dir string) bool {
	for _, mark := range []string{"index.json", "manifest.json"} {
		if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
			return true
		}
	}
	return false
}

func parseReference(s string) (reference.Reference, error) {
	ref, err := reference.ParseReference(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no path that exists and no reference of an image: %w", s, err)
	}
	return ref, nil
}

// registry is the [store] of one repository. Whom to be for the registry is
// taken from docker's configuration and the helpers that it names.
type registry struct {
	ref       reference.Reference
	puller    *remote.Puller
	transport *http.Transport
}

func openRegistry(name string) (store, error) {
	ref, err := parseReference(name)
	if err != nil {
		return nil, err
	}
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	p, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("besra"), remote.WithTransport(transport))
	if err != nil {
		return nil, err
	}
	return &registry{ref, p, transport}, nil
}

func (r *registry) tops(ctx context.Context) ([]top, error) {
	d, err := r.puller.Get(ctx, r.ref)
	if err != nil {
		return nil, err
	}
	return []top{{ref: r.ref.String(), document: document{d.MediaType, d.Manifest}}}, nil
}

func (r *registry) manifest(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	got, err := r.puller.Get(ctx, r.ref.Context().Digest(d.Digest.String()))
	if err != nil {
		return nil, err
	}
	return got.Manifest, nil
}

// blob streams a blob and checks its digest on the way.
func (r *registry) blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	l, err := r.puller.Layer(ctx, r.ref.Context().Digest(d.Digest.String()))
	if err != nil {
		return nil, err
	}
	return l.Compressed()
}

// rest is empty: what else is in a repository belongs to other images.
func (r *registry) rest(map[string]bool) []string { return nil }

func (r *registry) lost() error { return nil }

func (r *registry) close() error {
	r.transport.CloseIdleConnections()
	return nil
}
