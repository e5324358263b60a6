package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/report"
)

// stores is the environment's variable that names a folder with servers that
// others wrote to test clients of object stores: .ci/run says how they are installed.
const stores = "BESRA_STORES"

// storeServer starts one of these servers on loopback and returns its URL. PORT
// stands for the port among its arguments.
func storeServer(t *testing.T, program string, args ...string) string {
	t.Helper()
	dir := os.Getenv(stores)
	if dir == "" {
		t.Skip(stores + " names no folder of servers")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "PORT", fmt.Sprint(port))
	}
	start(t, port, filepath.Join(dir, program), args...)
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// azurite starts Microsoft's stand-in for Azure Blob Storage and returns the URL
// of its account. What it is asked is of newer versions than it knows.
func azurite(t *testing.T) string {
	return storeServer(t, "node_modules/.bin/azurite-blob", "--blobPort", "PORT", "--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry") + "/" + azuriteAccount
}

func azuriteContainer(t *testing.T, at, name string, opts *container.CreateOptions) *container.Client {
	t.Helper()
	key, err := container.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	must(t, err)
	c, err := container.NewClientWithSharedKeyCredential(at+"/"+name, key, nil)
	must(t, err)
	_, err = c.Create(t.Context(), opts)
	must(t, err)
	return c
}

