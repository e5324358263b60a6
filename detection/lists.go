package detection

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/besra-hunt/besra/exclusion"
)

// lists reads the allow-lists that a detection keeps in files of its pack. A
// list whose file cannot be read stays without values, so that what needs it is
// unknown; the fault is reported.
func (l *loader) lists(d *Detection) {
	for _, name := range slices.Sorted(maps.Keys(d.Lists)) {
		list := d.Lists[name]
		if list.File == "" {
			continue
		}
		if err := l.list(d, &list); err != nil {
			l.fail(d.Path, fmt.Errorf("lists.%s: %s: %w", name, list.File, err))
			list.Values = nil
		}
		d.Lists[name] = list
	}
}

func (l *loader) list(d *Detection, list *exclusion.List) error {
	p := path.Join(path.Dir(d.Path), list.File)
	switch {
	case !fs.ValidPath(p):
		return errors.New("want a file below the detection's folder")
	case list.Values != nil:
		return errors.New("a list has values or a file, not both")
	}
	text, err := readFile(l.pack.FS, p)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	l.digest[p] = sum[:]
	list.Values, err = exclusion.ReadList(bytes.NewReader(text), list.Column)
	return err
}
