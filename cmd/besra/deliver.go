package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/syslog"
	"github.com/spf13/pflag"
)

// deliveryFlags say how messages get to a collector.
type deliveryFlags struct {
	spool    string
	spoolMax size
	ca       string
}

func (d *deliveryFlags) register(f *pflag.FlagSet) {
	f.StringVar(&d.spool, "syslog-spool", "", "file that keeps messages for syslog=tcp://… while the collector cannot be reached")
	f.Var(&d.spoolMax, "syslog-spool-max", "size at which the spool drops messages and counts them (default 64MiB)")
	f.StringVar(&d.ca, "syslog-ca", "", "PEM file of the authorities that vouch for the collector of syslog=tls://…")
}

// isURL reports whether an output goes over the network.
func isURL(file string) bool { return strings.Contains(file, "://") }

// open connects to a collector and returns the sink that writes to it.
func (d *deliveryFlags) open(o *outputFlags, stdio stdio, out output) (besra.Sink, error) {
	if out.format.name != "syslog" {
		return nil, &hintError{fmt.Errorf("--format %s=%s: only syslog goes over the network", out.format.name, out.file), "-f syslog=tls://collector:6514"}
	}
	options := syslog.Options{URL: out.file, Spool: d.spool, SpoolMax: int64(d.spoolMax)}
	if d.ca != "" {
		pem, err := os.ReadFile(d.ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--syslog-ca: %s holds no certificate", d.ca)
		}
		options.TLS = &tls.Config{RootCAs: roots}
	}
	conn, err := syslog.Dial(options)
	if err != nil {
		return nil, &hintError{err, "--syslog-spool FILE keeps messages while the collector cannot be reached"}
	}
	return &delivery{out.format.new(o, conn), conn, stdio, d.spool}, nil
}

// delivery closes its connection with the sink, and tells what was not delivered.
type delivery struct {
	besra.Sink
	conn  *syslog.Conn
	stdio stdio
	spool string
}

// Close implements [besra.Sink].
func (d *delivery) Close() error {
	err := errors.Join(d.Sink.Close(), d.conn.Close())
	if waiting, _ := d.conn.Pending(); waiting > 0 {
		fmt.Fprintf(d.stdio.err, "besra: warning: %d messages wait in %s: the collector cannot be reached; the next run delivers them\n", waiting, d.spool)
	}
	return err
}
