package bucket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3 is a bucket of Amazon S3, or of a store that speaks its language.
type s3 struct {
	client *minio.Core
	bucket string
	pays   bool // the requester does
	asks   bool // for each object that the list has as offline
}

const amazon = "https://s3.amazonaws.com"

func openS3(p place) (store, error) {
	at := cmp.Or(p.params.Get("endpoint"), os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), amazon)
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("endpoint " + at + ": want a URL without a path, such as https://minio.example:9000")
	}
	client, err := minio.NewCore(u.Host, &minio.Options{Creds: s3Credentials(p), Secure: u.Scheme == "https", Transport: asStored(), MaxRetries: 4,
		Region: cmp.Or(p.params.Get("region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))})
	if err != nil {
		return nil, err
	}
	return &s3{client, p.bucket, p.is("requester_pays"), p.is("restored")}, nil
}

// s3Credentials asks the environment, the shared file and the machine's role; where
// none is known, requests are anonymous.
func s3Credentials(p place) *credentials.Credentials {
	if p.is("anonymous") {
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}}})
}

// s3Offline are the classes of storage that have to be restored first.
var s3Offline = []string{"GLACIER", "DEEP_ARCHIVE"}

func (s *s3) list(ctx context.Context, prefix, after string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		opts := minio.ListObjectsOptions{Prefix: prefix, StartAfter: after, Recursive: true}
		s.pay(&opts)
		for i := range s.client.ListObjectsIter(ctx, s.bucket, opts) {
			if i.Err != nil {
				yield(object{}, s3Error(i.Err))
				return
			}
			if !yield(object{key: i.Key, size: i.Size, etag: i.ETag, mtime: i.LastModified, media: i.ContentType,
				offline: !s.asks && slices.Contains(s3Offline, i.StorageClass)}, nil) {
				return
			}
		}
	}
}

// pay says that we pay for a request, where the bucket's owner does not.
func (s *s3) pay(opts interface{ Set(key, value string) }) {
	if s.pays {
		opts.Set("x-amz-request-payer", "requester")
	}
}

func (s *s3) open(ctx context.Context, o object, from int64) (io.ReadCloser, string, error) {
	var opts minio.GetObjectOptions
	s.pay(&opts)
	if o.etag != "" {
		opts.SetMatchETag(o.etag)
	}
	if from > 0 {
		opts.SetRange(from, 0)
	}
	body, info, _, err := s.client.GetObject(ctx, s.bucket, o.key, opts)
	return body, info.ContentType, s3Error(err)
}

func (s *s3) tags(ctx context.Context, o object) ([]string, error) {
	t, err := s.client.GetObjectTagging(ctx, s.bucket, o.key, minio.GetObjectTaggingOptions{})
	if err != nil {
		return nil, s3Error(err)
	}
	return pairs(t.ToMap()), nil
}

func s3Error(err error) error {
	if err == nil {
		return nil
	}
	answer := minio.ToErrorResponse(err)
	if answer.Code == "InvalidObjectState" {
		return errOffline
	}
	return told(answer.StatusCode, err)
}

// pairs spells tags as key=value, in order.
func pairs(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}
