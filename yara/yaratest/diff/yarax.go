package diff

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed yarax.mjs
var yaraxScript string

// YARAX is YARA-X as its npm package @virustotal/yara-x has it: a child process
// that lives until Close. It is not safe for concurrent use.
type YARAX struct {
	dir   string
	child *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
}

// NewYARAX starts YARA-X. dir is the directory whose node_modules holds the
// package.
func NewYARAX(dir string) (*YARAX, error) {
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@virustotal", "yara-x", "package.json")); err != nil {
		return nil, fmt.Errorf("diff: YARA-X is not at hand: %w", err)
	}
	y := &YARAX{dir: dir}
	return y, y.start()
}

// Name implements [Engine].
func (y *YARAX) Name() string { return "yara-x" }

func (y *YARAX) start() (err error) {
	y.child = exec.Command("node", "--input-type=module", "--eval", yaraxScript)
	y.child.Dir = y.dir
	y.child.Stderr = os.Stderr
	if y.in, err = y.child.StdinPipe(); err != nil {
		return err
	}
	out, err := y.child.StdoutPipe()
	if err != nil {
		return err
	}
	y.out = bufio.NewReaderSize(out, 1<<20)
	return y.child.Start()
}

// Close ends the child.
func (y *YARAX) Close() error {
	y.in.Close()
	return y.child.Wait()
}

type yaraxAnswer struct {
	Refused string
	Died    bool
	Scans   []Scan
}

// Ask implements [Engine].
func (y *YARAX) Ask(rules []string, data [][]byte) ([]Answer, error) {
	answers := make([]Answer, len(rules))
	for i, text := range rules {
		a := &answers[i]
		for len(a.Scans) < len(data) && a.Refused == "" {
			got, err := y.ask(text, data[len(a.Scans):])
			if err != nil {
				return nil, err
			}
			a.Refused = got.Refused
			a.Scans = append(a.Scans, got.Scans...)
		}
		for j := range a.Scans {
			a.Scans[j].sort()
		}
	}
	return answers, nil
}

// ask asks the child, and starts another where the rules killed it.
func (y *YARAX) ask(text string, data [][]byte) (a yaraxAnswer, err error) {
	question := map[string]any{"rules": text, "data": data, "vars": Externals()}
	if err := json.NewEncoder(y.in).Encode(question); err != nil {
		return a, err
	}
	line, err := y.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("diff: YARA-X gave no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Died {
		_ = y.Close()
		err = y.start()
	}
	return a, err
}
