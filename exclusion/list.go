package exclusion

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/besra-hunt/besra/lazyregexp"
)

// List is an allow-list that somebody vouches for, such as the hashes of a
// vendor's manifest. Expressions call it lists.NAME; it is a list of strings. A
// list whose values are nil is unresolved: expressions that need it stay unknown.
type List struct {
	Text string `yaml:"text,omitempty"` // what it is for
	// Source names who vouches for the members: a vendor's manifest, the golden
	// image, a team. It must be given, because a list is only as good as that.
	Source string `yaml:"source"`
	// File and Column say where the values are kept (see [ReadList]); reading
	// them is the work of whoever loads the detection.
	File   string   `yaml:"file,omitempty"`
	Column string   `yaml:"column,omitempty"`
	Values []string `yaml:"values,omitempty"`
}

// Lists holds the allow-lists of a detection by name.
type Lists map[string]List

// typed adds every list to what expressions may name.
func (ls Lists) typed(p *problems, into map[string]parameter) {
	for _, name := range slices.Sorted(maps.Keys(ls)) {
		field := "lists." + name
		switch list := ls[name]; {
		case !parameterName().MatchString(name) || slices.Contains(celKeywords, name):
			p.field(field, CodeBadParameter, fmt.Sprintf("%q is not a name an expression can use", name), "use letters, digits and underscores")
		case strings.TrimSpace(list.Source) == "":
			p.field(field, CodeBadParameter, "the list names no source", "say in source who vouches for its members")
		case list.Values == nil:
			into[field] = parameter{celType: cel.ListType(cel.StringType)}
		default:
			into[field] = parameter{cel.ListType(cel.StringType), newStringSet(list.Values)}
		}
	}
}

var hexDigest = lazyregexp.New(`^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})$`)

// ReadList reads the members of a list from text: one a line, without blank
// lines and those that begin with "#"; or, where a column is named, from that
// column of a CSV file whose first line names the columns. Digests in hex come
// back in lower case, as facts spell them. The result is never nil without an
// error.
func ReadList(r io.Reader, column string) ([]string, error) {
	if column != "" {
		return readColumn(r, column)
	}
	out := []string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) > 0 && line[0] != '#' {
			out = append(out, member(string(line)))
		}
	}
	return out, lines.Err()
}

func readColumn(r io.Reader, column string) ([]string, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("the line of column names: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	at := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == column })
	if at < 0 {
		return nil, fmt.Errorf("there is no column %q, only %s", column, strings.Join(header, ", "))
	}
	out := []string{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if v := strings.TrimSpace(row[at]); v != "" {
			out = append(out, member(v))
		}
	}
}

func member(s string) string {
	if hexDigest().MatchString(s) {
		return strings.ToLower(s)
	}
	return s
}
