package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/icap"
	"github.com/besra-hunt/besra/source/milter"
	"github.com/besra-hunt/besra/source/submit"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// serveFlags are the flags of `besra serve`: those of a hunt, and those of the
// gateways.
type serveFlags struct {
	hunt        huntFlags
	policy      []string
	failClosed  bool
	allow       []string
	object      size
	held        size
	connections int
	wait        time.Duration
	transfer    time.Duration
	grace       time.Duration
	tokenFile   string
	cert, key   string
}

// gatewayKind is a protocol over which others hand bytes in.
type gatewayKind struct {
	name, address, doc string
	open               func(s *serveFlags, in setting) (besra.Source, error)
}

// setting is what all gateways of one command share.
type setting struct {
	address gateway.Address
	limits  gateway.Limits
	policy  gateway.Policy
	facts   besra.Facts
	tag     string // changes with what is scanned for
	stop    context.Context
}

// hint says what a gateway needs where others can reach it.
func (k gatewayKind) hint() string {
	if k.name == "http" {
		return "127.0.0.1 is this host only; elsewhere it takes a token (BESRA_TOKEN, --token-file) and --tls-cert with --tls-key"
	}
	return "127.0.0.1 is this host only; --allow names the networks that may connect"
}

// gatewayKinds is the table of protocols.
func gatewayKinds() []gatewayKind {
	return []gatewayKind{
		{"http", "127.0.0.1:8450", "files that others submit over HTTP; the findings come back as JSON", (*serveFlags).openHTTP},
		{"icap", "127.0.0.1:1344", "objects that proxies and firewalls submit over ICAP: services reqmod, respmod, scan", (*serveFlags).openICAP},
		{"milter", "127.0.0.1:8891", "messages that postfix or sendmail asks about; also the path of a Unix socket", (*serveFlags).openMilter},
	}
}

func serveCommand(stdio stdio) *cobra.Command {
	var s serveFlags
	cmd := &cobra.Command{
		Use:   "serve GATEWAY…",
		Short: "Hunt in what others hand in, and answer them",
		Long: `Listen for objects that others hand in, scan each as a hunt does, and answer by a policy. Findings go to all
outputs as in a hunt. It ends with Ctrl-C or SIGTERM: what is in work is finished first. A gateway is one of:

` + gatewaysHelp() + `
Without an address the one above is used. An address that other hosts can reach needs --allow, for http a token and a certificate.`,
		Example: "  besra serve icap: --policy medium=block\n  besra serve icap:0.0.0.0:1344 --allow 10.1.2.0/24 --fail-closed --format ndjson=/var/log/besra.ndjson",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), stdio, args)
		},
	}
	f := cmd.Flags()
	s.hunt.register(f)
	limitTargets(f, &s.hunt, time.Minute)
	s.register(f)
	return grouped(cmd)
}

// limitTargets gives --timeout a default: someone waits for each target.
func limitTargets(f *pflag.FlagSet, h *huntFlags, d time.Duration) {
	h.timeout = d
	flag := f.Lookup("timeout")
	flag.DefValue, flag.Usage = d.String(), "longest time for one target"
}

func gatewaysHelp() string {
	var b strings.Builder
	for _, k := range gatewayKinds() {
		fmt.Fprintf(&b, "  %-24s %s\n", k.name+":"+k.address, k.doc)
	}
	return b.String()
}

func (s *serveFlags) register(f *pflag.FlagSet) {
	f.StringSliceVar(&s.policy, "policy", nil, "SEVERITY=ACTION: what a finding leads to: allow, log, quarantine, block (default: high=block, medium=log, low=log, informational=allow)")
	f.BoolVar(&s.failClosed, "fail-closed", false, "block what was not looked at to its end: too large, too late, encrypted, damaged (default: it passes, and the gap is told)")
	f.StringSliceVar(&s.allow, "allow", nil, "network that may connect, such as 10.1.2.0/24, besides this host; may be repeated")
	s.object, s.held = 64<<20, 512<<20
	f.Var(&s.object, "max-object", "of one object so much is held and scanned; the rest is a gap")
	f.Var(&s.held, "max-held", "memory that all objects together may hold")
	f.IntVar(&s.connections, "max-connections", 100, "connections to a gateway at once; others are refused and counted")
	f.DurationVar(&s.wait, "answer-within", time.Minute, "time after which an object is answered as one that was not looked at")
	f.DurationVar(&s.transfer, "max-transfer", 10*time.Minute, "longest time that one object may take to come in")
	f.DurationVar(&s.grace, "grace", 30*time.Second, "time for what is in work once the command is told to end")
	f.StringVar(&s.tokenFile, "token-file", "", "http: file of the token that submitters must present (default: the environment's BESRA_TOKEN)")
	f.StringVar(&s.cert, "tls-cert", "", "http: file of the certificate, in PEM")
	f.StringVar(&s.key, "tls-key", "", "http: file of its key, in PEM")
}

