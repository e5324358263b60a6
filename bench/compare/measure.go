package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"time"
)

// measure is what one run of a program took.
type measure struct {
	Wall  float64 `json:"wall"`            // seconds
	CPU   float64 `json:"cpu"`             // seconds of user and system time, children included
	RSS   int64   `json:"rss"`             // peak resident kilobytes; 0 where the system does not tell
	Error string  `json:"error,omitempty"` // why there is no figure
}

// measureVerb makes this program measure another one.
const measureVerb = "measure"

// run runs a command to its end and returns the file of its output. A copy of
// this program does it: the peak of memory that a system reports of a process
// is at least that of the one that started it, which must be small.
func run(ctx context.Context, o *options, args []string) (m measure, output string, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, "", err
	}
	out, err := os.CreateTemp(o.outputs(), "")
	if err != nil {
		return m, "", err
	}
	out.Close()
	cmd := exec.CommandContext(ctx, self, append([]string{measureVerb, out.Name(), o.timeout.String()}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops the engine, then
	cmd.WaitDelay = 5 * time.Second
	text, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err == nil && m.Error != "" {
		err = errors.New(m.Error)
	}
	return m, out.Name(), err
}

// measureMain measures one command: the file for its output, the longest that
// it may take, the command. The output goes to a file because the reader of a
// pipe would take processor time beside it.
func measureMain(args []string) {
	timeout, err := time.ParseDuration(args[1])
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	m, err := measureCommand(ctx, args[0], args[2:])
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		m.Error = fmt.Sprintf("stopped after %s", timeout)
	case err != nil:
		m.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		log.Fatal(err)
	}
}

func measureCommand(ctx context.Context, output string, args []string) (m measure, err error) {
	out, err := os.Create(output)
	if err != nil {
		return m, err
	}
	defer out.Close()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, &limited{&said}
	cmd.WaitDelay = time.Second
	start := time.Now()
	err = cmd.Run()
	m.Wall = time.Since(start).Seconds()
	if p := cmd.ProcessState; p != nil {
		m.CPU = (p.UserTime() + p.SystemTime()).Seconds()
		m.RSS = peakMemory(p)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return m, err
}

// limited keeps the first kilobytes of what is written.
type limited struct{ b *bytes.Buffer }

const keptErrors = 4096

func (l *limited) Write(p []byte) (int, error) {
	l.b.Write(p[:min(len(p), max(0, keptErrors-l.b.Len()))])
	return len(p), nil
}
