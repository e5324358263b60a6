//go:build unix && !linux && !darwin && !freebsd

package files

// fsType is not asked on this system.
func (d *dir) fsType() string { return "" }
