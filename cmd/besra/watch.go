package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/files"
	"github.com/besra-hunt/besra/source/watch"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// watchFlags are the flags of `besra watch`: those of a hunt, and those of
// watching.
type watchFlags struct {
	hunt     huntFlags
	since    date
	snapshot string
	once     bool
	quiet    time.Duration
	method   string
}

func watchCommand(stdio stdio) *cobra.Command {
	var w watchFlags
	cmd := &cobra.Command{
		Use:   "watch DIR…",
		Short: "Hunt in files as they are written",
		Long: `Scan every file that is written, made or moved below the directories, as a hunt does, until Ctrl-C or SIGTERM.
On Linux with CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH (root) fanotify tells which process wrote it, the facts writer.*;
otherwise each directory is watched on its own. With --since or --snapshot what changed before is scanned first, and
with --once only that: for hosts that cannot watch, run by a timer.`,
		Example: "  besra watch /srv /home\n  besra watch --snapshot /var/lib/besra/srv.snapshot --once /srv\n  besra watch --since 24h --format ndjson=/var/log/besra.ndjson /var/www",
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.run(cmd.Context(), stdio, args)
		},
	}
	f := cmd.Flags()
	w.hunt.register(f)
	w.register(f)
	return grouped(cmd)
}

func (w *watchFlags) register(f *pflag.FlagSet) {
	h := &w.hunt
	f.Var(&w.since, "since", "scan first what changed since this day, instant or span: 2026-11-30, 24h, 7d")
	f.StringVar(&w.snapshot, "snapshot", "", "scan first what changed since this file was written, and bring it up to date; other rules begin it anew")
	f.BoolVar(&w.once, "once", false, "end when that is done; do not watch")
	f.DurationVar(&w.quiet, "quiet", 500*time.Millisecond, "how long nothing must happen to a file before it is scanned")
	f.StringVar(&w.method, "method", watch.MethodAuto, "how changes are noticed: auto, fanotify, notify")
	f.StringArrayVar(&h.include, "include", nil, "only files that fit this glob (** for any depth); may be repeated")
	f.StringArrayVar(&h.exclude, "exclude", nil, "not the paths that fit this glob; they are counted; may be repeated")
	f.Var(&h.maxSize, "max-size", "skip larger files, such as 64MiB; they are counted (default: no limit)")
	f.BoolVarP(&h.oneFileSystem, "one-file-system", "x", false, "stay on the file system of each directory when looking for what changed")
	f.StringVar(&h.failOn, "fail-on", "", "exit with 1 on a finding of this severity or above: informational, low, medium, high")
	f.BoolVar(&h.strict, "strict", false, "exit with 4 where something was not read")
}

// run hunts until ctx ends, which is how watching ends well; a run that only
// catches up is interrupted by it.
func (w *watchFlags) run(ctx context.Context, stdio stdio, dirs []string) error {
	if len(dirs) == 0 {
		return &hintError{errors.New("no directory given"), "besra watch /srv watches it and all below"}
	}
	stop := ctx
	if w.once {
		stop = context.Background()
	} else {
		ctx = context.WithoutCancel(ctx)
	}
	return w.hunt.hunt(ctx, stdio, dirs, func(host *facts.Host, set *detection.Set) (besra.Source, error) {
		return w.source(stop, stdio.err, host, contentTag(set), dirs)
	})
}

func (w *watchFlags) source(stop context.Context, stderr io.Writer, host *facts.Host, tag string, dirs []string) (besra.Source, error) {
	c := watch.Config{Dirs: dirs, Quiet: w.quiet, Method: w.method, Since: w.since.Time, Once: w.once, Stop: stop,
		Files: func(paths []string) (besra.Source, error) { return w.files(host, paths) },
		Ready: func(method string, why error) {
			if why != nil {
				fmt.Fprintf(stderr, "besra: note: who writes is not known: %s\n", why)
			}
			fmt.Fprintf(stderr, "besra: watching %s (%s)\n", strings.Join(dirs, " "), method)
		}}
	if w.snapshot != "" {
		c.Snapshot = &watch.Snapshot{File: w.snapshot, Tag: tag}
	}
	return watch.New(c)
}

// files is the source of what changed.
func (w *watchFlags) files(host *facts.Host, paths []string) (besra.Source, error) {
	h := &w.hunt
	own := h.ownFiles()
	if w.snapshot != "" {
		own = append(own, w.snapshot)
	}
	return files.New(files.Config{Host: host, Paths: paths, Real: true, Include: h.include, Exclude: h.exclude, Own: own,
		MaxSize: int64(h.maxSize), OneFileSystem: h.oneFileSystem, Workers: 1, Pace: h.limits.pacer.IO})
}
