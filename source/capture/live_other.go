//go:build !linux

package capture

import (
	"context"
	"errors"
	"runtime"
)

func listen(context.Context, string) (*input, error) {
	return nil, errors.New("listening on an interface is not supported on " + runtime.GOOS + ": write a capture and pipe it in")
}
