package bucket

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var stored = time.Date(2026, 11, 20, 2, 10, 0, 0, time.UTC)

// pageSize is how many objects a stand-in lists at once.
const pageSize = 20

// standIn is a server that answers as the stores do, as far as they are asked.
type standIn struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
	offline map[string]bool
	tags    map[string]string
	busy    map[string]int // how often a key, or "" for the list, is answered with 503 first
	cut     map[string]int // how often an object's answer breaks off in its middle
	refused map[string]bool
	packed  map[string]bool // stated to be compressed with gzip
	headers http.Header     // of the last request
	lists   int             // pages that were asked for
}

// start starts a stand-in with a bucket of its own kind.
func start(t testing.TB, handler func(*standIn, http.ResponseWriter, *http.Request)) *standIn {
	t.Helper()
	s := &standIn{objects: map[string][]byte{}, offline: map[string]bool{}, tags: map[string]string{}, busy: map[string]int{}, cut: map[string]int{}, refused: map[string]bool{}, packed: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.headers = r.Header
		handler(s, w, r)
	}))
	s.Config.SetKeepAlivesEnabled(false) // so that no connection outlives its answer
	t.Cleanup(s.Close)
	return s
}

// page returns the keys of one page, and the token of the next.
func (s *standIn) page(prefix, after, token string) (keys []string, next string) {
	s.lists++
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(k, prefix) || k <= after || k <= token {
			continue
		}
		if len(keys) == pageSize {
			return keys, keys[pageSize-1]
		}
		keys = append(keys, k)
	}
	return keys, ""
}

func etag(content []byte) string {
	return fmt.Sprintf("etag-%d-%x", len(content), content[:min(len(content), 8)])
}

// trouble answers for what is busy or refused; it reports whether it did.
func (s *standIn) trouble(w http.ResponseWriter, key string) bool {
	switch {
	case s.busy[key] > 0:
		s.busy[key]--
		w.WriteHeader(http.StatusServiceUnavailable)
	case s.refused[key]:
		w.WriteHeader(http.StatusForbidden)
	case s.offline[key]:
		w.Header().Set("X-Ms-Error-Code", "BlobArchived")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<Error><Code>InvalidObjectState</Code></Error>")
	default:
		return false
	}
	return true
}

// serve answers with an object, from where it is asked for.
func (s *standIn) serve(w http.ResponseWriter, r *http.Request, key, match string) {
	content, ok := s.objects[key]
	switch {
	case s.trouble(w, key):
		return
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		return
	case match != "" && strings.Trim(match, `"`) != etag(content):
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	from := 0
	for _, name := range []string{"Range", "X-Ms-Range"} {
		if at, ok := strings.CutPrefix(r.Header.Get(name), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(at, "-"))
		}
	}
	h := w.Header()
	h.Set("Content-Length", strconv.Itoa(len(content)-from))
	h.Set("Content-Type", "text/x-python")
	h.Set("Etag", `"`+etag(content)+`"`)
	h.Set("Last-Modified", stored.Format(http.TimeFormat))
	if s.packed[key] {
		h.Set("Content-Encoding", "gzip")
	}
	if from > 0 {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	if s.cut[key] > 0 {
		s.cut[key]--
		w.Write(content[from : from+(len(content)-from)/2])
		http.NewResponseController(w).Flush() // the headers, where there is no half
		panic(http.ErrAbortHandler)
	}
	w.Write(content[from:])
}

func likeS3(s *standIn, w http.ResponseWriter, r *http.Request) {
	q, key := r.URL.Query(), strings.TrimPrefix(r.URL.Path, "/bucket/")
	switch {
	case q.Has("tagging"):
		type tag struct{ Key, Value string }
		var answer struct {
			XMLName xml.Name `xml:"Tagging"`
			TagSet  struct{ Tag []tag }
		}
		if k, v, ok := strings.Cut(s.tags[key], "="); ok {
			answer.TagSet.Tag = []tag{{k, v}}
		}
		xml.NewEncoder(w).Encode(answer)
	case q.Get("list-type") != "2":
		s.serve(w, r, key, r.Header.Get("If-Match"))
	case !s.trouble(w, ""):
		type content struct {
			Key, ETag, StorageClass string
			Size                    int
			LastModified            time.Time
		}
		answer := struct {
			XMLName               xml.Name `xml:"ListBucketResult"`
			IsTruncated           bool
			NextContinuationToken string
			Contents              []content
		}{}
		keys, next := s.page(q.Get("prefix"), q.Get("start-after"), q.Get("continuation-token"))
		answer.IsTruncated, answer.NextContinuationToken = next != "", next
		for _, k := range keys {
			c := content{Key: k, ETag: `"` + etag(s.objects[k]) + `"`, Size: len(s.objects[k]), LastModified: stored}
			if s.offline[k] {
				c.StorageClass = "GLACIER"
			}
			answer.Contents = append(answer.Contents, c)
		}
		w.Header().Set("Content-Type", "application/xml")
		xml.NewEncoder(w).Encode(answer)
	}
}

func likeAzure(s *standIn, w http.ResponseWriter, r *http.Request) {
	q, key := r.URL.Query(), strings.TrimPrefix(r.URL.Path, "/account/bucket/")
	switch {
	case q.Get("comp") == "tags":
		var tag string
		if k, v, ok := strings.Cut(s.tags[key], "="); ok {
			tag = "<Tag><Key>" + k + "</Key><Value>" + v + "</Value></Tag>"
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, "<Tags><TagSet>%s</TagSet></Tags>", tag)
	case q.Get("comp") != "list":
		s.serve(w, r, key, r.Header.Get("If-Match"))
	case !s.trouble(w, ""):
		w.Header().Set("Content-Type", "application/xml")
		keys, next := s.page(q.Get("prefix"), "", q.Get("marker"))
		fmt.Fprint(w, "<EnumerationResults><Blobs>")
		for _, k := range keys {
			tier := "Hot"
			if s.offline[k] {
				tier = "Archive"
			}
			fmt.Fprintf(w, "<Blob><Name>%s</Name><Properties><Last-Modified>%s</Last-Modified><Etag>%s</Etag><Content-Length>%d</Content-Length><Content-Type>text/x-python</Content-Type><AccessTier>%s</AccessTier></Properties></Blob>",
				k, stored.Format(http.TimeFormat), etag(s.objects[k]), len(s.objects[k]), tier)
		}
		fmt.Fprintf(w, "</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", next)
	}
}

func likeGoogle(s *standIn, w http.ResponseWriter, r *http.Request) {
	q, key := r.URL.Query(), strings.TrimPrefix(r.URL.Path, "/storage/v1/b/bucket/o/")
	if q.Get("alt") == "media" {
		s.serve(w, r, key, q.Get("generation"))
		return
	}
	if s.trouble(w, "") {
		return
	}
	var answer struct {
		Items         []map[string]string `json:"items"`
		NextPageToken string              `json:"nextPageToken,omitempty"`
	}
	var keys []string
	keys, answer.NextPageToken = s.page(q.Get("prefix"), strings.TrimSuffix(q.Get("startOffset"), "\x00"), q.Get("pageToken"))
	for _, k := range keys {
		answer.Items = append(answer.Items, map[string]string{"name": k, "size": strconv.Itoa(len(s.objects[k])), "generation": etag(s.objects[k]),
			"updated": stored.Format(time.RFC3339), "contentType": "text/x-python"})
	}
	json.NewEncoder(w).Encode(answer)
}
