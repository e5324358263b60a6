package files

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/besra-hunt/besra/facts"
)

// ownPaths spells the files and directories that the hunt itself writes as the
// walk meets them: by their real path on the host. What lies outside of a
// foreign root is not met there.
func ownPaths(host *facts.Host, names []string) map[string]bool {
	own := map[string]bool{}
	for _, name := range names {
		p, err := filepath.Abs(name)
		if err != nil {
			continue
		}
		// The file may not be there yet; its directory is.
		dir, err := filepath.EvalSymlinks(filepath.Dir(p))
		if err != nil {
			continue
		}
		p = filepath.Join(dir, filepath.Base(p))
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		if p, ok := onHost(host, p); ok {
			own[fold(p)] = true
		}
	}
	return own
}

// onHost spells a real path of this system as one on the host that is walked.
func onHost(host *facts.Host, p string) (string, bool) {
	if host.Live() {
		return canonical(p), true
	}
	root, err := filepath.EvalSymlinks(host.Root())
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(root, p)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return path.Join("/", filepath.ToSlash(rel)), true
}

// isOwn reports whether the hunt itself writes what is at p.
func (s *Source) isOwn(p string) bool { return len(s.own) > 0 && s.own[fold(p)] }
