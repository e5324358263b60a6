package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// yaraError is an error in the words of yara, printed as it is: scripts read
// standard error, too.
type yaraError struct {
	text string
	err  error // the cause, where there is one
}

func (e *yaraError) Error() string { return e.text }
func (e *yaraError) Unwrap() error { return e.err }

// yaraExit gives an error the exit code of yara.
func yaraExit(err error) error {
	var exit *exitError
	if err == nil || errors.As(err, &exit) {
		return err
	}
	return &exitError{exitYARA, err}
}

// yaraUsage is what yara says where it is called without rules or target.
const yaraUsage = "yara: wrong number of arguments\n" +
	"Usage: besra yara [OPTION]... [NAMESPACE:]RULES_FILE... FILE | DIR\n\nTry `--help` for more options"

// yaraFlagError is yara's error for an option that it does not know, or that
// has no argument or one of a wrong type.
func yaraFlagError(err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return &yaraError{"unknown option `" + dashed(unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames()) + "`", err}
	case errors.As(err, &missing):
		return argumentError(missing.GetFlag(), dashed(missing.GetSpecifiedName(), missing.GetSpecifiedShortnames()), err)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand
		}
		return argumentError(f, name, err)
	}
	return &hintError{err, "besra yara --help lists the options"}
}

// dashed is an option as it was written: a long one, or the first of bundled
// short ones that is meant.
func dashed(name, shorthands string) string {
	if shorthands != "" {
		return "-" + name
	}
	return "--" + name
}

func argumentError(f *pflag.Flag, name string, err error) error {
	switch f.Value.Type() {
	case "int", "int64", "seconds":
		return &yaraError{"option `" + name + "` requires an integer argument", err}
	case "string", "stringArray":
		return &yaraError{"option `" + name + "` requires a string argument", err}
	}
	return &hintError{err, "besra yara --help lists the options"}
}

// allAssignments reports whether all of the arguments are NAME=VALUE.
func allAssignments(args []string) bool {
	return !slices.ContainsFunc(args, func(a string) bool { return strings.IndexByte(a, '=') < 1 })
}

// notOpened is yara's error for a file that cannot be opened; it does not say
// why.
func notOpened(format, name string, err error) error {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return err
	}
	return &yaraError{fmt.Sprintf(format, name), err}
}

// unopenedRules is notOpened for a file of rules.
func unopenedRules(err error) error {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return err
	}
	return notOpened("error: could not open file: %s", strings.TrimSuffix(path.Path, "/"), err)
}
