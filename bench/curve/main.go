// Curve draws the resident memory of `besra yara` and `besra hunt` while they
// go over very many small files, one after the other, on one thread:
//
//	go run ./bench/curve -rules DIR -svg memory.svg
//
// It needs Linux, which tells of a process what memory it has and how often it
// has read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rules, work, chart, besra string
	files                     int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("curve: ")
	o := &options{}
	flag.StringVar(&o.rules, "rules", "", "folder of rules (.yar, .yara)")
	flag.IntVar(&o.files, "files", 1_000_000, "how many files there are to scan")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "besra-curve"), "folder for the files; kept, so that the next call finds them")
	flag.StringVar(&o.chart, "svg", "memory.svg", "file for the chart")
	flag.StringVar(&o.besra, "besra", "", "program to measure (default: built from this source)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o *options) error {
	rules, err := rulesIn(o.rules)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return err
	}
	if o.besra == "" {
		o.besra = filepath.Join(o.work, "besra")
		if err := call(ctx, "go", "build", "-o", o.besra, "github.com/besra-hunt/besra/cmd/besra"); err != nil {
			return err
		}
	}
	compiled, tree := filepath.Join(o.work, "rules.compiled"), filepath.Join(o.work, fmt.Sprintf("tree-%d", o.files))
	if err := call(ctx, o.besra, append(compileFlags(compiled), rules...)...); err != nil {
		return err
	}
	if err := makeTree(ctx, tree, o.files); err != nil {
		return err
	}
	curves := []curve{
		{title: "besra hunt, rules compiled from source", args: []string{"hunt", "-j", "1", "--pack", o.rules, "--format", "ndjson", tree}},
		{title: "besra yara, compiled rules", args: []string{"yara", "-C", "-w", "-q", "-r", "-p", "1", compiled, tree}},
	}
	for i := range curves {
		if err := curves[i].measure(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", curves[i].title, err)
		}
	}
	return os.WriteFile(o.chart, []byte(draw(curves, o.files)), 0o644)
}

// rulesIn lists the files of rules.
func rulesIn(root string) (list []string, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && d.Type().IsRegular() && (ext == ".yar" || ext == ".yara") {
			list = append(list, path)
		}
		return err
	})
	if err == nil && len(list) == 0 {
		err = errors.New("no .yar or .yara files in -rules")
	}
	return list, err
}

// compileFlags define the variables that public rules expect.
func compileFlags(out string) []string {
	args := []string{"rule", "compile", "--dialect", "yara", "--relaxed-re-syntax", "--path-as-namespace", "-o", out}
	for _, name := range []string{"filename", "filepath", "extension", "filetype", "owner"} {
		args = append(args, "-d", name+"=")
	}
	return args
}

// call runs a program that says something only where it fails.
func call(ctx context.Context, program string, args ...string) error {
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// makeTree makes distinct small files, a thousand in a folder, under another
// name first, so that a tree that is there is whole.
func makeTree(ctx context.Context, tree string, files int) error {
	if _, err := os.Stat(tree); err == nil {
		return nil
	}
	log.Printf("making %d files", files)
	part := tree + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	for i := range files {
		dir := filepath.Join(part, strconv.Itoa(i/1000))
		if i%1000 == 0 {
			if err := errors.Join(ctx.Err(), os.MkdirAll(dir, 0o755)); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), fmt.Appendf(nil, "tiny file %d\n", i), 0o644); err != nil {
			return err
		}
	}
	return os.Rename(part, tree)
}

// curve is the memory of one program on its way.
type curve struct {
	title  string
	args   []string
	points []point
}

// point is how much memory there was after so many calls of read.
type point struct {
	reads int64
	rss   float64 // megabytes
}

// every is how often a program is looked at.
const every = 100 * time.Millisecond

func (c *curve) measure(ctx context.Context, o *options) error {
	cmd := exec.CommandContext(ctx, o.besra, c.args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			c.tell()
			if len(c.points) == 0 {
				err = errors.Join(err, errors.New("nothing was seen of it: this needs Linux, and more files"))
			}
			return err
		case <-tick.C:
			if p, err := look(cmd.Process.Pid); err == nil {
				c.points = append(c.points, p)
			}
		}
	}
}

// tell prints between what the memory stayed in the second half of the way.
func (c *curve) tell() {
	var late []float64
	for _, p := range c.points[len(c.points)/2:] {
		late = append(late, p.rss)
	}
	if len(late) > 0 {
		log.Printf("%s: from half of the files on %.1f to %.1f MB", c.title, slices.Min(late), slices.Max(late))
	}
}

// look asks Linux about a process.
func look(pid int) (p point, err error) {
	reads, err := field(fmt.Sprintf("/proc/%d/io", pid), "syscr:")
	if err != nil {
		return p, err
	}
	rss, err := field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
	return point{reads, float64(rss) / 1024}, err
}

func field(file, name string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			return strconv.ParseInt(words[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
