package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// ruleConfigName is the file of a project that says how its rules are checked
// and formatted. It is looked for in the working directory and those above.
const ruleConfigName = ".besra-rules.yaml"

// ruleConfig is that file. Flags win over it.
type ruleConfig struct {
	Check struct {
		Schema           ruleSchema `yaml:",inline"`
		DisabledWarnings []string   `yaml:"disabled_warnings"`
		WarningsAsErrors bool       `yaml:"warnings_as_errors"`
	} `yaml:"check"`
	Fmt struct {
		Indent int `yaml:"indent"`
	} `yaml:"fmt"`
}

// configFlag is --config.
type configFlag struct{ name string }

func (c *configFlag) register(f *pflag.FlagSet) {
	f.StringVarP(&c.name, "config", "C", "", "YAML file with what rules must be (default: "+ruleConfigName+" here or above)")
}

// read reads the file that was named or found; without one it is empty.
func (c *configFlag) read() (ruleConfig, error) {
	var config ruleConfig
	name := c.name
	if name == "" {
		name = findAbove(ruleConfigName)
	}
	if name == "" {
		return config, nil
	}
	if err := readYAML(name, &config); err != nil {
		return config, err
	}
	config.Check.Schema.setDefaults()
	return config, nil
}

// findAbove returns the path of a file in the working directory or the nearest
// one above that has it.
func findAbove(name string) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// readYAML reads a file. Unknown keys are errors: a check that is misspelt
// would pass in silence.
func readYAML(name string, into any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return nil
}
