// Command serve runs the stand-in of Azure until it is interrupted, for trying
// besra, and clients of others, without a subscription:
//
//	go run ./sentinel/standin/serve -dir /tmp/azure
//
// The folder gets a configuration for besra, the certificate to trust, and the
// application's secret.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/besra-hunt/besra/exclusion/kql"
	"github.com/besra-hunt/besra/sentinel/standin"
)

const (
	rule   = "dcr-00000000000000000000000000000001"
	stream = "Custom-" + kql.FindingsTable
	secret = "not-a-secret"

	workspace = "/subscriptions/s1/resourceGroups/soc/providers/Microsoft.OperationalInsights/workspaces/hunt"
)

func main() {
	dir := flag.String("dir", "", "folder that gets the files")
	address := flag.String("address", "127.0.0.1:0", "address to listen on")
	throttle := flag.Int64("throttle", 0, "number of calls of the ingestion API that are answered with 429 first")
	flag.Parse()
	s, err := standin.Start(standin.Options{Address: *address})
	if err == nil {
		err = prepare(s, *dir)
	}
	if err != nil {
		log.Fatal(err)
	}
	var calls atomic.Int64
	s.Fail(func(r *http.Request) standin.Fault {
		if strings.Contains(r.URL.Path, "/streams/") && calls.Add(1) <= *throttle {
			return standin.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1"}
		}
		return standin.Fault{}
	})
	fmt.Printf("%s\nbesra sentinel ship hunt.ndjson --config %s\n", s.URL, filepath.Join(*dir, "sentinel.yaml"))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	for _, r := range s.Requests() {
		fmt.Printf("%s %s %d, %d bytes\n", r.Method, r.Path, r.Status, len(r.Body))
	}
	fmt.Printf("%d rows\n", s.Count(stream))
}

// prepare makes a workspace, a rule and the files that lead to them.
func prepare(s *standin.Server, dir string) error {
	s.AddClient("app", secret)
	s.AddRule(rule, stream, findingColumns())
	missing := s.SetResource(workspace, standin.Resource{"location": "westeurope", "properties": map[string]any{}})
	cloud, err := s.WriteCloud(dir)
	config := fmt.Sprintf("cloud: %s\nendpoint: %s\nrule: %s\nsubscription: s1\nresource_group: soc\nworkspace: hunt\nauth: {tenant: t1, client_id: app, secret_file: %s}\n",
		cloud, s.URL, rule, filepath.Join(dir, "secret"))
	return errors.Join(missing, err, os.WriteFile(filepath.Join(dir, "secret"), []byte(secret), 0o600),
		os.WriteFile(filepath.Join(dir, "sentinel.yaml"), []byte(config), 0o600))
}

func findingColumns() map[string]string {
	columns := map[string]string{}
	for _, c := range kql.Findings().Columns {
		columns[c.Name] = string(c.Type)
	}
	return columns
}
