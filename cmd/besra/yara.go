package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara"
	"github.com/besra-hunt/besra/yara/modules/standard"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// yaraVersion is the release of YARA whose command line this is. Scripts that
// ask `yara --version` compare it.
const yaraVersion = "4.5.8"

// exitYARA is the exit code of `besra yara` for whatever went wrong: as yara
// has it, not as the other commands have.
const exitYARA = 1

// yaraFlags are the options of `besra yara`, as yara has them, and a few that
// yara lacks.
type yaraFlags struct {
	compile compileFlags

	atomTable      string
	compiled       bool
	count          bool
	strictEscape   bool
	noConsole      bool
	failOnWarnings bool
	fast           bool
	identifiers    []string
	maxRules       int64
	maxStrings     int
	moduleData     []string
	negate         bool
	noFollow       bool
	noWarnings     bool
	meta           bool
	showModules    bool
	moduleNames    bool
	namespace      bool
	stats          bool
	strings        bool
	lengths        bool
	xorKeys        bool
	tagsShown      bool
	recursive      bool
	scanList       bool
	skipLarger     int64
	tags           []string
	threads        int
	timeout        secondsFlag
	version        bool
	format         string
	profile        profileFlag

	ignored struct{ stackSize, memoryChunk int64 }
}

func yaraCommand(stdio stdio) *cobra.Command {
	y := &yaraFlags{compile: compileFlags{dialect: dialectFlag(yara.LibYARA), relaxed: true}}
	cmd := &cobra.Command{
		Use:   "yara [flags] [NAMESPACE:]RULES… FILE|DIR|-",
		Short: "Scan as the yara program does, with its options and output",
		Long: `Scan a file, a directory or a list of files with rules, taking the options of yara 4.5 and printing
what it prints. Rules are read as libyara reads them unless --dialect says otherwise. RULES may be a
directory of .yar and .yara files, or - for standard input; so may the target.

Exit codes are those of yara: 0 done, whatever matched, and 1 for any error.`,
		Example: "  besra yara -r rules.yar /srv\n  besra yara -s -m -d owner=root a.yar team:b.yar sample.bin\n" +
			"  besra yara -o ndjson -r rules/ /srv > matches.ndjson",
		// yara takes nothing from the environment, and --tag or --timeout of
		// another command mean something else.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, args []string) error {
			return yaraExit(y.run(cmd.Context(), stdio, args))
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return yaraExit(yaraFlagError(err))
	})
	f := cmd.Flags()
	f.SortFlags = false
	y.registerScan(f)
	y.registerPrint(f)
	y.registerOwn(f)
	return cmd
}

// registerScan registers the options that say what is scanned and how.
func (y *yaraFlags) registerScan(f *pflag.FlagSet) {
	f.BoolVarP(&y.compiled, "compiled-rules", "C", false, "RULES is one file made by `besra rule compile`")
	f.StringArrayVarP(&y.compile.defines, "define", "d", nil, "external variable, as VAR=VALUE; may be repeated")
	f.StringArrayVarP(&y.moduleData, "module-data", "x", nil, "pass a file to a module, as MODULE=FILE; may be repeated")
	f.BoolVarP(&y.recursive, "recursive", "r", false, "go into subdirectories")
	f.BoolVarP(&y.noFollow, "no-follow-symlinks", "N", false, "do not follow symbolic links met in directories")
	f.BoolVar(&y.scanList, "scan-list", false, "the target is a list of files and directories, one a line")
	f.Int64VarP(&y.skipLarger, "skip-larger", "z", 0, "in directories, skip files of this many bytes and more")
	f.IntVarP(&y.threads, "threads", "p", runtime.GOMAXPROCS(0), "files scanned at once; the order of lines stays")
	f.VarP(&y.timeout, "timeout", "a", "stop scanning after this many seconds")
	f.BoolVarP(&y.fast, "fast-scan", "f", false, "print only the first match of a string, where its place and number do not matter")
	f.Int64VarP(&y.maxRules, "max-rules", "l", 0, "stop after this many matching rules")
	f.IntVar(&y.maxStrings, "max-strings-per-rule", 0, "refuse rules with more strings (default: no limit)")
	f.BoolVarP(&y.strictEscape, "strict-escape", "E", false, "warn of unknown escape sequences in regexps")
	f.BoolVarP(&y.noWarnings, "no-warnings", "w", false, "no warnings")
	f.BoolVar(&y.failOnWarnings, "fail-on-warnings", false, "do not scan with rules that have warnings")
	f.StringVar(&y.atomTable, "atom-quality-table", "", "accepted, without effect: atoms are chosen otherwise here")
	f.Int64VarP(&y.ignored.stackSize, "stack-size", "k", 16384, "accepted, without effect: conditions need no stack here")
	f.Int64Var(&y.ignored.memoryChunk, "max-process-memory-chunk", 1<<30, "accepted, without effect on files")
}

// registerPrint registers the options that say what is printed.
func (y *yaraFlags) registerPrint(f *pflag.FlagSet) {
	f.BoolVarP(&y.count, "count", "c", false, "print only how many rules match")
	f.BoolVarP(&y.negate, "negate", "n", false, "print the rules that do not match")
	f.StringArrayVarP(&y.identifiers, "identifier", "i", nil, "print only rules of this name; may be repeated")
	f.StringArrayVarP(&y.tags, "tag", "t", nil, "print only rules with this tag; may be repeated")
	f.BoolVarP(&y.strings, "print-strings", "s", false, "print matching strings")
	f.BoolVarP(&y.lengths, "print-string-length", "L", false, "print the length of matching strings")
	f.BoolVarP(&y.xorKeys, "print-xor-key", "X", false, "print the xor key and the plain text of matching strings")
	f.BoolVarP(&y.meta, "print-meta", "m", false, "print metadata")
	f.BoolVarP(&y.tagsShown, "print-tags", "g", false, "print tags")
	f.BoolVarP(&y.namespace, "print-namespace", "e", false, "print namespaces")
	f.BoolVarP(&y.showModules, "print-module-data", "D", false, "print what the modules found out")
	f.BoolVarP(&y.stats, "print-stats", "S", false, "print the size of the set of rules")
	f.BoolVarP(&y.noConsole, "disable-console-logs", "q", false, "do not print what rules log")
	f.BoolVarP(&y.moduleNames, "module-names", "M", false, "list the modules and exit")
	f.BoolVarP(&y.version, "version", "v", false, "show the version and exit")
}

