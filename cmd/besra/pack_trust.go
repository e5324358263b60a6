package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/detection"
)

// trustedKeys reads the public keys in the named files and in the folders of
// trusted keys: besra/trusted-keys below the user's configuration and /etc.
func trustedKeys(names []string) ([]ed25519.PublicKey, error) {
	files := names
	dirs := []string{"/etc/besra/trusted-keys"}
	if config, err := os.UserConfigDir(); err == nil {
		dirs = append(dirs, filepath.Join(config, "besra", "trusted-keys"))
	}
	for _, dir := range dirs {
		found, _ := filepath.Glob(filepath.Join(dir, "*.pub")) // the pattern is valid
		files = append(files, found...)
	}
	var keys []ed25519.PublicKey
	for _, name := range files {
		key, err := readPublicKey(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func readPublicKey(name string) (ed25519.PublicKey, error) {
	block, err := readPEM(name)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKIXPublicKey(block)
	key, ok := any.(ed25519.PublicKey)
	if err != nil || !ok {
		return nil, &hintError{fmt.Errorf("%s is not an Ed25519 public key", name), "besra pack keygen makes a pair"}
	}
	return key, nil
}

func readPrivateKey(name string) (ed25519.PrivateKey, error) {
	block, err := readPEM(name)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(block)
	key, ok := any.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, &hintError{fmt.Errorf("%s is not an Ed25519 private key", name), "besra pack keygen makes a pair"}
	}
	return key, nil
}

func readPEM(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, &hintError{fmt.Errorf("%s holds no key in PEM", name), "besra pack keygen makes a pair"}
	}
	return block.Bytes, nil
}

// readArchive reads a pack archive and lifts the hint of its errors.
func readArchive(name string) (*detection.Archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, detection.MaxArchive+1))
	if err != nil {
		return nil, err
	}
	a, err := detection.ReadArchive(data)
	return a, archiveError(name, err)
}

func archiveError(name string, err error) error {
	var refused *detection.ArchiveError
	if !errors.As(err, &refused) {
		return err
	}
	err = fmt.Errorf("%s: %w", name, err)
	if refused.Hint != "" {
		err = &hintError{err, refused.Hint}
	}
	return &exitError{exitContent, err}
}

// openArchive reads an archive that a trusted key signed and that is no older
// than the newest of its name that was used here.
func openArchive(name string, trust []string) (*detection.Pack, []error, error) {
	a, err := readArchive(name)
	if err != nil {
		return nil, nil, err
	}
	keys, err := trustedKeys(trust)
	if err != nil {
		return nil, nil, err
	}
	if _, err := a.Verify(keys); err != nil {
		return nil, nil, archiveError(name, err)
	}
	if err := rememberPack(a.Manifest); err != nil {
		return nil, nil, archiveError(name, err)
	}
	p, faults := a.Pack()
	return p, faults, nil
}

// seenPack is the newest version of a pack that was used here.
type seenPack struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// rememberPack refuses a pack that is older than one of its name that was used
// before, or has the same version and other content; otherwise it is kept as
// the newest.
func rememberPack(m detection.Manifest) error {
	name, err := statePath("packs.json")
	if err != nil {
		return err
	}
	seen := map[string]seenPack{}
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal(text, &seen); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	last, known := seen[m.Name]
	if err := checkRollback(m, last, known, name); err != nil || last == (seenPack{m.Version, m.Digest}) {
		return err
	}
	seen[m.Name] = seenPack{m.Version, m.Digest}
	return writeState(name, seen)
}

func checkRollback(m detection.Manifest, last seenPack, known bool, state string) error {
	hint := "if going back is meant, remove its entry from " + state
	switch order := detection.CompareVersions(m.Version, last.Version); {
	case !known:
		return nil
	case order < 0:
		return &detection.ArchiveError{Reason: "rollback", Hint: hint,
			Msg: fmt.Sprintf("version %s of the pack %s is older than %s, which was used here before", m.Version, m.Name, last.Version)}
	case order == 0 && m.Digest != last.Digest:
		return &detection.ArchiveError{Reason: "rollback", Hint: hint,
			Msg: fmt.Sprintf("version %s of the pack %s has other content than when it was used here before", m.Version, m.Name)}
	}
	return nil
}

func writeState(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	hint := "the newest version of each pack is kept there against rollback; set XDG_STATE_HOME to a directory that can be written to"
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return &hintError{err, hint}
	}
	temp := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return &hintError{err, hint}
	}
	return os.Rename(temp, name)
}

// statePath is a file of what is kept between runs.
func statePath(name string) (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "besra", name), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &hintError{err, "set XDG_STATE_HOME"}
	}
	return filepath.Join(home, ".local", "state", "besra", name), nil
}
