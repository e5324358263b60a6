package diff

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed yarax.mjs
var yaraxScript string

//go:embed oracle.py
var pythonScript string

// Child is an engine that another language's binding has: a process that lives
// until Close and answers many questions. It is not safe for concurrent use.
type Child struct {
	name    string
	command func() *exec.Cmd
	child   *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// NewYARAX starts YARA-X as its npm package @virustotal/yara-x has it. dir is
// the directory whose node_modules holds the package.
func NewYARAX(dir string) (*Child, error) {
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@virustotal", "yara-x", "package.json")); err != nil {
		return nil, fmt.Errorf("diff: YARA-X is not at hand: %w", err)
	}
	return newChild("yara-x", func() *exec.Cmd {
		c := exec.Command("node", "--input-type=module", "--eval", yaraxScript)
		c.Dir = dir
		return c
	})
}

// NewPython starts an engine as its Python module has it: "yara" is libyara,
// "yara_x" is YARA-X. python is the interpreter that finds the module.
func NewPython(python, module string) (*Child, error) {
	if err := exec.Command(python, "-c", "import "+module).Run(); err != nil {
		return nil, fmt.Errorf("diff: the Python module %s is not at hand: %w", module, err)
	}
	name := map[string]string{"yara": "libyara", "yara_x": "yara-x"}[module]
	return newChild(name, func() *exec.Cmd { return exec.Command(python, "-c", pythonScript, module) })
}

func newChild(name string, command func() *exec.Cmd) (*Child, error) {
	c := &Child{name: name, command: command}
	return c, c.start()
}

// Name implements [Engine].
func (c *Child) Name() string { return c.name }

func (c *Child) start() (err error) {
	c.child = c.command()
	if c.in, err = c.child.StdinPipe(); err != nil {
		return err
	}
	out, err := c.child.StdoutPipe()
	if err != nil {
		return err
	}
	c.out = bufio.NewReaderSize(out, 1<<20)
	return c.child.Start()
}

// Close ends the process.
func (c *Child) Close() error {
	c.in.Close()
	return c.child.Wait()
}

type question struct {
	Rules []string       `json:"rules"`
	Data  [][]byte       `json:"data"`
	Vars  map[string]any `json:"vars"`
}

// Ask implements [Engine]. The process answers with a line for each rule set,
// and may die of one: that one is asked again target by target.
func (c *Child) Ask(rules []string, data [][]byte) ([]Answer, error) {
	var answers []Answer
	for len(answers) < len(rules) {
		got, died, err := c.ask(rules[len(answers):], data)
		if err != nil {
			return nil, err
		}
		if answers = append(answers, got...); died {
			a, err := c.each(rules[len(answers)], data)
			if err != nil {
				return nil, err
			}
			answers = append(answers, a)
		}
	}
	return answers, nil
}

// ask returns the answers up to the rule set that the process died of.
func (c *Child) ask(rules []string, data [][]byte) (answers []Answer, died bool, err error) {
	// A process that dies while it is being asked has read enough.
	_ = json.NewEncoder(c.in).Encode(question{rules, data, Externals()})
	for range rules {
		line, err := c.out.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			_ = c.Close()
			return answers, true, c.start()
		}
		var a Answer
		if err := errors.Join(err, json.Unmarshal(line, &a)); err != nil {
			return nil, false, fmt.Errorf("diff: %s answered %q: %w", c.name, line, err)
		}
		for i := range a.Scans {
			a.Scans[i].sort()
		}
		answers = append(answers, a)
	}
	return answers, false, nil
}

// each asks about one target at a time. Where none is survived, not even an
// empty one, the rules count as refused.
func (c *Child) each(rules string, data [][]byte) (all Answer, err error) {
	const died = "the process died"
	for i, d := range append([][]byte{nil}, data...) {
		got, dead, err := c.ask([]string{rules}, [][]byte{d})
		switch {
		case err != nil:
			return all, err
		case i == 0 && !dead && got[0].Refused != "":
			return got[0], nil
		case i == 0:
		case dead:
			all.Scans = append(all.Scans, Scan{Failed: died})
		default:
			all.Scans = append(all.Scans, got[0].Scans...)
		}
	}
	return all, nil
}
