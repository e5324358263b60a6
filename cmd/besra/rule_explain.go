package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/besra-hunt/besra/docs"
	"github.com/spf13/cobra"
)

func ruleExplainCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE…]",
		Short: "Explain an error or warning about rules",
		Long: `Show what the code of an error or warning means, a rule that has it, and how it is mended. Without a
code all are listed.`,
		Example: "  besra rule explain unused_pattern\n  besra rule explain",
		RunE: func(_ *cobra.Command, args []string) error {
			topics := readTopics(docs.Diagnostics)
			if len(args) == 0 {
				return listTopics(stdio.out, topics)
			}
			for i, code := range args {
				if i > 0 {
					fmt.Fprintln(stdio.out)
				}
				if err := explain(stdio.out, topics, code); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// topic is what the page of diagnostics says of one code.
type topic struct {
	code, severity, summary string
	bad, mend, good         string   // empty where there is no example
	badFlags, goodFlags     []string // of besra rule check
}

// readTopics reads the page: below "### `code`" a line "*severity* · summary",
// then perhaps a rule that has the fault, then how to mend it and the mended
// rule.
func readTopics(page string) (list []topic) {
	for i, section := range strings.Split(page, "\n### `") {
		if i == 0 {
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		t := topic{}
		t.code, section, _ = strings.Cut(section, "`\n\n*")
		t.severity, section, _ = strings.Cut(section, "* · ")
		t.summary, section, _ = strings.Cut(section, "\n")
		_, t.badFlags, t.bad, section = cutFence(section)
		t.mend, t.goodFlags, t.good, _ = cutFence(section)
		t.mend = strings.TrimSpace(t.mend)
		list = append(list, t)
	}
	return list
}

// cutFence splits a text around its first fenced block.
func cutFence(text string) (before string, flags []string, code, after string) {
	before, rest, ok := strings.Cut(text, "```yara")
	if !ok {
		return text, nil, "", ""
	}
	info, rest, _ := strings.Cut(rest, "\n")
	code, after, _ = strings.Cut(rest, "\n```")
	return before, strings.Fields(info), code, after
}

func listTopics(w io.Writer, topics []topic) error {
	for _, t := range topics {
		if _, err := fmt.Fprintf(w, "%-32s %-7s  %s\n", t.code, t.severity, t.summary); err != nil {
			return err
		}
	}
	return nil
}

func explain(w io.Writer, topics []topic, code string) error {
	code = strings.ToLower(strings.Trim(code[strings.IndexByte(code, '[')+1:], "]`")) // error[CODE], as it is shown
	i := slices.IndexFunc(topics, func(t topic) bool { return t.code == code })
	if i < 0 {
		return unknownCode(topics, code)
	}
	t := topics[i]
	fmt.Fprintf(w, "%s (%s)\n\n%s\n", t.code, t.severity, t.summary)
	if t.bad != "" {
		fmt.Fprintf(w, "\n%s\n", indented(t.bad))
	}
	if t.mend != "" {
		fmt.Fprintf(w, "\n%s\n\n%s\n", t.mend, indented(t.good))
	}
	if t.severity == "warning" {
		fmt.Fprintf(w, "\nTo silence it: // suppress: %s\n", t.code)
	}
	return nil
}

func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// unknownCode names the codes that a word is a part of.
func unknownCode(topics []topic, code string) error {
	var near []string
	for _, t := range topics {
		if strings.Contains(t.code, code) || strings.Contains(code, t.code) {
			near = append(near, t.code)
		}
	}
	hint := "besra rule explain lists all codes"
	if len(near) > 0 {
		hint = "codes like it: " + strings.Join(near, ", ")
	}
	return &hintError{errors.New("there is no code " + code), hint}
}
