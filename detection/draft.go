package detection

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/lazyregexp"
)

// A filter of a catalogue page is prose: "Exclude files executed from a known
// log processing directory (e.g., /opt/log-processing/) or files with a known
// execution time aligned with scheduled jobs." drafting splits it into the
// clauses between its "or"s, recognises what each clause speaks of, and joins
// the CEL of those it understands with ||. What it does not understand becomes
// a question for an analyst and a note. The result is a draft in every sense:
// it says what the page says, and the linter says what is wrong with that.

// clause is the CEL of one clause of a filter.
type clause struct {
	cel   string
	facts []string // what the CEL asks for
	param string
	value exclusion.Parameter
	note  string // what a reader should know of the translation
}

// subject is one thing that a clause can speak of, recognised by a word.
type subject struct {
	words func() *regexp.Regexp
	draft func(s draftScope, c prose) clause
}

// draftScope is what the clauses of one scenario share.
type draftScope struct {
	name string // of parameters: the first words of the title that carry meaning
}

func scopeOf(s PageScenario) draftScope {
	words := strings.Split(keyWords(s.Title, "site"), "_")
	return draftScope{strings.Join(words[:min(2, len(words))], "_")}
}

// prose is one clause in words.
type prose struct {
	text     string
	examples []string // of its (e.g., …)
}

// subjects are tried in order; the first whose words occur is taken.
var subjects = []subject{
	{lazyregexp.New(`(?i)\b(director(y|ies)|folder|path|located in)\b`), draftDir},
	{lazyregexp.New(`(?i)\b(hash(es)?|checksum|sha-?256|md5)\b`), draftHash},
	{lazyregexp.New(`(?i)\b(execution time|scheduled?|time window|cron|maintenance window)\b`), draftTime},
	{lazyregexp.New(`(?i)\bprocess(es)?\b`), draftProcess},
	{lazyregexp.New(`(?i)\b(owner|owned|user|group|account)\b`), draftOwner},
}

var (
	clauseSplit = lazyregexp.New(`(?i)[,;]? or (?:files?|those|scripts?|processes|by|with) `)
	exampleText = lazyregexp.New(`(?i)\((?:e\.g\.|for example|such as),? *([^)]*)\)`)
	exampleJoin = lazyregexp.New(` *(?:,|\bor\b|\band\b) *`)
	leadIn      = lazyregexp.New(`(?i)^exclude +`)
)

// draftExclusion translates the filter of one scenario. It returns nil where
// no clause could be translated.
func draftExclusion(slug string, s PageScenario) (*exclusion.Spec, exclusion.Parameters, []Note) {
	var when []string
	var notes []Note
	params := exclusion.Parameters{}
	contexts := besra.Contexts()
	scope := scopeOf(s)
	for _, text := range clauseSplit().Split(leadIn().ReplaceAllString(s.Filter, ""), -1) {
		c, ok := draftClause(scope, text)
		if !ok {
			notes = append(notes, Note{Code: CodeQuestion, Text: fmt.Sprintf("no machine can check %q: kept as a question to the analyst", strings.TrimSpace(text))})
			continue
		}
		when = append(when, c.cel)
		params[c.param] = c.value
		contexts = slices.DeleteFunc(contexts, func(ctx besra.Context) bool { return !knownIn(ctx, c.facts) })
		if c.note != "" {
			notes = append(notes, Note{Text: c.note})
		}
	}
	if len(when) == 0 {
		return nil, nil, notes
	}
	return &exclusion.Spec{ID: slug, Scenario: slug, Text: s.Filter, Truncated: s.Truncated,
		When: strings.Join(when, " || "), Effect: besra.EffectSuppress, Contexts: contexts}, params, notes
}

func knownIn(ctx besra.Context, facts []string) bool {
	return !slices.ContainsFunc(facts, func(name string) bool {
		def, _ := besra.FactNamed(name)
		return !def.In(ctx)
	})
}

func draftClause(scope draftScope, text string) (clause, bool) {
	p := prose{text: exampleText().ReplaceAllString(text, "")}
	if m := exampleText().FindStringSubmatch(text); m != nil {
		for _, e := range exampleJoin().Split(m[1], -1) {
			if e = strings.Trim(e, " \"'`."); e != "" {
				p.examples = append(p.examples, e)
			}
		}
	}
	for _, s := range subjects {
		if s.words().MatchString(p.text) {
			return s.draft(scope, p), true
		}
	}
	return clause{}, false
}

