package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/capture"
	"github.com/besra-hunt/besra/source/files"
	"github.com/besra-hunt/besra/source/process"
)

// scheme is a kind of place to hunt in, named before a colon. A file of such a
// name is meant by ./capture:x.
type scheme struct {
	name, what, doc string
	open            func(h *huntFlags, host *facts.Host, stdin io.Reader, what string) (besra.Source, error)
}

// schemes is the table of places; without a scheme an argument is a path.
func schemes() []scheme {
	return []scheme{
		{"capture", "FILE", "traffic in a pcap or pcapng file; - reads one from standard input", openCapture},
		{"process", "PID|NAME|all", "memory of running processes, by number or by a glob over the name of the program (Linux, Windows)", openProcess},
		{"image", "REF|PATH", "a container image, in a registry, a tarball of docker save or OCI, or the folder of a layout of OCI", openImage},
		{"bucket", "URL", "objects in a store: s3://BUCKET/PREFIX, azblob://CONTAINER/PREFIX, gs://BUCKET/PREFIX, file:///DIR", openBucket},
		{"git", "DIR", "a git repository: its work tree and every blob of its history, once", openGit},
		{"live", "INTERFACE", "traffic on a network interface, until interrupted (Linux, needs CAP_NET_RAW)", openLive},
	}
}

// placesHelp is the table as help shows it.
func placesHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-21s %s\n", "PATH", "files and directories")
	for _, s := range schemes() {
		fmt.Fprintf(&b, "  %-21s %s\n", s.name+":"+s.what, s.doc)
	}
	return b.String()
}

// places makes one source of all arguments: the paths together, then each
// other place in its order.
func (h *huntFlags) places(host *facts.Host, stdin io.Reader, args []string) (besra.Source, error) {
	if len(args) == 0 && h.filesFrom == "" {
		return nil, &hintError{errors.New("no path given"), "besra hunt / hunts the whole host, besra hunt . this directory"}
	}
	var paths []string
	var list sequence
	for _, arg := range args {
		s, what, ok := cutScheme(arg)
		if !ok {
			paths = append(paths, arg)
			continue
		}
		source, err := s.open(h, host, stdin, what)
		if err != nil {
			return nil, err
		}
		list = append(list, source)
	}
	c := files.Config{Host: host, Root: h.root, Paths: paths, Include: h.include, Exclude: h.exclude, Own: h.ownFiles(),
		MaxSize: int64(h.maxSize), OneFileSystem: h.oneFileSystem, FollowSymlinks: h.follow, Network: h.networkFS,
		Pace: h.limits.pacer.IO}
	if h.filesFrom != "" {
		list = append(list, &files.List{Config: c, Open: func() (io.ReadCloser, error) { return openList(stdin, h.filesFrom) }})
	}
	if len(paths) == 0 {
		return list, nil
	}
	source, err := files.New(c)
	if err != nil {
		return nil, err
	}
	return slices.Insert(list, 0, besra.Source(source)), nil
}

func openList(stdin io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &hintError{fmt.Errorf("--files-from: %w", err), "find / -newer REF -type f -print0 | besra hunt --files-from -"}
	}
	return f, nil
}

func cutScheme(arg string) (scheme, string, bool) {
	name, what, ok := strings.Cut(arg, ":")
	i := slices.IndexFunc(schemes(), func(s scheme) bool { return s.name == name })
	if !ok || i < 0 {
		return scheme{}, "", false
	}
	return schemes()[i], what, true
}

// named reports whether one of the places has one of these schemes.
func named(places []string, schemes ...string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		s, _, ok := cutScheme(place)
		return ok && slices.Contains(schemes, s.name)
	})
}

func openCapture(h *huntFlags, host *facts.Host, stdin io.Reader, what string) (besra.Source, error) {
	c := capture.Config{Facts: host, Memory: h.limits.read, Ahead: h.limits.ahead}
	switch what {
	case "":
		return nil, &hintError{errors.New("capture: names no file"), "capture:FILE, or capture:- for standard input"}
	case "-":
		c.Reader, c.Name = stdin, "stdin"
	default:
		c.File = what
	}
	return capture.New(c)
}

func openLive(h *huntFlags, host *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	if what == "" {
		return nil, &hintError{errors.New("live: names no interface"), "live:eth0; ip link lists what there is"}
	}
	return capture.New(capture.Config{Facts: host, Interface: what, Memory: h.limits.read, Ahead: h.limits.ahead})
}

func openProcess(h *huntFlags, host *facts.Host, _ io.Reader, what string) (besra.Source, error) {
	c := process.Config{Host: host, Kinds: process.Kinds(h.regions), Skip: h.skipProcesses}
	switch pid, err := strconv.Atoi(what); {
	case what == "":
		return nil, &hintError{errors.New("process: names no process"), "process:1234, process:sshd, process:all"}
	case what == "all":
	case err == nil:
		c.PIDs = []int{pid}
	default:
		c.Names = []string{what}
	}
	return process.New(c)
}

// sequence runs one source after the other. A source that cannot go on does not
// keep the others from being read; its error is the sequence's.
type sequence []besra.Source

// Run implements [besra.Source].
func (s sequence) Run(ctx context.Context, to besra.Receiver) error {
	var errs []error
	for _, source := range s {
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, source.Run(ctx, to))
	}
	return errors.Join(errs...)
}
