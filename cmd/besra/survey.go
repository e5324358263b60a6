package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/besra-hunt/besra"
	"github.com/charmbracelet/x/term"
)

// survey is a hunt that reads nothing: it lists the targets on standard output,
// as --files-from takes them, and counts them. What lies in archives is not
// known before they are read.
func (h *huntFlags) survey(ctx context.Context, stdio stdio, paths []string) error {
	host, err := h.host()
	if err != nil {
		return err
	}
	source, err := h.places(host, stdio.in, paths)
	if err != nil {
		return err
	}
	s := &survey{out: bufio.NewWriter(stdio.out), sizes: map[besra.Context]*sized{}, skips: map[string]int64{}}
	f, ok := stdio.out.(*os.File)
	s.terminal = ok && term.IsTerminal(f.Fd())
	err = errors.Join(source.Run(ctx, s), s.out.Flush())
	s.tell(stdio)
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, nil}
	}
	if err == nil && h.strict && len(s.errors) > 0 {
		return &exitError{exitIncomplete, nil}
	}
	return err
}

// sized counts targets of one context.
type sized struct{ targets, bytes, unknown int64 }

// survey is a receiver that opens nothing. It is safe for concurrent use.
type survey struct {
	mu       sync.Mutex
	out      *bufio.Writer
	terminal bool
	sizes    map[besra.Context]*sized
	skips    map[string]int64
	errors   []besra.Gap // the first of them
	failed   int64
}

// maxTold bounds the errors that are told one by one.
const maxTold = 20

// Target implements [besra.Receiver].
func (s *survey) Target(t besra.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.sizes[t.Context]
	if n == nil {
		n = &sized{}
		s.sizes[t.Context] = n
	}
	n.targets++
	if t.Size < 0 {
		n.unknown++
	} else {
		n.bytes += t.Size
	}
	name := t.Name
	if s.terminal {
		name = besra.Text(name).Printable()
	}
	_, err := s.out.WriteString(name + "\n")
	return err
}

// Gap implements [besra.Receiver].
func (s *survey) Gap(g besra.Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.Kind == besra.GapSkip {
		s.skips[g.Reason] += max(g.Count, 1)
		return
	}
	s.failed += max(g.Count, 1)
	if len(s.errors) < maxTold {
		s.errors = append(s.errors, g)
	}
}

// tell says on standard error what was counted.
func (s *survey) tell(stdio stdio) {
	for _, g := range s.errors {
		fmt.Fprintf(stdio.err, "besra: error: %s: %s: %s\n", g.Target.Printable(), g.Reason, besra.Text(g.Detail).Printable())
	}
	if len(s.skips) > 0 {
		var list []string
		var sum int64
		for _, reason := range slices.Sorted(maps.Keys(s.skips)) {
			list = append(list, fmt.Sprintf("%s %d", reason, s.skips[reason]))
			sum += s.skips[reason]
		}
		fmt.Fprintf(stdio.err, "%d would be skipped on purpose: %s\n", sum, strings.Join(list, ", "))
	}
	var all sized
	for _, c := range besra.Contexts() {
		if n := s.sizes[c]; n != nil {
			all.targets, all.bytes, all.unknown = all.targets+n.targets, all.bytes+n.bytes, all.unknown+n.unknown
		}
	}
	unknown := ""
	if all.unknown > 0 {
		unknown = fmt.Sprintf(" and %d of unknown size", all.unknown)
	}
	fmt.Fprintf(stdio.err, "dry run: %d targets would be read, %d bytes%s, %d errors\n", all.targets, all.bytes, unknown, s.failed)
}
