package besra

// Answer is what a run found out about one target and all that lies in it, for
// whoever waits to be told: a proxy that holds the object back, a submitter.
type Answer struct {
	// Findings holds the first findings, suppressed or not, at most
	// [AnswerLimit] of them; Matches counts all.
	Findings []*Finding
	Matches  int64
	// Worst is the most severe finding that no exclusion suppressed; nil where
	// there is none. It need not be among Findings.
	Worst *Finding
	// Gaps holds the first of what was not read, at most AnswerLimit; Missed
	// counts all. Only an answer that missed nothing means "looked at".
	Gaps   []Gap
	Missed int64
}

// AnswerLimit is how many findings, and how many gaps, an answer holds.
const AnswerLimit = 100

// AddFinding adds a finding to the answer.
func (a *Answer) AddFinding(f *Finding) {
	a.Matches++
	if len(a.Findings) < AnswerLimit {
		a.Findings = append(a.Findings, f)
	}
	if f.Verdict != VerdictSuppressed && (a.Worst == nil || f.Severity.Rank() > a.Worst.Severity.Rank()) {
		a.Worst = f
	}
}

// AddGap adds something that was not read.
func (a *Answer) AddGap(g Gap) {
	a.Missed += max(g.Count, 1)
	if len(a.Gaps) < AnswerLimit {
		a.Gaps = append(a.Gaps, g)
	}
}
