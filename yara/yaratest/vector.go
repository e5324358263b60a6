package yaratest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Vector is one case of the conformance corpus: rules, data, what the suite it
// is from expects, and what libyara and YARA-X answered.
type Vector struct {
	ID    string `json:"id"`
	Group string `json:"group"` // language, modules or syntax
	Kind  string `json:"kind"`  // match, nomatch, or {compile,parse}_{ok,error}
	// Sources are pairs of a namespace and a text.
	Sources [][2]string `json:"sources"`
	Data    []byte      `json:"data_b64"`
	SHA256  string      `json:"data_sha256"` // of data that is kept apart

	Vars     map[string]any             `json:"vars"`
	Includes map[string]string          `json:"includes"`
	Meta     map[string][]byte          `json:"meta"`
	Opts     map[string]json.RawMessage `json:"opts"`

	MatchAny   *[]byte `json:"match_any"`   // bytes that a match must have
	MatchFirst *[]byte `json:"match_first"` // bytes that the first match must have

	LibYARA Oracle `json:"libyara"`
	YARAX   Oracle `json:"yarax"`
}

// Oracle is what another implementation answered.
type Oracle struct {
	Agrees       bool                `json:"agrees"` // with the suite
	CompileError bool                `json:"compile_error"`
	Crash        bool                `json:"crash"`
	Rules        []string            `json:"rules"` // public rules that match
	Matches      map[string][]Triple `json:"matches"`
}

// Triple is a match as an oracle tells it.
type Triple struct {
	Pattern        string
	Offset, Length int64
}

// UnmarshalJSON reads [pattern, offset, length].
func (t *Triple) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&t.Pattern, &t.Offset, &t.Length})
}

// Family says which oracles agree with the suite on a vector.
type Family string

// The families. Vectors of Both must pass; those of one oracle must pass in
// its dialect; the others tell of the suite's own implementation.
const (
	Both        Family = "both"
	OnlyYARAX   Family = "yara-x only"
	OnlyLibYARA Family = "libyara only"
	Neither     Family = "neither"
)

// Family returns the vector's family.
func (v *Vector) Family() Family {
	switch {
	case v.LibYARA.Agrees && v.YARAX.Agrees:
		return Both
	case v.YARAX.Agrees:
		return OnlyYARAX
	case v.LibYARA.Agrees:
		return OnlyLibYARA
	}
	return Neither
}

var importLine = regexp.MustCompile(`import\s+"(\w+)"`)

// Imports lists the modules that the vector's rules import.
func (v *Vector) Imports() []string {
	var names []string
	for _, s := range v.Sources {
		for _, m := range importLine.FindAllStringSubmatch(s[1], -1) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// include finds one of the vector's files for an include statement.
func (v *Vector) include(from, name string) (string, []byte, error) {
	for _, candidate := range []string{path.Join(path.Dir(from), name), path.Clean(name)} {
		if text, ok := v.Includes[candidate]; ok {
			return candidate, []byte(text), nil
		}
	}
	return "", nil, fs.ErrNotExist
}

// ReadVectors reads the conformance corpus from a directory that holds
// vectors.ndjson.gz and blobs.ndjson.gz. Some data is malware: it is kept in
// memory only.
func ReadVectors(dir fs.FS) ([]*Vector, error) {
	blobs := make(map[string][]byte)
	err := readLines(dir, "blobs.ndjson.gz", func(line []byte) error {
		var blob struct {
			SHA256 string `json:"sha256"`
			Data   []byte `json:"data_b64"`
		}
		err := json.Unmarshal(line, &blob)
		blobs[blob.SHA256] = blob.Data
		return err
	})
	if err != nil {
		return nil, err
	}
	var vectors []*Vector
	err = readLines(dir, "vectors.ndjson.gz", func(line []byte) error {
		v := new(Vector)
		if err := json.Unmarshal(line, v); err != nil {
			return err
		}
		if data, ok := blobs[v.SHA256]; ok {
			v.Data = data
		} else if v.SHA256 != "" {
			return fmt.Errorf("%s: no blob %s", v.ID, v.SHA256)
		}
		vectors = append(vectors, v)
		return nil
	})
	return vectors, err
}

// readLines calls f with each line of a gzipped file.
func readLines(dir fs.FS, name string, f func([]byte) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	lines := bufio.NewReader(z)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// text joins the vector's sources, for messages.
func (v *Vector) text() string {
	var b strings.Builder
	for _, s := range v.Sources {
		b.WriteString(s[1] + "\n")
	}
	return b.String()
}
