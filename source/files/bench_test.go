package files

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/besra-hunt/besra"
)

// BenchmarkWalk walks a real tree and opens nothing.
func BenchmarkWalk(b *testing.B) {
	for _, workers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { benchmarkUsr(b, workers, false) })
	}
}

// BenchmarkOpen walks a real tree and reads every file.
func BenchmarkOpen(b *testing.B) { benchmarkUsr(b, 2, true) }

type counter struct {
	open    bool
	files   int64
	bytes   int64
	targets chan besra.Target
}

func (c *counter) Target(t besra.Target) error { c.targets <- t; return nil }
func (c *counter) Gap(besra.Gap)               {}

func (c *counter) drain() {
	for t := range c.targets {
		c.files++
		if !c.open {
			continue
		}
		if content, err := t.Open(context.Background()); err == nil {
			c.bytes += int64(len(content.Bytes()))
			content.Close()
		}
	}
}

func benchmarkUsr(b *testing.B, workers int, open bool) {
	if _, err := os.Stat("/usr"); err != nil {
		b.Skip("no /usr here")
	}
	b.ReportAllocs()
	for b.Loop() {
		c := &counter{open: open, targets: make(chan besra.Target, 256)}
		done := make(chan bool)
		go func() { c.drain(); close(done) }()
		if err := newSource(b, Config{Paths: []string{"/usr"}, Workers: workers}).Run(context.Background(), c); err != nil {
			b.Fatal(err)
		}
		close(c.targets)
		<-done
		b.ReportMetric(float64(c.files), "files")
	}
}
