package bucket

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// azure is a container of Azure Blob Storage.
type azure struct{ client *container.Client }

func openAzure(p place) (store, error) {
	client, err := azureClient(p)
	if err != nil {
		return nil, err
	}
	return &azure{client}, nil
}

// emulator is what UseDevelopmentStorage=true stands for: the account and the
// key of Azurite that Microsoft documents.
const emulator = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

// azureClient asks the environment by the names that Azure's own tools use.
func azureClient(p place) (*container.Client, error) {
	opts := &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: asStored()}}}
	named := p.params.Get("endpoint") != "" || p.params.Get("account") != ""
	if c := os.Getenv("AZURE_STORAGE_CONNECTION_STRING"); c != "" && !named && !p.is("anonymous") {
		if strings.TrimRight(c, ";") == "UseDevelopmentStorage=true" {
			c = emulator
		}
		return container.NewClientFromConnectionString(c, p.bucket, opts)
	}
	account := cmp.Or(p.params.Get("account"), os.Getenv("AZURE_STORAGE_ACCOUNT"))
	endpoint := p.params.Get("endpoint")
	if endpoint == "" {
		if account == "" {
			return nil, errors.New("no account is named: set AZURE_STORAGE_ACCOUNT, or add ?account=NAME")
		}
		endpoint = "https://" + account + "." + cmp.Or(os.Getenv("AZURE_STORAGE_DOMAIN"), "blob.core.windows.net")
	}
	at := strings.TrimRight(endpoint, "/") + "/" + url.PathEscape(p.bucket)
	key, sas := os.Getenv("AZURE_STORAGE_KEY"), strings.TrimPrefix(os.Getenv("AZURE_STORAGE_SAS_TOKEN"), "?")
	switch {
	case p.is("anonymous"):
		return container.NewClientWithNoCredential(at, opts)
	case sas != "":
		return container.NewClientWithNoCredential(at+"?"+sas, opts)
	case key != "":
		shared, err := container.NewSharedKeyCredential(cmp.Or(account, accountOf(endpoint)), key)
		if err != nil {
			return nil, err
		}
		return container.NewClientWithSharedKeyCredential(at, shared, opts)
	}
	login, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, err
	}
	return container.NewClient(at, login, opts)
}

// accountOf tells the account that an endpoint is of: by its path, as those of
// Azurite and Azure Stack have it, or the first label of its host.
func accountOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	host, _, _ := strings.Cut(u.Host, ".")
	return cmp.Or(strings.Trim(u.Path, "/"), host)
}

func (a *azure) list(ctx context.Context, prefix, after string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		pages := a.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix})
		for pages.More() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(object{}, azureError(err))
				return
			}
			for _, b := range page.Segment.BlobItems {
				o := azureObject(b)
				if o.key > after && !yield(o, nil) {
					return
				}
			}
		}
	}
}

func azureObject(b *container.BlobItem) object {
	o := object{key: deref(b.Name)}
	if p := b.Properties; p != nil {
		o.size, o.etag, o.mtime, o.media = deref(p.ContentLength), string(deref(p.ETag)), deref(p.LastModified), deref(p.ContentType)
		o.offline = deref(p.AccessTier) == container.AccessTierArchive
	}
	return o
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (a *azure) open(ctx context.Context, o object, from int64) (io.ReadCloser, string, error) {
	opts := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: from}}
	if o.etag != "" {
		etag := azcore.ETag(o.etag)
		opts.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &etag}}
	}
	got, err := a.client.NewBlobClient(o.key).DownloadStream(ctx, opts)
	if err != nil {
		return nil, "", azureError(err)
	}
	return got.Body, deref(got.ContentType), nil
}

func (a *azure) tags(ctx context.Context, o object) ([]string, error) {
	got, err := a.client.NewBlobClient(o.key).GetTags(ctx, nil)
	if err != nil {
		return nil, azureError(err)
	}
	m := map[string]string{}
	for _, t := range got.BlobTagSet {
		m[deref(t.Key)] = deref(t.Value)
	}
	return pairs(m), nil
}

// azureError keeps of the client's error the store's code and the first line of
// what it says: its text is a whole answer, or a URL with the signature that
// stands for a key.
func azureError(err error) error {
	var answer *azcore.ResponseError
	var failed *url.Error
	switch {
	case errors.As(err, &answer):
		if answer.ErrorCode == "BlobArchived" || answer.ErrorCode == "BlobBeingRehydrated" {
			return errOffline
		}
		return told(answer.StatusCode, errors.New("the store answered "+cmp.Or(answer.ErrorCode, answer.RawResponse.Status)+azureMessage(answer.RawResponse)))
	case errors.As(err, &failed):
		return failed.Err
	}
	return err
}

func azureMessage(answer *http.Response) string {
	var said struct{ Message string }
	body, err := runtime.Payload(answer)
	if err != nil || xml.Unmarshal(body, &said) != nil || said.Message == "" {
		return ""
	}
	line, _, _ := strings.Cut(said.Message, "\n")
	return ": " + strings.TrimSpace(line)
}
