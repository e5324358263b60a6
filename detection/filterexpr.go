package detection

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/lazyregexp"
)

// Some filters are expressions and no prose: process.name != "a" and user ==
// "root". They are translated word for word into CEL, faults and all, for the
// linter to judge: whether the filter says what to drop or what to keep is
// not known here.

// logic is an expression of a filter: an atom where op is empty.
type logic struct {
	op        string // && || ! ( where the filter has parentheses
	args      []*logic
	text, not string // of an atom, and of its negation
}

// cel prints the expression with the parentheses that the filter has.
func (l *logic) cel() string {
	switch l.op {
	case "":
		return l.text
	case "(":
		return "(" + l.args[0].cel() + ")"
	case "!":
		return "!" + parenthesised(l.args[0])
	}
	return join(l.args, l.op, (*logic).cel)
}

// negated prints the contrary: what is dropped, where the filter says what to keep.
func (l *logic) negated() string {
	switch l.op {
	case "":
		return l.not
	case "(":
		return "(" + l.args[0].negated() + ")"
	case "!":
		return l.args[0].cel()
	case "&&":
		return "(" + join(l.args, "||", (*logic).negated) + ")"
	}
	return join(l.args, "&&", (*logic).negated)
}

func parenthesised(l *logic) string {
	if l.op == "(" {
		return l.cel()
	}
	return "(" + l.cel() + ")"
}

func join(args []*logic, op string, print func(*logic) string) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = print(a)
	}
	return strings.Join(parts, " "+op+" ")
}

// factNames are the names that filters give to facts, in lower case.
var factNames = map[string]string{
	"process_name": "process.name", "processname": "process.name", "image": "process.exe", "process.executable": "process.exe", "process.path": "process.exe",
	"commandline": "process.cmdline", "command_line": "process.cmdline", "process.command_line": "process.cmdline", "process.commandline": "process.cmdline",
	"cmdline": "process.cmdline", "currentdirectory": "process.cwd", "user": "process.user", "user.name": "process.user", "username": "process.user",
	"path": "file.path", "filepath": "file.path", "file_path": "file.path", "targetfilename": "file.path", "filename": "file.name", "file_name": "file.name",
	"file.directory": "file.dir", "directory": "file.dir", "file.extension": "file.ext", "extension": "file.ext", "file.owner": "file.owner.name", "owner": "file.owner.name",
	"file.group": "file.group.name", "group": "file.group.name", "filesize": "file.size", "sha256": "file.sha256", "hash.sha256": "file.sha256", "file.hash.sha256": "file.sha256",
	"sha1": "file.sha1", "file.hash.sha1": "file.sha1", "md5": "file.md5", "file.hash.md5": "file.md5",
	"host": "host.name", "hostname": "host.name", "computer": "host.name", "computername": "host.name", "os": "host.os",
	"src_ip": "net.src.ip", "src.ip": "net.src.ip", "source.ip": "net.src.ip", "sourceip": "net.src.ip", "dst_ip": "net.dst.ip", "dst.ip": "net.dst.ip",
	"destination.ip": "net.dst.ip", "destinationip": "net.dst.ip", "src_port": "net.src.port", "source.port": "net.src.port", "sourceport": "net.src.port",
	"dst_port": "net.dst.port", "destination.port": "net.dst.port", "destinationport": "net.dst.port", "url": "net.url", "useragent": "net.user_agent", "user_agent": "net.user_agent",
}

// factCalled returns the fact that a filter means by a name.
func factCalled(name string) (besra.FactDef, bool) {
	lower := strings.ToLower(name)
	if n, ok := factNames[lower]; ok {
		lower = n
	}
	return besra.FactNamed(lower)
}

var (
	exprStart  = lazyregexp.New(`(?i)^[\s(!]*(?:not\s+)?[a-z_][\w.]*\s*(?:[=!<>]=?|(?:not\s+)?(?:in|contains|startswith|endswith)\s*[\["'(])`)
	exprLead   = lazyregexp.New(`(?i)^exclude +(?:(?:files|events|processes|matches) +)?(?:where +|when +|if +|with +)?`)
	exprToken  = lazyregexp.New(`\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|==|!=|=~|<>|<=|>=|&&|\|\||[()\[\],!=<>]|[\w./:*-]+)`)
	exprQuotes = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'")
)

// filterText takes the words off an expression; ok is false for prose.
func filterText(filter string) (text string, ok bool) {
	text = exprQuotes.Replace(exprLead().ReplaceAllString(filter, ""))
	return strings.TrimRight(strings.TrimSpace(text), ".;"), exprStart().MatchString(text)
}

// maxFilterDepth bounds how deeply the parentheses of a filter nest.
const maxFilterDepth = 64

type filterParser struct {
	tokens []string
	atom   func() (*logic, error) // reads what the logic joins
	depth  int
	facts  []string
}

