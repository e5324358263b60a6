package diff

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/besra-hunt/besra/yara"
)

// CaseFile is a case that is kept: its text form has a section for each field.
type CaseFile struct {
	Note  string // what it is about
	Rules string
	Data  []byte
	// Want is the answer of each dialect, as [Scan.Text] gives it or "refused".
	// Where it is not what the oracle says, Note says why.
	Want map[yara.Dialect]string
}

var dialectNames = map[yara.Dialect]string{yara.YARAX: "yara-x", yara.LibYARA: "libyara"}

// Text returns the answer in lines: "rule r" for each rule that matches and
// "match r $a offset length" for each match.
func (a Answer) Text() string {
	if a.Refused != "" {
		return "refused\n"
	}
	var b strings.Builder
	for _, s := range a.Scans {
		for _, r := range s.Rules {
			fmt.Fprintf(&b, "rule %s\n", r)
		}
		for _, m := range s.Matches {
			fmt.Fprintf(&b, "match %s %s %d %d\n", m.Rule, m.Pattern, m.Offset, m.Length)
		}
	}
	return b.String()
}

// String returns the text form.
func (c *CaseFile) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n-- rules --\n%s\n-- data --\n", strings.TrimSpace(c.Note), strings.TrimSpace(c.Rules))
	for i := 0; i < len(c.Data); i += 32 {
		b.WriteString(hex.EncodeToString(c.Data[i:min(i+32, len(c.Data))]) + "\n")
	}
	for _, d := range []yara.Dialect{yara.YARAX, yara.LibYARA} {
		if want, ok := c.Want[d]; ok {
			fmt.Fprintf(&b, "-- %s --\n%s", dialectNames[d], want)
		}
	}
	return b.String()
}

// ReadCase reads the text form.
func ReadCase(text string) (*CaseFile, error) {
	sections := make(map[string]string)
	name := "note"
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			name = strings.TrimSuffix(head, " --\n")
			sections[name] = ""
			continue
		}
		sections[name] += line
	}
	data, err := hex.DecodeString(strings.Join(strings.Fields(sections["data"]), ""))
	if err != nil {
		return nil, fmt.Errorf("diff: the data of the case: %w", err)
	}
	c := &CaseFile{Note: sections["note"], Rules: sections["rules"], Data: data, Want: make(map[yara.Dialect]string)}
	for d, name := range dialectNames {
		if want, ok := sections[name]; ok {
			c.Want[d] = want
		}
	}
	return c, nil
}
