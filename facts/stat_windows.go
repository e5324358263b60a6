package facts

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"github.com/besra-hunt/besra"
)

// systemStat knows no inode here: owners are security identifiers.
func systemStat(fs.FileInfo) (stat, bool) { return stat{}, false }

func (f *File) birth() (time.Time, error) {
	d, ok := f.info.Sys().(*syscall.Win32FileAttributeData)
	if !ok {
		return time.Time{}, errNoBirth
	}
	return time.Unix(0, d.CreationTime.Nanoseconds()), nil
}

// origin reads the note that browsers and mail programs leave in a stream.
func (f *File) origin() (url, source string, err error) {
	stream, err := os.Open(filepath.FromSlash(f.path) + ":Zone.Identifier")
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	defer stream.Close()
	url, err = parseZone(stream)
	return url, "stream Zone.Identifier", err
}

// sid returns the security identifier of the file's owner.
func (f *File) sid() (*windows.SID, error) {
	if !f.host.Live() {
		return nil, errors.New("the owner of a foreign root is not this host's to know")
	}
	d, err := windows.GetNamedSecurityInfo(filepath.FromSlash(f.path), windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	owner, _, err := d.Owner()
	return owner, err
}

func (f *File) sidFact(context.Context) besra.Fact {
	owner, err := f.sid()
	if err != nil {
		return unknown(err.Error())
	}
	return fact(owner.String(), besra.GradeVerified, "security descriptor")
}

// sidName returns the owner as DOMAIN\name.
func (f *File) sidName() besra.Fact {
	owner, err := f.sid()
	if err != nil {
		return unknown(err.Error())
	}
	name, domain, _, err := owner.LookupAccount("")
	if err != nil {
		return unknown("no account has the identifier " + owner.String())
	}
	if domain != "" {
		name = domain + `\` + name
	}
	return fact(besra.Text(name), besra.GradeVerified, "security descriptor")
}

// volumeFact returns a path's volume, or the type of its file system.
func volumeFact(path, name string) besra.Fact {
	volume := filepath.VolumeName(filepath.FromSlash(path)) + `\`
	if name == "file.mount.point" {
		return fact(besra.Text(filepath.ToSlash(volume)), besra.GradeVerified, "path")
	}
	root, err := windows.UTF16PtrFromString(volume)
	if err != nil {
		return unknown(err.Error())
	}
	var kind [windows.MAX_PATH + 1]uint16
	if err := windows.GetVolumeInformation(root, nil, 0, nil, nil, nil, &kind[0], uint32(len(kind))); err != nil {
		return unknown(err.Error())
	}
	return fact(windows.UTF16ToString(kind[:]), besra.GradeVerified, "volume "+volume)
}
