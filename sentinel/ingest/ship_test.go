package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/spool"
	"github.com/besra-hunt/besra/sentinel/standin"
)

const (
	rule   = "dcr-1"
	stream = "Custom-T_CL"
)

// TestMain lets the test binary be the shipper that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SHIP_SPOOL"); dir != "" {
		shipForever(dir, os.Getenv("SHIP_CLOUD"), os.Getenv("SHIP_ENDPOINT"))
	}
	os.Exit(m.Run())
}

func shipForever(dir, cloud, endpoint string) {
	s, err := newShipper(dir, cloud, endpoint, 0)
	for err == nil {
		_, err = s.Drain(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// newShipper ships to a stand-in.
func newShipper(dir, cloud, endpoint string, tries int) (*Shipper, error) {
	os.Setenv("AZURE_CLIENT_SECRET", "secret")
	a, err := azure.Connect(azure.Config{Cloud: cloud, Auth: azure.Auth{Method: "secret", Tenant: "t", ClientID: "app"}})
	if err != nil {
		return nil, err
	}
	to := Destination{endpoint, rule, stream}
	sp, err := spool.Open(dir, to.String(), 0)
	if err != nil {
		return nil, err
	}
	return &Shipper{Spool: sp, Upload: &Upload{Client: a.Ingestion(endpoint, azure.Options{Tries: tries}), To: to, Quarantine: sp.Quarantine}}, nil
}

// place is a stand-in with a shipper to it.
type place struct {
	*standin.Server
	*Shipper
	cloud string
}

func start(t testing.TB) *place {
	t.Helper()
	s, err := standin.Start(standin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddClient("app", "secret")
	s.AddRule(rule, stream, map[string]string{"FindingId": "string", "N": "long"})
	cloud, err := s.WriteCloud(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh, err := newShipper(t.TempDir(), cloud, s.URL, 3)
	if err != nil {
		t.Fatal(err)
	}
	return &place{s, sh, cloud}
}

func (p *place) put(t testing.TB, rows ...string) {
	t.Helper()
	w, err := p.Spool.Writer()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if ok, err := w.Append([]byte(row)); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// numbered returns rows of about size bytes.
func numbered(from, to, size int) []string {
	var rows []string
	for n := from; n < to; n++ {
		rows = append(rows, fmt.Sprintf(`{"FindingId":"%d%s","N":%d}`, n, strings.Repeat("-", size), n))
	}
	return rows
}

// uniq returns how many times each N arrived.
func (p *place) uniq() map[string]int {
	got := map[string]int{}
	for _, row := range p.Rows(stream) {
		got[fmt.Sprint(row["N"])]++
	}
	return got
}

func (p *place) waiting(t testing.TB) int64 {
	t.Helper()
	st, err := p.Spool.Status()
	if err != nil {
		t.Fatal(err)
	}
	return st.Waiting
}

func TestDrain(t *testing.T) {
	p := start(t)
	p.put(t, numbered(0, 3000, 2000)...)
	told := 0
	p.Progress = func(pr Progress) { told += pr.Rows }
	totals, err := p.Drain(t.Context())
	if err != nil || totals.Rows != 3000 || told != 3000 || totals.Batches < 6 {
		t.Fatalf("%+v, told of %d, %v: want 3000 rows in six batches or more", totals, told, err)
	}
	for n, row := range p.Rows(stream) {
		_ = n
		if row["FindingId"] == nil {
			t.Fatal("a row without its id")
		}
	}
	for _, r := range p.Requests() {
		if r.Method == http.MethodPost && strings.Contains(r.Path, "/streams/") && r.Header.Get("Content-Encoding") != "gzip" {
			t.Error("a batch was not compressed")
		}
	}
	if len(p.uniq()) != 3000 || p.waiting(t) != 0 {
		t.Errorf("%d arrived, %d wait", len(p.uniq()), p.waiting(t))
	}
}

// TestBadRow wants the rows at fault set aside, and all others delivered.
func TestBadRow(t *testing.T) {
	p := start(t)
	rows := numbered(0, 100, 10)
	rows[17] = `{"FindingId":17}`
	rows[63] = `{"Novel":"x"}`
	p.put(t, rows...)
	totals, err := p.Drain(t.Context())
	if err != nil || totals.Rows != 98 || totals.Quarantined != 2 {
		t.Errorf("%+v, %v: want 98 rows and 2 in quarantine", totals, err)
	}
	text, _ := os.ReadFile(p.Spool.QuarantineFile())
	if !strings.Contains(string(text), `"row":{"FindingId":17}`) || !strings.Contains(string(text), "column 'Novel' is not in the stream") {
		t.Errorf("the quarantine holds %s", text)
	}
	p.AddRule(rule, stream, map[string]string{"Other": "string"})
	p.put(t, numbered(0, 100, 10)...)
	if _, err := p.Drain(t.Context()); err == nil || p.waiting(t) != 100 {
		t.Errorf("a stream of other columns: %v, %d wait: want the rows kept", err, p.waiting(t))
	}
}

// TestTooLong has the server take less than it says.
func TestTooLong(t *testing.T) {
	p := start(t)
	p.put(t, numbered(0, 64, 10)...)
	p.Fail(func(r *http.Request) standin.Fault {
		if strings.Contains(r.URL.Path, "/streams/") && r.ContentLength > 250 {
			return standin.Fault{Status: http.StatusRequestEntityTooLarge}
		}
		return standin.Fault{}
	})
	totals, err := p.Drain(t.Context())
	if err != nil || totals.Rows != 64 || len(p.uniq()) != 64 {
		t.Errorf("%+v, %v, %d arrived", totals, err, len(p.uniq()))
	}
}

// TestStopped wants answers that somebody must act on to keep the rows.
func TestStopped(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(p *place)
		hint   string
	}{
		{"no role", func(p *place) { p.AddClient("app", "secret", standin.RoleReader) }, "Monitoring Metrics Publisher"},
		{"wrong secret", func(p *place) { p.AddClient("app", "other") }, "signs in"},
		{"no rule", func(p *place) { p.Upload.To.Rule = "dcr-2" }, "immutable id"},
		{"no stream", func(p *place) { p.Upload.To.Stream = "Custom-Other" }, "no such stream"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := start(t)
			p.put(t, numbered(0, 10, 10)...)
			x.change(p)
			_, err := p.Drain(t.Context())
			stop, ok := errors.AsType[*StoppedError](err)
			if !ok || !strings.Contains(stop.Hint, x.hint) {
				t.Errorf("got %v, hint %v: want %s", err, stop, x.hint)
			}
			if p.waiting(t) != 10 || p.Count(stream) != 0 {
				t.Errorf("%d wait, want all 10", p.waiting(t))
			}
		})
	}
}

// TestFaults delivers through drops, delays, errors and cut connections, while
// the shipper is killed again and again: nothing is lost, and by its id each row
// is there once.
func TestFaults(t *testing.T) {
	p := start(t)
	random := rand.New(rand.NewSource(7))
	var mu sync.Mutex
	p.Fail(func(r *http.Request) standin.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch n := random.Intn(12); {
		case !strings.Contains(r.URL.Path, "/streams/"):
			return standin.Fault{}
		case n == 0:
			return standin.Fault{Cut: standin.CutBefore}
		case n == 1:
			return standin.Fault{Cut: standin.CutAfter}
		case n == 2:
			return standin.Fault{Status: []int{500, 502, 503}[random.Intn(3)], RetryAfter: "0"}
		case n == 3:
			return standin.Fault{Status: 429, RetryAfter: "0"}
		case n == 4:
			return standin.Fault{Delay: 30 * time.Millisecond}
		}
		return standin.Fault{}
	})
	const total = 6000
	for round := range 4 {
		p.put(t, numbered(round*total/4, (round+1)*total/4, 4000)...)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SHIP_SPOOL="+p.Spool.Dir(), "SHIP_CLOUD="+p.cloud, "SHIP_ENDPOINT="+p.URL)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before := p.Count(stream)
		for end := time.Now().Add(5 * time.Second); p.Count(stream) < before+400 && time.Now().Before(end); {
			p.waiting(t) // as somebody would who asks how far it is
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	p.put(t, numbered(0, 1, 1)...) // the rest, and one more to be sure that something is left
	p.Shipper.Upload.Client = patient(t, p)
	if _, err := p.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := p.uniq()
	for n := range total {
		if got[fmt.Sprint(n)] == 0 {
			t.Fatalf("row %d is lost; %d of %d arrived", n, len(got), total)
		}
	}
	if len(got) != total || p.waiting(t) != 0 {
		t.Errorf("%d ids arrived, want %d; %d wait", len(got), total, p.waiting(t))
	}
	t.Logf("%d rows arrived for %d ids", p.Count(stream), total)
}

func patient(t *testing.T, p *place) *azure.Client {
	t.Helper()
	sh, err := newShipper(p.Spool.Dir(), p.cloud, p.URL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return sh.Upload.Client
}

func (p *place) account(t testing.TB) *azure.Account {
	t.Helper()
	t.Setenv("AZURE_CLIENT_SECRET", "secret")
	a, err := azure.Connect(azure.Config{Cloud: p.cloud, Auth: azure.Auth{Tenant: "t", ClientID: "app"}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestConn writes beside a delivery that works, and one that does not.
func TestConn(t *testing.T) {
	p := start(t)
	open := func(wait time.Duration) *Conn {
		c, err := Open(Options{Account: p.account(t), To: p.Upload.To, Spool: p.Spool, Wait: wait})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	send := func(c *Conn, rows []string) {
		for _, row := range rows {
			if _, err := io.WriteString(c, row+"\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := open(time.Minute)
	send(c, numbered(0, 500, 100))
	if err := c.Close(); err != nil || p.Count(stream) != 500 {
		t.Fatalf("%v, %d arrived, want 500", err, p.Count(stream))
	}
	if totals, err := c.Outcome(); totals.Rows != 500 || err != nil {
		t.Errorf("%+v, %v", totals, err)
	}

	p.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 503, RetryAfter: "3600"} })
	c = open(time.Minute)
	send(c, numbered(500, 1000, 100))
	begun := time.Now()
	if err := c.Close(); err != nil {
		t.Errorf("a service that is away is an error: %v", err)
	}
	if _, err := c.Outcome(); err == nil || !strings.Contains(err.Error(), "503") || p.waiting(t) != 500 || time.Since(begun) > 30*time.Second {
		t.Errorf("outcome %v after %v, %d wait: want 500 and the cause at once", err, time.Since(begun), p.waiting(t))
	}

	p.Fail(nil)
	if err := open(time.Minute).Close(); err != nil || len(p.uniq()) != 1000 {
		t.Errorf("%v: %d arrived, want the next run to deliver the rest", err, len(p.uniq()))
	}
}

// TestConnHangs has the service take calls and say nothing.
func TestConnHangs(t *testing.T) {
	p := start(t)
	p.Fail(func(*http.Request) standin.Fault { return standin.Fault{Delay: time.Hour} })
	c, err := Open(Options{Account: p.account(t), To: p.Upload.To, Spool: p.Spool, Wait: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for _, row := range numbered(0, 1000, 100) {
		io.WriteString(c, row)
	}
	if err := c.Close(); err != nil || p.waiting(t) != 1000 || time.Since(begun) > 20*time.Second {
		t.Errorf("%v after %v: %d wait, want all 1000", err, time.Since(begun), p.waiting(t))
	}
}

func TestConnFullSpool(t *testing.T) {
	p := start(t)
	p.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 503, RetryAfter: "3600"} })
	sp, err := spool.Open(filepath.Join(t.TempDir(), "s"), "x", 5000)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(Options{Account: p.account(t), To: p.Upload.To, Spool: sp})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range numbered(0, 20, 455) {
		io.WriteString(c, row)
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "10 findings were not kept") {
		t.Errorf("got %v: want what was dropped told", err)
	}
}

// BenchmarkShip spools and delivers findings of ordinary size to a server on
// loopback that reads and throws away.
func BenchmarkShip(b *testing.B) {
	p := start(b)
	server := discard(b, p.Server)
	p.Upload.Client = server
	e := NewEncoder()
	recs := full()
	f := *recs[1].Finding
	f.Facts = f.Facts[:40]
	w, err := p.Spool.Writer()
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		f.ID = fmt.Sprintf("%032x", n)
		row, err := e.Encode(recordOf(&f))
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := w.Append(row); err != nil || !ok {
			b.Fatal(ok, err)
		}
		b.SetBytes(int64(len(row)))
		if n++; n%20_000 == 0 {
			if _, err := p.Drain(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	w.Close()
	if _, err := p.Drain(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "findings/s")
}
