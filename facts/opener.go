package facts

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"

	"github.com/besra-hunt/besra"
)

// opener is a process that has the file open.
type opener struct {
	exe  string // "?" where it cannot be told
	uid  uint32
	user string // empty where the uid has no name
}

var errForeign = errors.New("no process runs on a foreign root")

func (o opener) unnamed() string {
	return "/etc/passwd has no user " + strconv.FormatUint(uint64(o.uid), 10)
}

// openerFact answers who has the file open now. The processes are gone through
// once for all facts of the group.
func (f *File) openerFact(ctx context.Context, name string) besra.Fact {
	if f.opened == nil {
		list, err := f.openers(ctx)
		if err != nil {
			return unknown(err.Error())
		}
		f.opened = &list
	}
	values, g := []string{}, besra.GradeWeak // what a program is called is the intruder's choice
	for _, o := range *f.opened {
		switch name {
		case "opener.names":
			values = append(values, path.Base(o.exe))
		case "opener.exes":
			values = append(values, o.exe)
		default:
			if o.user == "" {
				return unknown(o.unnamed())
			}
			values, g = append(values, o.user), besra.GradeVerified
		}
	}
	slices.Sort(values)
	return fact(slices.Compact(values), g, "/proc")
}
