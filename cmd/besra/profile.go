package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
	"github.com/spf13/pflag"
)

// profileFlag is --profile: what rules and patterns cost is measured, and the
// slowest are shown at the end.
type profileFlag struct {
	on  bool
	sum *yara.Profile
}

func (p *profileFlag) register(f *pflag.FlagSet) {
	f.BoolVar(&p.on, "profile", false, "at the end, show on stderr which rules and strings took most time")
	f.BoolVar(&p.on, "profiling", false, "the same as --profile")
	_ = f.MarkHidden("profiling") // the flag exists
}

// collect returns what takes the profiles of workers, nil without --profile.
func (p *profileFlag) collect() func(*yara.Profile) {
	if !p.on {
		return nil
	}
	return p.add
}

func (p *profileFlag) add(more *yara.Profile) {
	switch {
	case !p.on:
	case p.sum == nil:
		p.sum = more
	default:
		p.sum.Add(more)
	}
}

// profileRows is how many rules and how many strings are shown.
const profileRows = 10

func (p *profileFlag) print(w io.Writer) {
	if p.sum == nil {
		return
	}
	var b strings.Builder
	printProfile(&b, p.sum)
	_, _ = io.WriteString(w, b.String()) // a log that nobody reads is no error
}

func printProfile(w io.Writer, p *yara.Profile) {
	modules, conditions := time.Duration(0), p.Time-p.Search
	for _, m := range p.Modules() {
		modules += m.Time
	}
	conditions -= modules
	fmt.Fprintf(w, "profile: %s, %s in %s of scanning: %s finding strings, %s conditions, %s modules\n",
		plural(p.Scans, "target"), fmt.Sprintf("%.1f MB", float64(p.Bytes)/1e6), timeText(p.Time),
		percent(p.Search, p.Time), percent(conditions, p.Time), percent(modules, p.Time))
	printSlowRules(w, p.Rules())
	printSlowPatterns(w, p.Patterns())
	printSlowModules(w, p.Modules())
}

func printSlowRules(w io.Writer, rules []yara.RuleTime) {
	if len(rules) == 0 {
		return
	}
	fmt.Fprintf(w, "\nslowest rules, of %d that were looked at:\n", len(rules))
	t := profileTable(w)
	fmt.Fprintln(t, "total\tcondition\tstrings\tevaluated\t rule")
	for _, r := range rules[:min(len(rules), profileRows)] {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t %s\n", timeText(r.Total()), timeText(r.Condition), timeText(r.Patterns), r.Evaluated, ruleText(r.Rule))
	}
	_ = t.Flush() // into memory
}

func printSlowPatterns(w io.Writer, patterns []yara.PatternTime) {
	if len(patterns) == 0 {
		return
	}
	fmt.Fprintf(w, "\nslowest strings, of %d that were met or asked for:\n", len(patterns))
	t := profileTable(w)
	fmt.Fprintln(t, "time\tplaces checked\tsearched alone\t string")
	for _, c := range patterns[:min(len(patterns), profileRows)] {
		fmt.Fprintf(t, "%s\t%d\t%d\t %s of %s\n", timeText(c.Time), c.Candidates, c.Alone, c.Pattern.ID(), ruleText(c.Pattern.Rule()))
	}
	_ = t.Flush() // into memory
}

func printSlowModules(w io.Writer, modules []yara.ModuleTime) {
	var list []string
	for _, m := range modules {
		if m.Time > 0 {
			list = append(list, m.Name+" "+timeText(m.Time))
		}
	}
	if len(list) > 0 {
		fmt.Fprintf(w, "\nmodules: %s\n", strings.Join(list, ", "))
	}
}

// profileTable aligns columns to the right, but for the last.
func profileTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func ruleText(r yara.Rule) string {
	if r.Namespace() == "default" {
		return r.Name()
	}
	return besra.Text(r.Namespace()).Printable() + ":" + r.Name()
}

// timeText shows a time with three digits or so.
func timeText(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(10 * time.Nanosecond).String()
}

func percent(part, whole time.Duration) string {
	if whole <= 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", (100*part+whole/2)/whole)
}
