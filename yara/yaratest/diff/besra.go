package diff

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/besra-hunt/besra/yara"
)

// Besra is the engine under test, in one dialect.
type Besra struct {
	Dialect yara.Dialect
	// Roundtrip writes the compiled rules and reads them back before the scan.
	Roundtrip bool
	// AllMatches tells the scanner to find all matches in the first pass.
	AllMatches bool
}

// Name implements [Engine].
func (b Besra) Name() string { return "besra" }

// Ask implements [Engine]. It never fails.
func (b Besra) Ask(rules []string, data [][]byte) ([]Answer, error) {
	answers := make([]Answer, len(rules))
	for i, text := range rules {
		answers[i] = b.answer(text, data)
	}
	return answers, nil
}

func (b Besra) options() []yara.Option {
	var opts []yara.Option
	for name, value := range Externals() {
		opts = append(opts, yara.Define(name, value))
	}
	if b.Dialect == yara.LibYARA {
		opts = append(opts, yara.LibYARA, yara.RelaxedRegexps())
	}
	return opts
}

func (b Besra) answer(text string, data [][]byte) (a Answer) {
	defer func() {
		if p := recover(); p != nil {
			a = Answer{Refused: fmt.Sprintf("panic: %v", p)}
		}
	}()
	rules, err := yara.Compile(text, b.options()...)
	if err == nil && b.Roundtrip {
		rules, err = roundtrip(rules)
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return Answer{Refused: first}
	}
	opts := []yara.ScannerOption{yara.Timeout(time.Minute)}
	if b.AllMatches {
		opts = append(opts, yara.AllMatches())
	}
	s := rules.NewScanner(opts...)
	for _, d := range data {
		a.Scans = append(a.Scans, scan(s, d))
	}
	return a
}

func roundtrip(r *yara.Rules) (*yara.Rules, error) {
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		return nil, err
	}
	return yara.ReadRules(&b)
}

func scan(s *yara.Scanner, data []byte) (got Scan) {
	results, err := s.Scan(context.Background(), data)
	if err != nil {
		return Scan{Failed: err.Error()}
	}
	for r := range results.Matching() {
		got.Rules = append(got.Rules, r.Name())
		for p := range r.Patterns() {
			for m := range p.Matches() {
				got.Matches = append(got.Matches, Match{r.Name(), p.ID(), m.Offset, m.Length})
			}
		}
	}
	got.sort()
	return got
}
