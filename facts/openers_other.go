//go:build !linux

package facts

import (
	"context"

	"github.com/besra-hunt/besra"
)

func (f *File) openers(context.Context) besra.Fact {
	return unknown("who has a file open is not asked on this system")
}
