package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/besra-hunt/besra"
)

// Result says what [Render] met.
type Result struct {
	Runs       int   // runs, complete or not
	Unfinished int   // runs without a summary: killed, or cut off
	Findings   int64 // findings rendered, by their lines
	// Summary adds up the summaries of the finished runs. With unfinished ones
	// it is not complete, and its closing line says too little.
	Summary besra.Summary
	// Warnings are what a person should be told and what did not stop the
	// rendering: a truncated line, an unknown type, a run without summary.
	Warnings []error
}

// Render writes the records of r to the sink, which it leaves open: the caller
// closes it, also after an error. Lines that cannot be used do not keep the
// others from being rendered: what a killed writer or a newer one explains is
// among Result.Warnings, the rest comes back as the error, with line numbers.
// An error of the sink, of r, or a record of another version ends it at once.
func Render(ctx context.Context, r io.Reader, sink besra.Sink) (Result, error) {
	p := progress{exclusions: make(map[string]bool)}
	for rec, err := range Read(r) {
		if ctx.Err() != nil {
			return p.result(), ctx.Err()
		}
		if err == nil {
			p.count(rec)
			if err := sink.Write(ctx, rec); err != nil {
				return p.result(), err
			}
			continue
		}
		p.trouble(err)
	}
	res := p.result()
	if res.Runs == 0 && p.errors.n == 0 {
		p.errors.add(errors.New("no record in it: is it the ndjson of a hunt?"))
	}
	return res, errors.Join(p.errors.list("lines cannot be used")...)
}

// progress follows the runs of a record.
type progress struct {
	res              Result
	open             bool   // a run has begun and has no summary yet
	run              string // its id
	exclusions       map[string]bool
	warnings, errors notes
}

func (p *progress) count(rec besra.Record) {
	switch {
	case rec.Run != nil:
		p.end()
		p.begin(rec.Run.ID)
	case rec.Finding != nil:
		p.begin(rec.Finding.Run)
		p.res.Findings++
		if f := rec.Finding; f.Verdict == besra.VerdictSuppressed && f.Suppression != nil {
			p.exclusions[f.Detection.ID+"/"+f.Suppression.Exclusion] = true
		}
	case rec.Summary != nil:
		p.begin("")
		p.res.Summary = add(p.res.Summary, *rec.Summary, p.res.Runs-p.res.Unfinished == 1)
		p.open = false
	default:
		p.begin("")
	}
}

// begin opens a run, if none is open.
func (p *progress) begin(id string) {
	if !p.open {
		p.open, p.run = true, id
		p.res.Runs++
	}
}

// end closes a run that has had no summary.
func (p *progress) end() {
	if !p.open {
		return
	}
	p.open = false
	p.res.Unfinished++
	name := "a run"
	if p.run != "" {
		name = fmt.Sprintf("run %q", p.run)
	}
	p.warnings.add(fmt.Errorf("%s has no summary: it was stopped, and what it did not look at is not known", name))
}

// trouble files a line that was not rendered.
func (p *progress) trouble(err error) {
	var unknown *besra.UnknownTypeError
	if errors.Is(err, ErrTruncated) || errors.As(err, &unknown) && unknown.Type != "" {
		p.warnings.add(err)
		return
	}
	p.errors.add(err)
}

// result closes the last run.
func (p *progress) result() Result {
	p.end()
	if p.res.Runs-p.res.Unfinished > 1 {
		p.res.Summary.Exclusions = int64(len(p.exclusions))
	}
	p.res.Warnings = p.warnings.list("warnings")
	return p.res
}

// add adds up two summaries. Distinct exclusions cannot be added: that is the
// business of the caller.
func add(a, b besra.Summary, first bool) besra.Summary {
	if first {
		return b
	}
	a.Targets += b.Targets
	a.Bytes += b.Bytes
	a.Matches += b.Matches
	a.Suppressed += b.Suppressed
	a.Downgraded += b.Downgraded
	a.Undecided += b.Undecided
	a.Errors += b.Errors
	a.Skipped += b.Skipped
	a.Interrupted = a.Interrupted || b.Interrupted
	a.Complete = a.Complete && b.Complete
	a.Duration += b.Duration
	skips := make(map[string]int64, len(a.Skips)+len(b.Skips))
	maps.Copy(skips, a.Skips)
	for reason, n := range b.Skips {
		skips[reason] += n
	}
	if len(skips) > 0 {
		a.Skips = skips
	}
	return a
}

// notes keeps the first of many errors and the number of the others.
type notes struct {
	first []error
	n     int
}

const maxNotes = 10

func (n *notes) add(err error) {
	n.n++
	if len(n.first) < maxNotes {
		n.first = append(n.first, err)
	}
}

func (n *notes) list(what string) []error {
	if more := n.n - len(n.first); more > 0 {
		return append(n.first[:len(n.first):len(n.first)], fmt.Errorf("%d more %s", more, what))
	}
	return n.first
}
