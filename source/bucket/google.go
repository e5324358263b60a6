package bucket

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// gcs is a bucket of Google Cloud Storage, by its JSON API.
type gcs struct {
	bucket  string // URL of the bucket's objects
	project string // pays for requests, where not the bucket's owner does
	client  *http.Client
}

func openGoogle(p place) (store, error) {
	endpoint, nobody := p.params.Get("endpoint"), p.is("anonymous")
	if host := os.Getenv("STORAGE_EMULATOR_HOST"); endpoint == "" && host != "" {
		endpoint, nobody = host, true
		if !strings.Contains(host, "://") {
			endpoint = "http://" + host
		}
	}
	g := &gcs{project: p.params.Get("user_project"), client: &http.Client{Transport: asStored()},
		bucket: cmp.Or(strings.TrimRight(endpoint, "/"), "https://storage.googleapis.com") + "/storage/v1/b/" + url.PathEscape(p.bucket) + "/o"}
	if nobody || strings.HasPrefix(endpoint, "http://") { // no token goes where others could read it
		return g, nil
	}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, g.client)
	login, err := google.FindDefaultCredentials(ctx, "https://www.googleapis.com/auth/devstorage.read_only")
	if err != nil {
		return nil, err
	}
	g.client = oauth2.NewClient(ctx, login.TokenSource)
	return g, nil
}

// gcsObject is what is needed of the API's resource of an object.
type gcsObject struct {
	Name, Size, Etag, Generation, ContentType, StorageClass string
	Updated                                                 time.Time
}

func (g *gcs) list(ctx context.Context, prefix, after string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		query := url.Values{"prefix": {prefix}, "fields": {"nextPageToken,items(name,size,etag,generation,updated,contentType,storageClass)"}}
		if after != "" {
			query.Set("startOffset", after+"\x00")
		}
		for {
			var page struct {
				Items         []gcsObject
				NextPageToken string
			}
			if err := g.page(ctx, query, &page); err != nil {
				yield(object{}, err)
				return
			}
			for _, i := range page.Items {
				size, err := strconv.ParseInt(i.Size, 10, 64)
				if err != nil {
					yield(object{}, fmt.Errorf("size of %q: %w", i.Name, err))
					return
				}
				// What names the content is the generation; an etag is of the metadata, too.
				if !yield(object{key: i.Name, size: size, etag: i.Generation, mtime: i.Updated, media: i.ContentType}, nil) {
					return
				}
			}
			if page.NextPageToken == "" {
				return
			}
			query.Set("pageToken", page.NextPageToken)
		}
	}
}

// maxPage bounds one page of a list, in bytes.
const maxPage = 64 << 20

func (g *gcs) page(ctx context.Context, query url.Values, page any) error {
	answer, err := g.get(ctx, g.bucket+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(io.LimitReader(answer.Body, maxPage)).Decode(page)
}

func (g *gcs) open(ctx context.Context, o object, from int64) (io.ReadCloser, string, error) {
	header := http.Header{"Accept-Encoding": {"gzip"}} // as it is stored, not unpacked on the way
	if from > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	query := url.Values{"alt": {"media"}}
	if o.etag != "" {
		query.Set("generation", o.etag)
	}
	answer, err := g.get(ctx, g.bucket+"/"+url.PathEscape(o.key)+"?"+query.Encode(), header)
	if err != nil {
		return nil, "", err
	}
	return answer.Body, answer.Header.Get("Content-Type"), nil
}

// A request is tried again where the store is busy or cannot be reached, after
// a wait that doubles.
const (
	tries     = 5
	firstWait = 500 * time.Millisecond
)

func (g *gcs) get(ctx context.Context, url string, header http.Header) (*http.Response, error) {
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		answer, err := g.once(ctx, url, header)
		var busy *busyError
		if err == nil || try == tries || !errors.As(err, &busy) || ctx.Err() != nil {
			return answer, err
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// busyError is one that may be gone when tried again.
type busyError struct{ error }

func (b *busyError) Unwrap() error { return b.error }

func (g *gcs) once(ctx context.Context, url string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if g.project != "" {
		request.Header.Set("X-Goog-User-Project", g.project)
	}
	answer, err := g.client.Do(request)
	if err != nil {
		return nil, &busyError{err}
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	answer.Body.Close()
	err = told(answer.StatusCode, errors.New("the store answered "+answer.Status))
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout || answer.StatusCode >= 500 {
		err = &busyError{err}
	}
	return nil, err
}

func (g *gcs) tags(context.Context, object) ([]string, error) {
	return nil, errors.New("the store keeps none")
}
