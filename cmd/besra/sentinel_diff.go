package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/besra-hunt/besra/sentinel/deploy"
)

// planMarks are the marks of actions, as terraform has them.
var planMarks = map[deploy.Action]string{
	deploy.Create: "+", deploy.Update: "~", deploy.Delete: "-", deploy.Keep: "=", deploy.Forget: "?", deploy.Record: "=",
}

// planNotes say what the mark does not.
var planNotes = map[deploy.Action]string{
	deploy.Keep:   "kept, because its rows would go with it: --delete-data deletes it",
	deploy.Forget: "gone from the workspace: it will be taken off the record",
	deploy.Record: "already as it shall be: it will be put on record",
}

var conflictNotes = map[deploy.Conflict]string{
	deploy.Edited:  "! somebody changed it in Sentinel since it was applied: --overwrite-edits changes it back",
	deploy.Foreign: "! it is there, and besra did not make it: --overwrite-edits takes it over",
}

// printPlan writes a plan for people.
func printPlan(w io.Writer, p *deploy.Plan, again bool) error {
	out := &outline{w: w}
	for _, c := range p.Changes {
		if c.Action == deploy.None {
			continue
		}
		preview := ""
		if c.Preview {
			preview = "  (preview API)"
		}
		out.line("%s %s %q  %s%s", planMarks[c.Action], c.Kind, c.Title, c.Key, preview)
		for _, note := range []string{planNotes[c.Action], conflictNotes[c.Conflict]} {
			if note != "" {
				out.line("    %s", note)
			}
		}
		printAttributes(out, c)
		printPlanRows(out, "+", c.Added)
		printPlanRows(out, "-", c.Removed)
	}
	out.line("Plan: %d to create, %d to change, %d to delete, %d unchanged.", p.Count(deploy.Create), p.Count(deploy.Update), p.Count(deploy.Delete),
		p.Count(deploy.None)+p.Count(deploy.Record)+p.Count(deploy.Keep))
	if again && !p.Empty() {
		out.line("besra sentinel apply with the same arguments makes it so.")
	}
	return out.err
}

// maxRows bounds how many rows of a watchlist a plan shows.
const maxRows = 20

func printPlanRows(out *outline, mark string, keys []string) {
	for i, key := range keys {
		if i == maxRows {
			out.line("    %s … and %d more rows", mark, len(keys)-i)
			return
		}
		out.line("    %s row %q", mark, key)
	}
}

func printAttributes(out *outline, c *deploy.Change) {
	if c.Action != deploy.Update && c.Conflict == "" {
		return
	}
	for _, a := range c.Attributes {
		before, after := visible(attributeText(a.Old)), visible(attributeText(a.New))
		if !strings.Contains(before+after, "\n") {
			out.line("    ~ %s: %s -> %s", a.Path, before, after)
			continue
		}
		out.line("    ~ %s:", a.Path)
		var b strings.Builder
		old, want := splitLines([]byte(before+"\n")), splitLines([]byte(after+"\n"))
		for edits := editScript(old, want); len(edits) > 0; {
			n := hunkLen(edits)
			writeHunk(&b, edits[:n], old, want)
			edits = edits[n:]
		}
		for line := range strings.Lines(b.String()) {
			out.line("      %s", strings.TrimSuffix(line, "\n"))
		}
	}
}

// visible replaces what a terminal would obey: an attribute may hold what
// anybody wrote in the portal.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// attributeText is a value for people: a text over several lines as it is, JSON
// in a text indented, everything else as JSON.
func attributeText(v any) string {
	text, ok := v.(string)
	var indented bytes.Buffer
	switch {
	case ok && strings.HasPrefix(text, "{") && json.Indent(&indented, []byte(text), "", "  ") == nil:
		return indented.String()
	case ok && strings.Contains(text, "\n"):
		return text
	case v == nil:
		return "(none)"
	}
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(out) > 100 {
		json.Indent(&indented, out, "", "  ")
		return indented.String()
	}
	return string(out)
}