// label is the clause as a parameter's text.
func (p prose) label() string { return strings.Trim(p.text, " .,;") }

// param returns a parameter of strings with the clause's examples as default,
// or with none: then the site must say.
func (p prose) param(text string) exclusion.Parameter {
	v := exclusion.Parameter{Type: "strings", Text: text}
	if len(p.examples) > 0 {
		v.Default = p.examples
	}
	return v
}

var dirWords = lazyregexp.New(`(?i)([\p{L}\p{N}’' -]+?) +(?:director(?:y|ies)|folder|path)\b`)

func draftDir(scope draftScope, p prose) clause {
	name := scope.name
	if m := dirWords().FindStringSubmatch(p.text); m != nil {
		name = keyWords(m[1], name)
	}
	param := name + "_dirs"
	for i, e := range p.examples {
		p.examples[i] = strings.TrimRight(e, "/")
	}
	c := clause{cel: "file.path.under(params." + param + ")", facts: []string{"file.path"}, param: param,
		value: p.param("directories: " + p.label())}
	if strings.Contains(p.text, "executed from") {
		c.note = "\"executed from\" says nothing of a file at rest: drafted as the directory it lies in"
	}
	return c
}

// stopWords carry no meaning in a directory's name.
var stopWords = []string{"a", "an", "the", "known", "trusted", "such", "as", "those", "located", "in", "files", "file",
	"executed", "from", "that", "are", "part", "of", "with", "source", "specific", "their", "tool’s", "tool's", "tools", "within", "inside",
	"or", "and", "for", "task", "process", "usage", "environment"}

// keyWords makes an identifier of the words of text that carry meaning.
func keyWords(text, otherwise string) string {
	var keep []string
	for _, w := range strings.Fields(strings.ToLower(text)) {
		if !slices.Contains(stopWords, w) {
			keep = append(keep, identifier(w, '_'))
		}
	}
	if len(keep) == 0 {
		return otherwise
	}
	return strings.Join(keep, "_")
}

func draftHash(scope draftScope, p prose) clause {
	param := scope.name + "_hashes"
	return clause{cel: "file.sha256 in params." + param, facts: []string{"file.sha256"}, param: param,
		value: exclusion.Parameter{Type: "strings", Text: "SHA-256, lower-case hex: " + p.label()},
		note:  "the page names no hash: params." + param + " has no default"}
}

func draftTime(scope draftScope, p prose) clause {
	param := scope.name + "_schedule"
	return clause{cel: "file.mtime.within(params." + param + `, duration("30m"))`, facts: []string{"file.mtime"}, param: param,
		value: exclusion.Parameter{Type: "string", Text: "cron expression: " + p.label()},
		note:  "the page does not say whose time: drafted as the file's mtime, which its owner can set; params." + param + " has no default"}
}

func draftProcess(scope draftScope, p prose) clause {
	param := scope.name + "_processes"
	return clause{cel: "opener.names.exists(n, n in params." + param + ")", facts: []string{"opener.names"}, param: param,
		value: p.param("executables: " + p.label()),
		note:  "which process made a file is not known of a file at rest: drafted as a process that has it open now"}
}

func draftOwner(scope draftScope, p prose) clause {
	param := scope.name + "_owners"
	c := clause{param: param, value: p.param("names: " + p.label())}
	user, group := strings.Contains(p.text, "user") || !strings.Contains(p.text, "group"), strings.Contains(p.text, "group")
	var terms []string
	if user {
		terms, c.facts = append(terms, "file.owner.name in params."+param), append(c.facts, "file.owner.name")
	}
	if group {
		terms, c.facts = append(terms, "file.group.name in params."+param), append(c.facts, "file.group.name")
	}
	c.cel = strings.Join(terms, " || ")
	return c
}

// identifier makes a lower-case name of letters and digits of s, joined by sep.
func identifier(s string, sep rune) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), string(sep)):
			b.WriteRune(sep)
		}
	}
	return strings.TrimRight(b.String(), string(sep))
}
