package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra/yara"
)

// bytesAt gives the bytes of a match: of a file those at an offset, of a
// process those at an address, as far as they are still there.
type bytesAt func(offset, length int64) []byte

// ofFile gives the bytes of a content in one piece.
func ofFile(data []byte) bytesAt {
	return func(offset, length int64) []byte { return data[offset : offset+length] }
}

// print puts what there is to print about the results of a scan into the job,
// and returns how many rules match.
func (w *yaraWorker) print(job *yaraJob, results *yara.Results, data bytesAt) int {
	y := w.run.flags
	var rules []jsonRule
	matching := w.visit(results, func(rule yara.Rule) {
		switch {
		case y.format == "ndjson" && !y.count:
			rules = append(rules, y.jsonRule(rule, data))
		case y.format == "json":
			job.matches = append(job.matches, y.jsonMatch(job.path, rule, data))
		case !y.count:
			y.printRule(&job.out, job.path, rule, data)
		}
	})
	if y.format == "ndjson" {
		y.printNDJSON(job, rules, matching)
	}
	return matching
}

// printCount prints the line of --count. In directories yara prints one of
// files that it cannot read, too.
func (y *yaraFlags) printCount(job *yaraJob, matching int) {
	switch {
	case y.format != "text" || !y.count || job.single && job.failed:
	case job.single:
		fmt.Fprintf(&job.out, "%d\n", matching)
	default:
		fmt.Fprintf(&job.out, "%s: %d\n", job.path, matching)
	}
}

// visit calls show for the rules to be printed, in order, and returns how many
// rules match, printed or not. With --max-rules it stops as yara does: at the
// first rule at which the total has reached the limit, in every target.
func (w *yaraWorker) visit(results *yara.Results, show func(yara.Rule)) (matching int) {
	y := w.run.flags
	if !y.negate && y.maxRules == 0 {
		for rule := range results.Matching() {
			if y.wants(rule) {
				show(rule)
			}
		}
		return results.Len()
	}
	for rule := range results.All() {
		if rule.Private() {
			continue
		}
		matches := results.Matches(rule)
		if matches != y.negate && y.wants(rule) {
			show(rule)
		}
		if matches {
			matching++
			w.run.total.Add(1)
		}
		if y.maxRules > 0 && w.run.total.Load() >= y.maxRules {
			break
		}
	}
	return matching
}

// wants reports whether --identifier and --tag let the rule through. As with
// yara the names decide where both are given.
func (y *yaraFlags) wants(rule yara.Rule) bool {
	if len(y.identifiers) > 0 {
		return slices.Contains(y.identifiers, rule.Name())
	}
	return len(y.tags) == 0 || slices.ContainsFunc(y.tags, rule.HasTag)
}

// pathEscapes keep a path on one line.
var pathEscapes = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// printRule prints a rule and, where asked for, its matches.
func (y *yaraFlags) printRule(b *bytes.Buffer, path string, rule yara.Rule, data bytesAt) {
	if y.namespace {
		b.WriteString(rule.Namespace() + ":")
	}
	b.WriteString(rule.Name() + " ")
	if y.tagsShown {
		b.WriteString("[" + strings.Join(rule.Tags(), ",") + "] ")
	}
	if y.meta {
		printMeta(b, rule)
	}
	b.WriteString(pathEscapes.Replace(path) + "\n")
	if y.wantsMatches() {
		for p := range rule.Patterns() {
			y.printMatches(b, p, data)
		}
	}
}

// printMeta prints [key="text",key =1,key=true]; the blank behind the key of
// an integer is yara's.
func printMeta(b *bytes.Buffer, rule yara.Rule) {
	b.WriteByte('[')
	first := true
	for key, value := range rule.Meta() {
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString(key)
		switch v := value.(type) {
		case string:
			b.WriteString(`="`)
			printEscaped(b, v)
			b.WriteByte('"')
		case int64:
			b.WriteString(" =" + strconv.FormatInt(v, 10))
		default:
			fmt.Fprintf(b, "=%v", v)
		}
	}
	b.WriteString("] ")
}

// printEscaped prints text as in C. Like yara it stops at a zero byte.
func printEscaped(b *bytes.Buffer, text string) {
	const named = "abtnvfr" // 7 to 13
	text, _, _ = strings.Cut(text, "\x00")
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\'', c == '\\':
			b.Write([]byte{'\\', c})
		case c >= 7 && c <= 13:
			b.Write([]byte{'\\', named[c-7]})
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
}

// yara keeps 512 bytes of a match, also for its length, and prints 64 of a
// hex string.
const (
	keptBytes = 512
	hexBytes  = 64
)

func (y *yaraFlags) printMatches(b *bytes.Buffer, p yara.Pattern, data bytesAt) {
	for m := range p.Matches() {
		kept := data(m.Offset, min(m.Length, keptBytes))
		b.WriteString("0x" + strconv.FormatInt(m.Offset, 16) + ":")
		if y.lengths {
			b.WriteString(strconv.Itoa(len(kept)) + ":")
		}
		b.WriteString(p.ID())
		if y.xorKeys {
			fmt.Fprintf(b, ":xor(0x%02x,", m.XorKey)
			printBytes(b, kept, m.XorKey)
			b.WriteByte(')')
		}
		if y.strings {
			b.WriteString(": ")
			if p.Kind() == yara.HexPattern {
				printHex(b, kept)
			} else {
				printBytes(b, kept, 0)
			}
		}
		b.WriteByte('\n')
		if y.fast && !p.Positional() {
			return
		}
	}
}

const upperDigits = "0123456789ABCDEF"

func printBytes(b *bytes.Buffer, data []byte, key byte) {
	for _, c := range data {
		if c ^= key; c >= ' ' && c <= '~' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'\\', 'x', upperDigits[c>>4], upperDigits[c&15]})
		}
	}
}

func printHex(b *bytes.Buffer, data []byte) {
	for i, c := range data[:min(len(data), hexBytes)] {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write([]byte{upperDigits[c>>4], upperDigits[c&15]})
	}
	if len(data) > hexBytes {
		b.WriteString(" ...")
	}
}
