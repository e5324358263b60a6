package ingest

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/standin"
)

func recordOf(f *besra.Finding) besra.Record {
	return besra.Record{Type: besra.RecordFinding, Finding: f}
}

// discard returns a client of a server that takes everything; s gives out the
// tokens.
func discard(b *testing.B, s *standin.Server) *azure.Client {
	b.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(server.Close)
	dir := b.TempDir()
	cloud, err := s.WriteCloud(dir)
	if err != nil {
		b.Fatal(err)
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	os.WriteFile(filepath.Join(dir, "ca.pem"), append(s.CA(), own...), 0o600)
	b.Setenv("AZURE_CLIENT_SECRET", "secret")
	a, err := azure.Connect(azure.Config{Cloud: cloud, Auth: azure.Auth{Tenant: "t", ClientID: "app"}})
	if err != nil {
		b.Fatal(err)
	}
	return a.Ingestion(strings.TrimSuffix(server.URL, "/"), azure.Options{})
}
