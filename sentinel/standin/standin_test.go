package standin

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T) (*Server, *http.Client) {
	t.Helper()
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddClient("app", "secret")
	s.AddRule("dcr-1", "Custom-T", map[string]string{"TimeGenerated": "datetime", "S": "string", "N": "long", "I": "int", "R": "real", "B": "boolean", "D": "dynamic"})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	return s, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

type call struct {
	method, path, token, encoding string
	body                          []byte
}

func (c call) do(t *testing.T, s *Server, client *http.Client) (int, string) {
	t.Helper()
	req, err := http.NewRequest(c.method, s.URL+c.path, bytes.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.encoding != "" {
		req.Header.Set("Content-Encoding", c.encoding)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var said struct {
		Error struct{ Code string } `json:"error"`
	}
	json.Unmarshal(text, &said)
	return resp.StatusCode, said.Error.Code
}

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

func TestIngestion(t *testing.T) {
	s, client := start(t)
	const path, version = "/dataCollectionRules/dcr-1/streams/Custom-T", "?api-version=2023-01-01"
	good := s.Token("app", IngestionAudience)
	s.AddClient("reader", "x", RoleReader)
	row := func(text string) []byte { return []byte("[" + text + "]") }
	for _, x := range []struct {
		name   string
		call   call
		status int
		code   string
	}{
		{"every type", call{"POST", path + version, good, "", row(`{"TimeGenerated":"2026-03-01T00:00:00Z","S":"x","N":9007199254740993,"I":-5,"R":1.5,"B":true,"D":{"a":[1]}}`)}, 204, ""},
		{"nulls", call{"POST", path + version, good, "", row(`{"S":null,"N":null}`)}, 204, ""},
		{"gzip", call{"POST", path + version, good, "gzip", zipped(`[{"S":"x"},{}]`)}, 204, ""},
		{"nothing", call{"POST", path + version, good, "", []byte("[]")}, 204, ""},
		{"no version", call{"POST", path, good, "", row(`{}`)}, 400, "InvalidApiVersion"},
		{"no token", call{"POST", path + version, "", "", row(`{}`)}, 401, "AuthenticationFailed"},
		{"a made-up token", call{"POST", path + version, "abc", "", row(`{}`)}, 401, "InvalidAuthenticationToken"},
		{"another audience", call{"POST", path + version, s.Token("app", ManagerAudience), "", row(`{}`)}, 401, "InvalidAuthenticationTokenAudience"},
		{"no role", call{"POST", path + version, s.Token("reader", IngestionAudience), "", row(`{}`)}, 403, "OperationFailed"},
		{"no rule", call{"POST", "/dataCollectionRules/dcr-2/streams/Custom-T" + version, good, "", row(`{}`)}, 404, "NotFound"},
		{"no stream", call{"POST", "/dataCollectionRules/dcr-1/streams/Other" + version, good, "", row(`{}`)}, 400, "InvalidStream"},
		{"a GET", call{"GET", path + version, good, "", nil}, 405, "MethodNotAllowed"},
		{"not an array", call{"POST", path + version, good, "", []byte(`{"S":"x"}`)}, 400, "InvalidPayload"},
		{"not JSON", call{"POST", path + version, good, "", []byte(`[{`)}, 400, "InvalidPayload"},
		{"not gzip", call{"POST", path + version, good, "gzip", []byte(`[]`)}, 400, "InvalidContent"},
		{"deflate", call{"POST", path + version, good, "deflate", []byte(`[]`)}, 415, "UnsupportedMediaType"},
		{"unknown column", call{"POST", path + version, good, "", row(`{"X":1}`)}, 400, "InvalidPayload"},
		{"a string for a number", call{"POST", path + version, good, "", row(`{"N":"1"}`)}, 400, "InvalidPayload"},
		{"too much for an int", call{"POST", path + version, good, "", row(`{"I":3000000000}`)}, 400, "InvalidPayload"},
		{"no time", call{"POST", path + version, good, "", row(`{"TimeGenerated":"yesterday"}`)}, 400, "InvalidPayload"},
		{"a long field", call{"POST", path + version, good, "", row(`{"S":"` + strings.Repeat("x", maxField+1) + `"}`)}, 400, "InvalidPayload"},
		{"1 MB", call{"POST", path + version, good, "", []byte("[" + strings.Repeat(" ", maxCall-2) + "]")}, 204, ""},
		{"more than 1 MB", call{"POST", path + version, good, "", []byte("[" + strings.Repeat(" ", maxCall-1) + "]")}, 413, "ContentLengthLimitExceeded"},
		{"more than 1 MB without compression", call{"POST", path + version, good, "gzip", zipped("[" + strings.Repeat(" ", maxCall) + "]")}, 413, "ContentLengthLimitExceeded"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if status, code := x.call.do(t, s, client); status != x.status || code != x.code {
				t.Errorf("got %d %s, want %d %s", status, code, x.status, x.code)
			}
		})
	}
	if n := s.Count("Custom-T"); n != 4 {
		t.Errorf("%d rows were taken, want 4", n)
	}
	s.Revoke()
	if status, _ := (call{"POST", path + version, good, "", row(`{}`)}).do(t, s, client); status != 401 {
		t.Errorf("a token that was taken back: %d", status)
	}
}

func TestFaults(t *testing.T) {
	s, client := start(t)
	post := call{"POST", "/dataCollectionRules/dcr-1/streams/Custom-T?api-version=2023-01-01", s.Token("app", IngestionAudience), "", []byte(`[{}]`)}
	for _, x := range []struct {
		fault  Fault
		status int
		rows   int
	}{{Fault{Cut: CutBefore}, 0, 0}, {Fault{Cut: CutAfter}, 0, 1}, {Fault{Status: 503}, 503, 0}, {Fault{Delay: time.Millisecond}, 204, 1}} {
		before := s.Count("Custom-T")
		s.Fail(func(*http.Request) Fault { return x.fault })
		status, _ := post.do(t, s, client)
		if got := s.Count("Custom-T") - before; status != x.status || got != x.rows {
			t.Errorf("%+v: answered %d and took %d rows, want %d and %d", x.fault, status, got, x.status, x.rows)
		}
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests are on record, want 4", n)
	}
}

func TestIncidents(t *testing.T) {
	s, client := start(t)
	const ws = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
	for n, status := range []string{"New", "Closed", "Closed"} {
		s.AddIncident(ws, fmt.Sprint("i", n), map[string]any{"status": status, "lastModifiedTimeUtc": fmt.Sprintf("2026-03-0%dT00:00:00Z", n+1)}, map[string]any{"kind": "SecurityAlert"})
	}
	token := s.Token("app", ManagerAudience)
	list := func(filter string) string {
		req, _ := http.NewRequest("GET", s.URL+ws+"/providers/Microsoft.SecurityInsights/incidents?api-version=2025-09-01&$filter="+strings.ReplaceAll(filter, " ", "%20"), nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var page struct{ Value []struct{ Name string } }
		json.NewDecoder(resp.Body).Decode(&page)
		return fmt.Sprint(resp.StatusCode, page.Value)
	}
	for filter, want := range map[string]string{"": "200[{i0} {i1} {i2}]", "properties/status eq 'Closed'": "200[{i1} {i2}]",
		"properties/status eq 'Closed' and properties/lastModifiedTimeUtc ge 2026-03-03T00:00:00Z": "200[{i2}]", "status like 'x'": "400[]"} {
		if got := strings.ReplaceAll(list(filter), " [", "["); got != want {
			t.Errorf("%q lists %s, want %s", filter, got, want)
		}
	}
	if status, _ := (call{"POST", ws + "/providers/Microsoft.SecurityInsights/incidents/i1/alerts?api-version=2025-09-01", token, "", nil}).do(t, s, client); status != 200 {
		t.Errorf("the alerts of an incident: %d", status)
	}
	if status, _ := (call{"POST", ws + "/providers/Microsoft.SecurityInsights/incidents/i9/alerts?api-version=2025-09-01", token, "", nil}).do(t, s, client); status != 404 {
		t.Errorf("the alerts of no incident: %d", status)
	}
}
