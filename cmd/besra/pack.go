package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/besra-hunt/besra/detection"
	"github.com/spf13/cobra"
)

func packCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "pack", Short: "Build, sign, verify and compare packs of detections"}
	cmd.AddCommand(packKeygenCommand(stdio), packBuildCommand(stdio), packSignCommand(stdio), packVerifyCommand(stdio), packDiffCommand(stdio))
	return cmd
}

func packKeygenCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make a pair of keys: NAME.key to sign with, NAME.pub to trust",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			secret, err := x509.MarshalPKCS8PrivateKey(private)
			if err != nil {
				return err
			}
			open, err := x509.MarshalPKIXPublicKey(public)
			if err != nil {
				return err
			}
			if err := writeNew(args[0]+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
				return err
			}
			if err := writeNew(args[0]+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(stdio.out, "key %s: %s.key, %s.pub\n", detection.KeyID(public), args[0], args[0])
			return nil
		},
	}
}

// writeNew writes a file that must not exist.
func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func packBuildCommand(stdio stdio) *cobra.Command {
	var out, key string
	cmd := &cobra.Command{
		Use:   "build DIR",
		Short: "Make an archive of a folder of detections",
		Long: `Check a folder of detections and make one file of it, NAME-VERSION.bpk by its pack.yaml. The same
files always give the same bytes. With --key it is signed at once.`,
		Example: "  besra pack build detections/ --key soc.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return buildPack(stdio, args[0], out, key)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write (default: NAME-VERSION.bpk)")
	cmd.Flags().StringVar(&key, "key", "", "private key to sign with")
	return cmd
}

func buildPack(stdio stdio, dir, out, key string) error {
	p, err := soundPack(stdio, dir)
	if err != nil {
		return err
	}
	data, err := detection.BuildArchive(p)
	if err != nil {
		return archiveError(dir, err)
	}
	if key != "" {
		if data, err = signed(data, key); err != nil {
			return err
		}
	}
	if out == "" {
		out = p.Name + "-" + p.Version + ".bpk"
	}
	if err := replaceFile(out, data); err != nil {
		return err
	}
	fmt.Fprintf(stdio.out, "%s: %s %s, %d detections, %s\n", out, p.Name, p.Version, len(p.Detections), p.Digest)
	return nil
}

// soundPack loads a folder and wants it to compile.
func soundPack(stdio stdio, dir string) (*detection.Pack, error) {
	packs, err := loadPacks([]string{dir})
	if err != nil {
		return nil, &exitError{exitContent, err}
	}
	_, faults := detection.Compile(packs[0])
	faults = append(faults, detection.CheckFingerprints(packs[0])...)
	for _, f := range faults {
		f.Render(stdio.err, colorful(stdio.err))
	}
	if len(faults) > 0 {
		return nil, &exitError{exitContent, &hintError{fmt.Errorf("%d parts of the pack are invalid", len(faults)), "mend them: an archive holds only what can be used"}}
	}
	return packs[0], nil
}

func signed(data []byte, key string) ([]byte, error) {
	private, err := readPrivateKey(key)
	if err != nil {
		return nil, err
	}
	a, err := detection.ReadArchive(data)
	if err != nil {
		return nil, err
	}
	return a.Sign(private)
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, data []byte) error {
	t, err := os.CreateTemp(filepath.Dir(name), ".besra-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(data)
	if err == nil {
		err = t.Chmod(0o644)
	}
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(t.Name(), name)
}

func packSignCommand(stdio stdio) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign ARCHIVE",
		Short: "Add a signature to an archive",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := readArchive(args[0])
			if err != nil {
				return err
			}
			private, err := readPrivateKey(key)
			if err != nil {
				return err
			}
			data, err := a.Sign(private)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdio.out, "%s: signed by %s\n", args[0], detection.KeyID(private.Public().(ed25519.PublicKey)))
			return replaceFile(args[0], data)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "private key to sign with")
	cmd.MarkFlagRequired("key")
	return cmd
}

func packVerifyCommand(stdio stdio) *cobra.Command {
	var trust []string
	cmd := &cobra.Command{
		Use:   "verify ARCHIVE…",
		Short: "Check archives against their manifest and trusted keys",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := trustedKeys(trust)
			if err != nil {
				return err
			}
			for _, name := range args {
				a, err := readArchive(name)
				if err != nil {
					return err
				}
				id, err := a.Verify(keys)
				if err != nil {
					return archiveError(name, err)
				}
				m := a.Manifest
				fmt.Fprintf(stdio.out, "%s: %s %s, %d files, %s, signed by %s\n", name, m.Name, m.Version, len(m.Files), m.Digest, id)
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&trust, "trust-key", nil, "file of a public key to trust; may be repeated")
	return cmd
}

func packDiffCommand(stdio stdio) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "Say what changed between two packs, detection by detection and exclusion by exclusion",
		Example: "  besra pack diff soc-1.0.0.bpk detections/",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %q: want text or json", format)
			}
			var packs [2]*detection.Pack
			for i, name := range args {
				p, err := packToCompare(name)
				if err != nil {
					return err
				}
				packs[i] = p
			}
			changes := detection.Diff(packs[0], packs[1])
			if format == "json" {
				return json.NewEncoder(stdio.out).Encode(append([]detection.Change{}, changes...))
			}
			return printChanges(stdio, changes)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}

// packToCompare reads a pack for looking at, whoever signed it.
func packToCompare(name string) (*detection.Pack, error) {
	if !isArchive(name) {
		packs, err := loadPacks([]string{name})
		if err != nil {
			return nil, &exitError{exitContent, err}
		}
		return packs[0], nil
	}
	a, err := readArchive(name)
	if err != nil {
		return nil, err
	}
	p, faults := a.Pack()
	if len(faults) > 0 {
		return nil, &exitError{exitContent, faults[0]}
	}
	return p, nil
}

func isArchive(name string) bool { return strings.EqualFold(filepath.Ext(name), ".bpk") }

func printChanges(stdio stdio, changes []detection.Change) error {
	p := &outline{w: stdio.out}
	for _, c := range changes {
		what := "detection " + c.Detection
		if c.Exclusion != "" {
			what = "exclusion " + c.Detection + "/" + c.Exclusion
		}
		p.line("%s %s", c.Kind, what)
		for _, f := range c.Fields {
			p.line("    %s", f)
		}
	}
	fmt.Fprintf(stdio.err, "%d changes\n", len(changes))
	return p.err
}
