package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func ruleCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "rule", Short: "Check, format and compile YARA rules"}
	cmd.AddCommand(ruleCheckCommand(stdio), ruleFmtCommand(stdio), ruleCompileCommand(stdio), ruleExplainCommand(stdio))
	return cmd
}

// writeAtomic writes a file whole or not at all: nobody sees it half-written,
// and what was there before stays where writing fails. The file keeps its
// permissions; a link is followed, and what is not a regular file is written
// to as it is.
func writeAtomic(name string, data []byte) (err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	perm := os.FileMode(0o666)
	info, err := os.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return os.WriteFile(name, data, 0)
	case err == nil:
		perm = info.Mode().Perm()
	}
	temp := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// plural returns "1 file", "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
