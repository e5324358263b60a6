package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sentinel/ingest"
	"github.com/besra-hunt/besra/sink/cef"
	"github.com/besra-hunt/besra/sink/csv"
	"github.com/besra-hunt/besra/sink/ecs"
	"github.com/besra-hunt/besra/sink/html"
	"github.com/besra-hunt/besra/sink/json"
	"github.com/besra-hunt/besra/sink/junit"
	"github.com/besra-hunt/besra/sink/ndjson"
	"github.com/besra-hunt/besra/sink/ocsf"
	"github.com/besra-hunt/besra/sink/sarif"
	"github.com/besra-hunt/besra/sink/sentinel"
	"github.com/besra-hunt/besra/sink/syslog"
	"github.com/besra-hunt/besra/sink/table"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"
)

// outputFlags say how records are written.
type outputFlags struct {
	formats        []string
	file           string
	showSuppressed bool
	delivery       deliveryFlags
	sink           sinkFlags
	earlier        earlier // is set while what an earlier part of a hunt found is written
}

// format is one way to write records.
type format struct {
	name  string
	about string
	new   func(o *outputFlags, w io.Writer) besra.Sink
}

// plain makes a format of a sink without options.
func plain(name, about string, newSink func(io.Writer) besra.Sink) format {
	return format{name, about, func(_ *outputFlags, w io.Writer) besra.Sink { return newSink(w) }}
}

// formats lists them in the order that help shows.
func formats() []format {
	return []format{
		{"table", "for people, on a terminal", (*outputFlags).table},
		plain("ndjson", "the master record, docs/records.md", ndjson.New),
		plain("json", "one JSON document", json.New),
		plain("csv", "for spreadsheets", csv.New),
		plain("html", "one self-contained page", html.New),
		plain("sarif", "SARIF 2.1.0, for code hosts and viewers", sarif.New),
		plain("junit", "JUnit XML, for build servers", junit.New),
		plain("cef", "Common Event Format, a line a finding", cef.New),
		plain("ecs", "Elastic Common Schema, a line a finding", ecs.New),
		plain("ocsf", "OCSF Detection Finding, a line a finding", ocsf.New),
		{"sentinel", "rows of the table in Microsoft Sentinel, a line a finding", func(_ *outputFlags, w io.Writer) besra.Sink { return sentinel.New(w, ingest.NewEncoder()) }},
		{"syslog", "RFC 5424, a line a finding", func(_ *outputFlags, w io.Writer) besra.Sink { return syslog.New(w, "cef", cef.Encode) }},
	}
}

func formatNames() string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func (o *outputFlags) register(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.formats, "format", "f", []string{"table"},
		"output format, FORMAT or FORMAT=FILE; may be repeated for several at once: "+formatNames())
	f.StringVarP(&o.file, "output", "o", "", "write the format that names no file to this one instead of standard output")
	f.BoolVar(&o.showSuppressed, "show-suppressed", false, "show suppressed findings in the table, too")
	o.delivery.register(f)
}

// output is one format with where it goes: a file, or "" for standard output.
type output struct {
	format format
	file   string
}

// outputs reads what --format and --output ask for.
func (o *outputFlags) outputs() ([]output, error) {
	var list []output
	loose := 0
	for _, text := range o.formats {
		name, file, named := strings.Cut(text, "=")
		i := slices.IndexFunc(formats(), func(f format) bool { return f.name == name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("--format %q: want %s", name, formatNames())
		case named && file == "":
			return nil, fmt.Errorf("--format %q names no file", text)
		case !named:
			loose++
			file = o.file
		}
		if file == "-" {
			file = ""
		}
		list = append(list, output{formats()[i], file})
	}
	return list, checkOutputs(list, o.file, loose)
}

// files names the files that are written. Where standard output goes to one, the
// system may tell which.
func (o *outputFlags) files() []string {
	var names []string
	list, _ := o.outputs() // an error is told by open
	for _, out := range list {
		if out.file != "" && !isURL(out.file) {
			names = append(names, out.file)
		}
	}
	if name, err := os.Readlink("/proc/self/fd/1"); err == nil && strings.HasPrefix(name, "/") {
		names = append(names, name)
	}
	if o.delivery.spool != "" {
		names = append(names, o.delivery.spool)
	}
	if o.sink.any() {
		names = append(names, o.sink.ship.dir())
	}
	return names
}

// checkOutputs wants every place written to by one format.
func checkOutputs(list []output, file string, loose int) error {
	if file != "" && loose == 0 {
		return &hintError{fmt.Errorf("--output %s: every --format names its own file", file), "leave --output out, or name a format without a file"}
	}
	for i, a := range list {
		for _, b := range list[:i] {
			if a.file == b.file {
				return &hintError{fmt.Errorf("--format %s and --format %s go to the same place", b.format.name, a.format.name), "give each a file: -f table -f " + a.format.name + "=FILE"}
			}
		}
	}
	return nil
}

// open returns the sink. A file is written as the run goes, so that what was
// found is there whatever ends the run.
func (o *outputFlags) open(stdio stdio) (besra.Sink, error) {
	list, err := o.outputs()
	if err != nil {
		return nil, err
	}
	all := &tee{}
	for _, out := range list {
		s, err := o.openOne(stdio, out)
		if err != nil {
			all.Close()
			return nil, err
		}
		all.sinks = append(all.sinks, s)
	}
	sinks, err := o.sink.open(stdio)
	for _, s := range sinks {
		all.sinks = append(all.sinks, o.earlier.only(s))
	}
	if err != nil {
		return nil, errors.Join(err, all.Close())
	}
	return all, nil
}

func (o *outputFlags) openOne(stdio stdio, out output) (besra.Sink, error) {
	if out.file == "" {
		return out.format.new(o, stdio.out), nil
	}
	if isURL(out.file) {
		sent, err := o.delivery.open(o, stdio, out)
		if err != nil {
			return nil, err
		}
		return o.earlier.only(sent), nil
	}
	f, err := os.Create(out.file)
	if err != nil {
		return nil, err
	}
	return &fileSink{out.format.new(o, f), f}, nil
}

func (o *outputFlags) table(w io.Writer) besra.Sink {
	t := table.Options{ShowSuppressed: o.showSuppressed, Width: terminalWidth(w)}
	if bar, ok := w.(*aboveBar); ok {
		t.Terminal = bar.File
	}
	return table.New(w, t)
}

// terminalWidth returns the width of the terminal behind w, or 0.
func terminalWidth(w io.Writer) int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 0
	}
	return width
}

// fileSink closes its file with the sink.
type fileSink struct {
	besra.Sink
	file *os.File
}

// Close implements [besra.Sink].
func (s *fileSink) Close() error {
	return errors.Join(s.Sink.Close(), s.file.Close())
}

// size is a flag for a number of bytes: 4096, 64KiB, 10MB, 2G.
type size int64

var units = []struct {
	suffix string
	factor int64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1}, {"", 1}}

// String implements [pflag.Value].
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	n, unit := int64(*s), 0
	for ; n%1024 == 0 && unit < 4; unit++ {
		n /= 1024
	}
	return strconv.FormatInt(n, 10) + []string{"", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// Type implements [pflag.Value].
func (s *size) Type() string { return "size" }

// Set implements [pflag.Value].
func (s *size) Set(text string) error {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, u := range units {
		number, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || v < 0 || v*float64(u.factor) > 1<<62 {
			return fmt.Errorf("%q is not a size such as 4096, 64KiB or 2GB", text)
		}
		*s = size(v * float64(u.factor))
		return nil
	}
	return nil
}
