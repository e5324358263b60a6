//go:build !linux

package facts

import (
	"context"
	"errors"
)

func (f *File) openers(context.Context) ([]opener, error) {
	if !f.host.Live() {
		return nil, errForeign
	}
	return nil, errors.New("who has a file open is not asked on this system")
}
