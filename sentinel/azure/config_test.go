package azure

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "c.yaml")
	os.WriteFile(name, []byte("endpoint: https://x.ingest.monitor.azure.com\nrule: dcr-1\nauth:\n  method: managed-identity\n"), 0o600)
	c, err := ReadConfig(name)
	if err != nil || c.CheckIngestion() != nil {
		t.Fatalf("%+v, %v, %v", c, err, c.CheckIngestion())
	}
	if err := c.CheckWorkspace(); err == nil || !strings.Contains(err.Error(), "subscription, resource-group, workspace") {
		t.Errorf("got %v: want what is missing", err)
	}
	got := Config{Rule: "dcr-2"}.Or(c)
	if got.Rule != "dcr-2" || got.Endpoint != c.Endpoint || got.Auth != c.Auth {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{"auth:\n  secret: hunter2\n", "endpont: x\n", "[]"} {
		os.WriteFile(name, []byte(text), 0o600)
		if _, err := ReadConfig(name); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestMethod(t *testing.T) {
	for _, name := range []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"} {
		t.Setenv(name, "")
	}
	for _, x := range []struct {
		env, value, want string
	}{{"AZURE_CLIENT_SECRET", "s", "secret"}, {"AZURE_CLIENT_CERTIFICATE_PATH", "f", "certificate"}, {"AZURE_FEDERATED_TOKEN_FILE", "f", "workload-identity"}, {"X", "", ""}} {
		t.Run(x.want, func(t *testing.T) {
			t.Setenv(x.env, x.value)
			if got := (Auth{}).fromEnv().method(); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
			if got := (Auth{Method: "cli"}).fromEnv().method(); got != "cli" {
				t.Errorf("what was named is %q", got)
			}
		})
	}
	if _, err := Connect(Config{Auth: Auth{Method: "secret"}}); err == nil || !strings.Contains(err.Error(), "AZURE_CLIENT_SECRET") {
		t.Errorf("got %v: want where a secret is set", err)
	}
	if _, err := Connect(Config{Auth: Auth{Method: "certificate", Tenant: "t", ClientID: "c", CertificateFile: "/nowhere"}}); err == nil {
		t.Error("a certificate that is not there was taken")
	}
	if _, err := Connect(Config{Auth: Auth{Method: "password"}}); err == nil {
		t.Error("an unknown method was taken")
	}
	if _, err := Connect(Config{}); err != nil {
		t.Errorf("with nothing set: %v", err)
	}
}

func TestClouds(t *testing.T) {
	for _, name := range append(CloudNames(), "") {
		if _, err := CloudNamed(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := CloudNamed("mars"); err == nil || !strings.Contains(err.Error(), "government") {
		t.Errorf("got %v", err)
	}
	name := filepath.Join(t.TempDir(), "cloud.yaml")
	os.WriteFile(name, []byte("authority: http://x\n"), 0o600)
	if _, err := CloudNamed(name); err == nil || !strings.Contains(err.Error(), "authority") {
		t.Errorf("an authority without https: %v", err)
	}
}

func TestPauseOf(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name, value string
		want        time.Duration
		asked       bool
	}{
		{"Retry-After", "3600", time.Hour, true},
		{"Retry-After", "Sun, 01 Mar 2026 12:02:00 GMT", 2 * time.Minute, true},
		{"Retry-After", "Sun, 01 Mar 2026 11:00:00 GMT", 0, true},
		{"retry-after-ms", "1500", 1500 * time.Millisecond, true},
		{"Retry-After", "-1", 0, false},
		{"Retry-After", "soon", 0, false},
		{"X", "", 0, false},
	} {
		h := http.Header{}
		h.Set(x.name, x.value)
		if got, asked := pauseOf(&http.Response{Header: h}, now); got != x.want || asked != x.asked {
			t.Errorf("%s: %s: %v %v, want %v %v", x.name, x.value, got, asked, x.want, x.asked)
		}
	}
	for try := 1; try < 100; try++ {
		if p := backoff(try); p < firstPause/2 || p > lastPause {
			t.Errorf("try %d waits %v", try, p)
		}
	}
}
