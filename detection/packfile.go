package detection

import (
	"bytes"

	"github.com/goccy/go-yaml"

	"github.com/besra-hunt/besra/lazyregexp"
)

// packFileName is the file at the root of a pack that describes it; a pack may
// do without.
const packFileName = "pack.yaml"

// PackFile describes a pack.
type PackFile struct {
	APIVersion string `yaml:"apiVersion"`
	Name       string `yaml:"name"`
	// Version is three numbers, such as 1.4.0; that of a pack that is given to
	// others only rises.
	Version string `yaml:"version"`
	Title   string `yaml:"title,omitempty"`
	License string `yaml:"license,omitempty"`
	Source  string `yaml:"source,omitempty"`
}

var validVersion = lazyregexp.New(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$`)

func (l *loader) packFile(p string, text []byte) {
	f := PackFile{}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil {
		l.fail(p, fieldError(err))
		return
	}
	switch {
	case f.APIVersion != APIVersion:
		l.fail(p, &FieldError{Field: "apiVersion", Msg: "apiVersion is " + f.APIVersion + ", want " + APIVersion})
	case !validID().MatchString(f.Name):
		l.fail(p, &FieldError{Field: "name", Msg: "name " + f.Name + ": want lower-case letters, digits and single dashes"})
	case !validVersion().MatchString(f.Version):
		l.fail(p, &FieldError{Field: "version", Msg: "version " + f.Version + ": want three numbers such as 1.4.0"})
	default:
		l.pack.Name, l.pack.Version = f.Name, f.Version
	}
}