// registerOwn registers what yara does not have.
func (y *yaraFlags) registerOwn(f *pflag.FlagSet) {
	f.StringVarP(&y.format, "output-format", "o", "text", "output format: text, ndjson or json, as `yr scan` writes them")
	f.Var(&y.compile.dialect, "dialect", "whose answer counts where YARA and YARA-X differ: yara, yarax")
	f.StringArrayVarP(&y.compile.includeDirs, "include-dir", "I", nil, "look for included files here, too; may be repeated")
	f.StringArrayVar(&y.compile.ignoreModules, "ignore-module", nil, "leave out the rules that use this module; may be repeated")
	y.profile.register(f)
	f.BoolVar(&y.compile.pathAsNamespace, "path-as-namespace", false, "a namespace for each file of rules: its path")
}

func (y *yaraFlags) run(ctx context.Context, stdio stdio, args []string) error {
	switch {
	case y.version:
		_, err := fmt.Fprintf(stdio.out, "%s (besra %s)\n", yaraVersion, currentVersion().Version)
		return err
	case y.moduleNames:
		return printModuleNames(stdio.out)
	}
	if err := y.check(args); err != nil {
		return err
	}
	if !allAssignments(y.moduleData) {
		return &yaraError{"error: wrong syntax for `-x` option.", nil}
	}
	if !allAssignments(y.compile.defines) {
		return &yaraError{"error: wrong syntax for `-d` option.", nil}
	}
	data, err := loadModuleData(y.moduleData)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return &yaraError{fmt.Sprintf("error: could not open file \"%s\".", path.Path), err}
	} else if err != nil {
		return err
	}
	rules, err := y.load(stdio, args[:len(args)-1])
	if err != nil {
		return err
	}
	if y.stats {
		printYARAStats(y.statsTo(stdio), rules)
	}
	s := &yaraScan{flags: y, rules: rules, moduleData: data, stdio: stdio, deadline: time.Now().Add(y.timeout.duration())}
	err = s.run(ctx, args[len(args)-1])
	y.profile.print(stdio.err)
	return err
}

func (y *yaraFlags) check(args []string) error {
	switch {
	case len(args) < 2:
		return &yaraError{yaraUsage, nil}
	case y.compiled && len(args) > 2:
		return errors.New("only one file of rules can be given with --compiled-rules")
	case y.threads < 1:
		return fmt.Errorf("--threads %d: want at least 1", y.threads)
	case y.format != "text" && y.format != "ndjson" && y.format != "json":
		return fmt.Errorf("--output-format %q: want text, ndjson or json", y.format)
	case y.format != "text" && y.showModules:
		return &hintError{errors.New("--print-module-data goes with text only"), "besra module dump --format json gives the data of a file as JSON"}
	}
	// yara reads unknown escapes as literal characters; YARA-X refuses them.
	y.compile.relaxed = yara.Dialect(y.compile.dialect) == yara.LibYARA
	return nil
}

// statsTo keeps the lines of --print-stats out of JSON.
func (y *yaraFlags) statsTo(stdio stdio) io.Writer {
	if y.format == "text" {
		return stdio.out
	}
	return stdio.err
}

// wantsMatches reports whether matches of strings are printed.
func (y *yaraFlags) wantsMatches() bool { return y.strings || y.lengths || y.xorKeys }

func printModuleNames(w io.Writer) error {
	for _, m := range standard.Modules() {
		if _, err := fmt.Fprintln(w, m.Name); err != nil {
			return err
		}
	}
	return nil
}

// printYARAStats prints the lines of yara that mean something here, in its form.
func printYARAStats(w io.Writer, rules *yara.Rules) {
	s := rules.Stats()
	fmt.Fprintf(w, "number of rules                    : %d\n", s.Rules)
	fmt.Fprintf(w, "number of namespaces               : %d\n", s.Namespaces)
	fmt.Fprintf(w, "number of strings                  : %d\n", s.Patterns)
	fmt.Fprintf(w, "number of rules that need a string : %d\n", s.Anchored)
	fmt.Fprintf(w, "modules                            : %s\n", strings.Join(s.Modules, " "))
}

// secondsFlag is a time in whole seconds, or with a unit such as 90s or 5m.
// 0 means yara's default, 1,000,000 seconds.
type secondsFlag time.Duration

const yaraTimeout = 1_000_000 * time.Second

func (s *secondsFlag) duration() time.Duration {
	if *s == 0 {
		return yaraTimeout
	}
	return time.Duration(*s)
}

// String implements [pflag.Value].
func (s *secondsFlag) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type implements [pflag.Value].
func (s *secondsFlag) Type() string { return "seconds" }

// Set implements [pflag.Value].
func (s *secondsFlag) Set(text string) error {
	n, err := strconv.ParseInt(text, 0, 64)
	d := time.Duration(min(n, int64(yaraTimeout/time.Second))) * time.Second
	if err != nil {
		d, err = time.ParseDuration(text)
	}
	if err != nil || d <= 0 {
		return errors.New("want a number of seconds above 0")
	}
	*s = secondsFlag(d)
	return nil
}
