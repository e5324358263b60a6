package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/scan"
	"github.com/spf13/pflag"
)

// checkpoint is the journal of a hunt; without a name it does nothing.
type checkpoint struct {
	name, resume string // as the flags say
	journal      *scan.Journal
	args         []string
	flags        *pflag.FlagSet
}

// begin returns the arguments of the hunt: those given, or those that a hunt
// began with which goes on now. Its flags and its directory are set.
func (c *checkpoint) begin(stdio stdio, flags *pflag.FlagSet, args []string) ([]string, error) {
	c.args, c.flags = args, flags
	if c.resume == "" {
		return args, nil
	}
	if c.name != "" {
		return nil, errors.New("--checkpoint begins a hunt and --resume goes on with one: give only the latter")
	}
	var err error
	if c.name, err = filepath.Abs(c.resume); err != nil {
		return nil, err
	}
	if c.journal, err = scan.OpenJournal(c.name); err != nil {
		return nil, &hintError{fmt.Errorf("--resume: %w", err), "--resume takes the file that --checkpoint named"}
	}
	begun := c.journal.Opening()
	if err := takeUp(flags, args, begun); err != nil {
		c.close()
		return nil, err
	}
	fmt.Fprintf(stdio.err, "besra: going on with the hunt of %s: %d targets are done\n",
		begun.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC"), c.journal.Done())
	if n := c.journal.Torn(); n > 0 {
		fmt.Fprintf(stdio.err, "besra: note: the last %d bytes of %s were half-written: what they said is done again\n", n, c.resume)
	}
	return begun.Args, nil
}

// mayDiffer are the flags that say how a hunt is run and shown, and not what is
// hunted for and where: they may be given anew when it goes on.
var mayDiffer = []string{"workers", "no-progress", "format", "output", "show-suppressed", "fail-on", "strict",
	"max-cpu", "max-iops", "nice", "max-memory", "cache", "cache-stat",
	"syslog-spool", "syslog-spool-max", "syslog-ca", "resume"}

// takeUp sets the flags and the directory that a hunt began with, and refuses
// others.
func takeUp(flags *pflag.FlagSet, args []string, begun scan.Opening) error {
	anew := "a hunt goes on with what it began with; begin another one without --resume"
	if len(args) > 0 && !slices.Equal(args, begun.Args) {
		return &hintError{fmt.Errorf("--resume: the hunt was begun on %s, not on %s", strings.Join(begun.Args, " "), strings.Join(args, " ")), anew}
	}
	if build := buildName(); build != begun.Build {
		return &hintError{fmt.Errorf("--resume: the hunt was begun by besra %s, and this is %s", begun.Build, build), anew}
	}
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		i := slices.IndexFunc(begun.Flags, func(b scan.Flag) bool { return b.Name == f.Name })
		switch free := slices.Contains(mayDiffer, f.Name); {
		case f.Changed && free, !f.Changed && i < 0:
		case i < 0:
			errs = append(errs, fmt.Errorf("--resume: the hunt was begun without --%s", f.Name))
		case f.Changed && !slices.Equal(flagValues(f), begun.Flags[i].Values):
			errs = append(errs, fmt.Errorf("--resume: the hunt was begun with --%s %s", f.Name, strings.Join(begun.Flags[i].Values, ", ")))
		case !f.Changed:
			errs = append(errs, setFlag(flags, f, begun.Flags[i].Values))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return &hintError{err, anew}
	}
	return os.Chdir(begun.Dir)
}

func flagValues(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

func setFlag(flags *pflag.FlagSet, f *pflag.Flag, values []string) error {
	f.Changed = true
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.Replace(values)
	}
	return flags.Set(f.Name, values[0])
}

// givenFlags are the flags of the command line and the environment.
func givenFlags(flags *pflag.FlagSet) []scan.Flag {
	list := []scan.Flag{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.Name != "checkpoint" {
			list = append(list, scan.Flag{Name: f.Name, Values: flagValues(f)})
		}
	})
	return list
}

func buildName() string {
	v := currentVersion()
	return strings.TrimSpace(v.Version + " " + v.Revision)
}

// open begins the journal that --checkpoint names, or holds the one that is
// resumed against what was compiled: a hunt does not change its rules in the
// middle. run becomes what the record is to say. sync brings to the disk what the
// journal vouches for; inputs are files besides the packs that say what is hunted.
func (c *checkpoint) open(run *besra.Run, sync func() error, inputs ...string) error {
	if c.name == "" {
		return nil
	}
	files, err := hashFiles(inputs)
	if err != nil {
		return err
	}
	if c.journal == nil {
		err = c.create(*run, files)
	} else {
		begun := c.journal.Opening()
		err = sameContent(begun, *run, files)
		*run = begun.Run
	}
	if err == nil {
		c.journal.Before = sync
	}
	return err
}

