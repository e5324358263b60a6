//go:build !unix

package main

import (
	"errors"
	"os"
)

// mapFile maps no files here: they are read.
func mapFile(*os.File, int) ([]byte, func() error, error) {
	return nil, nil, errors.ErrUnsupported
}
