package diff

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// LibYARA is the command yara. Each rule set goes into a namespace of its own,
// so that one process answers for many on many targets.
type LibYARA struct {
	dir string // for the files
}

// NewLibYARA finds the command. dir is an empty directory for its files.
func NewLibYARA(dir string) (*LibYARA, error) {
	if _, err := exec.LookPath("yara"); err != nil {
		return nil, fmt.Errorf("diff: the command yara is not at hand: %w", err)
	}
	return &LibYARA{dir}, os.MkdirAll(filepath.Join(dir, "data"), 0o755)
}

// Name implements [Engine].
func (l *LibYARA) Name() string { return "libyara" }

// Ask implements [Engine].
func (l *LibYARA) Ask(rules []string, data [][]byte) ([]Answer, error) {
	answers, failed, err := l.askAll(rules, data)
	if err != nil || len(failed) == 0 {
		return answers, err
	}
	if len(rules) == 1 {
		for i, why := range failed {
			answers[0].Scans[i] = Scan{Failed: why}
		}
		return answers, nil
	}
	// A target fails for all rules at once: find out whose fault it is.
	half := len(rules) / 2
	first, err := l.Ask(rules[:half], data)
	if err != nil {
		return nil, err
	}
	second, err := l.Ask(rules[half:], data)
	return append(first, second...), err
}

// askAll asks one process about all. failed are the targets of which a scan
// came to no end.
func (l *LibYARA) askAll(rules []string, data [][]byte) (answers []Answer, failed map[int]string, err error) {
	if err := os.RemoveAll(filepath.Join(l.dir, "data")); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(filepath.Join(l.dir, "data"), 0o755); err != nil {
		return nil, nil, err
	}
	for i, d := range data {
		if err := os.WriteFile(filepath.Join(l.dir, "data", strconv.Itoa(i)), d, 0o644); err != nil {
			return nil, nil, err
		}
	}
	answers = make([]Answer, len(rules))
	for i, text := range rules {
		if err := os.WriteFile(l.ruleFile(i), []byte(text), 0o644); err != nil {
			return nil, nil, err
		}
		answers[i].Scans = make([]Scan, len(data))
	}
	failed, err = l.run(answers)
	return answers, failed, err
}

func (l *LibYARA) ruleFile(i int) string {
	return filepath.Join(l.dir, fmt.Sprintf("r%d.yar", i))
}

// run runs yara until it refuses none of the rule sets that are left: it
// stops at the first file with an error.
func (l *LibYARA) run(answers []Answer) (failed map[int]string, err error) {
	for {
		args := []string{"-w", "-e", "-s", "-L", "-p", "1", "-a", "60"}
		for name, value := range Externals() {
			args = append(args, "-d", fmt.Sprintf("%s=%v", name, value))
		}
		left := 0
		for i := range answers {
			if answers[i].Refused == "" {
				args = append(args, fmt.Sprintf("n%d:%s", i, l.ruleFile(i)))
				left++
			}
		}
		if left == 0 {
			return nil, nil
		}
		again, failed, err := l.once(append(args, filepath.Join(l.dir, "data")), answers)
		if err != nil || !again {
			return failed, err
		}
	}
}

// once runs yara and reads what it says. It asks to be called again where a
// rule set was refused.
func (l *LibYARA) once(args []string, answers []Answer) (again bool, failed map[int]string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var out, failure bytes.Buffer
	c := exec.CommandContext(ctx, "yara", args...)
	c.Stdout, c.Stderr = &out, &failure
	err = c.Run()
	if i, text := refused(failure.String()); i >= 0 && i < len(answers) {
		answers[i].Refused = text
		return true, nil, nil
	}
	failed = scanErrors(failure.String())
	if err != nil && failed == nil {
		return false, nil, fmt.Errorf("diff: yara: %w: %s", err, failure.String())
	}
	return false, failed, l.read(out.String(), answers)
}

// refused finds the rule set that an error message is about.
func refused(message string) (int, string) {
	const pattern = `(?m)^error: (?:rule "\w+" in )?\S*?r(\d+)\.yar\(\d+\): (.*)$`
	m := regexp.MustCompile(pattern).FindStringSubmatch(message)
	if m == nil {
		return -1, ""
	}
	i, _ := strconv.Atoi(m[1])
	return i, m[2]
}

// scanErrors finds the targets that could not be scanned, and why.
func scanErrors(message string) map[int]string {
	var failed map[int]string
	for _, m := range regexp.MustCompile(`(?m)^error scanning \S*/(\d+): (.*)$`).FindAllStringSubmatch(message, -1) {
		if failed == nil {
			failed = make(map[int]string)
		}
		i, _ := strconv.Atoi(m[1])
		failed[i] = m[2]
	}
	return failed
}

// read reads lines such as "n0:rule /dir/data/3" and "0x10:3:$a: abc".
func (l *LibYARA) read(out string, answers []Answer) error {
	var scan *Scan
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "0x") && scan != nil {
			m, err := readMatch(line)
			if err != nil {
				return err
			}
			m.Rule = scan.Rules[len(scan.Rules)-1]
			scan.Matches = append(scan.Matches, m)
			continue
		}
		var set, target int
		var rule string
		head, path, _ := strings.Cut(line, " ")
		ns, rule, _ := strings.Cut(head, ":")
		if _, err := fmt.Sscanf(ns+" "+filepath.Base(path), "n%d %d", &set, &target); err != nil {
			return fmt.Errorf("diff: yara printed %q", line)
		}
		scan = &answers[set].Scans[target]
		scan.Rules = append(scan.Rules, rule)
	}
	for i := range answers {
		for j := range answers[i].Scans {
			answers[i].Scans[j].sort()
		}
	}
	return nil
}

func readMatch(line string) (m Match, err error) {
	f := strings.SplitN(line, ":", 4)
	if len(f) < 4 {
		return m, fmt.Errorf("diff: yara printed %q", line)
	}
	if m.Offset, err = strconv.ParseInt(f[0], 0, 64); err != nil {
		return m, err
	}
	m.Length, err = strconv.ParseInt(f[1], 10, 64)
	m.Pattern = f[2]
	return m, err
}