func (c *checkpoint) create(run besra.Run, files []scan.FileHash) error {
	if i := slices.IndexFunc(c.args, isStream); i >= 0 {
		return fmt.Errorf("--checkpoint: %s cannot be read a second time", c.args[i])
	}
	if slices.ContainsFunc(files, func(f scan.FileHash) bool { return f.Name == "-" }) {
		return errors.New("--checkpoint: a list on standard input cannot be read a second time")
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	c.journal, err = scan.CreateJournal(c.name, scan.Opening{Run: run, Build: buildName(), Dir: dir,
		Args: c.args, Flags: givenFlags(c.flags), Files: files})
	if errors.Is(err, os.ErrExist) {
		return &hintError{fmt.Errorf("--checkpoint: %s is there already", c.name),
			"besra hunt --resume " + c.name + " goes on with that hunt; remove the file to begin anew"}
	}
	if err != nil {
		return fmt.Errorf("--checkpoint: %w", err)
	}
	return nil
}

// isStream reports whether a place is gone once it was read.
func isStream(place string) bool {
	return strings.HasPrefix(place, "live:") || place == "capture:-"
}

// hashFiles names files with their content; empty names are left out.
func hashFiles(names []string) ([]scan.FileHash, error) {
	var list []scan.FileHash
	for _, name := range names {
		if name == "" {
			continue
		}
		if name == "-" {
			list = append(list, scan.FileHash{Name: name})
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return nil, err
		}
		list = append(list, scan.FileHash{Name: name, SHA256: hex.EncodeToString(sum.Sum(nil))})
	}
	return list, nil
}

// sameContent refuses to go on with other rules or on another host.
func sameContent(begun scan.Opening, run besra.Run, files []scan.FileHash) error {
	var what string
	switch {
	case begun.Run.Host != run.Host:
		what = fmt.Sprintf("the hunt was begun on the host %s, and this is %s", begun.Run.Host, run.Host)
	case !slices.Equal(begun.Files, files):
		what = "a file that the command line names has changed"
	}
	for i, p := range run.Packs {
		if i < len(begun.Run.Packs) && begun.Run.Packs[i] != p {
			what = fmt.Sprintf("the pack %s has changed: it was %.19s…, and is %.19s…", p.Name, begun.Run.Packs[i].Digest, p.Digest)
		}
	}
	if what == "" && !slices.Equal(begun.Run.Packs, run.Packs) {
		what = "the packs are others"
	}
	if what == "" {
		return nil
	}
	return &hintError{errors.New("--resume: " + what), "half a hunt with one content and half with another would say nothing: begin a new one without --resume"}
}

// end closes the journal: it goes where the hunt came to its end, and stays
// where there is something left to do. It returns what to tell.
func (c *checkpoint) end(unfinished bool) (string, error) {
	if c.journal == nil {
		return "", nil
	}
	if !unfinished {
		return "", c.journal.Remove()
	}
	err := c.journal.Close()
	return "checkpoint kept: besra hunt --resume " + c.name + " goes on", err
}

// close lets go of the journal of a hunt that was not begun: it keeps one that
// is to be resumed. After end it does nothing.
func (c *checkpoint) close() {
	switch {
	case c.journal == nil:
	case c.resume == "":
		c.journal.Remove()
	default:
		c.journal.Close()
	}
}

// earlier tells sinks that a record is of an earlier part of the hunt. It is of
// the goroutine that writes.
type earlier bool

// of returns a sink that passes on the records of an earlier part.
func (e *earlier) of(all besra.Sink) besra.Sink { return &fromEarlier{all, e} }

// only returns a sink that leaves those records out: they are there already.
func (e *earlier) only(s besra.Sink) besra.Sink { return &notEarlier{s, e} }

type fromEarlier struct {
	besra.Sink
	now *earlier
}

// Write implements [besra.Sink].
func (s *fromEarlier) Write(ctx context.Context, r besra.Record) error {
	*s.now = true
	defer func() { *s.now = false }()
	return s.Sink.Write(ctx, r)
}

type notEarlier struct {
	besra.Sink
	now *earlier
}

// Write implements [besra.Sink].
func (s *notEarlier) Write(ctx context.Context, r besra.Record) error {
	if *s.now {
		return nil
	}
	return s.Sink.Write(ctx, r)
}
