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
	"github.com/besra-hunt/besra/sink/csv"
	"github.com/besra-hunt/besra/sink/json"
	"github.com/besra-hunt/besra/sink/ndjson"
	"github.com/besra-hunt/besra/sink/table"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"
)

// outputFlags say how records are written.
type outputFlags struct {
	format         string
	file           string
	showSuppressed bool
}

var formats = []string{"table", "ndjson", "json", "csv"}

func (o *outputFlags) register(f *pflag.FlagSet) {
	f.StringVarP(&o.format, "format", "f", "table", "output format: "+strings.Join(formats, ", "))
	f.StringVarP(&o.file, "output", "o", "", "write to this file instead of standard output")
	f.BoolVar(&o.showSuppressed, "show-suppressed", false, "show suppressed findings in the table, too")
}

// open returns the sink. A file is written as the run goes, so that what was
// found is there whatever ends the run.
func (o *outputFlags) open(stdio stdio) (besra.Sink, error) {
	if !slices.Contains(formats, o.format) {
		return nil, fmt.Errorf("--format %q: want %s", o.format, strings.Join(formats, ", "))
	}
	if o.file == "" {
		return o.sink(stdio.out), nil
	}
	f, err := os.Create(o.file)
	if err != nil {
		return nil, err
	}
	return &fileSink{o.sink(f), f}, nil
}

func (o *outputFlags) sink(w io.Writer) besra.Sink {
	switch o.format {
	case "ndjson":
		return ndjson.New(w)
	case "json":
		return json.New(w)
	case "csv":
		return csv.New(w)
	}
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
	return strconv.FormatInt(int64(*s), 10)
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