// TestAzuriteTenThousand hunts in ten thousand blobs, is stopped at random
// points and goes on each time: every finding is there once, under its name and digest.
func TestAzuriteTenThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	at := azurite(t)
	c := azuriteContainer(t, at, "many", nil)
	const blobs = 10_000
	want := putMany(t, c, blobs)
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=http;AccountName="+azuriteAccount+";AccountKey="+azuriteKey+";BlobEndpoint="+at)
	out, stops := huntUntilDone(t, t.TempDir(), len(want)/3, "-f", "ndjson", "--checkpoint", "run.ckpt", "bucket:azblob://many")
	got := map[string]string{}
	for rec, err := range report.Read(bytes.NewReader(out)) {
		must(t, err)
		if f := rec.Finding; f != nil {
			if got[string(f.Target.Name)] != "" {
				t.Errorf("%s is found twice", f.Target.Name)
			}
			got[string(f.Target.Name)] = f.Target.SHA256
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if s := outcomeOf(t, out).Summary; s.Targets != blobs || s.Errors != 0 || !s.Complete {
		t.Errorf("got %+v, want %d targets and no errors", s, blobs)
	}
	if stops < 3 {
		t.Errorf("it was done after %d stops: too few to mean anything", stops)
	}
}

// putMany stores so many blobs, and returns the digests of those that are found by
// the names of their targets.
func putMany(t *testing.T, c *container.Client, blobs int) map[string]string {
	found := map[string]string{}
	for i := 0; i < blobs; i += manyStep {
		found["azblob://many/"+manyName(i)] = fmt.Sprintf("%x", sha256.Sum256(manyText(i)))
	}
	var up sync.WaitGroup
	for from := range 16 {
		up.Go(func() {
			for i := from; i < blobs; i += 16 {
				if _, err := c.NewBlockBlobClient(manyName(i)).UploadBuffer(t.Context(), manyText(i), nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	up.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return found
}

// manyStep is how many blobs there are for each that is found.
const manyStep = 50

func manyName(i int) string { return fmt.Sprintf("%d/of %d/blob%%%d.py", i%7, i%100, i) }

func manyText(i int) []byte {
	if i%manyStep == 0 {
		return fmt.Appendf(nil, "# %d\n%s", i, marker)
	}
	return fmt.Appendf(nil, "# %d\n", i)
}

// oddNames are keys that a store takes and a path would not, or not as they are.
var oddNames = []string{"plain.py", "dir/with space.py", "dir/a%20b.py", "dir/a%2Fb.py", "ü/日本.py", "a//b.py", "//lead.py", "trail/", "q?x=1&y=2.py", "hash#1.py",
	"plus+a.py", "quote'\".py", "tab\t.py", "semi;colon:at@.py", "tilde~*()!.py", "end. ", "😀.py", "[x]{y}|^`.py", "<&>.py", strings.Repeat("a", 1000)}

// verdicts hunts with an exclusion and returns what came of each target with a
// finding, by its name, and the gaps by their reasons.
func verdicts(t *testing.T, when, url string, args ...string) (found map[string]besra.Verdict, gaps map[string]int64) {
	t.Helper()
	pack := (&spot{in: besra.ContextObject}).pack(t, when)
	stdout, stderr, code := hunt(t, append(args, "--format", "ndjson", "--pack", pack, "bucket:"+url)...)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	found, gaps = map[string]besra.Verdict{}, map[string]int64{}
	for rec, err := range report.Read(strings.NewReader(stdout)) {
		must(t, err)
		if f := rec.Finding; f != nil {
			found[string(f.Target.Name)] = f.Verdict
		}
		if rec.Gap != nil {
			gaps[rec.Gap.Reason] += rec.Gap.Count
		}
	}
	return found, gaps
}

// checkOdd hunts in a bucket of the odd names, each of which has the marker.
func checkOdd(t *testing.T, prefix, url string) {
	want := map[string]besra.Verdict{}
	for _, name := range oddNames {
		want[prefix+name] = besra.VerdictAlert
	}
	want[prefix+"plain.py"] = besra.VerdictSuppressed
	got, gaps := verdicts(t, `file.path == '/plain.py' && object.bucket == 'odd' && object.etag != ''`, url)
	if d := cmp.Diff(want, got); d != "" || len(gaps) > 0 {
		t.Errorf("gaps %v, findings (-want +got):\n%s", gaps, d)
	}
}

func TestAzurite(t *testing.T) {
	at := azurite(t)
	odd := azuriteContainer(t, at, "odd", nil)
	for _, name := range oddNames {
		_, err := odd.NewBlockBlobClient(name).UploadBuffer(t.Context(), []byte(marker), nil)
		must(t, err)
	}
	account, connection := "AccountName="+azuriteAccount+";AccountKey="+azuriteKey, "DefaultEndpointsProtocol=http;BlobEndpoint="+at+";"
	signed := azuriteSAS(t, odd)
	for _, login := range []struct{ name, url, variable, value string }{
		{"connection string", "azblob://odd", "AZURE_STORAGE_CONNECTION_STRING", connection + account},
		{"connection string with a SAS", "azblob://odd", "AZURE_STORAGE_CONNECTION_STRING", connection + "SharedAccessSignature=" + signed},
		{"account key", "azblob://odd?endpoint=" + at, "AZURE_STORAGE_KEY", azuriteKey},
		{"SAS", "azblob://odd?endpoint=" + at, "AZURE_STORAGE_SAS_TOKEN", "?" + signed},
	} {
		t.Run(login.name, func(t *testing.T) {
			t.Setenv(login.variable, login.value)
			checkOdd(t, "azblob://odd/", login.url)
		})
	}
	t.Run("refused", func(t *testing.T) {
		_, stderr, code := hunt(t, "bucket:azblob://odd?anonymous=true&endpoint="+at)
		if code != exitUsage || !strings.Contains(stderr, "permission denied") {
			t.Errorf("exit %d: %s, want %d and why", code, stderr, exitUsage)
		}
	})
	t.Run("kinds of blobs", func(t *testing.T) { azuriteKinds(t, at) })
}

func azuriteSAS(t *testing.T, c *container.Client) string {
	signed, err := c.GetSASURL(sas.ContainerPermissions{Read: true, List: true}, time.Now().Add(time.Hour), nil)
	must(t, err)
	_, query, _ := strings.Cut(signed, "?")
	return query
}

// azuriteKinds hunts in a container that everybody can read, with blobs of every kind.
func azuriteKinds(t *testing.T, at string) {
	c := azuriteContainer(t, at, "kinds", &container.CreateOptions{Access: new(container.PublicAccessTypeContainer)})
	put := func(name, text string, opts *blockblob.UploadBufferOptions) *blockblob.Client {
		b := c.NewBlockBlobClient(name)
		_, err := b.UploadBuffer(t.Context(), []byte(text), opts)
		must(t, err)
		return b
	}
	python := blob.HTTPHeaders{BlobContentType: new("text/x-python")}
	put("tagged.py", marker, &blockblob.UploadBufferOptions{Tags: map[string]string{"team": "soc", "x": "y z"}, HTTPHeaders: &python})
	put("untagged.py", marker, &blockblob.UploadBufferOptions{HTTPHeaders: &python})
	put("packed", string(gzipped([]byte(marker))), &blockblob.UploadBufferOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentEncoding: new("gzip")}})
	put("empty", "", nil)
	_, err := put("cold", marker, nil).SetTier(t.Context(), blob.AccessTierArchive, nil)
	must(t, err)
	_, err = put("snapshot", marker, nil).CreateSnapshot(t.Context(), nil)
	must(t, err)
	put("snapshot", "clean", nil)
	log := c.NewAppendBlobClient("append")
	_, err = log.Create(t.Context(), nil)
	must(t, err)
	for _, text := range []string{marker[:10], marker[10:]} {
		_, err = log.AppendBlock(t.Context(), streaming(text), nil)
		must(t, err)
	}
	for name, size := range map[string]int64{"disk": 1 << 20, "large": 300 << 20} {
		disk, page := c.NewPageBlobClient(name), make([]byte, 512)
		copy(page, marker)
		_, err = disk.Create(t.Context(), size, nil)
		must(t, err)
		_, err = disk.UploadPages(t.Context(), streaming(string(page)), blob.HTTPRange{Offset: size - 512, Count: 512}, nil)
		must(t, err)
	}
	// Who reads without a name does not see tags.
	want := map[string]besra.Verdict{"azblob://kinds/tagged.py": besra.VerdictUndecided, "azblob://kinds/untagged.py": besra.VerdictUndecided,
		"azblob://kinds/packed!content": besra.VerdictAlert, "azblob://kinds/append": besra.VerdictAlert, "azblob://kinds/disk": besra.VerdictAlert}
	when := `'team=soc' in object.tags && object.content_type == 'text/x-python' && file.mtime > timestamp('2026-01-01T00:00:00Z')`
	got, gaps := verdicts(t, when, "azblob://kinds?anonymous=true&endpoint="+at)
	if d := cmp.Diff(want, got) + cmp.Diff(map[string]int64{"offline": 1, "too_large": 1}, gaps); d != "" {
		t.Errorf("without a name (-want +got):\n%s", d)
	}
	want["azblob://kinds/tagged.py"], want["azblob://kinds/untagged.py"] = besra.VerdictDowngraded, besra.VerdictAlert
	want["azblob://kinds/large"] = besra.VerdictAlert
	t.Setenv("AZURE_STORAGE_KEY", azuriteKey)
	got, gaps = verdicts(t, when, "azblob://kinds?endpoint="+at, "--archive-member-size", "300MiB")
	if d := cmp.Diff(want, got) + cmp.Diff(map[string]int64{"offline": 1}, gaps); d != "" {
		t.Errorf("with a key (-want +got):\n%s", d)
	}
}

// streaming is a text as the client of Azure takes it.
func streaming(text string) io.ReadSeekCloser { return nopCloser{strings.NewReader(text)} }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// TestMoto hunts in what moto, a stand-in for AWS, keeps as S3 does.
func TestMoto(t *testing.T) {
	at := storeServer(t, "bin/moto_server", "-H", "127.0.0.1", "-p", "PORT")
	c, err := minio.NewCore(strings.TrimPrefix(at, "http://"), &minio.Options{Creds: credentials.NewStaticV4("id", "key", ""), Region: "eu-west-1"})
	must(t, err)
	put := func(bucket, key, text string, opts minio.PutObjectOptions) {
		_, err := c.Client.PutObject(t.Context(), bucket, key, strings.NewReader(text), int64(len(text)), opts)
		must(t, err)
	}
	for _, bucket := range []string{"odd", "kinds"} {
		must(t, c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}))
	}
	for _, name := range oddNames {
		put("odd", name, marker, minio.PutObjectOptions{})
	}
	profile := filepath.Join(t.TempDir(), "credentials")
	write(t, profile, []byte("[soc]\naws_access_key_id = id\naws_secret_access_key = key\n"))
	for _, login := range [][2]string{{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, {"AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"}} {
		t.Run(login[0], func(t *testing.T) {
			values := map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SHARED_CREDENTIALS_FILE": profile, "AWS_PROFILE": "soc"}
			for _, name := range login {
				t.Setenv(name, values[name])
			}
			t.Setenv("AWS_ENDPOINT_URL_S3", at)
			checkOdd(t, "s3://odd/", "s3://odd?region=eu-west-1")
		})
	}
	must(t, c.EnableVersioning(t.Context(), "kinds"))
	for key, opts := range map[string]minio.PutObjectOptions{"tagged.py": {UserTags: map[string]string{"team": "soc"}}, "cold": {StorageClass: "DEEP_ARCHIVE"},
		"restored": {StorageClass: "GLACIER"}, "old": {}, "deleted": {}} {
		put("kinds", key, marker, opts)
	}
	put("kinds", "old", "clean", minio.PutObjectOptions{})
	put("kinds", "packed", string(gzipped([]byte(marker))), minio.PutObjectOptions{ContentEncoding: "gzip"})
	must(t, c.RemoveObject(t.Context(), "kinds", "deleted", minio.RemoveObjectOptions{}))
	var restore minio.RestoreRequest
	restore.SetDays(1)
	err = c.RestoreObject(t.Context(), "kinds", "restored", "", restore)
	if minio.ToErrorResponse(err).StatusCode != http.StatusAccepted { // which this client takes for an error
		t.Fatal(err)
	}
	url, when := "s3://kinds?endpoint="+at, `'team=soc' in object.tags`
	got, gaps := verdicts(t, when, url+"&anonymous=true") // who may list, and not read
	if d := cmp.Diff(map[string]int64{"offline": 2, "permission": 3}, gaps); d != "" || len(got) > 0 {
		t.Errorf("without a name: findings %v, gaps (-want +got):\n%s", got, d)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
	want := map[string]besra.Verdict{"s3://kinds/tagged.py": besra.VerdictDowngraded, "s3://kinds/packed!content": besra.VerdictAlert}
	got, gaps = verdicts(t, when, url)
	if d := cmp.Diff(want, got) + cmp.Diff(map[string]int64{"offline": 2}, gaps); d != "" {
		t.Errorf("findings and gaps (-want +got):\n%s", d)
	}
	want["s3://kinds/restored"] = besra.VerdictAlert
	got, gaps = verdicts(t, when, url+"&restored=true")
	if d := cmp.Diff(want, got) + cmp.Diff(map[string]int64{"offline": 1}, gaps); d != "" {
		t.Errorf("what was restored (-want +got):\n%s", d)
	}
}

// TestGoogleEmulator hunts in what an emulator of Google Cloud Storage keeps.
func TestGoogleEmulator(t *testing.T) {
	at := storeServer(t, "bin/gcp-storage-emulator", "start", "--host", "127.0.0.1", "--port", "PORT", "--in-memory")
	post := func(path, kind, body string) {
		answer, err := http.Post(at+path, kind, strings.NewReader(body))
		must(t, err)
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, answer.Status)
		}
	}
	post("/storage/v1/b?project=p", "application/json", `{"name": "odd"}`)
	for _, name := range oddNames {
		post("/upload/storage/v1/b/odd/o?uploadType=media&name="+url.QueryEscape(name), "text/x-python", marker)
	}
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(at, "http://"))
	checkOdd(t, "gs://odd/", "gs://odd")
}