// parseFilter reads an expression and names the facts it asks for.
func parseFilter(text string) (*logic, []string, error) {
	p := &filterParser{}
	p.atom = p.comparison
	for rest := text; strings.TrimSpace(rest) != ""; {
		m := exprToken().FindStringSubmatchIndex(rest)
		if m == nil || m[0] != 0 {
			return nil, nil, fmt.Errorf("cannot read %q", strings.TrimSpace(rest))
		}
		p.tokens = append(p.tokens, rest[m[2]:m[3]])
		rest = rest[m[1]:]
	}
	l, err := p.joined("||")
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%q does not belong here", p.tokens[0])
	}
	return l, p.facts, err
}

// next takes a token if it is one of words, in any case.
func (p *filterParser) next(words ...string) bool {
	if len(p.tokens) == 0 || !slices.Contains(words, strings.ToLower(p.tokens[0])) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// take takes a token, which must be there.
func (p *filterParser) take(what string) (string, error) {
	if len(p.tokens) == 0 {
		return "", fmt.Errorf("it ends where %s should stand", what)
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t, nil
}

// joined reads what op joins: && binds closer than ||.
func (p *filterParser) joined(op string) (*logic, error) {
	words, operand := []string{"or", "||"}, func() (*logic, error) { return p.joined("&&") }
	if op == "&&" {
		words, operand = []string{"and", "&&"}, p.operand
	}
	l := &logic{op: op}
	for {
		a, err := operand()
		if err != nil {
			return nil, err
		}
		l.args = append(l.args, a)
		if !p.next(words...) {
			break
		}
	}
	if len(l.args) == 1 {
		return l.args[0], nil
	}
	return l, nil
}

func (p *filterParser) operand() (*logic, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, fmt.Errorf("it nests deeper than %d", maxFilterDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.next("not", "!"):
		a, err := p.operand()
		return &logic{op: "!", args: []*logic{a}}, err
	case p.next("("):
		a, err := p.joined("||")
		if err == nil && !p.next(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return &logic{op: "(", args: []*logic{a}}, err
	}
	return p.atom()
}

func (p *filterParser) comparison() (*logic, error) {
	name, err := p.take("the name of a fact")
	if err != nil {
		return nil, err
	}
	def, ok := factCalled(name)
	if !ok {
		return nil, fmt.Errorf("%s is no fact that Besra knows of a match", name)
	}
	p.facts = append(p.facts, def.Name)
	not := p.next("not")
	op, err := p.take("a comparison")
	if err != nil {
		return nil, err
	}
	l, err := p.compare(def, strings.ToLower(op))
	if err == nil && not {
		l.text, l.not = l.not, l.text
	}
	return l, err
}

// contraries are the comparisons of CEL, and their negations.
var contraries = map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

func (p *filterParser) compare(def besra.FactDef, op string) (*logic, error) {
	if op == "in" {
		list, err := p.list(def)
		text := def.Name + " in [" + list + "]"
		return &logic{text: text, not: "!(" + text + ")"}, err
	}
	value, err := p.take("a value")
	if err != nil {
		return nil, err
	}
	value = literal(def, value)
	call := map[string]string{"contains": "contains", "startswith": "startsWith", "endswith": "endsWith"}[op]
	op = firstOf(map[string]string{"=": "==", "is": "==", "<>": "!="}[op], op)
	switch {
	case call != "":
		text := def.Name + "." + call + "(" + value + ")"
		return &logic{text: text, not: "!" + text}, nil
	case contraries[op] != "":
		return &logic{text: def.Name + " " + op + " " + value, not: def.Name + " " + contraries[op] + " " + value}, nil
	}
	return nil, fmt.Errorf("%q is no comparison that can be said exactly", op)
}

func (p *filterParser) list(def besra.FactDef) (string, error) {
	end := ")"
	if p.next("[") {
		end = "]"
	} else if !p.next("(") {
		return "", fmt.Errorf("a list should follow in")
	}
	var values []string
	for !p.next(end) {
		v, err := p.take("a value")
		if err != nil {
			return "", err
		}
		if v != "," {
			values = append(values, literal(def, v))
		}
	}
	return strings.Join(values, ", "), nil
}

// literal is a value in CEL: as it is for numbers, a text for all others.
func literal(def besra.FactDef, value string) string {
	if q := value[0]; len(value) >= 2 && (q == '"' || q == '\'') && value[len(value)-1] == q {
		return celString(strings.ReplaceAll(value[1:len(value)-1], `\`+string(q), string(q)))
	}
	if _, err := strconv.ParseInt(value, 0, 64); err == nil && def.Type == besra.TypeInt || def.Type == besra.TypeBool {
		return value
	}
	return celString(value)
}

// celString writes a text as a literal of CEL.
func celString(s string) string { return strconv.Quote(s) }
