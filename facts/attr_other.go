//go:build !linux && !darwin

package facts

// hasACL reports whether the path has an access list beyond its mode.
func (h *Host) hasACL(string) bool { return false }
