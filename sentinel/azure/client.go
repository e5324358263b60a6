// Package azure speaks to Azure: it knows the clouds, signs in, and calls REST
// APIs that want a token, with the patience that a throttled service asks for.
//
// [Connect] makes an [Account] of a [Config]; [Account.Manager],
// [Account.Ingestion] and [Account.Query] make a [Client] each for the API of
// that name. A Client is safe for concurrent use. Secrets come from files and
// from the environment, never from a flag, and are never shown.
package azure

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// Account is a cloud that one has signed in to. No request is made before a
// client makes one.
type Account struct {
	Cloud      Cloud
	credential azcore.TokenCredential
	transport  *http.Client
}

// Connect prepares to sign in as the configuration says.
func Connect(c Config) (*Account, error) {
	if err := c.Auth.Check(); err != nil {
		return nil, err
	}
	cl, err := CloudNamed(c.Cloud)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if cl.CA != "" {
		if transport.TLSClientConfig.RootCAs, err = roots(cl.CA); err != nil {
			return nil, fmt.Errorf("cloud: ca: %w", err)
		}
	}
	a := &Account{Cloud: cl, transport: &http.Client{Transport: transport}}
	if a.credential, err = credential(c.Auth, cl, a.transport); err != nil {
		return nil, fmt.Errorf("signing in: %w", err)
	}
	return a, nil
}

// Options are those of a client.
type Options struct {
	// Tries bounds how often one request is made; 0 is without limit, so that
	// only the context ends it.
	Tries int
	// Waiting, if set, is told of each pause. It must be safe for concurrent use.
	Waiting Waiting
}

// Manager returns a client of Azure Resource Manager.
func (a *Account) Manager(o Options) *Client {
	return a.client(a.Cloud.Manager, a.Cloud.ManagerScope, o)
}

// Query returns a client of the Log Analytics query API.
func (a *Account) Query(o Options) *Client { return a.client(a.Cloud.Query, a.Cloud.QueryScope, o) }

// Ingestion returns a client of the Logs Ingestion API at an endpoint.
func (a *Account) Ingestion(endpoint string, o Options) *Client {
	return a.client(endpoint, a.Cloud.IngestionScope, o)
}

func (a *Account) client(endpoint, scope string, o Options) *Client {
	pipeline := runtime.NewPipeline("besra", "v1", runtime.PipelineOptions{
		PerCall:  []policy.Policy{&patience{o.Tries, o.Waiting}},
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(a.credential, []string{scope}, nil)},
	}, &policy.ClientOptions{Transport: a.transport, Retry: policy.RetryOptions{MaxRetries: -1}, Cloud: a.Cloud.configuration()})
	return &Client{strings.TrimSuffix(endpoint, "/"), pipeline}
}

// Client calls one API.
type Client struct {
	endpoint string
	pipeline runtime.Pipeline
}

// Request is one call.
type Request struct {
	Method string
	// Path is below the endpoint, or the whole address of the same host, as
	// links of pages and operations are.
	Path string
	// Version is the api-version; a whole address has its own.
	Version string
	// Query holds further parameters.
	Query url.Values
	// Header holds further headers, such as If-Match.
	Header http.Header
	// Body is sent as it is where it is a []byte, as JSON where it is another
	// value, and left out where it is nil.
	Body any
}

// Response is an answer with its body read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// maxBody bounds the body of an answer, in bytes.
const maxBody = 256 << 20

// Do makes a request. An answer that is not a success is an [*Error].
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.pipeline.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, newError(r, resp, body)
	}
	return &Response{resp.StatusCode, resp.Header, body}, nil
}

func (c *Client) request(ctx context.Context, r Request) (*policy.Request, error) {
	address, err := c.address(r)
	if err != nil {
		return nil, err
	}
	req, err := runtime.NewRequest(ctx, r.Method, address)
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Accept", "application/json")
	for name, values := range r.Header {
		req.Raw().Header[name] = values
	}
	if r.Body == nil {
		return req, nil
	}
	text, ok := r.Body.([]byte)
	if !ok {
		if text, err = json.Marshal(r.Body); err != nil {
			return nil, err
		}
	}
	return req, req.SetBody(streaming.NopCloser(bytes.NewReader(text)), "application/json")
}

// address joins the parts. A link that leads to another host than the client's
// is refused: the token is not for it.
func (c *Client) address(r Request) (string, error) {
	if !strings.HasPrefix(r.Path, "/") {
		link, err := url.Parse(r.Path)
		own, _ := url.Parse(c.endpoint)
		if err != nil || link.Scheme != "https" || !strings.EqualFold(link.Host, own.Host) {
			return "", fmt.Errorf("the link %q does not lead to %s", r.Path, c.endpoint)
		}
		return r.Path, nil
	}
	q := url.Values{}
	for k, v := range r.Query {
		q[k] = v
	}
	if r.Version != "" {
		q.Set("api-version", r.Version)
	}
	if len(q) == 0 {
		return c.endpoint + r.Path, nil
	}
	return c.endpoint + r.Path + "?" + q.Encode(), nil
}

// JSON makes a request and decodes the answer into a value, unless that is nil
// or the answer is empty.
func (c *Client) JSON(ctx context.Context, r Request, into any) (*Response, error) {
	resp, err := c.Do(ctx, r)
	if err != nil || into == nil || len(resp.Body) == 0 {
		return resp, err
	}
	if err := json.Unmarshal(resp.Body, into); err != nil {
		return resp, fmt.Errorf("%s %s: the answer cannot be read: %w", r.Method, r.Path, err)
	}
	return resp, nil
}

// maxPages bounds a listing, so that a service whose pages lead in a circle does
// not hold us.
const maxPages = 10_000

// List hands each element of a listing to f, page by page. A missing collection
// is an [*Error] of status 404.
func (c *Client) List(ctx context.Context, r Request, f func(json.RawMessage) error) error {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	for range maxPages {
		var page struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
		}
		if _, err := c.JSON(ctx, r, &page); err != nil {
			return err
		}
		for _, v := range page.Value {
			if err := f(v); err != nil {
				return err
			}
		}
		if page.NextLink == "" {
			return nil
		}
		r.Path = page.NextLink
	}
	return errors.New("the listing does not end")
}