// run hunts until ctx ends, and then finishes what is in work.
func (s *serveFlags) run(ctx context.Context, stdio stdio, args []string) error {
	if len(args) == 0 {
		return &hintError{errors.New("no gateway given"), "besra serve icap: listens on 127.0.0.1:1344"}
	}
	shared, err := s.setting(ctx)
	if err != nil {
		return err
	}
	return s.hunt.hunt(context.WithoutCancel(ctx), stdio, args, func(host *facts.Host, set *detection.Set) (besra.Source, error) {
		shared.facts, shared.tag = host, contentTag(set)
		return s.gateways(shared, stdio.err, args)
	})
}

func (s *serveFlags) setting(ctx context.Context) (setting, error) {
	in := setting{stop: ctx, policy: gateway.DefaultPolicy(), limits: gateway.Limits{Connections: s.connections, Object: int64(s.object), Held: int64(s.held),
		Wait: s.wait, Transfer: s.transfer, Grace: s.grace}}
	if err := in.policy.Set(s.policy); err != nil {
		return in, &hintError{err, "--policy medium=block,low=allow"}
	}
	in.policy.FailClosed = s.failClosed
	for _, text := range s.allow {
		network, err := netip.ParsePrefix(text)
		if ip, ipErr := netip.ParseAddr(text); ipErr == nil {
			network, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return in, fmt.Errorf("--allow %q: want a network such as 10.1.2.0/24", text)
		}
		in.address.Allow = append(in.address.Allow, network)
	}
	return in, nil
}

// contentTag is a short digest of the packs and of the program.
func contentTag(set *detection.Set) string {
	h := sha256.New()
	io.WriteString(h, currentVersion().Version)
	for _, p := range set.Packs {
		io.WriteString(h, p.Digest)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// gateways makes one source of all that were named; they listen at once.
func (s *serveFlags) gateways(shared setting, stderr io.Writer, args []string) (besra.Source, error) {
	var all together
	for _, arg := range args {
		name, address, ok := strings.Cut(arg, ":")
		i := slices.IndexFunc(gatewayKinds(), func(k gatewayKind) bool { return k.name == name })
		if !ok || i < 0 {
			return nil, &hintError{fmt.Errorf("%q is no gateway", arg), "a gateway is PROTOCOL:ADDRESS, such as icap:127.0.0.1:1344"}
		}
		kind, in := gatewayKinds()[i], shared
		in.address.Listen = address
		if address == "" {
			in.address.Listen = kind.address
		}
		in.address.Listening = func(a net.Addr) { fmt.Fprintf(stderr, "besra: listening on %s:%s\n", name, a) }
		source, err := kind.open(s, in)
		if err != nil {
			return nil, &hintError{fmt.Errorf("%s: %w", name, err), kind.hint()}
		}
		all = append(all, source)
	}
	return all, nil
}

func (s *serveFlags) openICAP(in setting) (besra.Source, error) {
	return icap.New(icap.Config{Address: in.address, Limits: in.limits, Policy: in.policy, Facts: in.facts, Stop: in.stop,
		Tag: in.tag, Service: "Besra " + currentVersion().Version})
}

func (s *serveFlags) openMilter(in setting) (besra.Source, error) {
	return milter.New(milter.Config{Address: in.address, Limits: in.limits, Policy: in.policy, Facts: in.facts, Stop: in.stop})
}

func (s *serveFlags) openHTTP(in setting) (besra.Source, error) {
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	c := submit.Config{Address: in.address, Limits: in.limits, Policy: in.policy, Facts: in.facts, Stop: in.stop, Token: token,
		Tag: in.tag, Service: "Besra " + currentVersion().Version}
	if s.cert != "" || s.key != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, err
		}
		c.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return submit.New(c)
}

// token is read from a file or the environment, never from the command line,
// which every user of the host can read.
func (s *serveFlags) token() (string, error) {
	if s.tokenFile == "" {
		return os.Getenv("BESRA_TOKEN"), nil
	}
	b, err := os.ReadFile(s.tokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if token == "" {
		return "", fmt.Errorf("%s holds no token", s.tokenFile)
	}
	return token, nil
}

// together runs sources at once. The first that cannot go on ends the others.
type together []besra.Source

// Run implements [besra.Source].
func (t together) Run(ctx context.Context, to besra.Receiver) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, source := range t {
		all.Go(func() {
			if err := source.Run(ctx, to); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
