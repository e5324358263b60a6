package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// engine is a program that compiles rules into a file and scans with it. All
// of them print the lines of yara: a rule and a path, and with offsets, under
// them, a line for each match.
type engine struct {
	name    string // of the engine, as the tables show it
	version string
	reads   string // the dialect of Besra that its answers are compared with
	// compile returns the command that compiles files of rules, each in its
	// own namespace, and leaves the outcome in out.
	compile func(files []string, out string) []string
	// scan returns the command that scans the file or directory.
	scan func(compiled, target string, threads int, offsets bool) []string
}

// externals are the variables that public rules expect to be defined.
var externals = []string{"filename", "filepath", "extension", "filetype", "owner"}

// findEngines lists Besra, first, and the peers that are installed.
func findEngines(ctx context.Context, o *options) ([]*engine, error) {
	program := o.besra
	if program == "" {
		program = filepath.Join(o.work, "besra")
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/besra-hunt/besra/cmd/besra")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building besra: %w\n%s", err, out)
		}
	}
	o.besra = program
	engines := []*engine{besra(program, "yara")}
	driver, err := writeDriver(o.work)
	if err != nil {
		return nil, err
	}
	for _, e := range []*engine{
		yaraProgram(), yrProgram(),
		spoken("YARA-X (Python)", o.python, driver, "yara_x"), spoken("libyara (Python)", o.python, driver, "yara"),
	} {
		if e.version = firstLine(ctx, e.version); e.version != "" && o.lets(e.name) {
			engines = append(engines, e)
		}
	}
	for _, p := range o.peers {
		e := spoken(p.name, p.value)
		e.version = firstLine(ctx, e.version)
		engines = append(engines, e)
	}
	for _, e := range engines {
		log.Printf("engine: %s (%s)", e.name, e.version)
	}
	if len(engines) == 1 {
		log.Print("no other engine was found: Besra is measured alone")
	}
	return engines, nil
}

// lets reports whether -engines names the engine.
func (o *options) lets(name string) bool {
	return o.engines == "" || slices.Contains(strings.Split(o.engines, ","), name)
}

func besra(program, dialect string) *engine {
	return &engine{
		name: "Besra", version: "this source", reads: dialect,
		compile: func(files []string, out string) []string {
			args := []string{program, "rule", "compile", "--dialect", dialect, "--relaxed-re-syntax", "--path-as-namespace", "-o", out}
			return append(append(args, defines()...), files...)
		},
		scan: func(compiled, target string, threads int, offsets bool) []string {
			args := []string{program, "yara", "-C", "-w", "-q", "-r", "-p", strconv.Itoa(threads)}
			return append(append(args, flagsIf(offsets, "-s", "-L")...), compiled, target)
		},
	}
}

// yaraProgram is the yara of libyara, with its compiler yarac.
func yaraProgram() *engine {
	return &engine{
		name: "YARA", version: "yara --version", reads: "yara",
		compile: func(files []string, out string) []string {
			args := append([]string{"yarac", "-w"}, defines()...)
			for i, f := range files {
				args = append(args, fmt.Sprintf("n%d:%s", i, f))
			}
			return append(args, out)
		},
		scan: func(compiled, target string, threads int, offsets bool) []string {
			args := []string{"yara", "-C", "-w", "-r", "-p", strconv.Itoa(threads)}
			return append(append(args, flagsIf(offsets, "-s", "-L")...), compiled, target)
		},
	}
}

// yrProgram is the command line of YARA-X.
func yrProgram() *engine {
	return &engine{
		name: "YARA-X", version: "yr --version", reads: "yarax",
		compile: func(files []string, out string) []string {
			args := []string{"yr", "compile", "--disable-warnings", "--relaxed-re-syntax", "--path-as-namespace", "-o", out}
			return append(append(args, defines()...), files...)
		},
		scan: func(compiled, target string, threads int, offsets bool) []string {
			args := []string{"yr", "scan", "-C", "--recursive", "--disable-console-logs", "-p", strconv.Itoa(threads)}
			return append(append(args, flagsIf(offsets, "--print-strings")...), compiled, target)
		},
	}
}

// spoken is an engine behind a program that speaks the protocol of driver.py.
func spoken(name string, command ...string) *engine {
	reads := "yara"
	if strings.HasPrefix(name, "YARA-X") {
		reads = "yarax"
	}
	call := func(args ...string) []string { return append(append([]string(nil), command...), args...) }
	return &engine{
		name: name, version: strings.Join(call("version"), " "), reads: reads,
		compile: func(files []string, out string) []string { return append(call("compile", out), files...) },
		scan: func(compiled, target string, threads int, offsets bool) []string {
			return append(call("scan", compiled, target, strconv.Itoa(threads)), flagsIf(offsets, "offsets")...)
		},
	}
}

//go:embed driver.py
var driverSource []byte

func writeDriver(dir string) (string, error) {
	name := filepath.Join(dir, "driver.py")
	return name, os.WriteFile(name, driverSource, 0o644)
}

// firstLine runs a command that tells a version; empty where it cannot be run.
func firstLine(ctx context.Context, command string) string {
	args := strings.Fields(command)
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

func defines() (args []string) {
	for _, name := range externals {
		args = append(args, "-d", name+"=")
	}
	return args
}

func flagsIf(yes bool, flags ...string) []string {
	if yes {
		return flags
	}
	return nil
}
